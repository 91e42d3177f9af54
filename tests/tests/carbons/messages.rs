//! Which messages are copied, and what a copy looks like.

use super::{conversation, copy, enable};
use anser_tests::script::Script;

/// XEP-0280 §7: the copy has the type of what it is a copy of, and the language
/// belongs to the text.
#[test]
fn a_copy_is_of_the_type_of_the_message_and_says_all_that_it_says() {
    let mut script = conversation();
    script.play(
        "
        alice C: <message to='bob@example.org/phone' xml:lang='de'><subject>x</subject>
            <body>hallo &amp; guten Tag</body><x xmlns='urn:x' a='b'/></message>
        ",
    );
    let stanza = script.receive("desk");
    assert_eq!(stanza.attribute("type"), None);
    let received = stanza.child("urn:xmpp:carbons:2", "received").unwrap();
    let forwarded = received.child("urn:xmpp:forward:0", "forwarded").unwrap();
    let message = forwarded.child("jabber:client", "message").unwrap();
    assert_eq!(
        message.attribute("from").as_deref(),
        Some("alice@example.org/phone")
    );
    let text = String::from_utf8(message.raw().to_vec()).unwrap();
    assert!(text.contains(" xml:lang='de'"), "{text}");
    assert_eq!(
        message.child("jabber:client", "body").unwrap().text(),
        "hallo & guten Tag"
    );
    assert!(message.child("urn:x", "x").is_some());
}

/// XEP-0280 §9: nothing is taken out of it.
#[test]
fn what_is_private_is_copied_to_nobody() {
    for hint in [
        "<private xmlns='urn:xmpp:carbons:2'/>",
        "<no-copy xmlns='urn:xmpp:hints'/>",
    ] {
        let mut script = conversation();
        script.play(&format!(
            "
            alice  C: <message to='bob@example.org/phone' type='chat'><body>1</body>{hint}</message>
            bob    S: <message><body>1</body>{hint}</message>
            desk   S: nothing
            laptop S: nothing
            tablet S: nothing
            alice  C: <message to='bob@example.org' type='chat'><body>2</body>{hint}</message>
            bob    S: <message><body>2</body>{hint}</message>
            desk   S: <message><body>2</body>{hint}</message>
            laptop S: nothing
            "
        ));
    }
}

/// XEP-0280 §6.1, §10.2
#[test]
fn what_belongs_to_a_conversation_without_a_text_is_copied_too() {
    for payload in [
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<x xmlns='jabber:x:conference' jid='room@rooms.example.org'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@example.org'/></x>",
    ] {
        let mut script = conversation();
        script.send(
            "alice",
            &format!("<message to='bob@example.org/phone'>{payload}</message>"),
        );
        let message = format!("<message to='bob@example.org/phone'>{payload}</message>");
        script.expect("bob", &message);
        script.expect("desk", &copy("received", "bob", "desk", &message));
        script.expect("laptop", &copy("sent", "alice", "laptop", &message));
    }
}

/// XEP-0280 §6.1
#[test]
fn what_belongs_to_no_conversation_of_two_is_not_copied() {
    for message in [
        "<message to='bob@example.org/phone' type='groupchat'><body>x</body></message>",
        "<message to='bob@example.org/phone' type='headline'><body>x</body></message>",
        "<message to='bob@example.org/phone'><x xmlns='urn:x'/></message>",
        "<message to='bob@example.org/phone' type='error'><error type='cancel'/></message>",
    ] {
        let mut script = conversation();
        script.send("alice", message);
        script.expect("bob", "<message from='alice@example.org/phone'/>");
        for actor in ["desk", "laptop", "tablet"] {
            script.expect_nothing(actor);
        }
    }
}

/// XEP-0280 §6.1: rooms give private messages to all devices in them.
#[test]
fn what_comes_from_somebody_in_a_room_is_copied_by_its_sender_only() {
    let mut script = conversation();
    let message = "<message to='bob@example.org/phone' type='chat'><body>x</body>\
         <x xmlns='http://jabber.org/protocol/muc#user'/></message>";
    script.send("alice", message);
    script.expect("bob", message);
    script.expect("laptop", &copy("sent", "alice", "laptop", message));
    script.expect_nothing("desk");
}

/// XEP-0313 §3.4: an id says where a message is in the archive of its reader.
#[test]
fn a_copy_of_what_its_sender_does_not_archive_has_no_id() {
    for (hint, has_id) in [
        ("", true),
        ("<no-permanent-store xmlns='urn:xmpp:hints'/>", false),
    ] {
        let mut script = conversation();
        script.send(
            "alice",
            &format!("<message to='bob@example.org' type='chat'><body>x</body>{hint}</message>"),
        );
        let copy = format!("{:?}", script.receive("laptop"));
        assert_eq!(copy.contains("by='alice@example.org'"), has_id, "{copy}");
    }
}

/// XEP-0280 §6.1, XEP-0045 §7.8.2: also where a room asks.
#[test]
fn an_invitation_by_a_room_is_copied_to_the_other_devices() {
    let mut script = conversation();
    script.send(
        "alice",
        "<presence to='coven@rooms.example.org/alice'>\
         <x xmlns='http://jabber.org/protocol/muc'/></presence>",
    );
    script.send(
        "alice",
        "<iq type='set' id='c' to='coven@rooms.example.org'>\
         <query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'/></query></iq>",
    );
    script.send(
        "alice",
        "<message to='coven@rooms.example.org'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <invite to='bob@example.org/phone'/></x></message>",
    );
    let invitation = "<message from='coven@rooms.example.org' to='bob@example.org/phone'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <invite from='alice@example.org'/></x></message>";
    script.expect("bob", invitation);
    script.expect("desk", &copy("received", "bob", "desk", invitation));
    script.expect_nothing("tablet");
}

/// RFC 6120 §8.3.1, XEP-0280 §6.1
#[test]
fn an_error_that_brings_along_what_it_answers_is_copied() {
    let mut script = conversation();
    let error = "<message to='bob@example.org/phone' type='error' id='1'><body>x</body>\
         <error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    script.send("alice", error);
    script.expect("bob", error);
    script.expect("desk", &copy("received", "bob", "desk", error));
}

/// XEP-0280 §10.3: nobody hears of a message that went nowhere, nor of what
/// became of it.
#[test]
fn what_is_refused_is_copied_to_nobody() {
    let mut script = conversation();
    script.play(
        "
        alice  C: <message to='nobody@example.org' type='chat' id='1'><body>x</body></message>
        alice  S: <message type='error' id='1'/>
        laptop S: nothing
        ",
    );
}

/// XEP-0280 §8: whoever sends it needs no answer for that.
#[test]
fn typing_is_copied_also_if_nobody_is_there_to_see_it() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("laptop", "alice@example.org/laptop");
    enable(&mut script, "laptop");
    script.forget("alice");
    let message = "<message to='bob@example.org' type='chat'>\
         <composing xmlns='http://jabber.org/protocol/chatstates'/></message>";
    script.send("alice", message);
    script.expect("laptop", &copy("sent", "alice", "laptop", message));
    script.expect_nothing("alice");
}

/// XEP-0280 §7, RFC 6121 §8.5.2.2.1: typing for somebody who takes no messages
/// would be ignored, were it not for the copy.
#[test]
fn typing_is_copied_to_a_device_that_takes_no_messages() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.log_in("desk", "bob@example.org/desk");
    enable(&mut script, "desk");
    let message = "<message to='bob@example.org' type='chat'>\
         <composing xmlns='http://jabber.org/protocol/chatstates'/></message>";
    script.send("alice", message);
    script.expect("desk", &copy("received", "bob", "desk", message));
}
