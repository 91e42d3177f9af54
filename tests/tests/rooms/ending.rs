//! How rooms end: never opened, destroyed, or left by all.

use super::{COVEN, JOIN, configure, coven, field, join, owner, three_in_a_room};
use anser_tests::script::Script;

/// XEP-0045 §10.1.3: "If the room owner becomes unavailable for any reason before
/// submitting the form [...] The service MUST then destroy the room, sending a
/// presence stanza of type "unavailable" from the room to the owner including a
/// <destroy/> element".
#[test]
fn an_owner_who_leaves_without_opening_the_room_sees_it_end() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/crone'>{JOIN}</presence>"),
    );
    script.forget("alice");
    script.play(
        "
        alice C: <presence to='coven@rooms.example.org/crone' type='unavailable'/>
        alice S: <presence from='coven@rooms.example.org/crone' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='none'/><destroy/><status code='110'/></x></presence>
        alice S: nothing
        ",
    );
}

/// XEP-0045 §10.1.3: "If the room owner cancels the initial configuration, the
/// service MUST destroy the room", and if "the room owner becomes unavailable
/// [...] before submitting the form" too.
#[test]
fn a_room_that_was_never_opened_ends_with_its_owners_visit() {
    let enter = format!("<presence to='{COVEN}/x'>{JOIN}</presence>");
    let leave = format!("<presence to='{COVEN}/x' type='unavailable'/>");
    let cancel = owner("set", "<x xmlns='jabber:x:data' type='cancel'/>");
    for end in [
        cancel.as_str(),
        &leave,
        "<presence type='unavailable'/>",
        "cut",
    ] {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        script.appear("bob", "bob@example.org/phone");
        script.send("alice", &enter);
        script.forget("alice");
        match end {
            "cut" => script.cut("alice"),
            stanza => script.send("alice", stanza),
        }
        // Whoever goes without a word is noticed a moment later.
        script.world.pass(std::time::Duration::from_secs(1));
        script.world.settle();
        script.send("bob", &enter);
        script.expect(
            "bob",
            "<presence><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='owner'/><status code='201'/></x></presence>",
        );
    }
}

/// XEP-0045 §10.9: "instead sending only one presence stanza of type
/// "unavailable" to each occupant".
#[test]
fn the_end_of_a_room_is_told_to_each_once_with_where_to_go() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &owner(
            "set",
            "<destroy jid='heath@rooms.example.org'><reason>Macbeth doth come.</reason>\
             <password>open</password></destroy>",
        ),
    );
    for actor in ["alice", "bob", "carol"] {
        script.expect(
            actor,
            &format!(
                "<presence from='{COVEN}/{actor}' type='unavailable'>\
                 <x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='none' role='none'/><destroy jid='heath@rooms.example.org'>\
                 <reason>Macbeth doth come.</reason><password>open</password></destroy></x></presence>"
            ),
        );
        if actor == "alice" {
            script.expect("alice", "<iq type='result' id='owner'/>");
        }
        script.expect_nothing(actor);
    }
    script.play(
        "
        bob C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob S: <message type='error' id='1'><error type='cancel'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob S: <presence><x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='owner'/><status code='201'/></x></presence>
        bob S: <message><subject/></message>
        bob S: nothing
        ",
    );
}

/// XEP-0045 §7.14: "If the room is not persistent and this occupant is the last
/// to exit, the service is responsible for destroying the room."
#[test]
fn a_room_that_nobody_keeps_ends_with_the_last_occupant() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_persistentroom", "0"),
    );
    join(&mut script, "bob", "bob", &["alice"]);
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.forget("bob");
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat' id='1'><body>x</body></message>"),
    );
    script.expect("bob", "<message type='groupchat' id='1'/>");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    script.expect(
        "bob",
        "<presence><x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='owner'/><status code='201'/></x></presence>",
    );
}

/// XEP-0045 §11.2: "When a MUC service shuts downs, it SHOULD inform its
/// participant by sending presences containing the 332 status code".
#[test]
fn a_server_that_stops_has_everybody_leave_and_tells_nobody_of_the_others() {
    let mut script = three_in_a_room();
    script.world.hub().close_all();
    script.world.settle();
    for actor in ["alice", "bob", "carol"] {
        script.expect(
            actor,
            &format!(
                "<presence from='{COVEN}/{actor}' to='{actor}@example.org/phone' type='unavailable'>\
                 <x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/>\
                 <status code='110'/><status code='332'/></x></presence>"
            ),
        );
        script.expect(
            actor,
            "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             </stream:error>",
        );
    }
}
