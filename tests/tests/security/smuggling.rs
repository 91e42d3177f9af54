//! Stanzas that one parser reads so and the next one otherwise: what comes in is
//! checked to the last byte, and what goes out is read by a parser of others as
//! what came in.

use crate::expect_stream_error;
use crate::oracle::{Tree, stanzas};
use anser_tests::script::Script;
use anser_tests::world::Dice;
use rxml::{Event, Parse, Parser};
use std::fmt::Write;

/// The one stanza that a client has received, as rxml reads it.
fn received(script: &mut Script, actor: &str) -> Tree {
    let bytes = script.receive_bytes(actor);
    let mut stanzas = stanzas(&bytes);
    assert_eq!(stanzas.len(), 1, "{}", bytes.escape_ascii());
    stanzas.remove(0)
}

/// A text as it stands between single quotes.
fn quoted(text: &str) -> String {
    let mut written = String::new();
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '\'' | '"' | '\t' | '\n' | '\r' => {
                write!(written, "&#{};", u32::from(char)).unwrap();
            }
            char => written.push(char),
        }
    }
    written
}

/// What an attacker puts wherever something is said again later.
const HOSTILE: [&str; 9] = [
    "a & b < c > d ' e \" f",
    "tab\tline\nreturn\rend",
    "' to='bob@example.org/phone",
    "'/><message from='bob@example.org' to='alice@example.org'><body>x</body></message><a b='",
    "]]></body></message><message>",
    "&amp;&lt;&#39;&#x27;&undeclared;",
    "\u{1d11e}\u{1f600}\u{10fffd}\u{fffd}\u{feff}\u{e000}\u{85}\u{2028}",
    "</stream:stream>",
    "  spaces  ",
];

/// The same, and what dice make of its parts.
fn hostile() -> Vec<String> {
    const PARTS: [&str; 14] = [
        "&",
        "<",
        ">",
        "'",
        "\"",
        "\t",
        "\n",
        "\r",
        "]]>",
        "a",
        " ",
        "\u{1f600}",
        "&amp;",
        "é",
    ];
    let mut dice = Dice::new(12);
    let mut texts: Vec<String> = HOSTILE.map(ToOwned::to_owned).to_vec();
    for _ in 0..100 {
        let length = 1 + dice.below(20);
        let parts = (0..length).map(|_| PARTS[dice.below(PARTS.len())]);
        texts.push(parts.collect());
    }
    texts
}

fn alice_and_bob() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script
}

/// CVE-2026-113867 (an attribute that came back unescaped): what passes through
/// arrives as it was, in every place.
#[test]
fn what_is_passed_on_is_read_as_it_was_written() {
    let mut script = alice_and_bob();
    for text in hostile() {
        let attribute = quoted(&text);
        let content = format!(
            "<body xml:lang='{attribute}'>{attribute}</body><status>{attribute}</status>\
             <x xmlns='urn:x' a='{attribute}' xmlns:p='urn:y' p:a='{attribute}'>{attribute}\
             <p:y>{attribute}</p:y></x>"
        );
        for (open, close) in [
            ("message to='bob@example.org/phone' type='chat'", "message"),
            ("presence to='bob@example.org/phone'", "presence"),
        ] {
            let stanza =
                format!("<{open} id='{attribute}' xml:lang='{attribute}'>{content}</{close}>");
            script.send("alice", &stanza);
            let sent = stanzas(stanza.as_bytes()).remove(0);
            let mut got = received(&mut script, "bob");
            got.children.retain(|child| child.name != "stanza-id");
            assert_eq!(got.children, sent.children, "{text:?}");
            assert_eq!(got.attribute("id"), Some(&*text));
            assert_eq!(got.attribute("lang"), Some(&*text));
            assert_eq!(got.attribute("from"), Some("alice@example.org/phone"));
            assert_eq!(got.attribute("to"), Some("bob@example.org/phone"));
        }
    }
}

/// CVE-2026-113867: the same for questions and answers between clients.
#[test]
fn questions_and_answers_are_read_as_they_were_written() {
    let mut script = alice_and_bob();
    for text in hostile() {
        let attribute = quoted(&text);
        let question = format!(
            "<iq type='get' to='bob@example.org/phone' id='{attribute}'>\
             <x xmlns='urn:x' a='{attribute}'>{attribute}</x></iq>"
        );
        script.send("alice", &question);
        let got = received(&mut script, "bob");
        assert_eq!(got.attribute("id"), Some(&*text));
        assert_eq!(got.children[0].attribute("a"), Some(&*text));
        assert_eq!(got.children[0].text, text);
        let answer = format!(
            "<iq type='error' to='alice@example.org/phone' id='{attribute}'>\
             <error type='{attribute}'><x xmlns='urn:x'>{attribute}</x></error></iq>"
        );
        script.send("bob", &answer);
        let got = received(&mut script, "alice");
        assert_eq!(got.attribute("id"), Some(&*text));
        assert_eq!(got.child("error").attribute("type"), Some(&*text));
        assert_eq!(got.child("error").child("x").text, text);
    }
}

