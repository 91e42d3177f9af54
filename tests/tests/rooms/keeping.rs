//! What outlasts a restart, what is forgotten, what is counted.

use super::{COVEN, JOIN, admin, configure, coven, field, join, listed, three_in_a_room};
use anser_hub::AccountError;
use anser_jid::BareJid;
use anser_tests::script::Script;
use anser_tests::world::credentials;
use std::sync::Arc;
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
    let renderings = |script: &Script| script.world.hub().counters().renderings();
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

/// Removes an account, and makes one of the same name.
fn make_anew(script: &mut Script, name: &str) {
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let address = BareJid::new(Some(name), "example.org").unwrap();
    let done = script.world.complete(async move {
        hub.delete_account(&address, now).await?;
        hub.create_accounts(&[(address, credentials())], now).await
    });
    done.unwrap();
}

/// Bob, who is an admin and keeps a nickname, and Carol, who is banned, are
/// removed and made anew.
fn replace_bob_and_carol(script: &mut Script) {
    make_anew(script, "bob");
    make_anew(script, "carol");
    script.forget("alice");
}

/// XEP-0045 §5.2: an affiliation is an account's, and this one is no more; the
/// ban holds, or it would be undone by signing up again.
#[test]
fn who_gets_the_name_of_a_removed_account_is_nothing_in_its_rooms_but_banned() {
    for is_asleep in [false, true] {
        let mut script = three_in_a_room();
        for item in [
            "<item affiliation='admin' jid='bob@example.org' nick='Hag'/>",
            "<item affiliation='outcast' jid='carol@example.org'/>",
        ] {
            script.send("alice", &admin(item));
            script.forget("alice");
        }
        if is_asleep {
            for (actor, nick) in [("alice", "alice"), ("bob", "bob")] {
                let left = format!("<presence to='{COVEN}/{nick}' type='unavailable'/>");
                script.send(actor, &left);
            }
            script.world.pass(Duration::from_secs(61));
            script.world.settle();
            assert_eq!(script.world.hub().room_count(), 0);
        }
        replace_bob_and_carol(&mut script);
        if is_asleep {
            assert_eq!(script.world.hub().room_count(), 0);
            join(&mut script, "alice", "alice", &[]);
        }
        assert_eq!(listed(&mut script, "admin"), Vec::<String>::new());
        assert_eq!(listed(&mut script, "outcast"), ["carol@example.org"]);
        join(&mut script, "alice", "Hag", &[]);
        script.appear("new", "bob@example.org/phone");
        script.send(
            "new",
            &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
        );
        script.expect(
            "alice",
            &format!(
                "<presence from='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='none' role='participant'/></x></presence>"
            ),
        );
    }
}

/// A room that does not forget an account on disk has no account forgotten.
#[test]
fn an_account_that_cannot_be_removed_is_in_its_rooms_what_it_was() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='admin' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    script.world.space().grant(Some(0));
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let bob = BareJid::new(Some("bob"), "example.org").unwrap();
    let removed = script
        .world
        .complete(async move { hub.delete_account(&bob, now).await });
    assert!(matches!(removed, Err(AccountError::NotKept(_))));
    assert_eq!(listed(&mut script, "admin"), ["bob@example.org"]);
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
            &format!("<presence to='{room}/bob'>{JOIN}</presence>"),
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
