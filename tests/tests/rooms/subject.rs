//! The subject: who changes it, how long it stays, and how it is taken back.

use super::{
    COVEN, admin, bodies, configure, coven, field, join, moderate, read, three_in_a_room, told,
    told_anew,
};
use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xml::Element;
use anser_xmpp::XmppConfig;

/// Alice sets the subject.
fn set_subject(script: &mut Script, content: &str) {
    let to = format!("to='{COVEN}' type='groupchat'");
    script.send("alice", &format!("<message {to}>{content}</message>"));
}

/// The subject, which comes last.
fn subject(messages: &[Element]) -> String {
    let last = messages.last().unwrap();
    let subject = last.child("jabber:client", "subject").unwrap();
    subject.text().into_owned()
}

/// Alice has set a subject in a room with Bob and Carol, and Dave may come; gives
/// its id.
fn bad_subject() -> (Script, String) {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    set_subject(&mut script, "<subject>bad</subject>");
    let set = script.receive("alice");
    let id = set.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let id = id.attribute("id").unwrap().into_owned();
    (script, id)
}

/// XEP-0045 §8.1
#[test]
fn the_subject_is_changed_by_those_who_may_and_stays() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='s'><subject>x</subject></message>
        bob   S: <message type='error' id='s'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='t'><subject>Fire</subject></message>
        alice S: <message from='coven@rooms.example.org/alice' id='t'><subject>Fire</subject></message>
        bob   S: <message from='coven@rooms.example.org/alice' id='t'><subject>Fire</subject></message>
        carol S: <message from='coven@rooms.example.org/alice' id='t'><subject>Fire</subject></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat'><subject>no</subject><body>b</body></message>
        bob   S: <message><subject>no</subject><body>b</body></message>
        bob   C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        ",
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_changesubject", "1"),
    );
    script.forget("alice");
    script.forget("carol");
    script.play(
        "
        carol C: <message to='coven@rooms.example.org' type='groupchat'><subject/></message>
        carol S: <message from='coven@rooms.example.org/carol'><subject/></message>
        alice S: <message from='coven@rooms.example.org/carol'><subject/></message>
        ",
    );
}

/// A subject of a megabyte does not fit into a stanza, and one of 5,000 bytes
/// not into a room.
#[test]
fn a_subject_that_is_too_large_is_refused_and_the_old_one_stays() {
    let mut script = coven();
    let subject = "x".repeat(5000);
    script.send(
        "alice",
        &format!(
            "<message to='{COVEN}' type='groupchat' id='s'><subject>{subject}</subject></message>"
        ),
    );
    script.play(
        "
        alice S: <message type='error' id='s'><error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
    join(&mut script, "bob", "bob", &["alice"]);
    let subject = "x".repeat(1 << 20);
    script.send(
        "alice",
        &format!("<message to='{COVEN}' type='groupchat'><subject>{subject}</subject></message>"),
    );
    script.expect(
        "alice",
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    script.expect(
        "bob",
        &format!("<presence from='{COVEN}/alice' type='unavailable'/>"),
    );
}

/// The same where stanzas may be larger than a subject: it costs its sender
/// nothing but an answer.
#[test]
fn a_subject_of_a_megabyte_is_refused_and_its_sender_stays() {
    let limits = XmppConfig {
        stanza_bytes: 2 << 20,
        ..XmppConfig::default()
    };
    let users = ["alice", "bob"];
    let world = World::with_config(1, &users, AccountsConfig::default(), limits);
    let mut script = Script::in_world(world);
    for actor in users {
        script.appear(actor, &format!("{actor}@example.org/phone"));
    }
    join(&mut script, "alice", "alice", &[]);
    configure(&mut script, "alice", "");
    set_subject(&mut script, "<subject>Fire</subject>");
    join(&mut script, "bob", "bob", &["alice"]);
    let large = "x".repeat(1 << 20);
    set_subject(&mut script, &format!("<subject>{large}</subject>"));
    script.play(
        "
        alice S: <message type='error'><error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   S: nothing
        alice C: <message to='coven@rooms.example.org' type='groupchat'><body>hi</body></message>
        bob   S: <message><body>hi</body></message>
        ",
    );
    assert_eq!(subject(&told(&mut script, "bob")), "Fire");
}

/// What comes with a subject is told to all who enter, as the subject is.
#[test]
fn nothing_large_is_kept_with_a_small_subject() {
    let mut script = coven();
    let ballast = "x".repeat(5000);
    script.send(
        "alice",
        &format!(
            "<message to='{COVEN}' type='groupchat' id='s'><subject>Fire</subject>\
             <ballast xmlns='urn:example'>{ballast}</ballast></message>"
        ),
    );
    script.expect(
        "alice",
        "<message type='error' id='s'><error type='modify'>\
         <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    join(&mut script, "bob", "bob", &[]);
    script.expect("alice", &format!("<presence from='{COVEN}/bob'/>"));
    script.expect_nothing("alice");
}

/// XEP-0425 §6: "SHOULD prevent further distribution of a moderated retracted
/// message".
#[test]
fn a_subject_that_is_taken_back_is_none() {
    let (mut script, id) = bad_subject();
    assert_eq!(subject(&told(&mut script, "dave")), "bad");
    script.send("alice", &moderate(&id));
    assert_eq!(subject(&told(&mut script, "dave")), "");
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(subject(&after), "");
}

/// XEP-0425 §6: what is set meanwhile stays.
#[test]
fn the_subject_after_one_that_is_taken_back_stays() {
    let (mut script, id) = bad_subject();
    script.send(
        "alice",
        &admin("<item affiliation='owner' jid='bob@example.org'/>"),
    );
    script.hold_commits(true);
    set_subject(&mut script, "<subject>good</subject>");
    script.send("bob", &moderate(&id));
    script.hold_commits(false);
    script.world.settle();
    assert_eq!(subject(&told(&mut script, "dave")), "good");
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(subject(&after), "good");
}

/// XEP-0045 §8.1, §10.1.3 (`muc#roomconfig_enablearchiving`), XEP-0334 §4.1: a
/// subject outlasts everything, and is in the archive only if it may be.
#[test]
fn a_subject_that_is_not_for_the_archive_stays_all_the_same() {
    for (archiving, hint) in [
        ("0", ""),
        ("1", "<no-permanent-store xmlns='urn:xmpp:hints'/>"),
    ] {
        let mut script = three_in_a_room();
        script.log_in("dave", "dave@example.org/phone");
        let archiving = field("muc#roomconfig_enablearchiving", archiving);
        configure(&mut script, "alice", &archiving);
        set_subject(&mut script, &format!("<subject>s</subject>{hint}"));
        for actor in ["alice", "bob", "carol"] {
            script.forget(actor);
        }
        assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()).len(), 0);
        let before = told(&mut script, "dave");
        let after = told_anew(&mut script, &["alice", "bob", "carol"]);
        for messages in [before, after] {
            assert_eq!(subject(&messages), "s");
            let last = messages.last().unwrap();
            assert!(last.child("urn:xmpp:delay", "delay").is_some());
            // It is nowhere in the archive.
            assert!(last.child("urn:xmpp:sid:0", "stanza-id").is_none());
        }
        assert_eq!(bodies(&read(&mut script, "dave", "").unwrap()).len(), 0);
    }
}
