//! What is said to one occupant alone (XEP-0045 §7.5): kept by both sides, copied
//! to the sender's devices, lost by nobody, and telling neither who the other is.

use super::{COVEN, JOIN, coven, field, join, three_in_a_room};
use anser_tests::script::Script;
use anser_xml::Element;

const BOB: &str = "coven@rooms.example.org/bob";
const CAROL: &str = "coven@rooms.example.org/carol";

fn whisper(script: &mut Script, actor: &str, nick: &str, id: &str, content: &str) {
    let message = format!("<message to='{COVEN}/{nick}' type='chat' id='{id}'>{content}</message>");
    script.send(actor, &message);
}

/// The messages of a client's own archive.
fn archive(script: &mut Script, actor: &str, with: &str) -> Vec<Element> {
    let fields = field("FORM_TYPE", "urn:xmpp:mam:2") + &field("with", with);
    let form = match with {
        "" => String::new(),
        _ => format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>"),
    };
    let query = format!("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'>{form}</query></iq>");
    script.forget(actor);
    script.send(actor, &query);
    let mut messages = Vec::new();
    loop {
        let stanza = script.receive(actor);
        let Some(result) = stanza.child("urn:xmpp:mam:2", "result") else {
            assert_eq!(stanza.attribute("type").as_deref(), Some("result"));
            return messages;
        };
        let forwarded = result
            .open()
            .child("urn:xmpp:forward:0", "forwarded")
            .unwrap()
            .open();
        messages.push(forwarded.child("jabber:client", "message").unwrap().open());
    }
}

fn address(message: &Element, name: &str) -> String {
    message.attribute(name).unwrap().into_owned()
}

fn stanza_id(message: &Element) -> Option<(String, String)> {
    let id = message.child("urn:xmpp:sid:0", "stanza-id")?.open();
    Some((address(&id, "by"), address(&id, "id")))
}

/// XEP-0313 §6.1.1: "all of the messages a user sends or receives of type
/// 'normal' or 'chat'"; XEP-0045 §7.2.4, §7.5: and nobody learns from that who
/// the other is.
#[test]
fn what_is_said_to_one_alone_is_in_both_archives_as_each_side_knows_it() {
    let mut script = three_in_a_room();
    whisper(&mut script, "bob", "carol", "w", "<body>psst</body>");
    let heard = script.receive("carol");
    assert_eq!(
        (address(&heard, "from"), address(&heard, "to")),
        (BOB.into(), "carol@example.org/phone".into())
    );
    assert!(
        heard
            .child("urn:xmpp:occupant-id:0", "occupant-id")
            .is_some()
    );
    let (by, id) = stanza_id(&heard).unwrap();
    assert_eq!(by, "carol@example.org");

    let of_carol = archive(&mut script, "carol", BOB);
    let [message] = &of_carol[..] else {
        panic!("{of_carol:?}")
    };
    assert_eq!(
        (address(message, "from"), address(message, "to")),
        (BOB.into(), "carol@example.org".into())
    );
    assert!(!format!("{message:?}").contains("bob@example.org"));
    let after = format!(
        "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'>\
         <set xmlns='http://jabber.org/protocol/rsm'><after>{id}</after></set></query></iq>"
    );
    script.send("carol", &after);
    script.expect("carol", "<iq type='result' id='q'/>");

    let of_bob = archive(&mut script, "bob", "");
    let [message] = &of_bob[..] else {
        panic!("{of_bob:?}")
    };
    assert_eq!(
        (address(message, "from"), address(message, "to")),
        ("bob@example.org/phone".into(), CAROL.into())
    );
    assert!(!format!("{message:?}").contains("carol@example.org"));
    assert!(archive(&mut script, "alice", "").is_empty());
    assert!(archive(&mut script, "carol", "coven@rooms.example.org/alice").is_empty());
}

