//! Becoming a member by oneself, with a nickname to keep.

use super::{
    COVEN, admin, configure, coven, field, listed, refused, register, registration, three_in_a_room,
};
use anser_tests::script::Script;

/// XEP-0045 §7.10, XEP-0077 §3.3
#[test]
fn somebody_becomes_a_member_with_a_nickname_to_keep_and_one_no_longer() {
    let mut script = three_in_a_room();
    let ask = register("").replace("'set'", "'get'");
    script.send("bob", &ask);
    script.expect(
        "bob",
        "<iq type='result' id='register'><query xmlns='jabber:iq:register'>\
         <x xmlns='jabber:x:data' type='form'><field var='muc#register_roomnick'/></x></query></iq>",
    );
    script.send("bob", &register(&registration("alice")));
    script.expect("bob", &refused("cancel", "conflict"));
    script.send("bob", &register(&registration("")));
    script.expect("bob", &refused("modify", "bad-request"));
    script.send("bob", &register(""));
    script.expect("bob", &refused("modify", "bad-request"));
    script.send("bob", &register(&registration("bob")));
    for actor in ["alice", "carol"] {
        script.expect(
            actor,
            "<presence from='coven@rooms.example.org/bob'>\
             <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member'/></x></presence>",
        );
    }
    script.forget("bob");
    script.send("bob", &ask);
    script.expect(
        "bob",
        "<iq type='result' id='register'><query xmlns='jabber:iq:register'>\
         <registered/><username>bob</username></query></iq>",
    );
    script.send("bob", &register("<remove/>"));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none'/></x></presence>",
    );
    configure(
        &mut script,
        "alice",
        &field("{https://anser.im/rooms}registration", "0"),
    );
    for actor in ["bob", "carol"] {
        script.forget(actor);
    }
    script.send("carol", &ask);
    script.expect("carol", &refused("cancel", "not-allowed"));
    script.send("carol", &register(&registration("carol")));
    script.expect("carol", &refused("cancel", "not-allowed"));
    let nowhere = ask.replace(COVEN, "heath@rooms.example.org");
    script.send("carol", &nowhere);
    script.expect(
        "carol",
        "<iq type='error' from='heath@rooms.example.org' id='register'/>",
    );
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

/// XEP-0045 §7.6, §7.10, §7.12
#[test]
fn a_nickname_that_is_kept_is_nobody_elses_also_when_its_holder_is_away() {
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org' nick='Hecate'/>"),
    );
    script.forget("alice");
    script.play(
        "
        carol C: <presence to='coven@rooms.example.org/hecate'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        carol S: <presence type='error'><error type='cancel'>
            <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        bob   C: <iq type='get' id='n' to='coven@rooms.example.org'>
            <query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>
        bob   S: <iq type='result' id='n'><query node='x-roomuser-item'
            xmlns='http://jabber.org/protocol/disco#info'>
            <identity category='conference' type='text' name='Hecate'/></query></iq>
        bob   C: <presence to='coven@rooms.example.org/Hecate'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/Hecate'/>
        ",
    );
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='carol@example.org' nick='HECATE'/>"),
    );
    script.forget("bob");
    loop {
        let stanza = script.receive("alice");
        if stanza.name() == "iq" {
            assert_eq!(stanza.attribute("type").as_deref(), Some("error"));
            break;
        }
    }
}

/// XEP-0045 §7.10, §9.2: who is something because of their server keeps a
/// nickname by registering, and nothing else.
#[test]
fn what_somebody_is_because_of_their_server_ends_with_that() {
    let mut script = three_in_a_room();
    let server = |affiliation| {
        let item = format!("<item affiliation='{affiliation}' jid='example.org'/>");
        admin(&item)
    };
    script.send("alice", &server("admin"));
    script.send("bob", &register(&registration("Hag")));
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    assert_eq!(listed(&mut script, "admin"), ["example.org"]);
    script.send("carol", &register(&registration("Hag")));
    script.expect("carol", &refused("cancel", "conflict"));
    script.send("alice", &server("none"));
    script.expect("alice", "<iq type='result' id='admin'/>");
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='none' role='participant'/></x></presence>",
    );
    for affiliation in ["admin", "member"] {
        assert_eq!(listed(&mut script, affiliation).len(), 0);
    }
}

/// XEP-0045 §7.10: "If the user requesting registration requirements is not allowed
/// to register with the room", "the room MUST return a <not-allowed/> error".
#[test]
fn nobody_registers_into_a_room_for_members_only_or_out_of_a_ban() {
    let mut script = coven();
    script.appear("dave", "dave@example.org/phone");
    for (affiliation, user) in [("member", "bob"), ("outcast", "carol")] {
        let item = format!("<item affiliation='{affiliation}' jid='{user}@example.org'/>");
        script.send("alice", &admin(&item));
    }
    script.forget("alice");
    let ask = register("").replace("'set'", "'get'");
    let refuses = |script: &mut Script, actor: &str| {
        for attempt in [
            ask.clone(),
            register(&registration("hag")),
            register("<remove/>"),
        ] {
            script.send(actor, &attempt);
            script.expect(actor, &refused("cancel", "not-allowed"));
        }
    };
    refuses(&mut script, "carol");
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_membersonly", "1"),
    );
    for actor in ["carol", "dave"] {
        refuses(&mut script, actor);
    }
    // Who is a member already keeps a nickname there.
    script.send("bob", &register(&registration("Hecate")));
    script.expect("bob", "<iq type='result' id='register'/>");
    script.send("bob", &ask);
    script.expect(
        "bob",
        "<iq type='result' id='register'><query xmlns='jabber:iq:register'>\
         <registered/><username>Hecate</username></query></iq>",
    );
    assert_eq!(listed(&mut script, "member"), ["bob@example.org"]);
    assert_eq!(listed(&mut script, "outcast"), ["carol@example.org"]);
}
