//! Copies of messages for one's other devices (XEP-0280).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::script::Script;

const ENABLE: &str = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

/// Alice at her phone and, with copies, at her laptop and her tablet, where she
/// takes no messages; Bob at his phone and, with copies, at his laptop.
fn conversation() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    for (actor, address) in [
        ("alice", "alice@example.org/phone"),
        ("laptop", "alice@example.org/laptop"),
        ("bob", "bob@example.org/phone"),
        ("desk", "bob@example.org/desk"),
    ] {
        script.appear(actor, address);
    }
    script.log_in("tablet", "alice@example.org/tablet");
    for actor in ["laptop", "tablet", "desk"] {
        enable(&mut script, actor);
    }
    for actor in ["alice", "laptop", "bob", "desk"] {
        script.forget(actor);
    }
    script
}

/// Whatever the device has received so far is forgotten.
fn enable(script: &mut Script, actor: &str) {
    script.forget(actor);
    script.send(actor, ENABLE);
    script.expect(actor, "<iq type='result' id='c'/>");
}

/// What a device gets as a copy.
fn copy(direction: &str, of: &str, to: &str, message: &str) -> String {
    let message = message.replacen("<message ", "<message xmlns='jabber:client' ", 1);
    format!(
        "<message from='{of}@example.org' to='{of}@example.org/{to}'>\
         <{direction} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         {message}</forwarded></{direction}></message>"
    )
}

/// XEP-0280 §3
#[test]
fn the_server_says_that_it_copies() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    script.play(
        "
        alice C: <iq type='get' to='example.org' id='d'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        alice S: <iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>
            <feature var='urn:xmpp:carbons:2'/></query></iq>
        ",
    );
}

/// XEP-0280 §8, §7: everybody has both sides of the conversation, once.
#[test]
fn what_goes_from_one_device_to_another_is_copied_to_the_others_of_both() {
    let mut script = conversation();
    script.play(
        "
        alice C: <message to='bob@example.org/phone' type='chat' id='1'><body>hello</body></message>
        bob   S: <message from='alice@example.org/phone' to='bob@example.org/phone' id='1'>
            <body>hello</body></message>
        ",
    );
    let message = "<message from='alice@example.org/phone' to='bob@example.org/phone' \
         type='chat' id='1'><body>hello</body>";
    let in_log = |of: &str| {
        format!(
            "{message}<stanza-id xmlns='urn:xmpp:sid:0' by='{of}@example.org' id='*'/></message>"
        )
    };
    script.expect("laptop", &copy("sent", "alice", "laptop", &in_log("alice")));
    script.expect("tablet", &copy("sent", "alice", "tablet", &in_log("alice")));
    script.expect("desk", &copy("received", "bob", "desk", &in_log("bob")));
    for actor in ["alice", "bob", "laptop", "tablet", "desk"] {
        script.expect_nothing(actor);
    }
}

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

/// XEP-0280 §7: those who get the message itself get no copy.
#[test]
fn what_all_devices_get_is_copied_to_those_only_that_do_not_take_messages() {
    let mut script = conversation();
    script.log_in("watch", "bob@example.org/watch");
    enable(&mut script, "watch");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='1'><body>hello</body></message>
        bob   S: <message to='bob@example.org' id='1'><body>hello</body></message>
        desk  S: <message to='bob@example.org' id='1'><body>hello</body></message>
        ",
    );
    let message = "<message to='bob@example.org' id='1'><body>hello</body></message>";
    script.expect("watch", &copy("received", "bob", "watch", message));
    for actor in ["bob", "desk", "watch", "alice"] {
        script.expect_nothing(actor);
    }
}

/// XEP-0280 §4, §5, §10.1
#[test]
fn copies_are_asked_for_and_declined_as_often_as_one_likes() {
    let mut script = conversation();
    script.play(
        "
        desk C: <iq type='set' id='1'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        desk S: <iq type='result' id='1' to='bob@example.org/desk'/>
        desk C: <iq type='set' id='2' to='bob@example.org'><disable xmlns='urn:xmpp:carbons:2'/></iq>
        desk S: <iq type='result' id='2' from='bob@example.org'/>
        desk C: <iq type='set' id='3'><disable xmlns='urn:xmpp:carbons:2'/></iq>
        desk S: <iq type='result' id='3'/>
        alice C: <message to='bob@example.org/phone' type='chat'><body>1</body></message>
        desk S: nothing
        desk C: <iq type='set' id='4'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        desk S: <iq type='result' id='4'/>
        alice C: <message to='bob@example.org/phone' type='chat'><body>2</body></message>
        desk S: <message><received xmlns='urn:xmpp:carbons:2'>
            <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>
            <body>2</body></message></forwarded></received></message>
        alice C: <iq type='set' id='5' to='bob@example.org'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        alice S: <iq type='error' id='5'/>
        ",
    );
}