/// XEP-0334 §4, XEP-0441 §2.1
#[test]
fn what_is_said_to_one_alone_is_archived_for_whom_that_is_meant() {
    let mut script = three_in_a_room();
    script.send(
        "carol",
        "<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>",
    );
    whisper(&mut script, "bob", "carol", "w1", "<body>1</body>");
    let passing = "<body>2</body><no-store xmlns='urn:xmpp:hints'/>";
    whisper(&mut script, "bob", "carol", "w2", passing);
    script.expect("carol", "<iq type='result' id='p'/>");
    script.expect("carol", "<message id='w1'/>");
    let passing = script.receive("carol");
    assert_eq!(stanza_id(&passing), None);
    assert!(archive(&mut script, "carol", "").is_empty());
    assert_eq!(archive(&mut script, "bob", "").len(), 1);
}

/// XEP-0313 §6.1.1: "only once, irrespective of multiple connected clients";
/// XEP-0280 §6.1: and the copy has the id of the archive that it belongs to.
#[test]
fn what_is_said_to_one_with_several_devices_is_kept_once() {
    let mut script = three_in_a_room();
    script.appear("carol's desk", "carol@example.org/desk");
    script.send(
        "carol's desk",
        &format!("<presence to='{CAROL}'>{JOIN}</presence>"),
    );
    script.appear("bob's desk", "bob@example.org/desk");
    script.send(
        "bob's desk",
        "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    for actor in ["bob", "carol", "carol's desk", "bob's desk"] {
        script.forget(actor);
    }
    whisper(&mut script, "bob", "carol", "w", "<body>psst</body>");
    let ids: Vec<_> = ["carol", "carol's desk"]
        .map(|actor| stanza_id(&script.receive(actor)))
        .into();
    assert!(ids[0].is_some() && ids[0] == ids[1]);
    assert_eq!(archive(&mut script, "carol", "").len(), 1);
    let copy = script.receive("bob's desk");
    let sent = copy.child("urn:xmpp:carbons:2", "sent").unwrap().open();
    let forwarded = sent
        .child("urn:xmpp:forward:0", "forwarded")
        .unwrap()
        .open();
    let copied = forwarded.child("jabber:client", "message").unwrap().open();
    let (by, id) = stanza_id(&copied).unwrap();
    assert_eq!(by, "bob@example.org");
    assert_ne!(Some(id), ids[0].clone().map(|(_, id)| id));
    script.expect_nothing("bob's desk");
}

/// XEP-0198 §4: it was acknowledged, so it comes: to the session that is there, or
/// to whoever comes next.
#[test]
fn what_was_said_to_one_who_leaves_meanwhile_comes_to_them_all_the_same() {
    let mut script = three_in_a_room();
    script.hold_commits(true);
    whisper(&mut script, "bob", "carol", "w1", "<body>1</body>");
    script.send(
        "carol",
        &format!("<presence to='{CAROL}' type='unavailable'/>"),
    );
    script.hold_commits(false);
    script.world.settle();
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/carol' type='unavailable'/>",
    );
    script.expect(
        "carol",
        "<message from='coven@rooms.example.org/bob' id='w1'/>",
    );
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/carol' type='unavailable'/>",
    );
    script.expect_nothing("bob");
}

/// XEP-0198 §5
#[test]
fn what_was_said_to_a_session_that_is_lost_waits_for_the_next() {
    let mut script = coven();
    script.log_in("dave", "dave@example.org/phone");
    script.play(
        "
        dave C: <enable xmlns='urn:xmpp:sm:3'/>
        dave S: <enabled xmlns='urn:xmpp:sm:3'/>
        dave C: <presence/>
        dave S: <presence/>
        ",
    );
    join(&mut script, "dave", "dave", &["alice"]);
    whisper(&mut script, "alice", "dave", "w", "<body>psst</body>");
    script.forget("dave");
    script.cut("dave");
    script.appear("dave again", "dave@example.org/phone");
    script.expect(
        "dave again",
        "<message from='coven@rooms.example.org/alice' to='dave@example.org/phone' id='w'>\
         <body>psst</body><delay xmlns='urn:xmpp:delay'/></message>",
    );
    script.expect_nothing("dave again");
}

