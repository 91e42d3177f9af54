//! What one client may cost: limits that were missing or came late let strangers
//! fill the memory of servers.

use crate::{SASL, expect_failure, expect_stream_error, mechanism};
use anser_hub::AccountsConfig;
use anser_tests::client::error_of;
use anser_tests::script::{PLAINTEXT, Script};
use anser_tests::world::{PASSWORD, World};
use anser_xml::Limits;
use anser_xmpp::XmppConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

const BEFORE: Limits = Limits::BEFORE_AUTHENTICATION;
const AFTER: Limits = Limits::DEFAULT;

/// Somebody who has opened a stream and not logged in.
fn stranger() -> Script {
    let mut script = Script::new(&["alice"]);
    script.connect("stranger", PLAINTEXT);
    script.restart("stranger");
    let _features = script.receive("stranger");
    script
}

/// Alice with a session, in a world with these limits.
fn alice(config: XmppConfig) -> Script {
    let world = World::with_config(1, &["alice"], AccountsConfig::default(), config);
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    script
}

/// An element of so many bytes.
fn element_of(bytes: u32, open: &str, close: &str) -> String {
    let padding = bytes as usize - open.len() - close.len();
    format!("{open}{}{close}", "x".repeat(padding))
}

/// `inner` in so many elements.
fn nested(levels: u32, inner: &str) -> String {
    let levels = levels as usize;
    format!("{}{inner}{}", "<a>".repeat(levels), "</a>".repeat(levels))
}

/// Elements with as much of each thing as the limits allow, and one more.
fn elements(limits: &Limits, open: &str, close: &str) -> Vec<(&'static str, [String; 2])> {
    let at_and_beyond = |make: &dyn Fn(u32) -> String| [make(0), make(1)];
    let start = |attributes: &str| format!("{}{attributes}>{close}", &open[..open.len() - 1]);
    let own_attributes = open.matches('=').count() as u32;
    let numbered = |count, text: &dyn Fn(u32) -> String| (0..count).map(text).collect();
    vec![
        (
            "bytes",
            at_and_beyond(&|more| element_of(limits.stanza_bytes + more, open, close)),
        ),
        (
            "depth",
            at_and_beyond(&|more| format!("{open}{}{close}", nested(limits.depth - 1 + more, ""))),
        ),
        (
            "elements",
            at_and_beyond(&|more| {
                let children = "<a/>".repeat((limits.elements - 1 + more) as usize);
                format!("{open}{children}{close}")
            }),
        ),
        (
            "attributes",
            at_and_beyond(&|more| {
                let count = limits.attributes - own_attributes + more;
                let attributes: String = numbered(count, &|n| format!(" a{n}=''"));
                start(&attributes)
            }),
        ),
        (
            "namespaces",
            at_and_beyond(&|more| {
                // Half of them inside the other half: attributes have a limit too.
                let own = open.matches("xmlns").count() as u32;
                let outer = limits.namespaces / 2 - own;
                let inner = limits.namespaces / 2 + more;
                let outer: String = numbered(outer, &|n| format!(" xmlns:n{n}='urn:{n}'"));
                let inner: String = numbered(inner, &|n| format!(" xmlns:m{n}='urn:{n}'"));
                let start = start(&outer);
                let start = start.strip_suffix(close).unwrap();
                format!("{start}<a{inner}/>{close}")
            }),
        ),
        (
            "bytes of a namespace",
            at_and_beyond(&|more| {
                let name = "n".repeat((limits.namespace_bytes + more) as usize);
                start(&format!(" xmlns:n='{name}'"))
            }),
        ),
    ]
}

/// CVE-2021-32918, CVE-2026-43507, CVE of ejabberd 26.04 (unauthenticated XML
/// amplification): RFC 6120 §13.12, §4.9.3.14
#[test]
fn strangers_get_so_much_of_everything_and_not_one_more() {
    let open = format!("<auth xmlns='{SASL}' mechanism='X'>");
    for (what, [at, beyond]) in elements(&BEFORE, &open, "</auth>") {
        let mut script = stranger();
        script.send("stranger", &at);
        let failure = script.receive("stranger");
        assert_eq!(failure.name(), "failure", "{what}");
        let mut script = stranger();
        script.send("stranger", &beyond);
        expect_stream_error(&mut script, "stranger", "policy-violation");
    }
}

/// CVE-2021-32918: a stream header is bounded like a stanza.
#[test]
fn a_stream_header_without_an_end_is_refused_at_the_limit() {
    for beginning in ["<stream:stream a='", "<?xml ", "<"] {
        let mut script = Script::new(&[]);
        script.connect("stranger", PLAINTEXT);
        let header = element_of(BEFORE.stanza_bytes, beginning, "");
        script.send("stranger", &header);
        script.expect_nothing("stranger");
        script.send("stranger", "x");
        script.expect_header("stranger");
        expect_stream_error(&mut script, "stranger", "policy-violation");
    }
}

