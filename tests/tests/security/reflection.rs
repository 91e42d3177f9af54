//! What one person has said and another one hears: read by a parser that nobody
//! here wrote, it is the same, whatever is in it.

use crate::oracle::{Tree, stanzas};
use anser_tests::script::Script;
use anser_tests::world::Dice;
use rxml::{Event, Parse, Parser};
use std::fmt::Write;

/// The one stanza that a client has received, as rxml reads it.
pub(crate) fn received(script: &mut Script, actor: &str) -> Tree {
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

/// Two people, there and strangers to each other.
pub(crate) fn alice_and_bob() -> Script {
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
    for text in HOSTILE {
        let attribute = quoted(text);
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
        assert_eq!(item.unwrap().attribute("name"), Some(text));
        assert_eq!(item.unwrap().child("group").text, text);

        script.log_in("bob", "bob@example.org/phone");
        script.send("bob", "<presence/>");
        let got = stanzas(&script.receive_bytes("bob"));
        let message = got.iter().find(|stanza| stanza.name == "message").unwrap();
        assert_eq!(message.attribute("id"), Some(text));
        assert_eq!(message.attribute("lang"), Some(text));
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
