//! What clients keep with their account for themselves (XEP-0049), bookmarks of
//! rooms among it (XEP-0048).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;

/// XEP-0049 §2.3, XEP-0048 §3
#[test]
fn what_one_device_keeps_another_finds() {
    let mut script = Script::new(&["alice"]);
    script.log_in("phone", "alice@example.org/phone");
    script.log_in("laptop", "alice@example.org/laptop");
    script.play(
        "
        phone  C: <iq type='get' id='1'><query xmlns='jabber:iq:private'>
            <storage xmlns='storage:bookmarks'/></query></iq>
        phone  S: <iq type='result' id='1'><query xmlns='jabber:iq:private'>
            <storage xmlns='storage:bookmarks'/></query></iq>
        phone  C: <iq type='set' id='2'><query xmlns='jabber:iq:private'>
            <storage xmlns='storage:bookmarks'><conference jid='coven@rooms.example.org' autojoin='1'>
            <nick>alice</nick></conference></storage></query></iq>
        phone  S: <iq type='result' id='2'/>
        laptop S: nothing
        laptop C: <iq type='get' id='3' to='alice@example.org'><query xmlns='jabber:iq:private'>
            <storage xmlns='storage:bookmarks'/></query></iq>
        laptop S: <iq type='result' id='3' from='alice@example.org'><query xmlns='jabber:iq:private'>
            <storage xmlns='storage:bookmarks'><conference jid='coven@rooms.example.org' autojoin='1'>
            <nick>alice</nick></conference></storage></query></iq>
        ",
    );
}

/// XEP-0049 §2.3: what is set takes the place of what was there of its
/// namespace, and of no other.
#[test]
fn each_namespace_is_kept_for_itself() {
    let mut script = Script::new(&["alice"]);
    script.log_in("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <iq type='set' id='1'><query xmlns='jabber:iq:private'>
            <a xmlns='urn:a'>1</a><b xmlns='urn:b'>1</b></query></iq>
        alice S: <iq type='result' id='1'/>
        alice C: <iq type='set' id='2'><query xmlns='jabber:iq:private'><c xmlns='urn:a'>2</c></query></iq>
        alice S: <iq type='result' id='2'/>
        ",
    );
    let kept = |script: &mut Script, namespace: &str| {
        script.send(
            "alice",
            &format!(
                "<iq type='get' id='g'><query xmlns='jabber:iq:private'>\
                 <x xmlns='{namespace}'/></query></iq>"
            ),
        );
        let answer = script.receive("alice");
        let query = answer.children().next().unwrap().open();
        String::from_utf8(query.content().to_vec()).unwrap()
    };
    assert_eq!(kept(&mut script, "urn:a"), "<c xmlns='urn:a'>2</c>");
    assert_eq!(kept(&mut script, "urn:b"), "<b xmlns='urn:b'>1</b>");
    script.play(
        "
        alice C: <iq type='set' id='3'><query xmlns='jabber:iq:private'><c xmlns='urn:a'/></query></iq>
        alice S: <iq type='result' id='3'/>
        ",
    );
    assert_eq!(kept(&mut script, "urn:a"), "<x xmlns='urn:a'/>");
}

/// XEP-0049 §2.3, §3, §4
#[test]
fn what_is_somebody_elses_or_has_no_fit_namespace_is_refused() {
    let mut script = Script::new(&["alice", "bob"]);
    script.log_in("alice", "alice@example.org/phone");
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        alice C: <iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>1</a></query></iq>
        alice S: <iq type='result' id='1'/>
        bob   C: <iq type='get' id='2' to='alice@example.org'><query xmlns='jabber:iq:private'>
            <a xmlns='urn:a'/></query></iq>
        bob   S: <iq type='error' id='2' from='alice@example.org'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   C: <iq type='set' id='3' to='alice@example.org'><query xmlns='jabber:iq:private'>
            <a xmlns='urn:a'>2</a></query></iq>
        bob   S: <iq type='error' id='3'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        # Whether there is such an account is nobody's business.
        bob   C: <iq type='get' id='4' to='ghost@example.org'><query xmlns='jabber:iq:private'>
            <a xmlns='urn:a'/></query></iq>
        bob   S: <iq type='error' id='4'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   C: <iq type='get' id='5'><query xmlns='jabber:iq:private'/></iq>
        bob   S: <iq type='error' id='5'><error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   C: <iq type='set' id='6'><query xmlns='jabber:iq:private'><vCard xmlns='vcard-temp'>
            <FN>Bob</FN></vCard></query></iq>
        bob   S: <iq type='error' id='6'><error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   C: <iq type='get' id='7'><query xmlns='jabber:iq:private'><a xmlns='urn:a'/><b xmlns='urn:b'/>
            </query></iq>
        bob   S: <iq type='error' id='7'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='get' id='8'><query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query></iq>
        alice S: <iq type='result' id='8'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>1</a></query></iq>
        ",
    );
}

/// Every input has a limit, here `accounts.private_entries` and
/// `accounts.private_bytes`.
#[test]
fn an_account_keeps_so_much_and_no_more() {
    let accounts = AccountsConfig {
        private_entries: 2,
        private_bytes: 100,
        ..AccountsConfig::default()
    };
    let world = World::with_config(1, &["alice"], accounts, XmppConfig::default());
    let mut script = Script::in_world(world);
    script.log_in("alice", "alice@example.org/phone");
    let mut set = |things: &str| {
        let query = format!("<query xmlns='jabber:iq:private'>{things}</query>");
        script.send("alice", &format!("<iq type='set' id='s'>{query}</iq>"));
        let answer = script.receive("alice");
        answer.attribute("type").unwrap().into_owned()
    };
    let thing = |name: &str, bytes: usize| {
        let padding = "x".repeat(bytes - "urn:a<a xmlns='urn:a'></a>".len());
        format!("<{name} xmlns='urn:{name}'>{padding}</{name}>")
    };
    assert_eq!(set(&thing("a", 50)), "result");
    assert_eq!(set(&thing("b", 51)), "error");
    assert_eq!(set(&thing("b", 50)), "result");
    assert_eq!(set(&thing("c", 30)), "error");
    // What takes the place of something counts in its stead.
    assert_eq!(set(&thing("a", 40)), "result");
    assert_eq!(set(&(thing("c", 30) + "<b xmlns='urn:b'/>")), "result");
    assert_eq!(
        set(&(thing("c", 30) + &thing("b", 30) + &thing("d", 30))),
        "error"
    );
}

/// RFC 6120 §8.2.3: an answer says that it is done, so it outlasts the server.
#[test]
fn what_is_kept_is_on_the_disk_before_the_answer() {
    let mut script = Script::new(&["alice"]);
    script.log_in("alice", "alice@example.org/phone");
    script.hold_commits(true);
    let set = "<iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>1</a></query></iq>";
    script.send("alice", set);
    script.expect_nothing("alice");
    script.hold_commits(false);
    script.expect("alice", "<iq type='result' id='1'/>");
}
