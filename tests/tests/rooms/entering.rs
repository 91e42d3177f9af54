//! Coming into a room, being seen in it, another nickname, leaving.

use super::{COVEN, JOIN, admin, configure, coven, field, join, three_in_a_room};
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
        script.send(
            "bob",
            &format!(
                "<presence to='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc'>\
                 <history {history}/></x></presence>"
            ),
        );
        let mut bodies = Vec::new();
        while let Some(stanza) = script.try_receive("bob") {
            if let Some(body) = stanza.child("jabber:client", "body") {
                bodies.push(body.text().into_owned());
            }
        }
        let all = ["0", "1", "2"];
        assert_eq!(bodies, all[3 - expected..], "{history}");
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
    let past = |script: &mut Script, history: &str| {
        script.send(
            "bob",
            &format!(
                "<presence to='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc'>\
                 <history {history}/></x></presence>"
            ),
        );
        let mut characters = Vec::new();
        while let Some(stanza) = script.try_receive("bob") {
            if stanza.child("jabber:client", "body").is_some() {
                let text = String::from_utf8(stanza.raw().to_vec()).unwrap();
                characters.push(text.chars().count());
            }
        }
        characters
    };
    let all = past(&mut script, "");
    for first in 0..3 {
        let fitting: usize = all[first..].iter().sum();
        for (most, first) in [(fitting, first), (fitting - 1, first + 1)] {
            let found = past(&mut script, &format!("maxchars='{most}'"));
            assert_eq!(found, all[first..], "{most} of {all:?}");
        }
    }
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

/// XEP-0045 §7.2.8: "the service SHOULD allow entry to the user, so that the
/// user has two (or more) in-room sessions with the same roomnick", and "MUST
/// route in-room messages to all of the user's resources".
#[test]
fn several_devices_of_an_account_are_one_occupant() {
    let mut script = three_in_a_room();
    script.log_in("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop C: <presence to='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        laptop S: <presence from='coven@rooms.example.org/alice'/>
        laptop S: <presence from='coven@rooms.example.org/carol'/>
        laptop S: <presence from='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        laptop S: <message><subject/></message>
        bob    S: <presence from='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        carol  S: <presence from='coven@rooms.example.org/bob'><show>away</show></presence>
        carol  C: <message to='coven@rooms.example.org' type='groupchat'><body>hi</body></message>
        bob    S: <message to='bob@example.org/phone'><body>hi</body></message>
        laptop S: <message to='bob@example.org/laptop'><body>hi</body></message>
        carol  S: <message><body>hi</body></message>
        carol  C: <message to='coven@rooms.example.org/bob' type='chat'><body>psst</body></message>
        bob    S: <message from='coven@rooms.example.org/carol'><body>psst</body></message>
        laptop S: <message from='coven@rooms.example.org/carol'><body>psst</body></message>
        laptop C: <message to='coven@rooms.example.org' type='groupchat'><body>ho</body></message>
        carol  S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        bob    S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        laptop S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        laptop C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        laptop S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        carol  S: <presence from='coven@rooms.example.org/bob'/>
        bob    S: <presence from='coven@rooms.example.org/bob'/>
        carol  S: nothing
        bob    C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        carol  S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        ",
    );
}

/// XEP-0045 §7.2.2: "modify the nick [...] and include a status code of 210".
#[test]
fn another_device_that_writes_the_nickname_otherwise_is_told_how_it_is() {
    let mut script = three_in_a_room();
    script.log_in("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop C: <presence to='coven@rooms.example.org/BOB'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        laptop S: <presence from='coven@rooms.example.org/alice'/>
        laptop S: <presence from='coven@rooms.example.org/carol'/>
        laptop S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <status code='110'/><status code='210'/></x></presence>
        ",
    );
}

/// XEP-0045 §17.3: "If a MUC service receives a Basic MUC Protocol join request
/// from a client that is already joined, it MUST treat it as a full
/// synchronization request".
#[test]
fn whoever_enters_again_is_told_everything_again_and_the_others_nothing() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        bob   S: <message><subject/></message>
        alice S: nothing
        carol S: nothing
        ",
    );
}

