//! What the server tells of itself and of accounts: XEP-0030, 0092, 0115, 0199,
//! 0202.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::script::Script;

fn alice() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.log_in("alice", "alice@example.org/phone");
    script
}

/// XEP-0030 §3.1
#[test]
fn the_server_says_what_it_is() {
    alice().play(
        "
        alice C: <iq type='get' to='example.org' id='1'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        alice S: <iq type='result' from='example.org' to='alice@example.org/phone' id='1'>
            <query xmlns='http://jabber.org/protocol/disco#info'>
            <identity category='server' type='im'/>
            <feature var='http://jabber.org/protocol/disco#info'/>
            <feature var='jabber:iq:version'/><feature var='urn:xmpp:ping'/>
            <feature var='urn:xmpp:time'/><feature var='msgoffline'/></query></iq>
        alice C: <iq type='get' to='example.org' id='2'>
            <query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        alice S: <iq type='result' from='example.org' id='2'>
            <query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        alice C: <iq type='get' to='example.org' id='3'>
            <query xmlns='http://jabber.org/protocol/disco#info' node='nothing'/></iq>
        alice S: <iq type='error' id='3'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// XEP-0115 §6.2: the hash in the stream features is that of the answer.
#[test]
fn the_short_form_of_the_capabilities_can_be_looked_up() {
    let mut script = Script::new(&["alice"]);
    let features = script.authenticate("alice", "alice");
    let caps = features
        .child("http://jabber.org/protocol/caps", "c")
        .unwrap();
    let node = caps.attribute("node").unwrap();
    let version = caps.attribute("ver").unwrap();
    script.play(&format!(
        "
        alice C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        alice S: <iq type='result' id='b'/>
        alice C: <iq type='get' to='example.org' id='1'>
            <query xmlns='http://jabber.org/protocol/disco#info' node='{node}#{version}'/></iq>
        alice S: <iq type='result' id='1'><query node='{node}#{version}'
            xmlns='http://jabber.org/protocol/disco#info'><identity category='server'/></query></iq>
        "
    ));
}

/// XEP-0030 §8: "MUST NOT" tell strangers, not even that there is an account
#[test]
fn an_account_tells_of_itself_those_only_who_may_see_it() {
    let mut script = alice();
    let mut answers = Vec::new();
    for to in ["bob@example.org", "nobody@example.org"] {
        script.send(
            "alice",
            &format!(
                "<iq type='get' to='{to}' id='1'>\
                 <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            ),
        );
        let answer = String::from_utf8(script.receive("alice").raw().to_vec()).unwrap();
        assert!(answer.contains("service-unavailable"), "{answer}");
        answers.push(answer.replace(to, ""));
    }
    assert_eq!(answers[0], answers[1]);
    script.log_in("bob", "bob@example.org/phone");
    script.befriend("alice", "bob");
    script.play(
        "
        alice C: <iq type='get' to='bob@example.org' id='2'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        alice S: <iq type='result' from='bob@example.org' id='2'>
            <query xmlns='http://jabber.org/protocol/disco#info'>
            <identity category='account' type='registered'/>
            <feature var='urn:xmpp:sid:0'/></query></iq>
        ",
    );
}

/// XEP-0199 §4, XEP-0092 §3, XEP-0202 §2
#[test]
fn pings_version_and_time_are_answered() {
    alice().play(
        "
        alice C: <iq type='get' to='example.org' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='result' from='example.org' id='1'/>
        alice C: <iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='result' to='alice@example.org/phone' id='2'/>
        alice C: <iq type='get' to='example.org' id='3'><query xmlns='jabber:iq:version'/></iq>
        alice S: <iq type='result' id='3'><query xmlns='jabber:iq:version'><name>Anser</name>
            </query></iq>
        alice C: <iq type='get' to='example.org' id='4'><time xmlns='urn:xmpp:time'/></iq>
        alice S: <iq type='result' id='4'><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo>
            <utc>2026-11-20T00:00:00.000Z</utc></time></iq>
        ",
    );
}

/// RFC 6120 §8.2.3, §8.4; RFC 6121 §8.5.2.1.3
#[test]
fn a_question_that_nobody_understands_is_answered_all_the_same() {
    let mut script = alice();
    for to in [
        "",
        "to='example.org'",
        "to='bob@example.org'",
        "to='alice@example.org'",
    ] {
        script.play(&format!(
            "
            alice C: <iq type='get' {to} id='1'><what xmlns='urn:what'/></iq>
            alice S: <iq type='error' id='1'><error type='cancel'>
                <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
            alice C: <iq type='set' {to} id='2'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            alice S: <iq type='error' id='2'><error type='cancel'>
                <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
            "
        ));
    }
}

/// RFC 6120 §8.2.3
#[test]
fn an_iq_that_is_none_is_a_bad_request_and_answers_are_never_answered() {
    alice().play(
        "
        alice C: <iq type='get' id='1'/>
        alice S: <iq type='error' id='1'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='get' id='2'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>
        alice S: <iq type='error' id='2'/>
        alice C: <iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='error'/>
        alice C: <iq type='ask' id='3'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='error' id='3'/>
        alice C: <iq id='4'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='error' id='4'/>
        alice C: <iq type='result' id='5'/>
        alice C: <iq type='error' id='6'><error/></iq>
        alice C: <iq type='result' to='example.org' id='7'/>
        alice C: <iq type='result' to='nobody@example.org/x' id='8'/>
        alice S: nothing
        ",
    );
}

/// RFC 6121 §8.5.3.1, §8.5.3.2.3
#[test]
fn questions_between_sessions_are_passed_on_and_never_left_open() {
    let mut script = alice();
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        alice C: <iq type='get' to='bob@example.org/phone' id='1' xml:lang='de'>
            <query xmlns='jabber:iq:version'/></iq>
        bob   C: <presence/>
        bob   S: <iq type='get' from='alice@example.org/phone' to='bob@example.org/phone' id='1'
            xml:lang='de'><query xmlns='jabber:iq:version'/></iq>
        bob   S: <presence/>
        bob   C: <iq type='result' to='alice@example.org/phone' id='1'>
            <query xmlns='jabber:iq:version'><name>x</name></query></iq>
        alice S: <iq type='result' from='bob@example.org/phone' id='1'>
            <query xmlns='jabber:iq:version'><name>x</name></query></iq>
        alice C: <iq type='get' to='bob@example.org/watch' id='2'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='error' from='bob@example.org/watch' id='2'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='get' to='carol@elsewhere.example/x' id='3'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: <iq type='error' from='carol@elsewhere.example/x' id='3'><error type='cancel'>
            <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}
