//! What nobody is believed, and what there is no answer to but an error.

use super::{COVEN, HEATH, JOIN, configure, coven, expect_info, field, refused, three_in_a_room};
use anser_hub::{Creation, RoomsConfig};
use anser_tests::script::Script;

/// A question to the room.
fn ask(kind: &str, content: &str) -> String {
    format!("<iq type='{kind}' id='q' to='{COVEN}'>{content}</iq>")
}

/// XEP-0045 §7.2, §17.3: what whoever enters claims to be there is not taken from
/// them, neither beside what says that they enter nor in it.
#[test]
fn nobody_enters_as_more_than_they_are() {
    let mut script = coven();
    let item = "<item affiliation='owner' role='moderator' jid='god@example.org'/>";
    script.send(
        "bob",
        &format!(
            "<presence to='{COVEN}/bob'>\
             <x xmlns='http://jabber.org/protocol/muc#user'>{item}<status code='110'/></x>\
             <x xmlns='http://jabber.org/protocol/muc'>{item}</x>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
             <hats xmlns='urn:xmpp:hats:0'><hat uri='x' title='King'/></hats></presence>"
        ),
    );
    let presence = script.receive("alice");
    let text = String::from_utf8(presence.raw().to_vec()).unwrap();
    for forged in ["owner", "moderator", "god@", "110", "forged", "King"] {
        assert!(!text.contains(forged), "{text}");
    }
    script.forget("bob");
    let owner = "<query xmlns='http://jabber.org/protocol/muc#owner'/>";
    script.send("bob", &ask("get", owner));
    script.expect("bob", &refused("auth", "forbidden"));
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice'>{JOIN}</presence>"),
    );
    script.expect(
        "alice",
        &format!(
            "<presence from='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='participant' jid='bob@example.org/phone'/></x></presence>"
        ),
    );
}

/// XEP-0045 §10.1.1: it does not exist yet for anybody, not even for its owner
/// in it.
#[test]
fn nothing_is_said_in_a_room_that_is_locked() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <presence to='coven@rooms.example.org/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        alice S: <presence><x xmlns='http://jabber.org/protocol/muc#user'><status code='201'/></x></presence>
        alice S: <message><subject/></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        alice S: <message type='error' id='1' from='coven@rooms.example.org'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='2'><subject>x</subject></message>
        alice S: <message type='error' id='2'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        alice S: nothing
        ",
    );
    configure(&mut script, "alice", "");
    script.play(
        "
        alice C: <message to='coven@rooms.example.org' type='groupchat' id='3'><body>x</body></message>
        alice S: <message type='groupchat' id='3' from='coven@rooms.example.org/alice'/>
        alice S: nothing
        ",
    );
}

/// XEP-0045 §10.1.3: forms of other servers have more fields. XEP-0313 §4.1.5: a
/// field of a question that is not known is not ignored.
#[test]
fn a_field_that_nobody_knows_is_ignored_where_it_only_says_more() {
    let mut script = three_in_a_room();
    let form = |about: &str, fields: &str| {
        let about = field("FORM_TYPE", about);
        let unknown = field("x-other#field", "&lt;");
        format!("<x xmlns='jabber:x:data' type='submit'>{about}{unknown}{fields}</x>")
    };
    let name = field("muc#roomconfig_roomname", "A Dark Cave");
    let config = form("http://jabber.org/protocol/muc#roomconfig", &name);
    let nick = field("muc#register_roomnick", "bob");
    let membership = form("http://jabber.org/protocol/muc#register", &nick);
    for (actor, content) in [
        (
            "alice",
            format!("<query xmlns='http://jabber.org/protocol/muc#owner'>{config}</query>"),
        ),
        (
            "bob",
            format!("<query xmlns='jabber:iq:register'>{membership}</query>"),
        ),
    ] {
        script.forget(actor);
        script.send(actor, &ask("set", &content));
        loop {
            let answer = script.receive(actor);
            if answer.name() == "iq" {
                assert_eq!(
                    answer.attribute("type").as_deref(),
                    Some("result"),
                    "{answer:?}"
                );
                break;
            }
        }
    }
    script.forget("carol");
    let history = form("urn:xmpp:mam:2", "");
    script.send(
        "carol",
        &ask(
            "set",
            &format!("<query xmlns='urn:xmpp:mam:2'>{history}</query>"),
        ),
    );
    script.expect("carol", &refused("cancel", "feature-not-implemented"));
    expect_info(&mut script, "carol", "<identity name='A Dark Cave'/>");
}