/// CVE-2026-113867: what the server itself says again, in answers and errors.
#[test]
fn what_the_server_says_again_is_read_as_it_was_said() {
    let mut script = alice_and_bob();
    for text in hostile() {
        let attribute = quoted(&text);
        for stanza in [
            "<message to='nobody@example.org' type='chat' id='ID'><body>x</body></message>",
            "<message to='@' id='ID'/>",
            "<presence to='bob@elsewhere.example' id='ID'/>",
            "<presence type='ID' id='ID'/>",
            "<iq type='get' to='bob@example.org/nowhere' id='ID'><x xmlns='urn:x'/></iq>",
            "<iq type='get' id='ID'><x xmlns='urn:x'/></iq>",
            "<iq type='ID' id='ID'/>",
            "<iq type='get' to='example.org' id='ID'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq type='get' to='example.org' id='ID'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='ID'/></iq>",
        ] {
            script.send("alice", &stanza.replace("ID", &attribute));
            let got = received(&mut script, "alice");
            assert_eq!(got.attribute("id"), Some(&*text), "{stanza}");
        }
        let items = "<iq type='get' to='example.org' id='i'>\
             <query xmlns='http://jabber.org/protocol/disco#items' node='ID'/></iq>";
        script.send("alice", &items.replace("ID", &attribute));
        let got = received(&mut script, "alice");
        assert_eq!(got.child("query").attribute("node"), Some(&*text));
    }
}

/// CVE-2026-113867: what was kept comes out as it went in: rosters, what waits,
/// and requests that wait.
#[test]
fn what_was_kept_is_read_as_it_was_written() {
    for text in hostile() {
        let attribute = quoted(&text);
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        script.send(
            "alice",
            &format!(
                "<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='c@example.org' \
                 name='{attribute}'><group>{attribute}</group></item></query></iq>\
                 <message to='bob@example.org' type='chat' id='{attribute}' xml:lang='{attribute}'>\
                 <body>{attribute}</body></message>\
                 <presence to='bob@example.org' type='subscribe'><status>{attribute}</status>\
                 </presence>"
            ),
        );
        let _answers = script.receive_bytes("alice");
        script.send(
            "alice",
            "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>",
        );
        let roster = received(&mut script, "alice");
        let mut items = roster.child("query").children.iter();
        let item = items.find(|item| item.attribute("jid") == Some("c@example.org"));
        assert_eq!(item.unwrap().attribute("name"), Some(&*text));
        assert_eq!(item.unwrap().child("group").text, text);

        script.log_in("bob", "bob@example.org/phone");
        script.send("bob", "<presence/>");
        let got = stanzas(&script.receive_bytes("bob"));
        let message = got.iter().find(|stanza| stanza.name == "message").unwrap();
        assert_eq!(message.attribute("id"), Some(&*text));
        assert_eq!(message.attribute("lang"), Some(&*text));
        assert_eq!(message.child("body").text, text);
        let is_request = |stanza: &&Tree| stanza.attribute("type") == Some("subscribe");
        let request = got.iter().find(is_request).unwrap();
        assert_eq!(request.child("status").text, text);
    }
}

/// CVE-2026-113867: a resource is a name that everybody gets to see, and may
/// have nearly anything in it (RFC 7622 §3.4).
#[test]
fn a_resource_is_read_as_it_was_chosen() {
    for resource in [
        "a&b<c>d'e\"f",
        "'/><message to='x'/><a b='",
        "&amp;]]>",
        "\u{1d11e}\u{1f600}",
    ] {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("bob", "bob@example.org/phone");
        let _features = script.authenticate("alice", "alice");
        let resource_text = quoted(resource);
        script.send(
            "alice",
            &format!(
                "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>{resource_text}</resource></bind></iq>"
            ),
        );
        let address = format!("alice@example.org/{resource}");
        let bound = received(&mut script, "alice");
        assert_eq!(bound.child("bind").child("jid").text, address);
        for stanza in [
            "<presence to='bob@example.org/phone'/>",
            "<message to='bob@example.org'><body>x</body></message>",
            "<iq type='get' id='q' to='bob@example.org/phone'><x xmlns='urn:x'/></iq>",
        ] {
            script.send("alice", stanza);
            let got = received(&mut script, "bob");
            assert_eq!(got.attribute("from"), Some(&*address));
        }
        let to = quoted(&address);
        script.send("bob", &format!("<iq type='result' id='q' to='{to}'/>"));
        let got = received(&mut script, "alice");
        assert_eq!(got.attribute("to"), Some(&*address));
        script.send("bob", &format!("<message to='{to}.' id='m'/>"));
        let refused = received(&mut script, "bob");
        assert_eq!(refused.attribute("from"), Some(&*format!("{address}.")));
    }
}

/// The header of a stream says `from` again as `to` (RFC 6120 §4.7.2).
#[test]
fn the_header_says_again_what_it_was_told_and_no_more() {
    let mut script = Script::new(&["alice"]);
    script.connect("alice", anser_tests::script::PLAINTEXT);
    let from = "alice@example.org/' a='b' xmlns:x=\"urn:x\"><message/>";
    script.send(
        "alice",
        &format!(
            "<stream:stream xmlns='jabber:client' version='1.0' to='example.org' from='{}' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
            quoted(from)
        ),
    );
    let mut answer = script.receive_bytes("alice").to_vec();
    answer.extend_from_slice(b"</stream:stream>");
    let mut parser = Parser::default();
    let mut rest = &answer[..];
    loop {
        match parser.parse(&mut rest, true).unwrap() {
            Some(Event::StartElement(_, (_, name), attributes)) if name == "stream" => {
                let to = attributes.into_iter().find(|((_, name), _)| name == "to");
                assert_eq!(to.unwrap().1, from);
                return;
            }
            Some(_) => {}
            None => panic!("no header"),
        }
    }
}

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
