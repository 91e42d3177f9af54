//! Being seen in a room and by whom, another nickname, leaving.

use super::{COVEN, HEATH, JOIN, configure, coven, field, join, three_in_a_room, told_anew};
use anser_tests::script::Script;
use anser_xml::Element;

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

/// XEP-0421 §4.1: stable, through all visits and nicknames and when the room was not
/// in memory meanwhile; unique; and such that the id "in one room of the service does
/// not match the occupant identifier of the same user in another room".
#[test]
fn occupants_are_known_by_an_id_that_stays_and_is_theirs_in_this_room_alone() {
    let mut script = three_in_a_room();
    let id_of_next = |script: &mut Script, actor: &str| occupant_id(&script.receive(actor));
    script.send("bob", &format!("<presence to='{COVEN}/hag'/>"));
    let first = id_of_next(&mut script, "carol");
    assert!(first.len() <= 128 && !first.contains("bob"));
    assert_eq!(first, id_of_next(&mut script, "carol"));
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/hag' type='unavailable'/>"),
    );
    assert_eq!(first, id_of_next(&mut script, "carol"));
    join(&mut script, "bob", "bob", &["alice", "carol"]);
    let speak = format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>");
    script.send("bob", &speak);
    assert_eq!(first, id_of_next(&mut script, "carol"));
    script.send("carol", &speak);
    assert_ne!(first, id_of_next(&mut script, "carol"));
    script.forget("bob");
    script.send(
        "bob",
        &format!("<presence to='{HEATH}/bob'>{JOIN}</presence>"),
    );
    let elsewhere = id_of_next(&mut script, "bob");
    assert_ne!(first, elsewhere);
    script.send(
        "bob",
        &format!("<presence to='{HEATH}/bob' type='unavailable'/>"),
    );
    script.appear("dave", "dave@example.org/phone");
    let before = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(first, occupant_id(&before[0]));
    join(&mut script, "bob", "bob", &[]);
    script.send("bob", &speak);
    assert_eq!(first, id_of_next(&mut script, "bob"));
}

fn occupant_id(stanza: &Element) -> String {
    let id = stanza.child("urn:xmpp:occupant-id:0", "occupant-id");
    id.unwrap().attribute("id").unwrap().into_owned()
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
