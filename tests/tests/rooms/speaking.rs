//! To all and to one, and requests for voice.

use super::{COVEN, admin, configure, coven, field, join, three_in_a_room};

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

/// XEP-0045 §7.13, §8.6: "To skip this request, click the cancel button."
#[test]
fn a_voice_that_is_refused_or_not_asked_for_is_not_given() {
    let mut script = three_in_a_room();
    let form = |kind: &str, fields: &str| {
        format!(
            "<message to='{COVEN}'><x xmlns='jabber:x:data' type='{kind}'>{fields}</x></message>"
        )
    };
    let fault = |kind: &str, condition: &str| {
        format!(
            "<message type='error' from='{COVEN}'><error type='{kind}'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    };
    let role = field("muc#role", "participant");
    let unknown = field("x-other#field", "&lt;");
    // Who has a voice asks for none.
    script.send("carol", &form("submit", &role));
    script.expect("carol", &fault("modify", "bad-request"));
    script.send("alice", &admin("<item nick='bob' role='visitor'/>"));
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let about = field("FORM_TYPE", "http://jabber.org/protocol/muc#register");
    script.send("bob", &form("submit", &(about + &role)));
    script.expect("bob", &fault("modify", "bad-request"));
    script.expect_nothing("alice");
    script.send("bob", &form("submit", &(role + &unknown)));
    script.expect("alice", &format!("<message from='{COVEN}'/>"));
    let bob = field("muc#jid", "bob@example.org/phone") + &field("muc#roomnick", "bob");
    let allow = |value: &str| field("muc#request_allow", value);
    script.send("alice", &form("submit", &(bob.clone() + &allow("0"))));
    script.send("alice", &form("cancel", ""));
    script.expect_nothing("alice");
    for (fields, kind, condition) in [
        (allow("1"), "cancel", "item-not-found"),
        (bob.clone() + &allow("perhaps"), "modify", "not-acceptable"),
    ] {
        script.send("alice", &form("submit", &fields));
        script.expect("alice", &fault(kind, condition));
    }
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    script.send("alice", &form("submit", &(bob + &unknown + &allow("1"))));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x></presence>",
    );
}
