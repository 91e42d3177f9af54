//! To all, to one, the subject, invitations, requests for voice.

use super::{
    COVEN, JOIN, admin, configure, coven, field, join, register, registration, three_in_a_room,
};
use anser_tests::script::Script;

/// XEP-0045 §7.4, XEP-0359 §4.1, XEP-0421 §4: "the service MUST change the
/// 'from' attribute to the sender's occupant JID and reflect the message out to
/// the full JID of each occupant", with the id that it had.
#[test]
fn what_is_said_to_all_reaches_all_with_a_place_in_the_rooms_log() {
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!(
            "<message to='{COVEN}' type='groupchat' id='m1' xml:lang='en'><body>hail</body>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{COVEN}' id='forged'/>\
             <delay xmlns='urn:xmpp:delay' from='{COVEN}' stamp='2002-09-10T23:08:25Z'/>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
             <x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x>\
             <other xmlns='urn:x'/></message>"
        ),
    );
    let mut places = Vec::new();
    for actor in ["alice", "bob", "carol"] {
        let message = script.receive(actor);
        let attribute = |name| message.attribute(name).unwrap().into_owned();
        assert_eq!(attribute("to"), format!("{actor}@example.org/phone"));
        assert_eq!(attribute("from"), format!("{COVEN}/bob"));
        assert_eq!(
            (attribute("id"), attribute("type")),
            ("m1".into(), "groupchat".into())
        );
        assert_eq!(message.lang().as_deref(), Some("en"));
        let names: Vec<_> = message
            .children()
            .map(|child| child.name().to_owned())
            .collect();
        assert_eq!(names, ["body", "other", "stanza-id", "occupant-id"]);
        assert!(!format!("{message:?}").contains("forged"));
        let place = message.child("urn:xmpp:sid:0", "stanza-id").unwrap();
        assert_eq!(place.attribute("by").as_deref(), Some(COVEN));
        places.push(place.attribute("id").unwrap().into_owned());
    }
    assert!(places.iter().all(|place| *place == places[0]));
}

/// XEP-0045 §7.4
#[test]
fn whoever_is_not_in_the_room_says_nothing_there() {
    let mut script = coven();
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message type='error' from='coven@rooms.example.org' id='1'><error>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   C: <message to='coven@rooms.example.org/alice' type='chat' id='2'><body>x</body></message>
        bob   S: <message type='error' from='coven@rooms.example.org/alice' id='2'><error>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   C: <message to='heath@rooms.example.org' type='groupchat' id='3'><body>x</body></message>
        bob   S: <message type='error' from='heath@rooms.example.org' id='3'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice S: nothing
        ",
    );
}

/// XEP-0045 §7.4, §7.13, §8.6
#[test]
fn a_visitor_has_no_voice_and_may_ask_for_one() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_moderatedroom", "1"),
    );
    script.forget("alice");
    join(&mut script, "bob", "bob", &["alice"]);
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message type='error' id='1'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   C: <message to='coven@rooms.example.org'><x xmlns='jabber:x:data' type='submit'>
            <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>
            <field var='muc#role'><value>participant</value></field></x></message>
        bob   S: nothing
        alice S: <message from='coven@rooms.example.org'><x xmlns='jabber:x:data' type='form'>
            <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>
            <field var='muc#jid'><value>bob@example.org/phone</value></field>
            <field var='muc#roomnick'><value>bob</value></field></x></message>
        bob   C: <message to='coven@rooms.example.org'><x xmlns='jabber:x:data' type='submit'>
            <field var='muc#roomnick'><value>bob</value></field>
            <field var='muc#request_allow'><value>true</value></field></x></message>
        bob   S: <message type='error'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='coven@rooms.example.org'><x xmlns='jabber:x:data' type='submit'>
            <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>
            <field var='muc#role'><value>participant</value></field>
            <field var='muc#jid'><value>bob@example.org/phone</value></field>
            <field var='muc#roomnick'><value>bob</value></field>
            <field var='muc#request_allow'><value>true</value></field></x></message>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x></presence>
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='2'><body>x</body></message>
        bob   S: <message type='groupchat' id='2'/>
        ",
    );
}