/// XEP-0045 §17.3, §7.6: "send to the client everything that would be sent to it
/// on a normal join".
#[test]
fn whoever_enters_again_under_another_nickname_has_it_and_is_told_everything_again() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message id='1'/>
        alice S: <message id='1'/>
        carol S: <message id='1'/>
        bob   C: <presence to='coven@rooms.example.org/robert'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><item nick='robert'/>
            <status code='110'/><status code='303'/></x></presence>
        bob   S: <presence from='coven@rooms.example.org/robert'/>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/robert'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        bob   S: <message id='1'><delay xmlns='urn:xmpp:delay'/></message>
        bob   S: <message><subject/></message>
        bob   S: nothing
        carol S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        carol S: <presence from='coven@rooms.example.org/robert'/>
        carol S: nothing
        ",
    );
}

/// XEP-0045 §17.3, §7.2.2: 210 as well.
#[test]
fn whoever_enters_again_and_writes_the_nickname_otherwise_is_told_how_it_is() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/BOB'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <status code='110'/><status code='210'/></x></presence>
        ",
    );
}

/// XEP-0045 §7.2.18: "a service receiving a <presence> without an <x> element
/// from a non-occupant full-JID responds with an explicit kick".
#[test]
fn whoever_believes_to_be_in_a_room_and_is_not_is_told_so() {
    let mut script = coven();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'><show>away</show></presence>
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/>
            <status code='110'/><status code='307'/><status code='333'/></x></presence>
        alice S: nothing
        ",
    );
}

/// XEP-0045 §7.7, §17.3: what only a room says of its occupants is not taken
/// from them.
#[test]
fn what_an_occupant_says_of_themselves_is_passed_on_and_what_the_room_says_is_not() {
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!(
            "<presence to='{COVEN}/bob' id='p'><show>dnd</show><status>brewing</status>\
             <x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='owner' role='moderator' jid='god@example.org'/></x>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
             <hats xmlns='urn:xmpp:hats:0'><hat uri='x' title='King'/></hats></presence>"
        ),
    );
    for actor in ["alice", "bob", "carol"] {
        let presence = script.receive(actor);
        assert_eq!(presence.attribute("id").as_deref(), Some("p"));
        let status = presence.child("jabber:client", "status").unwrap();
        assert_eq!(status.text(), "brewing");
        let of_room = |child: &anser_xml::Child<'_>| child.namespace().contains("muc#user");
        assert_eq!(presence.children().filter(of_room).count(), 1);
        let x = presence
            .child("http://jabber.org/protocol/muc#user", "x")
            .unwrap();
        assert!(
            !String::from_utf8_lossy(x.raw()).contains("owner"),
            "{actor}"
        );
        let ids = presence
            .children()
            .filter(|child| child.name() == "occupant-id");
        assert_eq!(ids.count(), 1);
        let text = format!("{presence:?}");
        assert!(!text.contains("forged") && !text.contains("King"), "{text}");
    }
}

/// XEP-0045 §7.6
#[test]
fn another_nickname_is_a_farewell_and_a_return() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/hag'/>
        alice S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='participant' nick='hag' jid='bob@example.org/phone'/>
            <status code='303'/></x></presence>
        alice S: <presence from='coven@rooms.example.org/hag'/>
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><item nick='hag'/>
            <status code='303'/><status code='110'/></x></presence>
        bob   S: <presence from='coven@rooms.example.org/hag'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        carol S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        carol S: <presence from='coven@rooms.example.org/hag'/>
        carol C: <presence to='coven@rooms.example.org/Hag'/>
        carol S: <presence type='error'><error type='cancel'>
            <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        bob   C: <message to='coven@rooms.example.org' type='groupchat'><body>me</body></message>
        carol S: <message from='coven@rooms.example.org/hag'><body>me</body></message>
        ",
    );
}

