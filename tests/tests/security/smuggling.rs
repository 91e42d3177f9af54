//! Stanzas that one parser reads so and the next one otherwise: what is not XML to
//! the last byte goes nowhere.

use crate::expect_stream_error;
use crate::oracle::stanzas;
use crate::reflection::{alice_and_bob, received};

/// What cannot be in a text, an attribute or a name.
const NO_TEXT: [&[u8]; 34] = [
    // Not UTF-8, cut short, longer than need be, surrogates, too large.
    b"\xff",
    b"\x80",
    b"\xc3(",
    b"\xc0\x80",
    b"\xc1\xbc",
    b"\xe0\x80\xbc",
    b"\xf0\x80\x80\xbc",
    b"\xed\xa0\x80",
    b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    // What is no character of XML, as it is or as a reference.
    b"\0",
    b"\x01",
    b"\x08",
    b"\x0b",
    b"\x0c",
    b"\x1b",
    b"\x1f",
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
    b"&#0;",
    b"&#1;",
    b"&#x1F;",
    b"&#xFFFE;",
    b"&#xD800;",
    b"&#x110000;",
    b"&#4294967297;",
    b"&#x;",
    b"&#;",
    b"&# 65;",
    b"&#-1;",
    b"&#X41;",
    b"& ",
    b"<",
];

/// What cannot be the attributes of an element.
const NO_ATTRIBUTES: [&[u8]; 9] = [
    b" a='1' a='2'",
    b" xmlns:x='urn:1' xmlns:x='urn:2'",
    b" xmlns:x='urn:1' xmlns:y='urn:1' x:a='1' y:a='2'",
    b" a='1'b='2'",
    b" a",
    b" a=",
    b" :a='1'",
    b" a:='1'",
    b" a:b:c='1'",
];

/// Messages to Bob that are none.
fn ill_formed() -> Vec<Vec<u8>> {
    let around = |before: &str, bytes: &[u8], behind: &str| {
        let before = format!("<message to='bob@example.org'{before}");
        [before.as_bytes(), bytes, behind.as_bytes()].concat()
    };
    let in_text = |bytes| around("><body>", bytes, "</body></message>");
    let in_attribute = |bytes| around(" id='", bytes, "'/>");
    let in_tag = |bytes| around("><a", bytes, "/></message>");
    let mut all = vec![in_text(b"]]>")];
    for bytes in NO_TEXT {
        all.extend([in_text(bytes), in_attribute(bytes), in_tag(bytes)]);
    }
    all.extend(NO_ATTRIBUTES.map(in_tag));
    all
}

/// The first link of the chain against Zoom, tigase/xmltools#16, and kin: what
/// is not text, or not XML, goes nowhere (RFC 6120 §11.6, XML 1.0 §2.2 and §3.1,
/// RFC 3629 §3).
#[test]
fn what_is_ill_formed_ends_the_stream_and_reaches_nobody() {
    for sent in ill_formed() {
        let mut script = alice_and_bob();
        script.send_bytes("alice", &sent);
        let shown = sent.escape_ascii().to_string();
        let error = script.try_receive("alice");
        let error = error.unwrap_or_else(|| panic!("accepted: {shown}"));
        let condition = error.children().next().unwrap();
        assert_eq!(condition.name(), "not-well-formed", "{shown}");
        script.expect("alice", "</stream:stream>");
        script.expect_closed("alice");
        script.expect_nothing("bob");
    }
}

/// Namespaces of XML §3, §5: prefixes that stand for nothing, or for what they
/// must not (RFC 6120 §4.9.3.2, §4.9.3.10).
#[test]
fn prefixes_mean_what_they_are_declared_to_mean() {
    for (sent, condition) in [
        ("<x:message to='bob@example.org'/>", "bad-namespace-prefix"),
        (
            "<message to='bob@example.org'><x:a/></message>",
            "bad-namespace-prefix",
        ),
        (
            "<message to='bob@example.org' x:a='1'/>",
            "bad-namespace-prefix",
        ),
        (
            "<message to='bob@example.org' xmlns:x=''/>",
            "invalid-namespace",
        ),
        (
            "<message to='bob@example.org' xmlns:xml='urn:x'/>",
            "invalid-namespace",
        ),
        (
            "<message to='bob@example.org' xmlns:xmlns='urn:x'/>",
            "invalid-namespace",
        ),
        (
            "<message to='bob@example.org' xmlns:x='http://www.w3.org/XML/1998/namespace'/>",
            "invalid-namespace",
        ),
    ] {
        let mut script = alice_and_bob();
        script.send("alice", sent);
        expect_stream_error(&mut script, "alice", condition);
        script.expect_nothing("bob");
    }
}

/// The chain against Zoom used a namespace with the byte in it that a parser
/// puts between namespace and name: no two names are taken for one here.
#[test]
fn a_namespace_is_never_taken_for_a_part_of_a_name() {
    for namespace in [
        "jabber:client&#10;message",
        "jabber:client&#10;",
        "jabber:client\nmessage",
        "jabber:client|message",
        "jabber:client ",
        " jabber:client",
        "jabber:client:message",
        "Jabber:client",
    ] {
        for name in ["message", "x"] {
            let mut script = alice_and_bob();
            let element = format!("<{name} xmlns='{namespace}' to='bob@example.org'/>");
            script.send("alice", &element);
            expect_stream_error(&mut script, "alice", "unsupported-stanza-type");
            script.expect_nothing("bob");
        }
    }
    // Inside a stanza it is anybody's namespace, and stays what it is.
    let mut script = alice_and_bob();
    let stanza = "<message to='bob@example.org'><stanza-id xmlns='urn:xmpp:sid:0&#10;stanza-id' \
         by='bob@example.org' id='forged'/><body xmlns='jabber:client&#9;body'>x</body></message>";
    script.send("alice", stanza);
    let sent = stanzas(stanza.as_bytes()).remove(0);
    let mut got = received(&mut script, "bob");
    let own = got.children.pop().unwrap();
    assert_eq!(
        (&*own.namespace, &*own.name),
        ("urn:xmpp:sid:0", "stanza-id")
    );
    assert_eq!(got.children, sent.children);
}

/// tigase/xmltools#16: closing tags close what they name, or nothing is read on.
#[test]
fn no_stanza_ends_before_its_end() {
    for sent in [
        "<message to='bob@example.org'><body>x</message></body>",
        "<message to='bob@example.org'><body>x</message>",
        "<message to='bob@example.org'></presence>",
        "<message to='bob@example.org'><a xmlns:x='urn:x'></x:a></message>",
        "<message to='bob@example.org'></message x>",
        "<message to='bob@example.org' / >",
        "</stream:stream x='y'>",
        "</stream>",
    ] {
        let mut script = alice_and_bob();
        script.send("alice", sent);
        expect_stream_error(&mut script, "alice", "not-well-formed");
        script.expect_nothing("bob");
    }
}