/// XEP-0045 §8.6: "the service shall grant voice to the occupant" who has asked.
#[test]
fn a_voice_is_for_whoever_has_asked_and_not_for_whoever_has_the_nickname_now() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_moderatedroom", "1"),
    );
    script.forget("alice");
    join(&mut script, "bob", "bob", &["alice"]);
    join(&mut script, "carol", "carol", &["alice", "bob"]);
    let approve = |user: &str, nick: &str| {
        format!(
            "<message to='{COVEN}'><x xmlns='jabber:x:data' type='submit'>{}{}{}{}</x></message>",
            field("FORM_TYPE", "http://jabber.org/protocol/muc#request"),
            field("muc#jid", &format!("{user}@example.org/phone")),
            field("muc#roomnick", nick),
            field("muc#request_allow", "1"),
        )
    };
    // Dave was "carol" when he asked, and has left.
    script.send("alice", &approve("dave", "carol"));
    script.expect(
        "alice",
        "<message type='error'><error type='cancel'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.expect_nothing("carol");
    script.send("alice", &approve("bob", "carol"));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x></presence>",
    );
    // Whoever may speak already loses nothing.
    script.send("alice", &approve("alice", "alice"));
    script.expect_nothing("carol");
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

/// XEP-0045 §7.5
#[test]
fn what_is_said_to_one_is_heard_by_one() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org/carol' type='chat' id='p'><body>psst</body></message>
        carol S: <message from='coven@rooms.example.org/bob' to='carol@example.org/phone' type='chat' id='p'>
            <body>psst</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>
        alice S: nothing
        bob   S: nothing
        bob   C: <message to='coven@rooms.example.org/carol' type='groupchat' id='g'><body>x</body></message>
        bob   S: <message type='error' id='g'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   C: <message to='coven@rooms.example.org/nobody' type='chat' id='n'><body>x</body></message>
        bob   S: <message type='error' id='n'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_allowpm", "moderators"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org/carol' type='chat' id='p'><body>psst</body></message>
        bob   S: <message type='error' id='p'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='coven@rooms.example.org/carol' type='chat'><body>psst</body></message>
        carol S: <message from='coven@rooms.example.org/alice'><body>psst</body></message>
        ",
    );
}

/// XEP-0045 §7.8.2, XEP-0249 §2
#[test]
fn somebody_is_asked_in_by_the_room_and_may_decline() {
    let mut script = three_in_a_room();
    script.appear("dave", "dave@example.org/phone");
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <invite to='dave@example.org'><reason>Hey</reason></invite></x></message>
        dave  S: <message from='coven@rooms.example.org' to='dave@example.org' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <invite from='bob@example.org'><reason>Hey</reason></invite></x>
            <x xmlns='jabber:x:conference' jid='coven@rooms.example.org' reason='Hey'/></message>
        bob   S: nothing
        dave  C: <message to='coven@rooms.example.org' id='d'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <decline to='bob@example.org'><reason>Busy</reason></decline></x></message>
        bob   S: <message from='coven@rooms.example.org' id='d'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <decline from='dave@example.org'><reason>Busy</reason></decline></x></message>
        bob   C: <message to='coven@rooms.example.org' id='n'>
            <x xmlns='http://jabber.org/protocol/muc#user'><invite to='ghost@example.org'/></x></message>
        bob   S: <message type='error' id='n'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        dave  C: <message to='coven@rooms.example.org' id='o'>
            <x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@example.org'/></x></message>
        dave  S: <message type='error' id='o'><error>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
}

