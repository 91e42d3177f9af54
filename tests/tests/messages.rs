//! Messages between accounts of one server (RFC 6121 §5 and §8.5).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::{AccountsConfig, Domains, HubConfig};
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;
use std::time::Duration;

/// Alice at her phone, Bob with two devices, everybody there.
fn three_devices() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("phone", "bob@example.org/phone");
    script.appear("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop S: <presence from='bob@example.org/phone'/>
        phone  S: <presence from='bob@example.org/laptop'/>
        ",
    );
    script
}

/// RFC 6121 §8.5.2.1.1
#[test]
fn a_message_to_an_account_reaches_every_device_that_takes_messages() {
    for kind in ["chat", "normal", "headline"] {
        let mut script = three_devices();
        script.play(&format!(
            "
            alice  C: <message to='bob@example.org' type='{kind}' id='m1'><body>hello</body></message>
            phone  S: <message from='alice@example.org/phone' to='bob@example.org' id='m1'>
                <body>hello</body></message>
            laptop S: <message from='alice@example.org/phone' to='bob@example.org' id='m1'>
                <body>hello</body></message>
            alice  S: nothing
            "
        ));
    }
}

/// RFC 6121 §8.5.3.1: also to a resource that is connected and no more. It might be about
/// to say that it acknowledges, so mail waits for that, but not for ever.
#[test]
fn a_device_that_says_nothing_gets_what_is_sent_to_it_all_the_same() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        alice C: <message to='bob@example.org/phone' id='m1'><body>hello</body></message>
        bob   S: nothing
        ",
    );
    script.world.pass(Duration::from_millis(1999));
    script.expect_nothing("bob");
    script.world.pass(Duration::from_millis(1));
    script.play("bob S: <message from='alice@example.org/phone' id='m1'/>");
    script.cut("bob");
    script.appear("bob", "bob@example.org/laptop");
    script.play("bob S: <message from='alice@example.org/phone' id='m1'><delay xmlns='urn:xmpp:delay'/></message>");
}

/// XEP-0198 §4: what was sent before `<enabled/>` does not count, so that an
/// acknowledgement of anything later is one of that too.
#[test]
fn what_was_sent_before_a_client_acknowledges_waits_for_its_first_acknowledgement() {
    for h in [0, 1] {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        script.log_in("bob", "bob@example.org/phone");
        script.send(
            "alice",
            "<message to='bob@example.org/phone' id='m1'><body>hello</body></message>",
        );
        script.world.pass(Duration::from_secs(2));
        script.play(&format!(
            "
            bob   S: <message id='m1'/>
            bob   C: <enable xmlns='urn:xmpp:sm:3'/>
            bob   S: <enabled xmlns='urn:xmpp:sm:3'/>
            alice C: <message to='bob@example.org/phone' id='m2' type='headline'/>
            bob   S: <message id='m2'/>
            bob   C: <a xmlns='urn:xmpp:sm:3' h='{h}'/>
            "
        ));
        script.cut("bob");
        script.appear("bob", "bob@example.org/laptop");
        script.play(match h {
            0 => "bob S: <message id='m1'/>",
            _ => "bob S: nothing",
        });
    }
}

/// RFC 6121 §8.5.2.1.1: "for any message type the server MUST NOT deliver the
/// stanza to any available resource with a negative priority"
#[test]
fn a_device_with_a_negative_priority_gets_only_what_is_sent_to_it() {
    let mut script = three_devices();
    script.play(
        "
        laptop C: <presence><priority>-1</priority></presence>
        laptop S: <presence from='bob@example.org/laptop'/>
        phone  S: <presence from='bob@example.org/laptop'/>
        alice  C: <message to='bob@example.org' type='chat'><body>to all</body></message>
        phone  S: <message><body>to all</body></message>
        laptop S: nothing
        alice  C: <message to='bob@example.org/laptop' type='chat'><body>to one</body></message>
        laptop S: <message to='bob@example.org/laptop'><body>to one</body></message>
        phone  S: nothing
        ",
    );
}

