//! What is taken back, by a moderator or by whoever has said it.

use super::{COVEN, JOIN, bodies, moderate, read, say, three_in_a_room};

/// XEP-0425 §4.2: what is answered is done, and a crash does not take it back.
#[test]
fn a_moderator_is_answered_when_the_message_is_gone_and_told_if_it_is_not() {
    let mut script = three_in_a_room();
    let spam = say(&mut script, "bob", "spam", &["alice", "carol"]);
    script.world.space().grant(Some(0));
    script.send("alice", &moderate(&spam));
    script.expect(
        "alice",
        "<iq type='error' id='m'><error type='wait'>\
         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    assert_eq!(bodies(&read(&mut script, "carol", "").unwrap()), ["spam"]);
    script.world.space().grant(None);
    script.hold_commits(true);
    script.send("alice", &moderate(&spam));
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    script.hold_commits(false);
    script.world.settle();
    script.expect("alice", "<iq type='result' id='m'/>");
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &format!("<message from='{COVEN}'/>"));
    }
}

/// XEP-0424 §4: a tombstone "MUST include an 'id' attribute that's set to the
/// value of the retraction's <message/> element's 'id' attribute".
#[test]
fn a_retraction_without_an_id_is_said_and_leaves_no_tombstone() {
    let mut script = three_in_a_room();
    let bobs = say(&mut script, "bob", "oops", &["alice", "carol"]);
    for id in ["", "id=''"] {
        script.send(
            "bob",
            &format!(
                "<message to='{COVEN}' type='groupchat' {id}>\
                 <retract xmlns='urn:xmpp:message-retract:1' id='{bobs}'/></message>"
            ),
        );
        let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{bobs}'/>");
        script.expect("carol", &format!("<message>{retract}</message>"));
    }
    assert_eq!(bodies(&read(&mut script, "carol", "").unwrap())[0], "oops");
}

/// XEP-0425 §4, §5
#[test]
fn a_moderator_takes_a_message_back_and_a_tombstone_stands_in_its_place() {
    let mut script = three_in_a_room();
    let spam = say(&mut script, "bob", "spam", &["alice", "carol"]);
    say(&mut script, "bob", "ham", &["alice", "carol"]);
    script.send("carol", &moderate(&spam));
    script.expect(
        "carol",
        "<iq type='error' id='m'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    for never in ["0000000000000001", "nonsense"] {
        script.send("alice", &moderate(never));
        script.expect(
            "alice",
            "<iq type='error' id='m'><error type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        );
    }
    script.send("alice", &moderate(&spam));
    let news = format!(
        "<message type='groupchat' from='{COVEN}'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{spam}'>\
         <moderated xmlns='urn:xmpp:message-moderate:1' by='{COVEN}/alice'>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></moderated>\
         <reason>Spam</reason></retract></message>"
    );
    script.expect("alice", "<iq type='result' id='m'/>");
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &news);
    }
    let messages = read(&mut script, "carol", "").unwrap();
    assert_eq!(bodies(&messages), ["-", "ham", "-"]);
    let tombstone = messages[0]
        .child("urn:xmpp:message-retract:1", "retracted")
        .unwrap();
    assert!(String::from_utf8_lossy(tombstone.raw()).contains("Spam"));
    assert_eq!(
        messages[0].attribute("from").as_deref(),
        Some("coven@rooms.example.org/bob")
    );
    assert!(
        messages[0]
            .child("urn:xmpp:occupant-id:0", "occupant-id")
            .is_some()
    );
    // Twice is once too often, and whoever comes later does not see it either.
    script.send("alice", &moderate(&spam));
    script.expect("alice", "<iq type='error' id='m'/>");
    script.log_in("dave", "dave@example.org/phone");
    script.send(
        "dave",
        &format!("<presence to='{COVEN}/dave'>{JOIN}</presence>"),
    );
    while let Some(stanza) = script.try_receive("dave") {
        assert!(!format!("{stanza:?}").contains("<body>spam"));
    }
}

/// XEP-0424 §5: in a room by the id that the room has given it, and only one's
/// own.
#[test]
fn an_occupant_takes_back_their_own_messages_and_nobody_elses() {
    let mut script = three_in_a_room();
    let bobs = say(&mut script, "bob", "oops", &["alice", "carol"]);
    let retract = |id: &str, by: &str| {
        format!(
            "<message to='{COVEN}' type='groupchat' id='{by}'>\
             <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>\
             <body>I take it back</body></message>"
        )
    };
    script.send("carol", &retract(&bobs, "r1"));
    script.expect("bob", "<message id='r1'/>");
    script.forget("alice");
    let messages = read(&mut script, "alice", "").unwrap();
    assert_eq!(bodies(&messages)[0], "oops");
    script.send("bob", &retract(&bobs, "r2"));
    script.expect(
        "bob",
        "<message id='r2' from='coven@rooms.example.org/bob'/>",
    );
    for actor in ["alice", "carol"] {
        script.forget(actor);
    }
    let messages = read(&mut script, "carol", "").unwrap();
    assert_eq!(bodies(&messages), ["-", "I take it back", "I take it back"]);
    let tombstone = messages[0]
        .child("urn:xmpp:message-retract:1", "retracted")
        .unwrap();
    assert_eq!(tombstone.attribute("id").as_deref(), Some("r2"));
}