/// A session that is new begins without.
#[test]
fn copies_are_for_a_session_not_for_a_resource() {
    let mut script = conversation();
    script.send("desk", "</stream:stream>");
    script.appear("desk", "bob@example.org/desk");
    script.forget("desk");
    script.play(
        "
        alice C: <message to='bob@example.org/phone' type='chat'><body>1</body></message>
        desk  S: nothing
        ",
    );
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

/// XEP-0160 §2, XEP-0280 §7: a device of the account has it, in whatever form.
#[test]
fn a_copy_that_was_taken_leaves_nothing_waiting_if_the_addressee_is_lost() {
    for (acknowledges, waits) in [(true, false), (false, true)] {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        for actor in ["phone", "desk"] {
            script.log_in(actor, &format!("bob@example.org/{actor}"));
            script.send(actor, "<enable xmlns='urn:xmpp:sm:3'/>");
        }
        enable(&mut script, "desk");
        let message = "<message to='bob@example.org/phone' type='chat'><body>1</body></message>";
        script.send("alice", message);
        script.expect("desk", &copy("received", "bob", "desk", message));
        if acknowledges {
            script.send("desk", "<a xmlns='urn:xmpp:sm:3' h='2'/>");
        }
        script.cut("phone");
        script.cut("desk");
        script.log_in("watch", "bob@example.org/watch");
        script.send("watch", "<presence/>");
        script.expect("watch", "<presence/>");
        if waits {
            script.expect("watch", message);
        }
        script.expect_nothing("watch");
    }
}

/// Both are one account: one message, one copy at most.
#[test]
fn what_somebody_writes_to_themselves_comes_once_to_each_device() {
    let mut script = conversation();
    let to = |resource: &str| {
        format!("<message to='alice@example.org{resource}' type='chat'><body>note</body></message>")
    };
    script.send("alice", &to(""));
    script.expect("alice", &to(""));
    script.expect("laptop", &to(""));
    script.expect("tablet", &copy("sent", "alice", "tablet", &to("")));
    script.send("alice", &to("/laptop"));
    script.expect("laptop", &to("/laptop"));
    script.expect("tablet", &copy("sent", "alice", "tablet", &to("/laptop")));
    for actor in ["alice", "laptop", "tablet", "bob", "desk"] {
        script.expect_nothing(actor);
    }
}

/// Durable before visible, for copies too; and in the order in which things were
/// sent.
#[test]
fn a_copy_comes_when_the_message_is_safe_and_typing_does_not_overtake_it() {
    let mut script = conversation();
    script.hold_commits(true);
    script.play(
        "
        alice  C: <message to='bob@example.org/phone' type='chat'><body>1</body></message>
        alice  C: <message to='bob@example.org/phone' type='chat'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        alice  C: <message to='bob@example.org/phone' type='chat'><body>2</body></message>
        laptop S: nothing
        desk   S: nothing
        ",
    );
    script.hold_commits(false);
    for (actor, of, direction) in [("laptop", "alice", "sent"), ("desk", "bob", "received")] {
        for payload in [
            "<body>1</body>",
            "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
            "<body>2</body>",
        ] {
            let message = format!("<message>{payload}</message>");
            let message = message.replace("<message>", "<message to='bob@example.org/phone'>");
            script.expect(actor, &copy(direction, of, actor, &message));
        }
    }
}

/// XEP-0160 §2: what a device has got as a copy it is not given again.
#[test]
fn a_device_that_comes_to_take_messages_is_not_given_what_it_has_as_a_copy() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.log_in("desk", "bob@example.org/desk");
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>1</body></message>",
    );
    enable(&mut script, "desk");
    let message = "<message to='bob@example.org' type='chat'><body>2</body></message>";
    script.send("alice", message);
    script.expect("desk", &copy("received", "bob", "desk", message));
    script.play(
        "
        desk C: <presence/>
        desk S: <presence from='bob@example.org/desk'/>
        desk S: <message><body>1</body><delay xmlns='urn:xmpp:delay'/></message>
        desk S: nothing
        ",
    );
    // It has taken the copy: nobody else waits for it.
    script.send("desk", "</stream:stream>");
    script.appear("bob", "bob@example.org/phone");
    script.expect_nothing("bob");
}

/// XEP-0198 §4, XEP-0160 §2: a copy that nobody acknowledged was perhaps not
/// seen.
#[test]
fn a_copy_that_is_lost_with_its_session_leaves_the_message_waiting() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.log_in("desk", "bob@example.org/desk");
    script.send("desk", "<enable xmlns='urn:xmpp:sm:3'/>");
    enable(&mut script, "desk");
    let message = "<message to='bob@example.org' type='chat'><body>1</body></message>";
    script.send("alice", message);
    script.expect("desk", &copy("received", "bob", "desk", message));
    script.cut("desk");
    script.appear("bob", "bob@example.org/phone");
    script.expect("bob", message);
}

/// XEP-0198 §5: they stay on, and come again as late as they are.
#[test]
fn copies_stay_on_when_a_stream_is_resumed() {
    let mut script = conversation();
    script.send("desk", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let id = script.receive("desk").attribute("id").unwrap().into_owned();
    script.cut("desk");
    let message = |number: u32| {
        format!("<message to='bob@example.org/phone' type='chat'><body>{number}</body></message>")
    };
    script.world.pass(std::time::Duration::from_secs(5));
    script.send("alice", &message(1));
    script.world.pass(std::time::Duration::from_secs(5));
    script.authenticate("desk", "bob");
    script.send(
        "desk",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"),
    );
    script.expect("desk", "<resumed xmlns='urn:xmpp:sm:3'/>");
    let late = message(1).replacen("<message ", "<message xmlns='jabber:client' ", 1);
    script.expect(
        "desk",
        &format!(
            "<message><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <delay xmlns='urn:xmpp:delay' from='example.org' stamp='*'/>{late}\
             </forwarded></received></message>"
        ),
    );
    script.send("alice", &message(2));
    script.forget("bob");
    script.expect("desk", &copy("received", "bob", "desk", &message(2)));
}
