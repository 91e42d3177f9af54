//! Slow mode: whoever has spoken waits (XEP-0500).

use super::{COVEN, configure, coven, field, join};
use anser_tests::script::Script;

/// A room in which one waits so many seconds after each message, and Bob in it.
fn slow_room(seconds: u32) -> Script {
    let mut script = coven();
    let slow = field("muc#roomconfig_slow_mode_duration", &seconds.to_string());
    configure(&mut script, "alice", &slow);
    join(&mut script, "bob", "bob", &["alice"]);
    script
}

/// Something to say to all.
fn say(id: &str) -> String {
    format!("<message to='{COVEN}' type='groupchat' id='{id}'><body>x</body></message>")
}

/// XEP-0500 §5
#[test]
fn in_slow_mode_messages_wait_and_signals_do_not() {
    let mut script = slow_room(20);
    script.send("bob", &say("1"));
    script.expect("bob", "<message type='groupchat' id='1'/>");
    script.send("bob", &say("2"));
    script.play(
        "
        bob C: <message to='coven@rooms.example.org' type='groupchat' id='c'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
        bob S: <message type='error' id='2'><error type='wait'>
            <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob S: <message type='groupchat' id='c'/>
        ",
    );
    script.world.pass(std::time::Duration::from_secs(20));
    script.send("bob", &say("3"));
    script.expect("bob", "<message type='groupchat' id='3'/>");
    script.forget("alice");
    for id in ["4", "5"] {
        script.send("alice", &say(id));
        script.expect("alice", &format!("<message type='groupchat' id='{id}'/>"));
    }
}

/// XEP-0500 §5: whoever leaves and comes back has spoken all the same.
#[test]
fn slow_mode_is_of_the_account_and_not_of_the_visit() {
    let mut script = slow_room(20);
    script.send("bob", &say("s"));
    script.expect("bob", "<message type='groupchat' id='s'/>");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    join(&mut script, "bob", "hag", &["alice"]);
    script.send("bob", &say("s"));
    script.expect("bob", "<message type='error' id='s'/>");
}

/// XEP-0500 §5: whoever has to wait for a day does so also in a room that nobody
/// was in meanwhile, and that has left memory.
#[test]
fn slow_mode_outlasts_the_last_visit() {
    let mut script = slow_room(86_400);
    script.send("bob", &say("1"));
    for actor in ["alice", "bob"] {
        let leave = format!("<presence to='{COVEN}/{actor}' type='unavailable'/>");
        script.send(actor, &leave);
    }
    let pass = |script: &mut Script, seconds| {
        script.world.pass(std::time::Duration::from_secs(seconds));
        script.world.settle();
    };
    for (seconds, id, kind) in [(61, "2", "error"), (86_340, "3", "groupchat")] {
        pass(&mut script, seconds);
        pass(&mut script, 1);
        assert_eq!(script.world.hub().room_count(), 0);
        join(&mut script, "bob", "bob", &["alice"]);
        script.send("bob", &say(id));
        script.expect("bob", &format!("<message type='{kind}' id='{id}'/>"));
        let leave = format!("<presence to='{COVEN}/bob' type='unavailable'/>");
        script.send("bob", &leave);
        script.forget("bob");
    }
}

/// XEP-0500 §5: "Only messages containing at least one 'body' element" have to
/// wait, and all of them: also one that is there for those who do not know what
/// else it does.
#[test]
fn in_slow_mode_a_retraction_waits_if_it_has_something_to_read() {
    let mut script = slow_room(20);
    let to = format!("to='{COVEN}' type='groupchat'");
    script.send("bob", &format!("<message {to}><body>x</body></message>"));
    let said = script.receive("bob");
    let place = said.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let place = place.attribute("id").unwrap();
    let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{place}'/>");
    script.send(
        "bob",
        &format!("<message {to} id='r'>{retract}<body>y</body></message>"),
    );
    script.expect(
        "bob",
        "<message type='error' id='r'><error type='wait'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.send("bob", &format!("<message {to} id='s'>{retract}</message>"));
    script.expect("bob", "<message type='groupchat' id='s'/>");
}

/// XEP-0500 §5: only who has spoken waits.
#[test]
fn in_slow_mode_nobody_waits_for_what_was_refused() {
    let mut script = slow_room(20);
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    config.rooms.room_burst_messages = 1;
    config.rooms.room_messages_per_second = 1;
    hub.configure(config);
    script.send("alice", &say("1"));
    script.forget("bob");
    script.send("bob", &say("2"));
    script.expect("bob", "<message type='error' id='2'/>");
    script.world.pass(std::time::Duration::from_secs(1));
    script.send("bob", &say("3"));
    script.expect("bob", "<message type='groupchat' id='3'/>");
}
