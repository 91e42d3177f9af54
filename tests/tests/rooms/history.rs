//! What those who enter are told of the past.

use super::{
    COVEN, bodies, configure, coven, field, owner, read, say, three_in_a_room, told, told_anew,
};
use anser_tests::script::Script;
use anser_xml::Element;

/// Bob enters and asks for so much of the past; gives the messages with a text.
fn past(script: &mut Script, history: &str) -> Vec<Element> {
    script.send(
        "bob",
        &format!(
            "<presence to='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc'>\
             <history {history}/></x></presence>"
        ),
    );
    let mut messages = Vec::new();
    while let Some(stanza) = script.try_receive("bob") {
        let has_text = stanza.child("jabber:client", "body").is_some();
        messages.extend(has_text.then_some(stanza));
    }
    messages
}

/// XEP-0045 §7.2.14
#[test]
fn whoever_enters_may_want_less_of_what_was_said() {
    for (history, expected) in [
        ("maxstanzas='1'", 1),
        ("maxstanzas='0'", 0),
        ("maxchars='0'", 0),
        ("seconds='3600'", 3),
        ("since='2126-11-20T00:00:00Z'", 0),
        ("since='1999-01-01T00:00:00Z' maxstanzas='2'", 2),
        ("maxstanzas='1000'", 3),
    ] {
        let mut script = coven();
        for number in 0..3 {
            let to = format!("to='{COVEN}' type='groupchat'");
            script.send(
                "alice",
                &format!("<message {to}><body>{number}</body></message>"),
            );
        }
        let all = ["0", "1", "2"];
        let told = past(&mut script, history);
        assert_eq!(bodies(&told), all[3 - expected..], "{history}");
    }
}

/// XEP-0045 §7.2.14: "the largest number of complete stanzas that results in a
/// number of characters less than or equal to the 'maxchars' value", where "the
/// character count is the characters of the complete XML stanzas".
#[test]
fn whoever_wants_so_many_characters_gets_as_many_whole_messages_as_fit() {
    let mut script = coven();
    for (attributes, body) in [("", "x"), ("id='1' xml:lang='de'", "Hexenküche"), ("", "y")] {
        script.send(
            "alice",
            &format!(
                "<message to='{COVEN}' type='groupchat' {attributes}><body>{body}</body></message>"
            ),
        );
    }
    let characters = |script: &mut Script, history: &str| -> Vec<usize> {
        let count = |message: &Element| {
            let text = String::from_utf8(message.raw().to_vec()).unwrap();
            text.chars().count()
        };
        past(script, history).iter().map(count).collect()
    };
    let all = characters(&mut script, "");
    for first in 0..3 {
        let fitting: usize = all[first..].iter().sum();
        for (most, first) in [(fitting, first), (fitting - 1, first + 1)] {
            let found = characters(&mut script, &format!("maxchars='{most}'"));
            assert_eq!(found, all[first..], "{most} of {all:?}");
        }
    }
}

/// XEP-0045 §10.2, `muc#maxhistoryfetch`: a room promises what it keeps.
#[test]
fn nobody_is_promised_more_of_the_past_than_there_is() {
    let mut script = coven();
    configure(&mut script, "alice", &field("muc#maxhistoryfetch", "1000"));
    script.forget("alice");
    script.send("alice", &owner("get", ""));
    script.expect(
        "alice",
        "<iq type='result' id='owner'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='form'><field var='muc#maxhistoryfetch'>\
         <value>20</value></field></x></query></iq>",
    );
    configure(&mut script, "alice", &field("muc#maxhistoryfetch", "5"));
    script.forget("alice");
    script.send("alice", &owner("get", ""));
    let form = format!("{:?}", script.receive("alice"));
    assert!(form.contains("<value>5</value>"));
}

/// XEP-0334 §4.1: "shouldn't store the message in any permanent or semi-permanent
/// public or private archive [...] or in logs (such as chatroom logs)".
#[test]
fn what_is_not_to_be_kept_is_for_those_who_are_there() {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    say(&mut script, "bob", "one", &["alice", "carol"]);
    let to = format!("to='{COVEN}' type='groupchat'");
    let hint = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
    script.send(
        "bob",
        &format!("<message {to}><body>two</body>{hint}</message>"),
    );
    script.expect("carol", "<message><body>two</body></message>");
    script.forget("bob");
    assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()), ["one"]);
    assert_eq!(bodies(&told(&mut script, "dave")), ["one", "-"]);
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(bodies(&after), ["one", "-"]);
}
