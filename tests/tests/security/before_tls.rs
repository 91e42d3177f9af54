//! Ways around TLS: nothing that was sent in the clear may count for anything
//! once the connection is secured, and nothing of value happens before.

use crate::{SASL, expect_failure, expect_stream_error, mechanism};
use anser_tests::client::Client;
use anser_tests::program::Anser;
use anser_tests::script::{PLAINTEXT, STARTTLS, Script};
use anser_xmpp::Entry;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";
const STARTTLS_REQUEST: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// A stream as it is on port 5222, before TLS.
fn unsecured() -> Script {
    let mut script = Script::new(&["alice"]);
    script.connect("alice", STARTTLS);
    script.restart("alice");
    let features = script.receive("alice");
    let names: Vec<_> = features.children().map(|child| child.name()).collect();
    assert_eq!(names, ["starttls", "limits"]);
    script
}

/// CVE-2014-8760 and kin: whatever is offered or not, there is no logging in
/// before TLS (RFC 6120 §6.5.3); a stripped offer of STARTTLS gains nothing.
#[test]
fn logging_in_before_tls_is_refused_by_any_mechanism() {
    for name in ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "EXTERNAL"] {
        let mut script = unsecured();
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>AA==</auth>");
        script.send("alice", &auth);
        expect_failure(&mut script, "alice", "encryption-required");
    }
}

/// CVE-2014-8760: nor is there any other way to get something done
/// (RFC 6120 §6.3.2, §7.1; XEP-0077, XEP-0138, XEP-0198, XEP-0388).
#[test]
fn nothing_but_tls_can_be_had_before_tls() {
    for sent in [
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>eve</username>\
         <password>x</password></query></iq>",
        "<iq type='set' id='a'><query xmlns='jabber:iq:auth'><username>alice</username>\
         <password>pencil</password><resource>r</resource></query></iq>",
        "<message to='alice@example.org'><body>x</body></message>",
        "<presence/>",
        "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
        "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>",
        "<enable xmlns='urn:xmpp:sm:3'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
    ] {
        let mut script = unsecured();
        script.send("alice", sent);
        expect_stream_error(&mut script, "alice", "not-authorized");
    }
}

/// The class of CVE-2011-0411 (RFC 6120 §5.4.3.3): what came in the same segment
/// as `<starttls/>` could be anybody's.
#[test]
fn what_was_sent_behind_starttls_in_the_clear_is_thrown_away() {
    for injected in [
        format!("{HEADER}<auth xmlns='{SASL}' mechanism='PLAIN'/>"),
        format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>"),
        "<message to='alice@example.org'><body>x</body></message>".to_owned(),
        // Neither as a whole, nor as the beginning of what comes later.
        "<iq type='set' id='b'><bind xmlns='urn:x".to_owned(),
        "</stream:stream>".to_owned(),
    ] {
        let mut script = unsecured();
        script.send("alice", &format!("{STARTTLS_REQUEST}{injected}"));
        script.expect(
            "alice",
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        );
        script.expect_nothing("alice");
        script.restart("alice");
        let _features = script.receive("alice");
        script.expect_nothing("alice");
    }
}

/// The same with a socket and a real handshake.
#[test]
fn what_was_injected_before_a_handshake_is_not_heard_after_it() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    for injected in [
        "<presence/>".to_owned(),
        format!("{HEADER}<auth xmlns='{SASL}' mechanism='PLAIN'>"),
        " ".repeat(5000),
    ] {
        let way = anser.starttls();
        let mut alice = Client::connect_after(&way, "localhost", &injected).unwrap();
        alice.authenticate("alice", "secret", None).unwrap();
        alice.bind(None).unwrap();
        assert_eq!(alice.catch_up().unwrap().len(), 0);
    }
}

/// RFC 6120 §5.4.3.3: half an exchange that began in the clear does not go on
/// behind TLS, where its second half would be believed.
#[test]
fn an_exchange_does_not_go_on_behind_tls() {
    let mut script = Script::new(&["alice"]);
    let lax = Entry {
        has_starttls: true,
        ..PLAINTEXT
    };
    script.connect("alice", lax);
    script.restart("alice");
    let _features = script.receive("alice");
    script.send(
        "alice",
        &format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>"),
    );
    assert_eq!(script.receive("alice").name(), "challenge");
    script.send("alice", STARTTLS_REQUEST);
    assert_eq!(script.receive("alice").name(), "proceed");
    script.restart("alice");
    let _features = script.receive("alice");
    // Well formed, if there were an exchange that waits for it.
    let last = BASE64.encode(format!("c=biws,r=abc,p={}", BASE64.encode([0; 20])));
    script.send(
        "alice",
        &format!("<response xmlns='{SASL}'>{last}</response>"),
    );
    expect_failure(&mut script, "alice", "malformed-request");
}

/// RFC 6120 §5.4.2.2: TLS in TLS is nothing to be had.
#[test]
fn a_second_starttls_fails_and_closes_the_stream() {
    let mut script = crate::secured();
    script.send("alice", STARTTLS_REQUEST);
    script.expect(
        "alice",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    );
    script.expect("alice", "</stream:stream>");
    script.expect_closed("alice");
}

/// RFC 6120 §13.8.3: what goes over the wire as it is, is not asked for there.
#[test]
fn a_password_is_not_asked_for_in_the_clear() {
    let mut script = Script::new(&["alice"]);
    script.connect("alice", PLAINTEXT);
    script.restart("alice");
    let features = script.receive("alice");
    let text = String::from_utf8(features.raw().to_vec()).unwrap();
    assert!(!text.contains("PLAIN") && !text.contains("-PLUS"), "{text}");
    for name in ["PLAIN", "SCRAM-SHA-1-PLUS"] {
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>AGFsaWNlAHBlbmNpbA==</auth>");
        script.send("alice", &auth);
        expect_failure(&mut script, "alice", "invalid-mechanism");
    }
    script.sasl("alice", "alice", "pencil", mechanism("SCRAM-SHA-1"));
    script.expect("alice", &format!("<success xmlns='{SASL}'/>"));
}