/// CVE-2026-43507: many small things are not more than one large one.
#[test]
fn strangers_get_so_many_bytes_in_all_whatever_they_make_of_them() {
    let most = XmppConfig::default().login_bytes;
    let pieces = [
        " ".repeat(50),
        format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'/>"),
    ];
    for piece in pieces {
        let mut script = stranger();
        let mut sent_bytes = 0;
        let answer = loop {
            script.send("stranger", &piece);
            sent_bytes += piece.len();
            let answer = script.receive_bytes("stranger");
            if answer.ends_with(b"</stream:stream>") {
                break String::from_utf8(answer.to_vec()).unwrap();
            }
        };
        assert!(answer.contains("<policy-violation "), "{answer}");
        script.expect_closed("stranger");
        // The header was among them.
        let expected = most - 200..=most + piece.len();
        assert!(expected.contains(&sent_bytes), "{sent_bytes}");
    }
}

/// RFC 6120 §4.5: a slow connection is no attack, and each byte counts once.
#[test]
fn a_client_whose_bytes_come_one_by_one_can_log_in() {
    let mut script = stranger();
    for byte in client_bytes() {
        script.send_bytes("stranger", &[byte]);
    }
    // Its proof was for another nonce, and yet it was heard to the end.
    script.expect("stranger", &format!("<challenge xmlns='{SASL}'/>"));
    expect_failure(&mut script, "stranger", "not-authorized");
}

/// What a client says while it logs in, with more in it than it needs.
fn client_bytes() -> Vec<u8> {
    let padding = " ".repeat(500);
    format!(
        "<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'{padding}>biwsbj1hbGljZSxyPWFiYw==</auth>\
         <response xmlns='{SASL}'{padding}>Yz1iaXdzLHI9YWJjLHA9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBPQ==\
         </response>"
    )
    .into_bytes()
}

/// XEP-0478 §3: what is advertised is what holds, at the byte.
#[test]
fn the_largest_stanza_is_as_large_as_was_told() {
    let mut script = Script::new(&["alice"]);
    let features = script.authenticate("alice", "alice");
    let limits = features
        .child("urn:xmpp:stream-limits:0", "limits")
        .unwrap();
    let most = limits
        .child("urn:xmpp:stream-limits:0", "max-bytes")
        .unwrap();
    let most: u32 = most.text().parse().unwrap();
    assert_eq!(most, AFTER.stanza_bytes);
    script.send(
        "alice",
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>",
    );
    script.expect("alice", "<iq type='result' id='b'/>");
    script.expect("alice", "<presence/>");
    let (open, close) = (
        "<message to='alice@example.org'><body>",
        "</body></message>",
    );
    script.send("alice", &element_of(most, open, close));
    script.expect("alice", "<message/>");
    script.send("alice", &element_of(most + 1, open, close));
    expect_stream_error(&mut script, "alice", "policy-violation");
}

/// A stanza within all limits that would be sixty times as large for whoever
/// gets it: each child takes along the declarations that it uses.
fn growing(open: &str, close: &str) -> String {
    let declarations: String = (0..60)
        .map(|number| format!(" xmlns:p{number}='{number:0>256}'"))
        .collect();
    let uses: String = (0..60).map(|number| format!(" p{number}:a=''")).collect();
    let children = format!("<x{uses}/>").repeat(450);
    let stanza = format!("{open}{declarations}>{children}{close}");
    assert!(stanza.len() <= AFTER.stanza_bytes as usize);
    stanza
}

/// RFC 6120 §13.12: what somebody may send is no more than what others can be
/// expected to receive, so nobody ends anybody else's session by it.
#[test]
fn what_would_grow_beyond_a_stanza_on_its_way_is_refused_and_harms_nobody() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    let full = "id='1' to='bob@example.org/phone'";
    for (name, open) in [
        ("message", format!("<message {full}")),
        ("presence", format!("<presence {full}")),
        ("presence", "<presence id='1'".to_owned()),
    ] {
        script.send("alice", &growing(&open, &format!("</{name}>")));
        let refused = script.receive("alice");
        assert_eq!(
            (refused.name(), error_of(&refused).as_deref()),
            (name, Some("policy-violation"))
        );
    }
    // Nobody answers an answer.
    script.send(
        "alice",
        &growing(&format!("<iq type='result' {full}"), "</iq>"),
    );
    script.expect_nothing("alice");
    script.expect_nothing("bob");
    script.expect_open("bob");
}

