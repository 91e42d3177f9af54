//! What of rooms goes through to somebody who blocks (XEP-0191).

use super::{COVEN, admin, configure, done, field, listed, three_in_a_room};
use anser_tests::script::Script;

/// Alice, who owns the room, Bob and Carol are in it, and Dave is not.
fn three_and_dave() -> Script {
    let mut script = three_in_a_room();
    script.appear("dave", "dave@example.org/phone");
    script
}

/// What asks Dave into the room.
const INVITE: &str = "<message to='coven@rooms.example.org' id='i'>\
     <x xmlns='http://jabber.org/protocol/muc#user'><invite to='dave@example.org'/></x></message>";

/// XEP-0191 §3.3, XEP-0045 §7.8.2: an invitation from somebody who is blocked, or
/// from a room that is, reaches nobody, and makes nobody a member.
#[test]
fn nobody_is_asked_into_a_room_by_somebody_they_block() {
    for blocked in ["alice@example.org", COVEN, "rooms.example.org"] {
        let mut script = three_and_dave();
        let members_only = field("muc#roomconfig_membersonly", "1");
        configure(&mut script, "alice", &members_only);
        script.forget("alice");
        script.change_blocks("dave", "block", &[blocked]);
        script.send("alice", INVITE);
        script.expect(
            "alice",
            "<message type='error' id='i'><error type='cancel'><service-unavailable \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
        );
        script.expect_nothing("dave");
        assert!(listed(&mut script, "member").is_empty());
        script.change_blocks("dave", "unblock", &[blocked]);
        script.send("alice", INVITE);
        script.expect("dave", &format!("<message from='{COVEN}'/>"));
    }
}

/// XEP-0191 §3.3, XEP-0045 §9.5: whoever becomes a member of a room for members only
/// is asked in, but not by somebody or in the name of a room that they block.
#[test]
fn a_member_who_blocks_whoever_has_made_them_one_is_not_asked_in() {
    for blocked in ["alice@example.org", COVEN] {
        let mut script = three_and_dave();
        let members_only = field("muc#roomconfig_membersonly", "1");
        configure(&mut script, "alice", &members_only);
        script.forget("alice");
        script.change_blocks("dave", "block", &[blocked]);
        let make = |affiliation: &str| {
            admin(&format!(
                "<item affiliation='{affiliation}' jid='dave@example.org'/>"
            ))
        };
        script.send("alice", &make("member"));
        done(&mut script, "alice");
        script.expect_nothing("dave");
        assert_eq!(listed(&mut script, "member"), ["dave@example.org"]);
        script.change_blocks("dave", "unblock", &[blocked]);
        script.send("alice", &make("none"));
        script.send("alice", &make("member"));
        script.expect("dave", &format!("<message from='{COVEN}'/>"));
    }
}

/// XEP-0191 §3.3, XEP-0045 §7.8.2, XEP-0249 §2
#[test]
fn nobody_who_is_blocked_declines_or_asks_without_the_room() {
    let mut script = three_and_dave();
    script.change_blocks("bob", "block", &["dave@example.org"]);
    script.play(
        "
        dave  C: <message to='coven@rooms.example.org' id='d'>
            <x xmlns='http://jabber.org/protocol/muc#user'><decline to='bob@example.org'/></x></message>
        dave  S: <message type='error' id='d' from='coven@rooms.example.org'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        dave  C: <message to='bob@example.org' id='x'>
            <x xmlns='jabber:x:conference' jid='heath@rooms.example.org'/></message>
        dave  S: <message type='error' id='x' from='bob@example.org'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   S: nothing
        ",
    );
}

/// Nobody learns who is in a room by blocking them: what is said there, to all or
/// to one, comes all the same.
#[test]
fn a_block_of_an_account_makes_no_difference_in_a_room() {
    let mut script = three_and_dave();
    script.change_blocks("carol", "block", &["bob@example.org"]);
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat'><body>hail</body></message>
        carol S: <message from='coven@rooms.example.org/bob'><body>hail</body></message>
        bob   C: <message to='coven@rooms.example.org/carol' type='chat'><body>psst</body></message>
        carol S: <message from='coven@rooms.example.org/bob'><body>psst</body></message>
        carol C: <message to='coven@rooms.example.org/bob' type='chat'><body>yes</body></message>
        ",
    );
    script.forget("bob");
    script.play(
        "
        bob   C: <iq to='coven@rooms.example.org/carol' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
        carol S: <iq from='coven@rooms.example.org/bob' type='get'/>
        ",
    );
}

/// XEP-0191 §3.3, §6: an occupant's address in the room can be blocked.
#[test]
fn an_occupant_who_is_blocked_writes_and_asks_nothing_in_private() {
    let mut script = three_and_dave();
    script.change_blocks("carol", "block", &["coven@rooms.example.org/bob"]);
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org/carol' type='chat' id='1'><body>psst</body></message>
        bob   S: <message type='error' id='1' from='coven@rooms.example.org/carol'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob   C: <iq to='coven@rooms.example.org/carol' type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>
        bob   S: <iq type='error' id='2' from='coven@rooms.example.org/carol'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        carol C: <message to='coven@rooms.example.org/bob' type='chat' id='3'><body>psst</body></message>
        carol S: <message type='error' id='3'><error type='cancel'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
            <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>
        carol C: <iq to='coven@rooms.example.org/bob' type='get' id='4'><ping xmlns='urn:xmpp:ping'/></iq>
        carol S: <iq type='error' id='4'><error type='cancel'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
            <blocked xmlns='urn:xmpp:blocking:errors'/></error></iq>
        carol S: nothing
        bob   S: nothing
        ",
    );
}

/// XEP-0191 §3.3: "the user's server MUST send unavailable presence information to
/// the JID", and so whoever blocks a room leaves it.
#[test]
fn whoever_blocks_a_room_is_no_longer_in_it() {
    for blocked in [COVEN, "rooms.example.org"] {
        let mut script = three_and_dave();
        script.change_blocks("carol", "block", &[blocked]);
        script.play(
            "
            carol S: <presence type='unavailable' from='coven@rooms.example.org/carol'/>
            bob   S: <presence type='unavailable' from='coven@rooms.example.org/carol'/>
            bob   C: <message to='coven@rooms.example.org' type='groupchat'><body>hail</body></message>
            carol S: nothing
            carol C: <presence to='coven@rooms.example.org/carol'><x xmlns='http://jabber.org/protocol/muc'/></presence>
            carol S: <presence type='error'><error type='cancel'>
                <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
                <blocked xmlns='urn:xmpp:blocking:errors'/></error></presence>
            carol C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
            carol S: <message type='error' id='1'><error type='cancel'>
                <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>
            carol C: <iq to='coven@rooms.example.org' type='get' id='2'>
                <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            carol S: <iq type='error' id='2'><error type='cancel'>
                <blocked xmlns='urn:xmpp:blocking:errors'/></error></iq>
            ",
        );
    }
}