/// XEP-0045 §9.5
#[test]
fn an_invitation_makes_a_member_where_only_members_may_enter() {
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org'/>"),
    );
    let fields =
        field("muc#roomconfig_membersonly", "1") + &field("muc#roomconfig_allowinvites", "0");
    configure(&mut script, "alice", &fields);
    join(&mut script, "bob", "bob", &["alice"]);
    let invite = "<message to='coven@rooms.example.org' id='i'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><invite to='carol@example.org'/></x></message>";
    script.send("bob", invite);
    script.play(
        "
        bob   S: <message type='error' id='i'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        carol S: nothing
        ",
    );
    script.send("alice", invite);
    script.expect("carol", &format!("<message from='{COVEN}'/>"));
    join(&mut script, "carol", "carol", &["alice"]);
    script.expect("bob", &format!("<presence from='{COVEN}/carol'/>"));
}

/// XEP-0045 §5.1.1: "Invite Other Users" is a privilege of visitors, unless the
/// configuration says otherwise.
#[test]
fn a_visitor_invites_unless_the_owner_wants_it_otherwise() {
    let mut script = coven();
    let moderated = field("muc#roomconfig_moderatedroom", "1");
    configure(&mut script, "alice", &moderated);
    script.forget("alice");
    join(&mut script, "bob", "bob", &["alice"]);
    let invite = format!(
        "<message to='{COVEN}' id='i'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <invite to='carol@example.org'/></x></message>"
    );
    script.send("bob", &invite);
    script.expect("carol", &format!("<message from='{COVEN}'/>"));
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_allowinvites", "0"),
    );
    script.forget("bob");
    script.send("bob", &invite);
    script.expect(
        "bob",
        "<message type='error' id='i'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.expect_nothing("carol");
}

/// XEP-0045 §9.5: "if the user is banned" nobody asks them in.
#[test]
fn nobody_who_is_banned_is_asked_in() {
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    script.play(
        "
        alice C: <message to='coven@rooms.example.org' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@example.org'/></x></message>
        alice S: <message type='error' id='i'><error type='cancel'>
            <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   S: nothing
        ",
    );
}

/// XEP-0500 §5
#[test]
fn in_slow_mode_messages_wait_and_signals_do_not() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_slow_mode_duration", "20"),
    );
    script.forget("alice");
    join(&mut script, "bob", "bob", &["alice"]);
    let say = |id: &str| {
        format!("<message to='{COVEN}' type='groupchat' id='{id}'><body>x</body></message>")
    };
    script.send("bob", &say("1"));
    script.expect("bob", "<message type='groupchat' id='1'/>");
    script.send("bob", &say("2"));
    script.play(
        "
        bob C: <message to='coven@rooms.example.org' type='groupchat' id='c'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        bob S: <message type='error' id='2'><error type='wait'>
            <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob S: <message type='groupchat' id='c'/>
        ",
    );
    script.world.pass(std::time::Duration::from_secs(20));
    script.send("bob", &say("3"));
    script.expect("bob", "<message type='groupchat' id='3'/>");
    script.forget("alice");
    for id in ["4", "5"] {
        script.send("alice", &say(id));
        script.expect("alice", &format!("<message type='groupchat' id='{id}'/>"));
    }
}

/// XEP-0045 §14.6: "Making rapid and repeated presence changes", "large
/// messages": what one occupant sends is limited.
#[test]
fn an_occupant_who_floods_the_room_is_told_to_wait() {
    let mut script = coven();
    join(&mut script, "bob", "bob", &["alice"]);
    let mut refused = 0;
    for number in 0..600 {
        let to = format!("to='{COVEN}' type='groupchat' id='{number}'");
        script.send("bob", &format!("<message {to}><body>x</body></message>"));
        let answer = script.receive("bob");
        refused += usize::from(answer.attribute("type").as_deref() == Some("error"));
        script.forget("alice");
    }
    assert_eq!(refused, 101, "a burst is of 500, and one was for entering");
    script.world.pass(std::time::Duration::from_secs(1));
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat' id='y'><body/></message>"),
    );
    script.expect("bob", "<message type='groupchat' id='y'/>");
}

