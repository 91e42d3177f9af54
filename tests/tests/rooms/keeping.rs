//! What outlasts a restart, what is forgotten, what is counted.

use super::{COVEN, admin, configure, coven, field, join, three_in_a_room};
use std::time::Duration;

/// The exchange forgets a room that nobody is in, and finds it again with all
/// that was decided and said.
#[test]
fn a_room_that_nobody_needs_leaves_memory_and_nothing_else() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &(field("muc#roomconfig_roomname", "A Dark Cave")
            + &field("muc#roomconfig_moderatedroom", "1")),
    );
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org' nick='Hag'/>"),
    );
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='carol@example.org'/>"),
    );
    for content in [
        "<subject>Brew</subject>",
        "<body>one</body>",
        "<body>two</body>",
    ] {
        let to = format!("to='{COVEN}' type='groupchat'");
        script.send("alice", &format!("<message {to}>{content}</message>"));
    }
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.forget("alice");
    assert_eq!(script.world.hub().room_count(), 1);
    script.world.pass(Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    script.play(
        "
        carol C: <presence to='coven@rooms.example.org/carol'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        carol S: <presence type='error'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='member' role='participant'/></x></presence>
        bob   S: <message from='coven@rooms.example.org/alice'><body>one</body>
            <stanza-id xmlns='urn:xmpp:sid:0' by='coven@rooms.example.org' id='*'/>
            <occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></message>
        bob   S: <message from='coven@rooms.example.org/alice'><body>two</body></message>
        bob   S: <message from='coven@rooms.example.org/alice'><subject>Brew</subject>
            <delay xmlns='urn:xmpp:delay' from='coven@rooms.example.org' stamp='*'/></message>
        alice C: <iq type='get' id='o' to='coven@rooms.example.org'>
            <query xmlns='http://jabber.org/protocol/muc#owner'/></iq>
        alice S: <iq type='result' id='o'/>
        ",
    );
    assert_eq!(script.world.hub().room_count(), 1);
}

/// What is the same for all is put into its form once, and a message to three is
/// one rendering.
#[test]
fn a_message_is_rendered_once_however_many_hear_it() {
    let mut script = three_in_a_room();
    let renderings =
        |script: &anser_tests::script::Script| script.world.hub().counters().renderings();
    let before = renderings(&script);
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.receive(actor);
    }
    assert_eq!(renderings(&script), before + 1);
}

/// XEP-0045 §7.2.3: nobody learns of a ban or a member whom a crash could take
/// back.
#[test]
fn nothing_is_told_before_it_is_written_down() {
    let mut script = three_in_a_room();
    script.hold_commits(true);
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'/>"),
    );
    let to = format!("to='{COVEN}' type='groupchat'");
    script.send("carol", &format!("<message {to}><body>x</body></message>"));
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    script.hold_commits(false);
    script.world.settle();
    script.expect("bob", "<message><body>x</body></message>");
    script.expect(
        "bob",
        &format!("<presence from='{COVEN}/bob' type='unavailable'/>"),
    );
    script.expect("alice", "<iq type='result' id='admin'/>");
    script.expect("alice", "<message><body>x</body></message>");
}

/// When the disk is full the room is as it was, and whoever spoke is told.
#[test]
fn what_cannot_be_kept_is_refused_and_changes_nothing() {
    let mut script = three_in_a_room();
    script.world.space().grant(Some(0));
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat' id='m'><body>x</body></message>"),
    );
    script.expect(
        "bob",
        "<message type='error' id='m' to='bob@example.org/phone'><error type='wait'>\
         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'/>"),
    );
    script.expect("alice", "<iq type='error' id='admin'/>");
    script.expect_nothing("carol");
    script.world.space().grant(None);
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat' id='n'><body>x</body></message>"),
    );
    script.expect("carol", "<message type='groupchat' id='n'/>");
}

/// A hundred rooms of one session are left when it ends.
#[test]
fn no_ghost_of_a_session_stays_in_any_room() {
    let mut script = coven();
    let rooms: Vec<_> = (0..100)
        .map(|number| format!("r{number}@rooms.example.org"))
        .collect();
    for room in &rooms {
        script.send(
            "bob",
            &format!("<presence to='{room}/bob'>{}</presence>", super::JOIN),
        );
    }
    join(&mut script, "bob", "bob", &["alice"]);
    script.cut("bob");
    script.expect(
        "alice",
        &format!("<presence from='{COVEN}/bob' type='unavailable'/>"),
    );
    for room in &rooms {
        let room = room.parse().unwrap();
        assert_eq!(script.world.hub().occupants(&room), 0);
    }
}