/// XEP-0045 §7.5, §7.2.4: what is refused comes back from where it was sent to,
/// once, and not from who that is.
#[test]
fn what_is_kept_nowhere_and_finds_nobody_is_refused_in_the_name_of_the_occupant() {
    let mut script = three_in_a_room();
    script.hold_commits(true);
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat'><body>first</body></message>"),
    );
    let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    whisper(&mut script, "bob", "carol", "w", typing);
    script.send(
        "carol",
        &format!("<presence to='{CAROL}' type='unavailable'/>"),
    );
    script.hold_commits(false);
    script.world.settle();
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/carol' type='unavailable'/>",
    );
    script.expect(
        "bob",
        "<message from='coven@rooms.example.org/bob'><body>first</body></message>",
    );
    script.expect(
        "bob",
        "<message type='error' id='w' from='coven@rooms.example.org/carol'/>",
    );
    script.expect_nothing("bob");
}

/// The same if the disk has no room.
#[test]
fn what_cannot_be_kept_is_refused_in_the_name_of_the_occupant_and_heard_by_nobody() {
    let mut script = three_in_a_room();
    script.world.space().grant(Some(0));
    whisper(&mut script, "bob", "carol", "w", "<body>psst</body>");
    script.world.settle();
    script.expect(
        "bob",
        "<message type='error' id='w' from='coven@rooms.example.org/carol'/>",
    );
    script.expect_nothing("bob");
    script.expect_nothing("carol");
}

/// XEP-0424 §4, §5: a tombstone in both archives; and nobody takes back what
/// somebody has said who had their nickname before.
#[test]
fn what_was_said_to_one_alone_is_taken_back_by_whoever_said_it() {
    let mut script = three_in_a_room();
    let retract = "<retract xmlns='urn:xmpp:message-retract:1' id='w'/>";
    whisper(&mut script, "bob", "carol", "w", "<body>psst</body>");
    script.send("bob", &format!("<presence to='{COVEN}/hag'/>"));
    script.send("alice", &format!("<presence to='{COVEN}/bob'/>"));
    whisper(&mut script, "alice", "carol", "r1", retract);
    let bodies = |messages: Vec<Element>| -> Vec<String> {
        let text = |message: &Element| {
            message
                .child("jabber:client", "body")
                .map(|b| b.text().into_owned())
        };
        messages.iter().filter_map(text).collect()
    };
    assert_eq!(bodies(archive(&mut script, "carol", "")), ["psst"]);
    script.send("alice", &format!("<presence to='{COVEN}/alice'/>"));
    script.send("bob", &format!("<presence to='{COVEN}/bob'/>"));
    whisper(&mut script, "bob", "carol", "r2", retract);
    for actor in ["carol", "bob"] {
        let messages = archive(&mut script, actor, "");
        let tombstones = messages
            .iter()
            .filter(|m| m.child("urn:xmpp:message-retract:1", "retracted").is_some());
        assert_eq!(tombstones.count(), 1, "{actor}");
        assert!(bodies(messages).is_empty(), "{actor}");
    }
}

/// XEP-0333 §4.2: what is said alone is a conversation of its own, beside that of
/// the room.
#[test]
fn unread_messages_of_one_occupant_are_counted_by_themselves() {
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat'><body>to all</body></message>"),
    );
    whisper(&mut script, "bob", "carol", "w1", "<body>1</body>");
    whisper(&mut script, "alice", "carol", "w2", "<body>2</body>");
    let unread = |script: &mut Script, nick: &str| {
        let hub = std::sync::Arc::clone(script.world.hub());
        let carol = "carol@example.org".parse().unwrap();
        let with = format!("{COVEN}/{nick}").parse().unwrap();
        let count = async move { hub.unread(&carol, &with).await.unwrap().messages };
        script.world.complete(count)
    };
    assert_eq!(
        (unread(&mut script, "bob"), unread(&mut script, "alice")),
        (1, 1)
    );
    let displayed = "<displayed xmlns='urn:xmpp:chat-markers:0' id='w1'/>";
    whisper(&mut script, "carol", "bob", "d", displayed);
    assert_eq!(
        (unread(&mut script, "bob"), unread(&mut script, "alice")),
        (0, 1)
    );
    let hub = std::sync::Arc::clone(script.world.hub());
    let in_room = async move {
        let (carol, own) = ("carol@example.org".parse().unwrap(), CAROL.parse().unwrap());
        hub.unread_in_room(&carol, &own).await.unwrap().messages
    };
    assert_eq!(script.world.complete(in_room), 1);
}

