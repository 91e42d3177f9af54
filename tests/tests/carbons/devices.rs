//! Which devices get copies: those that want them and do not get the message
//! itself.

use super::{conversation, copy, enable};
use anser_tests::script::Script;

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