/// XEP-0045 §10.9: whoever was in it, or owned it, has nothing there any more.
#[test]
fn a_room_that_was_destroyed_answers_nothing() {
    let mut script = three_in_a_room();
    let owner = "http://jabber.org/protocol/muc#owner";
    script.send(
        "alice",
        &ask("set", &format!("<query xmlns='{owner}'><destroy/></query>")),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let admin = "http://jabber.org/protocol/muc#admin";
    let form = "<x xmlns='jabber:x:data' type='submit'/>";
    let nick = field("muc#register_roomnick", "bob");
    let about = field("FORM_TYPE", "http://jabber.org/protocol/muc#register");
    for (kind, content) in [
        ("set", "<query xmlns='urn:xmpp:mam:2'/>".to_owned()),
        ("get", "<query xmlns='urn:xmpp:mam:2'/>".to_owned()),
        ("get", "<metadata xmlns='urn:xmpp:mam:2'/>".to_owned()),
        (
            "set",
            "<moderate xmlns='urn:xmpp:message-moderate:1' id='0000000000000001'>\
             <retract xmlns='urn:xmpp:message-retract:1'/></moderate>"
                .to_owned(),
        ),
        (
            "get",
            format!("<query xmlns='{admin}'><item affiliation='member'/></query>"),
        ),
        (
            "set",
            format!(
                "<query xmlns='{admin}'><item affiliation='member' jid='bob@example.org'/></query>"
            ),
        ),
        (
            "set",
            format!("<query xmlns='{admin}'><item role='none' nick='bob'/></query>"),
        ),
        ("get", format!("<query xmlns='{owner}'/>")),
        ("set", format!("<query xmlns='{owner}'>{form}</query>")),
        ("set", format!("<query xmlns='{owner}'><destroy/></query>")),
        ("get", "<query xmlns='jabber:iq:register'/>".to_owned()),
        (
            "set",
            format!(
                "<query xmlns='jabber:iq:register'>\
                 <x xmlns='jabber:x:data' type='submit'>{about}{nick}</x></query>"
            ),
        ),
        ("get", "<vCard xmlns='vcard-temp'/>".to_owned()),
        (
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>".to_owned(),
        ),
        (
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#items'/>".to_owned(),
        ),
        (
            "set",
            "<command xmlns='http://jabber.org/protocol/commands' \
             node='urn:xmpp:hats:commands:list'/>"
                .to_owned(),
        ),
    ] {
        for actor in ["alice", "bob"] {
            script.send(actor, &ask(kind, &content));
            script.expect(actor, &refused("cancel", "item-not-found"));
        }
    }
    script.expect_nothing("carol");
}

/// The configuration of rooms changes.
fn with_rooms(script: &Script, change: impl FnOnce(&mut RoomsConfig)) {
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    change(&mut config.rooms);
    hub.configure(config);
}

/// XEP-0045 §10.1.1: "If access is restricted and a user attempts to create a room,
/// the service MUST return a <not-allowed/> error".
#[test]
fn nobody_makes_a_room_where_only_the_operator_does() {
    let mut script = coven();
    with_rooms(&script, |rooms| rooms.creation = Creation::Nobody);
    script.play(
        "
        bob   C: <presence to='heath@rooms.example.org/bob' id='1'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence type='error' id='1' from='heath@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc'/><error type='cancel'>
            <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        bob   S: nothing
        bob   C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/bob'/>
        ",
    );
    assert_eq!(script.world.hub().room_count(), 1);
}

/// RFC 6120 §8.3.3.18. Leaving one makes room for another, and entering once more
/// takes none.
#[test]
fn a_session_is_in_so_many_rooms_and_no_more() {
    let mut script = three_in_a_room();
    with_rooms(&script, |rooms| rooms.per_session = 1);
    let enter = |room: &str| format!("<presence to='{room}/bob' id='1'>{JOIN}</presence>");
    script.send("bob", &enter(HEATH));
    script.expect(
        "bob",
        &format!(
            "<presence type='error' id='1' from='{HEATH}/bob'>{JOIN}<error type='wait'>\
             <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        ),
    );
    script.expect_nothing("bob");
    assert_eq!(script.world.hub().room_count(), 1);
    script.send("bob", &enter(COVEN));
    script.expect("bob", &format!("<presence from='{COVEN}/alice'/>"));
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    script.send("bob", &enter(HEATH));
    script.expect("bob", &format!("<presence from='{HEATH}/bob'/>"));
}