/// RFC 6121 §8.5.3.1
#[test]
fn a_message_to_a_session_reaches_that_session_only() {
    let mut script = three_devices();
    for kind in ["chat", "normal", "headline", "groupchat"] {
        script.play(&format!(
            "
            alice  C: <message to='bob@example.org/laptop' type='{kind}'><body>hello</body></message>
            laptop S: <message to='bob@example.org/laptop'><body>hello</body></message>
            phone  S: nothing
            alice  S: nothing
            "
        ));
    }
}

/// RFC 6121 §8.5.3.2.1
#[test]
fn a_message_to_a_session_that_is_not_there_is_treated_by_its_type() {
    let mut script = three_devices();
    script.play(
        "
        alice  C: <message to='bob@example.org/watch' type='chat' id='1'><body>hello</body></message>
        phone  S: <message to='bob@example.org/watch' id='1'/>
        laptop S: <message to='bob@example.org/watch' id='1'/>
        alice  C: <message to='bob@example.org/watch' id='2'><body>hello</body></message>
        alice  S: <message type='error' from='bob@example.org/watch' id='2'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice  C: <message to='bob@example.org/watch' type='groupchat' id='3'/>
        alice  S: <message type='error' from='bob@example.org/watch' id='3'/>
        alice  C: <message to='bob@example.org/watch' type='headline' id='4'/>
        alice  C: <message to='bob@example.org/watch' type='error' id='5'/>
        alice  S: nothing
        phone  S: nothing
        laptop S: nothing
        ",
    );
}

/// RFC 6121 §8.5.2.1.1, §8.5.2.2.1
#[test]
fn a_message_to_an_account_of_another_type_is_refused_or_ignored() {
    let mut script = three_devices();
    script.play(
        "
        alice  C: <message to='bob@example.org' type='groupchat' id='1'><body>x</body></message>
        alice  S: <message type='error' from='bob@example.org' id='1'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice  C: <message to='bob@example.org' type='error' id='2'><body>x</body></message>
        alice  S: nothing
        phone  S: nothing
        ",
    );
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message to='bob@example.org' type='headline'><body>x</body></message>
        alice C: <message to='bob@example.org' type='error'><body>x</body></message>
        alice C: <message to='bob@example.org' type='groupchat' id='1'><body>x</body></message>
        alice S: <message type='error' id='1'/>
        alice S: nothing
        ",
    );
    script.appear("bob", "bob@example.org/phone");
    script.expect_nothing("bob");
}

/// RFC 6121 §8.5.1
#[test]
fn a_message_to_nobody_comes_back() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message to='nobody@example.org' type='chat' id='1'><body>hello?</body></message>
        alice S: <message type='error' from='nobody@example.org' to='alice@example.org/phone' id='1'>
            <error type='cancel'><service-unavailable
            xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='bob@elsewhere.example' type='chat' id='2'><body>hello?</body></message>
        alice S: <message type='error' from='bob@elsewhere.example' id='2'><error type='cancel'>
            <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='nobody@example.org' type='error' id='3'/>
        alice S: nothing
        ",
    );
}

/// RFC 6120 §8.1.1.1, §10.3.1
#[test]
fn a_message_without_an_address_is_for_ones_own_account() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message type='chat' id='1'><body>note to self</body></message>
        alice S: <message from='alice@example.org/phone' to='alice@example.org' id='1'>
            <body>note to self</body></message>
        ",
    );
}

/// RFC 6120 §8.1.2.1
#[test]
fn nobody_speaks_for_somebody_else() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.play(
        "
        alice C: <message from='alice@example.org' to='bob@example.org'><body>1</body></message>
        bob   S: <message from='alice@example.org/phone'><body>1</body></message>
        alice C: <message from='alice@example.org/phone' to='bob@example.org'><body>2</body></message>
        bob   S: <message from='alice@example.org/phone'><body>2</body></message>
        alice C: <message from='carol@example.org' to='bob@example.org'><body>3</body></message>
        alice S: <stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            </stream:error>
        bob   S: nothing
        ",
    );
}