/// The same for every other count, which clients are not told.
#[test]
fn clients_get_so_much_of_everything_and_not_one_more() {
    let (open, close) = ("<message to='alice@example.org'>", "</message>");
    for (what, [at, beyond]) in elements(&AFTER, open, close) {
        let mut script = alice(XmppConfig::default());
        script.send("alice", &at);
        assert!(script.try_receive("alice").is_some(), "{what}");
        script.send("alice", &beyond);
        expect_stream_error(&mut script, "alice", "policy-violation");
    }
}

/// CVE-2021-32918: neither does a stanza grow that comes byte by byte.
#[test]
fn a_slow_stanza_is_refused_at_the_same_byte() {
    let config = XmppConfig {
        stanza_bytes: 20_000,
        ..XmppConfig::default()
    };
    let (open, close) = (
        "<message to='alice@example.org'><body>",
        "</body></message>",
    );
    let mut script = alice(config);
    for byte in element_of(20_000, open, close).bytes() {
        script.send_bytes("alice", &[byte]);
    }
    script.expect("alice", "<message/>");
    let endless = element_of(20_001, open, "");
    let (last, endless) = endless.as_bytes().split_last().unwrap();
    for byte in endless {
        script.send_bytes("alice", &[*byte]);
    }
    script.expect_nothing("alice");
    script.send_bytes("alice", &[*last]);
    expect_stream_error(&mut script, "alice", "policy-violation");
}

/// RFC 6120 §6.4.5: attempts are counted over all mechanisms.
#[test]
fn the_third_failure_is_the_last() {
    let mut script = crate::secured();
    for name in ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"] {
        script.sasl("alice", "alice", "wrong", mechanism(name));
        expect_failure(&mut script, "alice", "not-authorized");
    }
    expect_stream_error(&mut script, "alice", "policy-violation");
}

/// Begins an exchange with this as its first message.
fn begin(script: &mut Script, name: &str, first: &str) {
    let first = BASE64.encode(first);
    let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>");
    script.send("alice", &auth);
}

/// RFC 6120 §6.4.5: retries are few so that nobody guesses at passwords. slixmpp
/// 1.8 binds to what TLS 1.3 does not have, then says that it would have bound,
/// and then takes PLAIN.
#[test]
fn a_client_may_look_for_a_mechanism_that_goes() {
    let mut script = crate::secured();
    for (suffix, header) in [("-PLUS", "p=tls-unique,,"), ("", "y,,")] {
        for hash in ["512", "256", "1"] {
            let name = format!("SCRAM-SHA-{hash}{suffix}");
            begin(&mut script, &name, &format!("{header}n=alice,r=abc"));
            expect_failure(&mut script, "alice", "not-authorized");
        }
    }
    script.sasl("alice", "alice", "wrong", mechanism("PLAIN"));
    expect_failure(&mut script, "alice", "not-authorized");
    begin(&mut script, "X-OAUTH2", "");
    expect_failure(&mut script, "alice", "invalid-mechanism");
    script.sasl("alice", "alice", PASSWORD, mechanism("PLAIN"));
    script.expect("alice", &format!("<success xmlns='{SASL}'/>"));
}

/// RFC 6120 §6.4.5
#[test]
fn nobody_looks_for_a_mechanism_for_ever() {
    let mut script = crate::secured();
    for _ in 0..10 {
        begin(&mut script, "SCRAM-SHA-1", "y,,n=alice,r=abc");
        expect_failure(&mut script, "alice", "not-authorized");
    }
    expect_stream_error(&mut script, "alice", "policy-violation");
}

/// RFC 6120 §6.4.5: whatever ends an exchange in which an account was looked up,
/// and whatever fails in between.
#[test]
fn an_exchange_that_is_given_up_after_the_challenge_was_a_guess() {
    let [abort, empty, broken] = [
        format!("<abort xmlns='{SASL}'/>"),
        format!("<response xmlns='{SASL}'>=</response>"),
        format!("<response xmlns='{SASL}'>?</response>"),
    ];
    for user in ["alice", "nobody"] {
        let mut script = crate::secured();
        for (end, condition) in [
            (&abort, "aborted"),
            (&empty, "malformed-request"),
            (&broken, "incorrect-encoding"),
        ] {
            script.send("alice", &abort);
            expect_failure(&mut script, "alice", "aborted");
            begin(&mut script, "SCRAM-SHA-1", &format!("n,,n={user},r=abc"));
            script.expect("alice", &format!("<challenge xmlns='{SASL}'/>"));
            script.send("alice", end);
            expect_failure(&mut script, "alice", condition);
        }
        expect_stream_error(&mut script, "alice", "policy-violation");
    }
}