/// XEP-0045 §14.6: whatever a session has a room read or tell others counts.
#[test]
fn nothing_that_a_room_does_for_somebody_is_without_a_limit() {
    let to = format!("to='{COVEN}'");
    let mediation = |content: &str| {
        format!(
            "<message {to}><x xmlns='{}'>{content}</x></message>",
            "http://jabber.org/protocol/muc#user"
        )
    };
    let place = anser_store::MessageId::FIRST;
    let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{place}'/>");
    for stanza in [
        mediation("<decline to='carol@example.org'/>"),
        mediation("<decline to='ghost@example.org'/>"),
        mediation("<invite to='ghost@example.org'/>"),
        format!("<message {to} type='groupchat' id='r'>{retract}</message>"),
        format!(
            "<iq {to} type='set' id='m'><moderate xmlns='urn:xmpp:message-moderate:1' id='{place}'>\
             <retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>"
        ),
        register(&registration("bob")),
        register("<remove/>"),
    ] {
        let mut script = coven();
        join(&mut script, "bob", "bob", &["alice"]);
        for _ in 0..500 {
            script.send("bob", &stanza);
        }
        for actor in ["alice", "bob", "carol"] {
            script.forget(actor);
        }
        script.send("bob", &stanza);
        let refusal = format!("{:?}", script.receive("bob"));
        assert!(refusal.contains("policy-violation"), "{stanza}: {refusal}");
        for actor in ["alice", "bob", "carol"] {
            script.expect_nothing(actor);
        }
    }
}

/// XEP-0045 §7.10: who registers what they have registered is told so, and
/// nobody else is.
#[test]
fn registering_again_is_no_news() {
    let mut script = three_in_a_room();
    script.send("bob", &register(&registration("bob")));
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script.send("bob", &register(&registration("bob")));
    script.expect("bob", "<iq type='result' id='register'/>");
    // Nobody sees which nickname somebody keeps.
    script.send("bob", &register(&registration("robert")));
    script.expect("bob", "<iq type='result' id='register'/>");
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
}

/// XEP-0045 §14.6: "Making rapid and repeated presence changes", and coming and
/// going does not help.
#[test]
fn an_occupant_who_changes_all_the_time_is_told_to_wait_and_nobody_else_notices() {
    let mut script = coven();
    join(&mut script, "bob", "bob", &["alice"]);
    let (mut refused, mut seen) = (0, 0);
    for number in 0..600 {
        let status = format!("<status>{number}</status>");
        script.send(
            "bob",
            &format!("<presence to='{COVEN}/bob'>{status}</presence>"),
        );
        while let Some(stanza) = script.try_receive("bob") {
            refused += usize::from(stanza.attribute("type").as_deref() == Some("error"));
        }
        while script.try_receive("alice").is_some() {
            seen += 1;
        }
    }
    // To enter has cost one.
    assert_eq!((seen, refused), (499, 101));
    for kind in ["type='unavailable'", ""] {
        let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
        script.send(
            "bob",
            &format!("<presence to='{COVEN}/bob' {kind}>{x}</presence>"),
        );
    }
    script.expect(
        "bob",
        &format!("<presence from='{COVEN}/bob' type='unavailable'/>"),
    );
    script.expect(
        "bob",
        "<presence type='error'><error type='wait'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
}

/// What everybody together sends to a room is limited too.
#[test]
fn a_room_takes_no_more_than_it_may_from_all_together() {
    let mut script = three_in_a_room();
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    config.rooms.room_burst_messages = 10;
    hub.configure(config);
    let mut heard = 0;
    for number in 0..12 {
        for actor in ["bob", "carol"] {
            let to = format!("to='{COVEN}' type='groupchat' id='{number}'");
            script.send(actor, &format!("<message {to}><body>x</body></message>"));
        }
    }
    while let Some(stanza) = script.try_receive("alice") {
        heard += usize::from(stanza.attribute("type").as_deref() == Some("groupchat"));
    }
    assert_eq!(heard, 10);
}

/// Wish 14 and XEP-0045 §14.6: a client with a hundred rooms enters them all at
/// once, and again after a broken connection.
#[test]
fn somebody_with_a_hundred_rooms_enters_them_all_at_once() {
    let mut script = coven();
    for _ in 0..2 {
        for number in 0..100 {
            let to = format!("r{number}@rooms.example.org/bob");
            let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
            script.send("bob", &format!("<presence to='{to}'>{x}</presence>"));
        }
        let mut entered = 0;
        while let Some(stanza) = script.try_receive("bob") {
            assert_ne!(
                stanza.attribute("type").as_deref(),
                Some("error"),
                "{stanza:?}"
            );
            entered += usize::from(stanza.name() == "presence");
        }
        assert_eq!(entered, 100);
    }
}

/// XEP-0500 §5: whoever leaves and comes back has spoken all the same.
#[test]
fn slow_mode_is_of_the_account_and_not_of_the_visit() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_slow_mode_duration", "20"),
    );
    script.forget("alice");
    join(&mut script, "bob", "bob", &["alice"]);
    let say = format!("<message to='{COVEN}' type='groupchat' id='s'><body>x</body></message>");
    script.send("bob", &say);
    script.expect("bob", "<message type='groupchat' id='s'/>");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    join(&mut script, "bob", "hag", &["alice"]);
    script.send("bob", &say);
    script.expect("bob", "<message type='error' id='s'/>");
}

