//! Clients that nobody looks at (XEP-0352).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::script::Script;

const INACTIVE: &str = "<inactive xmlns='urn:xmpp:csi:0'/>";
const ACTIVE: &str = "<active xmlns='urn:xmpp:csi:0'/>";
const TYPING: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

/// Alice and Bob see each other, and nobody looks at Bob's phone.
fn in_the_pocket() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.befriend("alice", "bob");
    script.send("bob", INACTIVE);
    script.expect_nothing("bob");
    script
}

/// XEP-0352 §4.1
#[test]
fn the_server_offers_it_after_login() {
    let mut script = Script::new(&["alice"]);
    let features = script.authenticate("alice", "alice");
    assert!(features.child("urn:xmpp:csi:0", "csi").is_some());
}

/// XEP-0352 §3.2
#[test]
fn of_a_sender_only_the_latest_presence_comes_and_when_somebody_looks() {
    let mut script = in_the_pocket();
    for status in ["dinner", "back", "asleep"] {
        let presence = format!("<presence><status>{status}</status></presence>");
        script.send("alice", &presence);
        script.forget("alice");
    }
    script.expect_nothing("bob");
    script.send("bob", ACTIVE);
    script.play(
        "
        bob   S: <presence from='alice@example.org/phone'><status>asleep</status></presence>
        bob   S: nothing
        alice C: <presence><status>awake</status></presence>
        bob   S: <presence from='alice@example.org/phone'><status>awake</status></presence>
        ",
    );
}

/// XEP-0352 §3.2
#[test]
fn a_message_comes_at_once_and_what_was_held_back_before_it() {
    let mut script = in_the_pocket();
    script.play(&format!(
        "
        alice C: <presence><show>away</show></presence>
        alice C: <message to='bob@example.org' type='chat'>{TYPING}</message>
        bob   S: nothing
        alice C: <message to='bob@example.org' type='chat'><body>hello</body></message>
        bob   S: <presence from='alice@example.org/phone'><show>away</show></presence>
        bob   S: <message>{TYPING}</message>
        bob   S: <message><body>hello</body></message>
        bob   S: nothing
        alice C: <message to='bob@example.org' type='chat'>
            <received xmlns='urn:xmpp:receipts' id='1'/></message>
        bob   S: <message><received xmlns='urn:xmpp:receipts' id='1'/></message>
        alice C: <presence><show>dnd</show></presence>
        bob   S: nothing
        alice C: <iq type='get' to='bob@example.org/phone' id='q'><x xmlns='urn:x'/></iq>
        bob   S: <presence from='alice@example.org/phone'><show>dnd</show></presence>
        bob   S: <iq type='get' id='q'/>
        "
    ));
}

/// RFC 6121 §3.1: a request is for the user.
#[test]
fn a_request_comes_at_once() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.send("bob", INACTIVE);
    script.send("alice", "<presence to='bob@example.org' type='subscribe'/>");
    script.expect(
        "bob",
        "<presence from='alice@example.org' type='subscribe'/>",
    );
}

/// XEP-0352 §5.1
#[test]
fn whoever_comes_back_and_asks_has_first_what_was_held_back() {
    let mut script = in_the_pocket();
    let ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    script.send("alice", "<presence><show>away</show></presence>");
    script.send("bob", &format!("{ACTIVE}{ping}"));
    script.expect("bob", "<presence><show>away</show></presence>");
    script.expect("bob", "<iq type='result' id='p'/>");
}

/// What goes out takes along what was held back, if nobody looks then either.
#[test]
fn an_answer_takes_along_what_was_held_back() {
    let mut script = in_the_pocket();
    script.send("alice", "<presence><show>away</show></presence>");
    script.send(
        "bob",
        "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    script.expect("bob", "<presence><show>away</show></presence>");
    script.expect("bob", "<iq type='result' id='p'/>");
    script.send("alice", "<presence><show>dnd</show></presence>");
    script.expect_nothing("bob");
}

/// XEP-0352 §5: "the CSI active/inactive state is unrelated to the user's
/// presence"
#[test]
fn nobody_sees_that_nobody_looks() {
    let mut script = in_the_pocket();
    script.forget("alice");
    script.send("bob", ACTIVE);
    script.send("bob", INACTIVE);
    script.send("bob", INACTIVE);
    script.expect_nothing("bob");
    script.expect_nothing("alice");
}

/// XEP-0198 §4: it is no stanza, and what is held back was not sent.
#[test]
fn what_is_held_back_does_not_count_as_sent() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.befriend("alice", "bob");
    script.play(&format!(
        "
        bob   C: <enable xmlns='urn:xmpp:sm:3'/>
        bob   S: <enabled xmlns='urn:xmpp:sm:3'/>
        bob   C: {INACTIVE}
        bob   C: <r xmlns='urn:xmpp:sm:3'/>
        bob   S: <a xmlns='urn:xmpp:sm:3' h='0'/>
        alice C: <presence><show>away</show></presence>
        bob   C: <a xmlns='urn:xmpp:sm:3' h='0'/>
        bob   S: nothing
        bob   C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob   S: <stream:error><undefined-condition
            xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        "
    ));
}

/// XEP-0352 §5.2
#[test]
fn a_stream_that_is_resumed_has_somebody_looking() {
    let mut script = in_the_pocket();
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let id = script.receive("bob").attribute("id").unwrap().into_owned();
    script.send("alice", "<presence><show>away</show></presence>");
    script.cut("bob");
    script.authenticate("bob", "bob");
    script.send(
        "bob",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"),
    );
    script.play(
        "
        bob   S: <resumed xmlns='urn:xmpp:sm:3'/>
        bob   S: <presence from='alice@example.org/phone'><show>away</show></presence>
        alice C: <presence><show>dnd</show></presence>
        bob   S: <presence from='alice@example.org/phone'><show>dnd</show></presence>
        ",
    );
}
