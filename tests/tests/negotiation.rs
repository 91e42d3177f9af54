//! From a connection to a session (RFC 6120 §4 to §7). What attackers do on that
//! way is in `security`.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountsConfig;
use anser_sasl::Mechanism;
use anser_tests::script::{PLAINTEXT, Script};
use anser_tests::world::World;
use anser_xmpp::XmppConfig;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";

fn mechanism(name: &str) -> Mechanism {
    Mechanism::from_name(name).unwrap()
}

/// A stream as it is on port 5222, after TLS.
fn secured() -> Script {
    let mut script = Script::new(&["alice"]);
    script.secure("alice");
    script
}

/// What a client that opens a stream so is told before it is closed.
fn refused_header(header: &str) -> Script {
    let mut script = Script::new(&[]);
    script.connect("alice", PLAINTEXT);
    script.send("alice", header);
    script.expect_header("alice");
    script
}

/// RFC 6120 §5.3.1, §6.3.1: no mechanism is offered before TLS.
#[test]
fn tls_comes_before_logging_in() {
    let mut script = secured();
    let features = script.receive("alice");
    assert!(features.children().all(|child| child.name() != "starttls"));
    let mechanisms = features
        .child("urn:ietf:params:xml:ns:xmpp-sasl", "mechanisms")
        .unwrap();
    let names: Vec<_> = mechanisms
        .children()
        .map(|name| name.text().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "SCRAM-SHA-512-PLUS",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "PLAIN"
        ]
    );
}

/// XEP-0440 §3
#[test]
fn the_types_of_channel_binding_are_offered() {
    let mut script = secured();
    script.expect(
        "alice",
        "<stream:features><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>\
         <channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>",
    );
}

/// RFC 6120 §6.4, RFC 5802, RFC 7677
#[test]
fn every_offered_mechanism_lets_the_right_password_in_and_no_other() {
    for name in [
        "SCRAM-SHA-512-PLUS",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "PLAIN",
    ] {
        let mut script = secured();
        let _features = script.receive("alice");
        script.sasl("alice", "alice", "wrong", mechanism(name));
        script.expect(
            "alice",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
        );
        script.sasl("alice", "alice", "pencil", mechanism(name));
        script.expect(
            "alice",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        );
    }
}

/// RFC 6120 §6.5
#[test]
fn what_makes_no_sense_fails_with_its_condition() {
    for (sent, condition) in [
        (
            "<auth mechanism='SCRAM-SHA-3' xmlns='NS'>AA==</auth>",
            "invalid-mechanism",
        ),
        (
            "<auth mechanism='ANONYMOUS' xmlns='NS'/>",
            "invalid-mechanism",
        ),
        (
            "<auth mechanism='PLAIN' xmlns='NS'>%%%</auth>",
            "incorrect-encoding",
        ),
        (
            "<auth mechanism='PLAIN' xmlns='NS'>AA==</auth>",
            "malformed-request",
        ),
        (
            "<auth mechanism='SCRAM-SHA-1' xmlns='NS'>AA==</auth>",
            "malformed-request",
        ),
        ("<auth xmlns='NS'>AA==</auth>", "malformed-request"),
        ("<response xmlns='NS'>AA==</response>", "malformed-request"),
        ("<abort xmlns='NS'/>", "aborted"),
    ] {
        let mut script = secured();
        let _features = script.receive("alice");
        script.send(
            "alice",
            &sent.replace("NS", "urn:ietf:params:xml:ns:xmpp-sasl"),
        );
        script.expect(
            "alice",
            &format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>"),
        );
    }
}

/// RFC 6120 §4.9.3
#[test]
fn a_stream_that_cannot_be_is_opened_and_closed_with_its_error() {
    for (from, to, condition) in [
        ("to='example.org'", "to='example.com'", "host-unknown"),
        (" to='example.org'", "", "host-unknown"),
        ("to='example.org'", "to='@'", "improper-addressing"),
        ("version='1.0'", "version='0.9'", "unsupported-version"),
        (" version='1.0'", "", "unsupported-version"),
        ("jabber:client", "jabber:server", "invalid-namespace"),
        (
            "http://etherx.jabber.org/streams",
            "urn:x",
            "invalid-namespace",
        ),
        (
            "<stream:stream",
            "<?xml version='1.0' encoding='UTF-16'?><stream:stream",
            "unsupported-encoding",
        ),
        (
            "<stream:stream",
            "<!DOCTYPE stream><stream:stream",
            "restricted-xml",
        ),
        ("<stream:stream", "<x:stream", "bad-namespace-prefix"),
        ("version", "<", "not-well-formed"),
    ] {
        let mut script = refused_header(&HEADER.replace(from, to));
        script.play(&format!(
            "
            alice S: <stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
                </stream:error>
            alice S: </stream:stream>
            alice S: closed
            "
        ));
    }
}