/// XEP-0421 §3: the same through all visits and nicknames, and another in
/// another room.
#[test]
fn occupants_are_known_by_an_id_that_stays() {
    let mut script = three_in_a_room();
    let id_of_next = |script: &mut Script| {
        let stanza = script.receive("carol");
        let id = stanza
            .child("urn:xmpp:occupant-id:0", "occupant-id")
            .unwrap();
        id.attribute("id").unwrap().into_owned()
    };
    script.send("bob", &format!("<presence to='{COVEN}/hag'/>"));
    let first = id_of_next(&mut script);
    assert_eq!(first, id_of_next(&mut script));
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/hag' type='unavailable'/>"),
    );
    assert_eq!(first, id_of_next(&mut script));
    join(&mut script, "bob", "bob", &["alice"]);
    script.forget("carol");
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>"),
    );
    assert_eq!(first, id_of_next(&mut script));
    assert!(first.len() <= 128 && !first.contains("bob"));
}

/// XEP-0045 §7.14, RFC 6121 §4.6.3: "The occupant MAY include normal <status/>
/// information", and whoever goes offline leaves.
#[test]
fn leaving_is_told_to_all_whether_it_is_said_or_not() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob' type='unavailable'>
            <status>gone where the goblins go</status></presence>
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <status>gone where the goblins go</status>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='none'/><status code='110'/></x></presence>
        alice S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <status>gone where the goblins go</status>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='none'/></x></presence>
        carol S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        bob   C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        bob   S: nothing
        carol C: <presence type='unavailable'><status>bye</status></presence>
        alice S: <presence from='coven@rooms.example.org/carol' type='unavailable'>
            <status>bye</status></presence>
        ",
    );
    join(&mut script, "bob", "bob", &["alice"]);
    script.cut("bob");
    script.expect(
        "alice",
        &format!("<presence from='{COVEN}/bob' type='unavailable'/>"),
    );
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

/// XEP-0045 §7.2.3, §7.2.4
#[test]
fn real_addresses_are_for_moderators_or_for_all() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    script.forget("alice");
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item jid='alice@example.org/phone'/></x></presence>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <status code='100'/><status code='110'/></x></presence>
        ",
    );
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'><show>away</show></presence>"),
    );
    let seen = |script: &mut Script, actor| format!("{:?}", script.receive(actor));
    assert!(seen(&mut script, "alice").contains("bob@example.org/phone"));
    assert!(!seen(&mut script, "carol").contains("bob@example.org"));
}

/// `muc#roomconfig_presencebroadcast`
#[test]
fn a_room_may_tell_of_moderators_only() {
    let mut script = coven();
    let moderators = field("muc#roomconfig_presencebroadcast", "moderator");
    configure(&mut script, "alice", &moderators);
    script.forget("alice");
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/bob'/>
        bob   S: <message><subject/></message>
        carol C: <presence to='coven@rooms.example.org/carol'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        carol S: <presence from='coven@rooms.example.org/alice'/>
        carol S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: nothing
        alice S: nothing
        carol C: <presence to='coven@rooms.example.org/carol' type='unavailable'/>
        bob   S: nothing
        ",
    );
}

/// XEP-0045 §11.1: "a hint for clients to distinguish between an occupant getting
/// disconnected and them intentionally leaving the room", and without 307, which
/// is "generally not advisable".
#[test]
fn who_is_cut_off_is_told_from_who_leaves() {
    for is_cut in [true, false] {
        let mut script = three_in_a_room();
        if is_cut {
            script.cut("bob");
        } else {
            script.send("bob", "</stream:stream>");
        }
        for actor in ["alice", "carol"] {
            let gone = script.receive(actor);
            assert_eq!(gone.attribute("type").as_deref(), Some("unavailable"));
            let x = gone
                .child("http://jabber.org/protocol/muc#user", "x")
                .unwrap();
            let x = x.open();
            let statuses = x.children().filter(|child| child.name() == "status");
            let statuses: Vec<_> = statuses
                .map(|status| status.attribute("code").unwrap().into_owned())
                .collect();
            let expected: &[&str] = if is_cut { &["333"] } else { &[] };
            assert_eq!(statuses, expected);
            script.expect_nothing(actor);
        }
    }
}
