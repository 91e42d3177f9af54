//! Rosters and subscriptions (RFC 6121 §2 and §3).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountsConfig;
use anser_jid::BareJid;
use anser_tests::script::Script;
use anser_tests::world::{World, credentials};
use anser_xmpp::XmppConfig;
use std::sync::Arc;
use std::time::Duration;

const GET: &str = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";

/// Alice and Bob, there and with their rosters.
fn strangers() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    for name in ["alice", "bob"] {
        script.log_in(name, &format!("{name}@example.org/phone"));
        script.send(name, GET);
        script.expect(
            name,
            "<iq type='result' id='r'><query xmlns='jabber:iq:roster' ver='0'/></iq>",
        );
        script.send(name, "<presence/>");
        script.expect(
            name,
            &format!("<presence from='{name}@example.org/phone'/>"),
        );
    }
    script
}

/// RFC 6121 §2.1.6, §2.3
#[test]
fn a_contact_is_kept_and_told_to_every_device_that_asked() {
    let mut script = strangers();
    script.log_in("laptop", "alice@example.org/laptop");
    script.send("laptop", GET);
    let _roster = script.receive("laptop");
    script.log_in("deaf", "alice@example.org/deaf");
    script.play(
        "
        alice  C: <iq type='set' id='s'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net' name='Carol'><group>Friends</group><group>Work</group></item>
            </query></iq>
        alice  S: <iq type='result' id='s'/>
        alice  S: <iq type='set' to='alice@example.org/phone' id='*'>
            <query xmlns='jabber:iq:roster' ver='1795132800000'>
            <item jid='carol@example.net' name='Carol' subscription='none'><group>Friends</group>
            <group>Work</group></item></query></iq>
        laptop S: <iq type='set' to='alice@example.org/laptop'><query xmlns='jabber:iq:roster' ver='1795132800000'>
            <item jid='carol@example.net'/></query></iq>
        deaf   S: nothing
        deaf   C: <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>
        deaf   S: <iq type='result' id='r'><query xmlns='jabber:iq:roster' ver='1795132800000'>
            <item jid='carol@example.net' name='Carol' subscription='none'><group>Friends</group>
            <group>Work</group></item></query></iq>
        ",
    );
}