/// RFC 6120 §6.3.2, §7.1
#[test]
fn a_stanza_before_its_time_ends_the_stream() {
    let mut script = Script::new(&["alice"]);
    script.connect("alice", PLAINTEXT);
    script.restart("alice");
    let _features = script.receive("alice");
    let too_early = "
        alice C: <message to='alice@example.org'><body>hello</body></message>
        alice S: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            </stream:error>
        alice S: </stream:stream>
        alice S: closed
        ";
    script.play(too_early);
    script.authenticate("alice", "alice");
    script.play(too_early);
}

/// RFC 6120 §6.3.5: white space has no place behind `</auth>`, and go-sendxmpp
/// puts a line break there all the same.
#[test]
fn a_line_break_behind_the_last_word_of_a_stream_is_forgiven() {
    let mut script = secured();
    let _features = script.receive("alice");
    script.send(
        "alice",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHBlbmNpbA==\
         </auth>\n",
    );
    script.expect(
        "alice",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    );
    script.send("alice", "\n<?xml version='1.0'?>\n");
    script.restart("alice");
    script.expect(
        "alice",
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
    );
}

/// RFC 6120 §7.6.1
#[test]
fn a_client_without_a_wish_gets_a_resource_that_nobody_can_guess() {
    let mut script = Script::new(&["alice"]);
    let mut resources = Vec::new();
    for device in ["phone", "laptop"] {
        script.authenticate(device, "alice");
        script.send(
            device,
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        );
        let result = script.receive(device);
        let bind = result
            .child("urn:ietf:params:xml:ns:xmpp-bind", "bind")
            .unwrap();
        let jid = bind
            .child("urn:ietf:params:xml:ns:xmpp-bind", "jid")
            .unwrap();
        let jid = jid.text().into_owned();
        resources.push(jid.strip_prefix("alice@example.org/").unwrap().to_owned());
    }
    assert_ne!(resources[0], resources[1]);
    // 128 bits (failures with short ids were many).
    assert!(resources.iter().all(|resource| resource.len() >= 32));
}

/// RFC 6120 §7.7.2.1
#[test]
fn a_resource_that_is_no_resource_is_a_bad_request() {
    let mut script = Script::new(&["alice"]);
    script.authenticate("alice", "alice");
    script.play(
        "
        alice C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>
            <resource>a&#x7f;b</resource></bind></iq>
        alice S: <iq type='error' id='b'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='set' id='c'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>
            <resource>phone</resource></bind></iq>
        alice S: <iq type='result' id='c'/>
        ",
    );
}

/// RFC 6120 §7.7.2.2
#[test]
fn the_newer_of_two_sessions_with_one_resource_stays() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("old", "alice@example.org/phone");
    script.appear("new", "alice@example.org/phone");
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        old S: <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        old S: </stream:stream>
        old S: closed
        bob C: <message to='alice@example.org/phone' type='chat'><body>hello</body></message>
        new S: <message from='bob@example.org/phone'><body>hello</body></message>
        ",
    );
}

/// RFC 6120 §7.7.2.3
#[test]
fn an_account_has_only_so_many_sessions() {
    let limits = AccountsConfig {
        sessions: 2,
        ..AccountsConfig::default()
    };
    let world = World::with_config(1, &["alice"], limits, XmppConfig::default());
    let mut script = Script::in_world(world);
    script.log_in("one", "alice@example.org/1");
    script.log_in("two", "alice@example.org/2");
    script.authenticate("three", "alice");
    script.play(
        "
        three C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>
            <resource>3</resource></bind></iq>
        three S: <iq type='error' id='b'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// RFC 3921 §3
#[test]
fn a_client_of_old_gets_its_session() {
    let mut script = Script::new(&["alice"]);
    script.log_in("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        alice S: <iq type='result' id='s'/>
        ",
    );
}

/// XEP-0478 §3
#[test]
fn limits_are_told_before_and_after_logging_in() {
    let mut script = Script::new(&["alice"]);
    script.connect("alice", PLAINTEXT);
    script.restart("alice");
    script.play(
        "
        alice S: <stream:features><limits xmlns='urn:xmpp:stream-limits:0'>
            <max-bytes>10000</max-bytes><idle-seconds>30</idle-seconds></limits></stream:features>
        ",
    );
    script.sasl("alice", "alice", "pencil", mechanism("SCRAM-SHA-1"));
    script.expect(
        "alice",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    );
    script.restart("alice");
    script.play(
        "
        alice S: <stream:features><limits xmlns='urn:xmpp:stream-limits:0'>
            <max-bytes>262144</max-bytes><idle-seconds>360</idle-seconds></limits>
            </stream:features>
        ",
    );
}

/// RFC 6120 §4.6.1
#[test]
fn a_stream_that_is_closed_is_closed_from_both_sides() {
    let mut script = Script::new(&["alice"]);
    script.connect("early", PLAINTEXT);
    script.restart("early");
    let _features = script.receive("early");
    script.log_in("late", "alice@example.org/phone");
    script.play(
        "
        early C: </stream:stream>
        early S: </stream:stream>
        early S: closed
        late  C: </stream:stream>
        late  S: </stream:stream>
        late  S: closed
        ",
    );
}