/// RFC 6120 §8.2: what is no stanza ends the stream (§4.9.3.24).
#[test]
fn what_is_no_stanza_ends_the_stream() {
    for element in [
        "<mesage/>",
        "<message xmlns='jabber:server'/>",
        "<x xmlns='urn:x'/>",
    ] {
        let mut script = Script::new(&["alice"]);
        script.log_in("alice", "alice@example.org/phone");
        script.send("alice", element);
        script.expect(
            "alice",
            "<stream:error>\
             <unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        );
    }
}

/// RFC 6120 §8.3.3.8; answers are not answered (§8.2.3, §8.3.1)
#[test]
fn a_message_to_what_is_no_address_comes_back_unless_it_is_an_answer() {
    let mut script = Script::new(&["alice"]);
    script.log_in("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message to='@example.org' id='1'><body>x</body></message>
        alice S: <message type='error' id='1'><error type='modify'>
            <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='@example.org' id='1' type='error'/>
        alice C: <iq to='@example.org' id='1' type='result'/>
        alice C: <iq to='@example.org' id='1' type='error'/>
        alice S: nothing
        ",
    );
}

/// XEP-0160 §2, XEP-0203 §2
#[test]
fn messages_wait_for_the_first_device_that_takes_them_and_say_that_they_are_late() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='1'><body>one</body></message>
        alice C: <message to='bob@example.org' id='2'><body>two</body></message>
        alice S: nothing
        ",
    );
    script.log_in("watch", "bob@example.org/watch");
    script.play(
        "
        watch C: <presence><priority>-5</priority></presence>
        watch S: <presence from='bob@example.org/watch'/>
        watch S: nothing
        ",
    );
    script.appear("phone", "bob@example.org/phone");
    script.play(
        "
        phone S: <presence from='bob@example.org/watch'/>
        phone S: <message from='alice@example.org/phone' to='bob@example.org' type='chat' id='1'>
            <body>one</body>
            <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='*'/>
            <delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-11-20T00:00:00.000Z'/>
            </message>
        phone S: <message id='2'><body>two</body><delay xmlns='urn:xmpp:delay'/></message>
        phone S: nothing
        ",
    );
    script.appear("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop S: <presence from='bob@example.org/watch'/>
        laptop S: <presence from='bob@example.org/phone'/>
        laptop S: nothing
        ",
    );
}

/// XEP-0160 §3, XEP-0085, XEP-0334 §4
#[test]
fn only_what_is_worth_it_waits() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='typing'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        alice C: <message to='bob@example.org' type='chat' id='secret'><body>x</body>
            <no-store xmlns='urn:xmpp:hints'/></message>
        alice C: <message to='bob@example.org' type='chat' id='receipt'>
            <received xmlns='urn:xmpp:receipts' id='m'/></message>
        alice C: <message to='bob@example.org' type='chat' id='wanted'>
            <active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>
            </message>
        alice C: <message to='bob@example.org' type='chat' id='fleeting'><body>x</body>
            <no-permanent-store xmlns='urn:xmpp:hints'/></message>
        alice S: nothing
        ",
    );
    script.appear("bob", "bob@example.org/phone");
    script.play(
        "
        bob S: <message id='receipt'/>
        bob S: <message id='wanted'/>
        bob S: <message id='fleeting'/>
        bob S: nothing
        ",
    );
}

/// Mailboxes are bounded, and senders are told (RFC 6120 §8.3.3.18).
#[test]
fn only_so_many_messages_wait() {
    let limits = AccountsConfig {
        waiting_messages: 2,
        ..AccountsConfig::default()
    };
    let world = World::with_config(1, &["alice", "bob"], limits, XmppConfig::default());
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    for _ in 0..2 {
        script.play(
            "
            alice C: <message to='bob@example.org' type='chat'><body>x</body></message>
            alice S: nothing
            ",
        );
    }
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='3'><body>x</body></message>
        alice S: <message type='error' from='bob@example.org' id='3'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
}

