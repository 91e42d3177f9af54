//! Invitations, and whoever declines them.

use super::{COVEN, admin, configure, coven, field, join, three_in_a_room};

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

/// XEP-0045 §7.8.2, §7.9, XEP-0249 §2: "the room SHOULD add the password if the room
/// is password-protected"; a conversation of two goes on there, with its thread.
#[test]
fn several_are_asked_at_once_into_a_room_with_a_password() {
    let mut script = coven();
    let secret = field("muc#roomconfig_passwordprotectedroom", "1")
        + &field("muc#roomconfig_roomsecret", "cauldronburn");
    configure(&mut script, "alice", &secret);
    script.forget("alice");
    script.play(
        "
        alice C: <message to='coven@rooms.example.org' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <invite to='bob@example.org/phone'><reason>Hey</reason><continue thread='e0ff'/></invite>
            <invite to='carol@example.org'><continue/></invite></x></message>
        alice S: nothing
        bob   S: <message from='coven@rooms.example.org' to='bob@example.org/phone' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <invite from='alice@example.org'><reason>Hey</reason><continue thread='e0ff'/></invite>
            <password>cauldronburn</password></x>
            <x xmlns='jabber:x:conference' jid='coven@rooms.example.org' password='cauldronburn'
            reason='Hey' continue='true' thread='e0ff'/></message>
        bob   S: nothing
        carol S: <message from='coven@rooms.example.org' to='carol@example.org' id='i'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <invite from='alice@example.org'><continue/></invite>
            <password>cauldronburn</password></x>
            <x xmlns='jabber:x:conference' password='cauldronburn' continue='true'/></message>
        carol S: nothing
        ",
    );
}

/// XEP-0045 §7.8.2: of several each is asked in or not, and whoever asks is told of
/// those who are not.
#[test]
fn those_who_cannot_be_asked_in_keep_nobody_else_out() {
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='carol@example.org'/>"),
    );
    script.forget("alice");
    let invite = |users: &[&str]| {
        let invites = users.iter();
        let invites: String = invites
            .map(|user| format!("<invite to='{user}@example.org'/>"))
            .collect();
        format!(
            "<message to='{COVEN}' id='i'>\
             <x xmlns='http://jabber.org/protocol/muc#user'>{invites}</x></message>"
        )
    };
    script.send("alice", &invite(&["ghost", "bob", "carol"]));
    script.expect("bob", &format!("<message from='{COVEN}'/>"));
    script.expect(
        "alice",
        "<message type='error' id='i'><error type='cancel'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>ghost@example.org: there is no such \
         account; carol@example.org: whoever you invite is banned from this room</text>\
         </error></message>",
    );
    // What is no address is a fault of the whole.
    script.send("alice", &invite(&["bob", "@"]));
    script.expect(
        "alice",
        "<message type='error' id='i'><error type='modify'>\
         <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
}
