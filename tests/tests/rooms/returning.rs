//! Coming back after a broken connection, to the rooms that one was in.

use super::{JOIN, coven, join};
use anser_tests::script::Script;
use std::collections::BTreeMap;
use std::time::Duration;

/// XEP-0198 §5: whoever resumes a stream has been there all the time, and nobody
/// in the room has noticed anything. What was said meanwhile says when that was.
#[test]
fn a_stream_that_is_resumed_is_still_in_its_room() {
    let mut script = coven();
    join(&mut script, "carol", "carol", &["alice"]);
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = script.receive("bob");
    let id = enabled.attribute("id").unwrap();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/bob'/>
        bob   S: <message><subject/></message>
        alice S: <presence from='coven@rooms.example.org/bob'/>
        carol S: <presence from='coven@rooms.example.org/bob'/>
        ",
    );
    script.cut("bob");
    script.world.pass(Duration::from_secs(100));
    script.play(
        "
        carol C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>1</body></message>
        carol S: <message id='1'/>
        alice S: <message id='1'/>
        ",
    );
    script.world.pass(Duration::from_secs(100));
    script.authenticate("bob", "bob");
    script.play(&format!(
        "
        bob   C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='4'/>
        bob   S: <resumed xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        bob   S: <message from='coven@rooms.example.org/carol' id='1'>
            <delay xmlns='urn:xmpp:delay' from='example.org' stamp='*'/></message>
        bob   S: nothing
        alice S: nothing
        carol S: nothing
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='2'><body>2</body></message>
        bob   S: <message id='2'><body>2</body>
            <stanza-id xmlns='urn:xmpp:sid:0' by='coven@rooms.example.org' id='*'/>
            <occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></message>
        alice S: <message id='2'/>
        carol S: <message id='2'/>
        "
    ));
}

/// Bob enters a hundred rooms at once; how many occupants he sees in them.
fn enter_all(script: &mut Script) -> usize {
    for number in 0..100 {
        let to = format!("r{number}@rooms.example.org/bob");
        script.send("bob", &format!("<presence to='{to}'>{JOIN}</presence>"));
    }
    let mut seen = 0;
    while let Some(stanza) = script.try_receive("bob") {
        let kind = stanza.attribute("type");
        assert_ne!(kind.as_deref(), Some("error"), "{stanza:?}");
        seen += usize::from(stanza.name() == "presence");
    }
    seen
}

/// Carol is in the hundred rooms, alone.
fn hundred_rooms() -> Script {
    let mut script = coven();
    let owner = "http://jabber.org/protocol/muc#owner";
    let form = "<x xmlns='jabber:x:data' type='submit'/>";
    for number in 0..100 {
        let to = format!("r{number}@rooms.example.org");
        script.send(
            "carol",
            &format!(
                "<presence to='{to}/carol'>{JOIN}</presence>\
                 <iq type='set' id='c' to='{to}'><query xmlns='{owner}'>{form}</query></iq>"
            ),
        );
    }
    script.forget("carol");
    script
}

/// What Carol sees of Bob in each of the rooms.
fn seen_of_bob(script: &mut Script) -> BTreeMap<String, Vec<String>> {
    let mut seen: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while let Some(stanza) = script.try_receive("carol") {
        let from = stanza.attribute("from").unwrap();
        let (room, nick) = from.split_once('/').unwrap();
        assert_eq!((stanza.name(), nick), ("presence", "bob"));
        let kind = stanza.attribute("type").unwrap_or("available".into());
        seen.entry(room.to_owned()).or_default().push(kind.into());
    }
    seen
}

/// Wish 14 and XEP-0045 §14.6, §17.3: a client with a hundred rooms enters them all
/// at once, and once more if it is not sure.
#[test]
fn somebody_with_a_hundred_rooms_enters_them_all_at_once() {
    let mut script = hundred_rooms();
    assert_eq!(enter_all(&mut script), 200);
    let seen = seen_of_bob(&mut script);
    assert_eq!(seen.len(), 100);
    assert!(seen.values().all(|seen| *seen == ["available"]));
    assert_eq!(enter_all(&mut script), 200);
    assert!(seen_of_bob(&mut script).is_empty());
}

/// Wish 14: the same after a broken connection, whether its stream could have been
/// resumed or not.
#[test]
fn whoever_comes_back_to_a_hundred_rooms_leaves_each_once_and_enters_it_once() {
    for management in ["", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"] {
        let mut script = hundred_rooms();
        script.send("bob", management);
        script.forget("bob");
        enter_all(&mut script);
        seen_of_bob(&mut script);
        script.cut("bob");
        script.appear("bob", "bob@example.org/phone");
        assert_eq!(enter_all(&mut script), 200);
        let seen = seen_of_bob(&mut script);
        assert_eq!(seen.len(), 100);
        for (room, seen) in seen {
            assert_eq!(seen, ["unavailable", "available"], "{room}");
        }
    }
}