/// XEP-0500 §5: whoever has to wait for a day does so also in a room that nobody
/// was in meanwhile, and that has left memory.
#[test]
fn slow_mode_outlasts_the_last_visit() {
    let mut script = coven();
    let slow = field("muc#roomconfig_slow_mode_duration", "86400");
    configure(&mut script, "alice", &slow);
    join(&mut script, "bob", "bob", &["alice"]);
    let say = |id: &str| {
        format!("<message to='{COVEN}' type='groupchat' id='{id}'><body>x</body></message>")
    };
    script.send("bob", &say("1"));
    for actor in ["alice", "bob"] {
        let leave = format!("<presence to='{COVEN}/{actor}' type='unavailable'/>");
        script.send(actor, &leave);
    }
    let pass = |script: &mut Script, seconds| {
        script.world.pass(std::time::Duration::from_secs(seconds));
        script.world.settle();
    };
    for (seconds, id, kind) in [(61, "2", "error"), (86_340, "3", "groupchat")] {
        pass(&mut script, seconds);
        pass(&mut script, 1);
        assert_eq!(script.world.hub().room_count(), 0);
        join(&mut script, "bob", "bob", &["alice"]);
        script.send("bob", &say(id));
        script.expect("bob", &format!("<message type='{kind}' id='{id}'/>"));
        let leave = format!("<presence to='{COVEN}/bob' type='unavailable'/>");
        script.send("bob", &leave);
        script.forget("bob");
    }
}

