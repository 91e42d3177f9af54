//! Roles, which end with the visit: kicks, voice, moderators.

use super::{COVEN, admin, configure, done, field, join, list, refused, three_in_a_room};

/// XEP-0045 §8.2
#[test]
fn whoever_is_kicked_is_told_why_and_by_whom_and_so_is_everybody() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item nick='bob' role='none'><reason>Avaunt</reason></item>"),
    );
    let gone = "<presence from='coven@rooms.example.org/bob' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'>\
         <actor nick='alice'/><reason>Avaunt</reason></item><status code='307'/></x></presence>";
    for actor in ["alice", "bob", "carol"] {
        if actor == "alice" {
            // What she has done, she is told first.
            done(&mut script, "alice");
        }
        script.expect(actor, gone);
    }
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message type='error' id='1'/>
        carol S: nothing
        ",
    );
    join(&mut script, "bob", "bob", &["alice", "carol"]);
    script.send("carol", &admin("<item nick='bob' role='none'/>"));
    script.expect("carol", &refused("auth", "forbidden"));
    script.expect_nothing("bob");
}

/// XEP-0045 §8.3, §8.4, §8.5
#[test]
fn voice_is_given_and_taken() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='visitor'/>"));
    done(&mut script, "alice");
    let seen = |role: &str| {
        format!(
            "<presence from='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='{role}'/></x></presence>"
        )
    };
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &seen("visitor"));
    }
    script.play(
        "
        bob C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob S: <message type='error' id='1'/>
        ",
    );
    let voices = list(&mut script, "alice", "<item role='participant'/>");
    assert_eq!(
        voices.unwrap(),
        ["carol@example.org/phone carol none participant"]
    );
    script.send("alice", &admin("<item nick='bob' role='participant'/>"));
    script.expect("carol", &seen("participant"));
    let refused = list(&mut script, "carol", "<item role='participant'/>");
    assert_eq!(refused.unwrap_err(), "forbidden");
}

/// XEP-0045 §8.3
#[test]
fn a_role_that_somebody_has_already_is_no_news() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='participant'/>"));
    done(&mut script, "alice");
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
}

/// XEP-0045 §9.6, §9.7
#[test]
fn a_moderator_is_made_and_acts_as_one() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='moderator'/>"));
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/></x></presence>",
    );
    script.forget("carol");
    script.send("bob", &admin("<item nick='carol' role='none'/>"));
    script.expect("carol", "<presence type='unavailable'/>");
}

/// XEP-0045 §8: a moderator may "discover an occupant's full JID in a
/// semi-anonymous room (occurs automatically through presence)".
#[test]
fn whoever_becomes_a_moderator_is_told_who_those_are_who_are_there() {
    for item in [
        "<item nick='bob' role='moderator'/>",
        "<item affiliation='admin' jid='bob@example.org'/>",
    ] {
        let mut script = three_in_a_room();
        script.send("alice", &admin(item));
        script.play(
            "
            bob   S: <presence from='coven@rooms.example.org/bob'>
                <x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/>
                <status code='110'/></x></presence>
            bob   S: <presence from='coven@rooms.example.org/alice'>
                <x xmlns='http://jabber.org/protocol/muc#user'>
                <item role='moderator' jid='alice@example.org/phone'/></x></presence>
            bob   S: <presence from='coven@rooms.example.org/carol'>
                <x xmlns='http://jabber.org/protocol/muc#user'>
                <item role='participant' jid='carol@example.org/phone'/></x></presence>
            bob   S: nothing
            carol S: <presence from='coven@rooms.example.org/bob'/>
            carol S: nothing
            ",
        );
    }
}

/// XEP-0045 §4.2, §8
#[test]
fn whoever_knows_already_who_everybody_is_is_not_told_again() {
    let mut script = three_in_a_room();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    script.forget("bob");
    script.send("alice", &admin("<item nick='bob' role='moderator'/>"));
    script.expect("bob", "<presence from='coven@rooms.example.org/bob'/>");
    script.expect_nothing("bob");
}
