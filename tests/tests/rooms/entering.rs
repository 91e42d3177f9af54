//! Coming into a room: what whoever enters is told, and who may not.

use super::{COVEN, JOIN, admin, configure, coven, field};
use anser_tests::script::Script;

/// XEP-0045 §10.1.1: "the service MUST create the room [...], assign the
/// requesting user as the initial room owner, and add the owner to the room but
/// not allow anyone else to enter the room".
#[test]
fn whoever_enters_a_room_that_does_not_exist_owns_it_and_it_is_locked() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.play(
        "
        alice C: <presence to='coven@rooms.example.org/crone'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        alice S: <presence from='coven@rooms.example.org/crone' to='alice@example.org/phone'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='owner' role='moderator'/>
            <status code='110'/><status code='201'/></x></presence>
        alice S: <message from='coven@rooms.example.org' type='groupchat'><subject/></message>
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence type='error' from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        alice C: <iq type='set' id='c' to='coven@rooms.example.org'>
            <query xmlns='http://jabber.org/protocol/muc#owner'>
            <x xmlns='jabber:x:data' type='submit'/></query></iq>
        alice S: <iq type='result' id='c' from='coven@rooms.example.org'/>
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/crone' to='bob@example.org/phone'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='owner' role='moderator'/></x></presence>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='participant'/><status code='110'/></x></presence>
        bob   S: <message from='coven@rooms.example.org' type='groupchat'><subject/></message>
        bob   S: nothing
        alice S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='participant' jid='bob@example.org/phone'/></x></presence>
        alice S: nothing
        ",
    );
}

/// XEP-0045 §7.1: others, oneself, what was said, the subject, and then what
/// happens.
#[test]
fn what_whoever_enters_is_told_comes_in_order() {
    let mut script = coven();
    script.play(
        "
        alice C: <message to='coven@rooms.example.org' type='groupchat'><subject>Brew</subject></message>
        alice S: <message from='coven@rooms.example.org/alice'><subject>Brew</subject></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>one</body></message>
        alice S: <message from='coven@rooms.example.org/alice' id='1'><body>one</body></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='2'><body>two</body></message>
        alice S: <message from='coven@rooms.example.org/alice' id='2'><body>two</body></message>
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/bob'/>
        bob   S: <message from='coven@rooms.example.org/alice' type='groupchat' id='1'><body>one</body>
            <delay xmlns='urn:xmpp:delay' from='coven@rooms.example.org' stamp='*'/>
            <stanza-id xmlns='urn:xmpp:sid:0' by='coven@rooms.example.org' id='*'/></message>
        bob   S: <message from='coven@rooms.example.org/alice' type='groupchat' id='2'><body>two</body>
            <delay xmlns='urn:xmpp:delay' from='coven@rooms.example.org' stamp='*'/></message>
        bob   S: <message from='coven@rooms.example.org/alice' type='groupchat'>
            <subject>Brew</subject>
            <delay xmlns='urn:xmpp:delay' from='coven@rooms.example.org' stamp='*'/></message>
        bob   S: nothing
        ",
    );
}

/// XEP-0045 §7.2.1, §17.1
#[test]
fn nobody_enters_without_a_nickname_or_with_one_that_cannot_be_seen() {
    let mut script = coven();
    for (to, condition) in [
        (COVEN.to_owned(), "jid-malformed"),
        (format!("{COVEN}/ "), "not-acceptable"),
        ("rooms.example.org/bob".to_owned(), "item-not-found"),
    ] {
        script.send("bob", &format!("<presence to='{to}'>{JOIN}</presence>"));
        let error = script.receive("bob");
        assert_eq!(error.attribute("type").as_deref(), Some("error"), "{to}");
        let error = error.child("jabber:client", "error").unwrap().open();
        let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
        assert!(error.child(stanzas, condition).is_some(), "{to}: {error:?}");
    }
    script.expect_nothing("alice");
}

/// XEP-0045 §7.2.8
#[test]
fn a_nickname_is_one_accounts_alone_however_it_is_written() {
    let mut script = coven();
    for nick in ["alice", "Alice", " ALICE "] {
        script.play(&format!(
            "
            bob C: <presence to='{COVEN}/{nick}'>{JOIN}</presence>
            bob S: <presence type='error'>{JOIN}<error type='cancel'>
                <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
            "
        ));
    }
    script.expect_nothing("alice");
}

/// XEP-0045 §7.2.5, §7.2.6, §7.2.7, §7.2.9
#[test]
fn who_may_enter_is_the_rooms_to_decide() {
    let error = |(kind, condition): (&str, &str)| {
        format!(
            "<presence type='error' from='{COVEN}/bob'>{JOIN}<error type='{kind}'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )
    };
    let enter = |script: &mut Script, x: &str| {
        let x = format!("<x xmlns='http://jabber.org/protocol/muc'>{x}</x>");
        script.send("bob", &format!("<presence to='{COVEN}/bob'>{x}</presence>"));
    };
    let members_only = field("muc#roomconfig_membersonly", "1");
    let full = field("muc#roomconfig_maxusers", "1");
    let password = field("muc#roomconfig_passwordprotectedroom", "1")
        + &field("muc#roomconfig_roomsecret", "cauldronburn");
    for (fields, x, condition) in [
        (
            members_only.as_str(),
            "",
            Some(("auth", "registration-required")),
        ),
        (&full, "", Some(("wait", "service-unavailable"))),
        (&password, "", Some(("auth", "not-authorized"))),
        (
            &password,
            "<password>no</password>",
            Some(("auth", "not-authorized")),
        ),
        (&password, "<password>cauldronburn</password>", None),
    ] {
        let mut script = coven();
        configure(&mut script, "alice", fields);
        script.forget("alice");
        enter(&mut script, x);
        match condition {
            Some(condition) => {
                script.expect("bob", &error(condition));
                script.expect_nothing("alice");
            }
            None => script.expect("alice", &format!("<presence from='{COVEN}/bob'/>")),
        }
    }
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    enter(&mut script, "");
    script.expect("bob", &error(("auth", "forbidden")));
    // Bans are of accounts and of whole servers (XEP-0045 §9.2).
    script.send(
        "alice",
        &admin("<item affiliation='none' jid='bob@example.org'/>"),
    );
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='example.org'/>"),
    );
    script.forget("alice");
    enter(&mut script, "");
    script.expect("bob", &error(("auth", "forbidden")));
}

/// XEP-0045 §7.2.9: for admins there is room.
#[test]
fn an_admin_enters_a_full_room() {
    let mut script = coven();
    configure(&mut script, "alice", &field("muc#roomconfig_maxusers", "1"));
    script.send(
        "alice",
        &admin("<item affiliation='admin' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    script.expect("bob", &format!("<presence from='{COVEN}/alice'/>"));
    script.expect("bob", &format!("<presence from='{COVEN}/bob'/>"));
}