/// A limit says what may come, not what of that is given out.
#[test]
fn what_waits_is_given_out_whole_also_where_less_may_wait_by_now() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    let write = |number: u32| {
        format!("<message to='bob@example.org' type='chat' id='{number}'><body>x</body></message>")
    };
    for number in 0..5 {
        script.send("alice", &write(number));
    }
    let mut config = (*script.world.hub().config()).clone();
    config.accounts.waiting_messages = 2;
    script.world.hub().configure(config);
    // Long enough for Bob's account to be forgotten.
    for _ in 0..3 {
        script.world.pass(Duration::from_secs(61));
        script.world.settle();
    }
    script.send("alice", &write(5));
    script.expect("alice", "<message type='error' id='5'/>");
    script.appear("bob", "bob@example.org/phone");
    for number in 0..5 {
        script.expect("bob", &format!("<message id='{number}'/>"));
    }
    script.expect_nothing("bob");
}

/// What arrives is in the log, and that is where it is looked for.
#[test]
fn a_message_that_comes_is_written_once_and_taking_it_is_noted() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>x</body></message>",
    );
    let written = |script: &mut Script| {
        script.hold_commits(true);
        script.world.pass(Duration::from_secs(1));
        script.world.settle();
        let written = script.world.commit();
        script.hold_commits(false);
        script.world.settle();
        written
    };
    assert_eq!(written(&mut script), 0);
    script.appear("bob", "bob@example.org/phone");
    script.expect("bob", "<message type='chat'/>");
    assert_eq!(written(&mut script), 1);
    assert_eq!(written(&mut script), 0);
}

/// RFC 6121 §8.5.3.2.1: also if the device has left while the message was
/// behind others that are kept.
#[test]
fn what_is_not_kept_goes_to_no_other_device_than_the_one_it_was_sent_to() {
    let mut script = three_devices();
    script.hold_commits(true);
    let kinds = ["chat", "headline", "groupchat", "error", "normal"];
    for (id, kind) in kinds.iter().enumerate() {
        let hints = match *kind {
            "normal" => "<no-store xmlns='urn:xmpp:hints'/>",
            _ => "",
        };
        script.send(
            "alice",
            &format!(
                "<message to='bob@example.org/phone' type='{kind}' id='{id}'>\
                 <body>x</body>{hints}</message>"
            ),
        );
    }
    script.cut("phone");
    script.hold_commits(false);
    script.play(
        "
        laptop S: <presence type='unavailable' from='bob@example.org/phone'/>
        laptop S: <message id='0' type='chat'/>
        laptop S: nothing
        alice  S: <message type='error' from='bob@example.org/phone' id='2'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice  S: <message type='error' from='bob@example.org/phone' id='4'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice  S: nothing
        ",
    );
}

/// XEP-0359 §6: "the server MUST … ensure that there are no other stanza-ids by
/// itself"
#[test]
fn nobody_but_the_server_gives_ids_in_its_name() {
    let mut script = three_devices();
    script.play(
        "
        alice C: <message to='bob@example.org/phone' id='m'><body>x</body>
            <origin-id xmlns='urn:xmpp:sid:0' id='mine'/>
            <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='forged'/>
            <stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='kept'/>
            <delay xmlns='urn:xmpp:delay' from='example.org' stamp='2002-09-10T23:08:25Z'/></message>
        ",
    );
    let message = script.receive("phone");
    let ids: Vec<_> = message
        .children()
        .filter(|child| child.is("urn:xmpp:sid:0", "stanza-id"))
        .map(|child| {
            let by = child.attribute("by").unwrap().into_owned();
            (by, child.attribute("id").unwrap().into_owned())
        })
        .collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert_eq!(ids[0], ("room@elsewhere.example".into(), "kept".into()));
    assert_eq!(ids[1].0, "bob@example.org");
    assert_ne!(ids[1].1, "forged");
    assert!(message.child("urn:xmpp:sid:0", "origin-id").is_some());
    assert!(message.child("urn:xmpp:delay", "delay").is_none());
}