/// XEP-0359 §5: "MUST delete that element"; XEP-0203 §5. What the account of a
/// listener would believe of its own server does not come through a room either,
/// to all or to one.
#[test]
fn nobody_speaks_through_a_room_for_the_server_of_those_who_listen() {
    let forged = "<stanza-id xmlns='urn:xmpp:sid:0' by='carol@example.org' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='coven@rooms.example.org' id='forged'/>\
         <delay xmlns='urn:xmpp:delay' from='example.org' stamp='2002-09-10T23:08:25Z'/>\
         <delay xmlns='urn:xmpp:delay' from='carol@example.org' stamp='2002-09-10T23:08:25Z'/>";
    let honest = "<delay xmlns='urn:xmpp:delay' from='bob@example.org' \
         stamp='2002-09-10T23:08:25Z'/>";
    for (to, kind) in [(COVEN, "groupchat"), (CAROL, "chat")] {
        let mut script = three_in_a_room();
        script.send(
            "bob",
            &format!("<message to='{to}' type='{kind}'><body>x</body>{forged}{honest}</message>"),
        );
        let heard = format!("{:?}", script.receive("carol"));
        assert!(!heard.contains("forged"), "{heard}");
        assert_eq!(heard.matches("2002-09-10").count(), 1, "{heard}");
    }
}

/// XEP-0280 §6.1, XEP-0045 §7.5, reference/xmpp.md: a private message reaches its
/// sender's other devices as a copy, what is said to all does not, and nothing
/// that looks like a copy passes through a room.
#[test]
fn copies_are_of_private_messages_and_never_of_what_somebody_forges() {
    let mut script = three_in_a_room();
    script.appear("desk", "bob@example.org/desk");
    script.forget("bob");
    script.send(
        "desk",
        "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    while script.receive("desk").name() != "iq" {}
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org/carol' type='chat' id='p'><body>psst</body></message>
        carol S: <message from='coven@rooms.example.org/bob' id='p'/>
        desk  S: <message from='bob@example.org'><sent xmlns='urn:xmpp:carbons:2'>
            <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' id='p'
            from='bob@example.org/phone' to='coven@rooms.example.org/carol'><body>psst</body>
            </message></forwarded></sent></message>
        carol C: <message to='coven@rooms.example.org/bob' type='chat' id='a'><body>what</body></message>
        bob   S: <message from='coven@rooms.example.org/carol' id='a'/>
        desk  S: nothing
        bob   C: <message to='coven@rooms.example.org' type='groupchat'><body>all</body></message>
        desk  S: nothing
        ",
    );
    script.forget("carol");
    let forged = "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         <message xmlns='jabber:client' from='alice@example.org'><body>pay</body></message>\
         </forwarded></received><result xmlns='urn:xmpp:mam:2' id='x'/>";
    for (to, kind) in [
        (COVEN, "groupchat"),
        ("coven@rooms.example.org/carol", "chat"),
    ] {
        let to = format!("to='{to}' type='{kind}'");
        script.send(
            "bob",
            &format!("<message {to}><body>x</body>{forged}</message>"),
        );
        let message = script.receive("carol");
        let text = format!("{message:?}");
        assert!(text.contains("<body>x") && !text.contains("pay") && !text.contains("mam:2"));
    }
}