/// RFC 6121 §2.4, §2.5
#[test]
fn a_contact_is_changed_and_removed() {
    let mut script = strangers();
    script.play(
        "
        alice C: <iq type='set' id='1'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net' name='Carol'><group>Work</group></item></query></iq>
        alice S: <iq type='result' id='1'/>
        alice S: <iq type='set'/>
        alice C: <iq type='set' id='2'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net'/></query></iq>
        alice S: <iq type='result' id='2'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster' ver='1795132800001'>
            <item jid='carol@example.net' subscription='none'/></query></iq>
        alice C: <iq type='set' id='3'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net' subscription='remove'/></query></iq>
        alice S: <iq type='result' id='3'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster' ver='1795132800002'>
            <item jid='carol@example.net' subscription='remove'/></query></iq>
        alice C: <iq type='set' id='4'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net' subscription='remove'/></query></iq>
        alice S: <iq type='error' id='4'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// RFC 6121 §2.6
#[test]
fn a_client_that_has_the_roster_does_not_get_it_again() {
    let mut script = strangers();
    script.play(
        "
        alice C: <iq type='set' id='1'><query xmlns='jabber:iq:roster'>
            <item jid='carol@example.net'/></query></iq>
        alice S: <iq type='result' id='1'/>
        alice S: <iq type='set'/>
        ",
    );
    script.send(
        "alice",
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='1795132800000'/></iq>",
    );
    let answer = script.receive("alice");
    assert_eq!(answer.children().count(), 0);
    script.send(
        "alice",
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='0'/></iq>",
    );
    script.expect(
        "alice",
        "<iq id='r'><query xmlns='jabber:iq:roster' ver='1795132800000'><item jid='carol@example.net'/></query></iq>",
    );
}

/// RFC 6121 §2.6: a version names one state of one account's roster, also if
/// there was another account of that name.
#[test]
fn the_roster_of_a_new_account_has_no_version_of_an_earlier_one() {
    let version = |script: &mut Script, contact: &str| {
        script.log_in("alice", "alice@example.org/phone");
        script.send("alice", GET);
        let _empty = script.receive("alice");
        let item = format!("<item jid='{contact}@example.net'/>");
        let query = format!("<query xmlns='jabber:iq:roster'>{item}</query>");
        script.send("alice", &format!("<iq type='set' id='s'>{query}</iq>"));
        script.expect("alice", "<iq type='result' id='s'/>");
        let push = script.receive("alice");
        let query = push.child("jabber:iq:roster", "query").unwrap();
        query.attribute("ver").unwrap().into_owned()
    };
    let mut script = Script::new(&["alice"]);
    let first = version(&mut script, "bob");
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let alice: BareJid = "alice@example.org".parse().unwrap();
    script.world.complete(async move {
        hub.delete_account(&alice, now).await.unwrap();
        let again = [(alice, credentials())];
        hub.create_accounts(&again, now).await.unwrap();
    });
    script.world.pass(Duration::from_secs(1));
    assert_ne!(version(&mut script, "carol"), first);
}

/// RFC 6121 §2.3.3
#[test]
fn a_roster_set_that_makes_no_sense_is_refused_with_its_condition() {
    let long = "x".repeat(1024);
    for (items, condition) in [
        (String::new(), "bad-request"),
        (
            "<item jid='a@b'/><item jid='c@d'/>".to_owned(),
            "bad-request",
        ),
        ("<item/>".to_owned(), "bad-request"),
        ("<item jid='@'/>".to_owned(), "bad-request"),
        (
            "<item jid='a@b'><group>x</group><group>x</group></item>".to_owned(),
            "bad-request",
        ),
        (
            "<item jid='a@b'><group/></item>".to_owned(),
            "not-acceptable",
        ),
        (
            format!("<item jid='a@b'><group>{long}</group></item>"),
            "not-acceptable",
        ),
        (format!("<item jid='a@b' name='{long}'/>"), "not-acceptable"),
    ] {
        let mut script = strangers();
        script.send(
            "alice",
            &format!("<iq type='set' id='s'><query xmlns='jabber:iq:roster'>{items}</query></iq>"),
        );
        script.expect(
            "alice",
            &format!(
                "<iq type='error' id='s'><error>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            ),
        );
        script.expect_nothing("alice");
    }
}

/// RFC 6121 §2.3.3: only the account itself may.
#[test]
fn nobody_gets_or_changes_the_roster_of_another() {
    let mut script = strangers();
    for kind in ["get", "set"] {
        script.play(&format!(
            "
            alice C: <iq type='{kind}' to='bob@example.org' id='s'><query xmlns='jabber:iq:roster'>
                <item jid='eve@example.org'/></query></iq>
            alice S: <iq type='error' from='bob@example.org' id='s'><error type='cancel'>
                <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
            bob   S: nothing
            "
        ));
    }
}

/// RFC 6121 §3.1
#[test]
fn a_request_is_asked_answered_and_both_rosters_follow() {
    let mut script = strangers();
    script.play(
        "
        alice C: <presence to='bob@example.org/phone' type='subscribe' id='s'><status>hi</status>
            </presence>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='none' ask='subscribe'/></query></iq>
        bob   S: <presence type='subscribe' from='alice@example.org' to='bob@example.org'>
            <status>hi</status></presence>
        bob   C: <presence to='alice@example.org' type='subscribed'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='from'/></query></iq>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='to'/></query></iq>
        alice S: <presence type='subscribed' from='bob@example.org' to='alice@example.org'/>
        alice S: <presence from='bob@example.org/phone' to='alice@example.org'/>
        alice S: nothing
        bob   S: nothing
        bob   C: <presence to='alice@example.org' type='subscribe'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='from' ask='subscribe'/></query></iq>
        alice S: <presence type='subscribe' from='bob@example.org'/>
        alice C: <presence to='bob@example.org' type='subscribed'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='both'/></query></iq>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='both'/></query></iq>
        bob   S: <presence type='subscribed' from='alice@example.org'/>
        bob   S: <presence from='alice@example.org/phone'/>
        bob   S: nothing
        ",
    );
}

/// RFC 6121 §3.2.2: denying a request
#[test]
fn a_request_can_be_denied() {
    let mut script = strangers();
    script.play(
        "
        alice C: <presence to='bob@example.org' type='subscribe'/>
        alice S: <iq type='set'/>
        bob   S: <presence type='subscribe'/>
        bob   C: <presence to='alice@example.org' type='unsubscribed'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='none'/></query></iq>
        alice S: <presence type='unsubscribed' from='bob@example.org'/>
        alice S: nothing
        bob   S: nothing
        ",
    );
}

/// RFC 6121 §3.1.3: "the server MUST deliver the request … until … the contact
/// either approves or denies"
#[test]
fn a_request_waits_for_its_answer_over_logins() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <presence to='bob@example.org' type='subscribe'><status>please</status></presence>
        ",
    );
    for login in ["1", "2"] {
        script.appear(login, &format!("bob@example.org/{login}"));
        script.expect(
            login,
            "<presence type='subscribe' from='alice@example.org'><status>please</status></presence>",
        );
        script.expect_nothing(login);
        script.send(login, "</stream:stream>");
    }
    script.appear("3", "bob@example.org/3");
    script.play(
        "
        3 S: <presence type='subscribe' from='alice@example.org'/>
        3 C: <presence to='alice@example.org' type='subscribed'/>
        3 C: </stream:stream>
        ",
    );
    script.appear("4", "bob@example.org/4");
    script.expect_nothing("4");
}

/// RFC 6121 §3.1.3: a second request changes nothing.
#[test]
fn a_request_is_shown_once_however_often_it_is_made() {
    let mut script = strangers();
    script.play(
        "
        alice C: <presence to='bob@example.org' type='subscribe'/>
        alice S: <iq type='set'/>
        bob   S: <presence type='subscribe'/>
        alice C: <presence to='bob@example.org' type='subscribe'/>
        alice S: nothing
        bob   S: nothing
        ",
    );
}

/// RFC 6121 §3.2
#[test]
fn what_was_granted_can_be_taken_back() {
    let mut script = strangers();
    script.befriend("alice", "bob");
    script.play(
        "
        alice C: <presence to='bob@example.org' type='unsubscribed'/>
        bob   S: <presence type='unavailable' from='alice@example.org/phone' to='bob@example.org'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='to'/></query></iq>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='from'/></query></iq>
        bob   S: <presence type='unsubscribed' from='alice@example.org'/>
        alice C: <presence><show>away</show></presence>
        bob   S: nothing
        ",
    );
}

/// RFC 6121 §3.3
#[test]
fn whoever_no_longer_wants_to_see_no_longer_sees() {
    let mut script = strangers();
    script.befriend("alice", "bob");
    script.play(
        "
        alice C: <presence to='bob@example.org' type='unsubscribe'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='from'/></query></iq>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='to'/></query></iq>
        bob   S: <presence type='unsubscribe' from='alice@example.org'/>
        alice S: <presence type='unavailable' from='bob@example.org/phone'/>
        bob   C: <presence><show>away</show></presence>
        bob   S: <presence/>
        alice S: nothing
        ",
    );
}

/// RFC 6121 §2.5.2
#[test]
fn removing_a_contact_ends_the_subscriptions_both_ways() {
    let mut script = strangers();
    script.befriend("alice", "bob");
    script.play(
        "
        alice C: <iq type='set' id='r'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='remove'/></query></iq>
        alice S: <iq type='result' id='r'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='remove'/></query></iq>
        bob   S: <presence type='unavailable' from='alice@example.org/phone'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='to'/></query></iq>
        bob   S: <presence type='unsubscribe' from='alice@example.org'/>
        alice S: <presence type='unavailable' from='bob@example.org/phone'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='none'/></query></iq>
        bob   S: <presence type='unsubscribed' from='alice@example.org'/>
        alice S: nothing
        ",
    );
}

/// RFC 6121 §3.4, §3.1.6: presence comes when it is known to be allowed.
#[test]
fn a_request_that_was_allowed_in_advance_is_granted_without_asking() {
    let mut script = strangers();
    script.play(
        "
        bob   C: <presence to='alice@example.org' type='subscribed'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='none' approved='true'/></query></iq>
        alice S: nothing
        alice C: <presence to='bob@example.org' type='subscribe'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' ask='subscribe'/></query></iq>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='from'/></query></iq>
        bob   S: nothing
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='to'/></query></iq>
        alice S: <presence type='subscribed' from='bob@example.org'/>
        alice S: <presence from='bob@example.org/phone'/>
        alice S: nothing
        ",
    );
}

/// RFC 6121 §3.4.2
#[test]
fn what_was_allowed_in_advance_can_be_taken_back() {
    let mut script = strangers();
    script.play(
        "
        bob   C: <presence to='alice@example.org' type='subscribed'/>
        bob   S: <iq type='set'/>
        bob   C: <presence to='alice@example.org' type='unsubscribed'/>
        bob   S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org' subscription='none'/></query></iq>
        alice S: nothing
        alice C: <presence to='bob@example.org' type='subscribe'/>
        bob   S: <presence type='subscribe'/>
        ",
    );
}

/// RFC 6121 §8.5.1: "the server MUST silently ignore the stanza"
#[test]
fn steps_towards_nobody_are_ignored() {
    let mut script = strangers();
    for kind in ["subscribed", "unsubscribe", "unsubscribed"] {
        script.send(
            "alice",
            &format!("<presence to='nobody@example.org' type='{kind}'/>"),
        );
    }
    script.send(
        "alice",
        "<presence to='nobody@example.org' type='subscribe'/>",
    );
    loop {
        // Only pushes of her own roster.
        script.world.settle();
        let received = script.try_receive("alice");
        match received {
            Some(element) => assert_eq!(element.name(), "iq"),
            None => break,
        }
    }
}

/// Every input has a limit.
#[test]
fn a_roster_has_only_so_many_contacts() {
    let limits = AccountsConfig {
        contacts: 1,
        ..AccountsConfig::default()
    };
    let world = World::with_config(1, &["alice"], limits, XmppConfig::default());
    let mut script = Script::in_world(world);
    script.log_in("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>
        alice S: <iq type='result' id='1'/>
        alice C: <iq type='set' id='2'><query xmlns='jabber:iq:roster'><item jid='c@d'/></query></iq>
        alice S: <iq type='error' id='2'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}