/// RFC 7622 §3: whoever compares addresses prepares them first
#[test]
fn a_forged_id_or_delay_is_found_however_the_address_is_written() {
    let mut script = three_devices();
    script.play(
        "
        alice C: <message to='bob@example.org/phone' id='m'><body>x</body>
            <stanza-id xmlns='urn:xmpp:sid:0' by='BOB@example.org' id='forged'/>
            <stanza-id xmlns='urn:xmpp:sid:0' by='alice@EXAMPLE.org.' id='forged'/>
            <delay xmlns='urn:xmpp:delay' from='Example.Org' stamp='2002-09-10T23:08:25Z'/></message>
        ",
    );
    let message = script.receive("phone");
    let children: Vec<_> = message.children().map(|child| child.name()).collect();
    assert_eq!(children, ["body", "stanza-id"]);
    let id = message.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    assert_eq!(id.attribute("by").as_deref(), Some("bob@example.org"));
}

/// XEP-0359 §6, XEP-0203 §5: the server is the same under each of its domains,
/// and an address however it is written (RFC 7622 §3.2).
#[test]
fn nobody_speaks_in_the_name_of_any_domain_of_the_server_or_of_the_recipient() {
    let mut script = three_devices();
    let hub = script.world.hub();
    let domains = ["example.org", "example.net"].map(str::to_owned);
    hub.configure(HubConfig {
        domains: Domains::Only(domains.into()),
        ..(*hub.config()).clone()
    });
    let id = |by| format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='x'/>");
    let delay = |from| {
        format!("<delay xmlns='urn:xmpp:delay' from='{from}' stamp='2002-09-10T23:08:25Z'/>")
    };
    let mut received = |child: &str| {
        // Typing is not logged, so the server adds nothing of its own.
        let typing = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
        let to = "to='bob@example.org/phone' type='chat'";
        script.send("alice", &format!("<message {to}>{typing}{child}</message>"));
        script.receive("phone").children().count() == 2
    };
    for forged in [
        id("BOB@Example.ORG"),
        id("bob@example.org./phone"),
        id("Example.NET"),
        id("alice@example.org"),
        delay("Example.org"),
        delay("example.net."),
        delay("Bob@example.org"),
        delay("bob@example.org/phone"),
    ] {
        assert!(!received(&forged), "{forged}");
    }
    for own in [
        id("room@elsewhere.example"),
        delay("alice@example.org/phone"),
        delay("elsewhere.example"),
    ] {
        assert!(received(&own), "{own}");
    }
}

/// RFC 6120 §4.8.5: prefixes declared outside of the payload do not get lost.
#[test]
fn what_a_message_carries_arrives_whatever_prefixes_it_was_written_with() {
    let mut script = three_devices();
    script.play(
        "
        alice C: <c:message xmlns:c='jabber:client' xmlns:x='urn:x' xmlns='urn:y'
            to='bob@example.org/phone' c:type='chat'><c:body>a &amp; b &lt;c&gt; <![CDATA[<d>]]></c:body>
            <x:y z='&quot;' xml:lang='de'><inner/></x:y></c:message>
        phone S: <message to='bob@example.org/phone'><body>a &amp; b &lt;c&gt; &lt;d&gt;</body>
            <y xmlns='urn:x' z='&quot;' xml:lang='de'><inner xmlns='urn:y'/></y></message>
        ",
    );
}

/// RFC 6120 §10.1: "a server MUST ensure in-order processing"
#[test]
fn what_is_not_kept_does_not_overtake_what_is() {
    let mut script = three_devices();
    script.play(
        "
        alice C: <message to='bob@example.org/phone' type='chat' id='1'><body>x</body></message>
            <message to='bob@example.org/phone' type='chat' id='2'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
            <iq to='bob@example.org/phone' type='get' id='3'><ping xmlns='urn:xmpp:ping'/></iq>
            <presence to='bob@example.org/phone' id='4'/>
            <message to='bob@example.org/phone' type='chat' id='5'><body>x</body></message>
        phone S: <message id='1'/>
        phone S: <message id='2'/>
        phone S: <iq id='3'/>
        phone S: <presence id='4'/>
        phone S: <message id='5'/>
        ",
    );
}