/// XEP-0500 §5: "Only messages containing at least one 'body' element" have to
/// wait, and all of them: also one that is there for those who do not know what
/// else it does.
#[test]
fn in_slow_mode_a_retraction_waits_if_it_has_something_to_read() {
    let mut script = coven();
    let slow = field("muc#roomconfig_slow_mode_duration", "20");
    configure(&mut script, "alice", &slow);
    join(&mut script, "bob", "bob", &["alice"]);
    let to = format!("to='{COVEN}' type='groupchat'");
    script.send("bob", &format!("<message {to}><body>x</body></message>"));
    let said = script.receive("bob");
    let place = said.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let place = place.attribute("id").unwrap();
    let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{place}'/>");
    script.send(
        "bob",
        &format!("<message {to} id='r'>{retract}<body>y</body></message>"),
    );
    script.expect(
        "bob",
        "<message type='error' id='r'><error type='wait'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.send("bob", &format!("<message {to} id='s'>{retract}</message>"));
    script.expect("bob", "<message type='groupchat' id='s'/>");
}

/// XEP-0500 §5: only who has spoken waits.
#[test]
fn in_slow_mode_nobody_waits_for_what_was_refused() {
    let mut script = three_in_a_room();
    let slow = field("muc#roomconfig_slow_mode_duration", "20");
    configure(&mut script, "alice", &slow);
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    config.rooms.room_burst_messages = 1;
    config.rooms.room_messages_per_second = 1;
    hub.configure(config);
    let say = |id: &str| {
        format!("<message to='{COVEN}' type='groupchat' id='{id}'><body>x</body></message>")
    };
    script.send("alice", &say("1"));
    script.forget("bob");
    script.send("bob", &say("2"));
    script.expect("bob", "<message type='error' id='2'/>");
    script.world.pass(std::time::Duration::from_secs(1));
    script.send("bob", &say("3"));
    script.expect("bob", "<message type='groupchat' id='3'/>");
}

/// XEP-0045 §17.4: "the MUC service MUST NOT reveal the sender's real JID to the
/// recipient at any time, nor reveal the recipient's real JID to the sender".
#[test]
fn questions_go_through_the_room_and_nobody_learns_who_the_other_is() {
    let mut script = three_in_a_room();
    script.send("carol", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("carol", "<enabled xmlns='urn:xmpp:sm:3'/>");
    let ask = |id: &str| {
        format!(
            "<iq type='get' id='{id}' to='{COVEN}/carol'>\
             <query xmlns='jabber:iq:version'/></iq>"
        )
    };
    script.send("bob", &ask("v"));
    let question = script.receive("carol");
    assert_eq!(
        question.attribute("from").as_deref(),
        Some("coven@rooms.example.org/bob")
    );
    assert!(!format!("{question:?}").contains("bob@example.org"));
    let id = question.attribute("id").unwrap();
    script.send(
        "carol",
        &format!(
            "<iq type='result' id='{id}' to='{COVEN}/bob'><query xmlns='jabber:iq:version'/></iq>"
        ),
    );
    script.expect(
        "bob",
        &format!("<iq type='result' id='v' from='{COVEN}/carol'/>"),
    );
    script.send("carol", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    // Whoever leaves without an answer has the asker told.
    script.send("bob", &ask("w"));
    script.receive("carol");
    script.cut("carol");
    script.expect(
        "bob",
        &format!(
            "<iq type='error' id='w' from='{COVEN}/carol'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ),
    );
    let gone = format!("<presence from='{COVEN}/carol' type='unavailable'/>");
    script.expect("bob", &gone);
    script.send("bob", &ask("x"));
    script.expect("bob", "<iq type='error' id='x'/>");
}

/// XEP-0045 §17.4: an id that is the same in two rooms tells whoever is in both
/// who the asker is in the other.
#[test]
fn questions_through_two_rooms_do_not_tell_that_the_same_session_asks() {
    let mut script = three_in_a_room();
    let den = "den@rooms.example.org";
    let enter = |nick: &str| format!("<presence to='{den}/{nick}'>{JOIN}</presence>");
    script.send("carol", &enter("carol"));
    script.send(
        "carol",
        &format!(
            "<iq type='set' id='o' to='{den}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>"
        ),
    );
    script.forget("carol");
    script.send("bob", &enter("somebody"));
    script.forget("carol");
    let mut asked_in = |room: &str| {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let question = format!("<iq type='get' id='p' to='{room}/carol'>{ping}</iq>");
        script.send("bob", &question);
        let question = script.receive("carol");
        question.attribute("id").unwrap().into_owned()
    };
    let ids = [COVEN, den, COVEN].map(&mut asked_in);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
}

/// XEP-0410 §3.2, §3.3
#[test]
fn a_ping_to_oneself_tells_whether_one_is_in_the_room() {
    let mut script = three_in_a_room();
    let ping = |script: &mut Script, to: &str| {
        script.send(
            "bob",
            &format!("<iq type='get' id='p' to='{COVEN}/{to}'><ping xmlns='urn:xmpp:ping'/></iq>"),
        );
    };
    ping(&mut script, "bob");
    script.expect(
        "bob",
        &format!("<iq type='result' id='p' from='{COVEN}/bob'/>"),
    );
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    ping(&mut script, "bob");
    script.play(
        "
        bob S: <iq type='error' id='p'><error>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}
