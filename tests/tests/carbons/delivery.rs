//! When a copy comes, and what waits for other devices if it is lost.

use super::{conversation, copy, enable};
use anser_tests::script::Script;

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
