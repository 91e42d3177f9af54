//! Messages that are taken back (XEP-0424).

use super::{MAM, ask, form, set, tell, three, told, two};
use anser_tests::script::Script;
use std::time::Duration;

/// What takes a message back, for somebody.
fn retract(id: &str, with: &str) -> String {
    format!(
        "<message to='{with}@example.org' type='chat' id='r1'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>\
         <body>I take it back</body></message>"
    )
}

/// XEP-0424 §4, §5
#[test]
fn a_message_that_is_taken_back_is_a_tombstone_in_both_archives() {
    let mut script = told(3);
    script.world.pass(Duration::from_secs(60));
    script.send("alice", &retract("m1", "bob"));
    script.expect(
        "bob",
        "<message id='r1'><retract xmlns='urn:xmpp:message-retract:1' id='m1'/></message>",
    );
    for actor in ["alice", "bob"] {
        let answer = ask(&mut script, actor, "");
        assert_eq!(answer.texts(), ["0", "", "2", "I take it back"]);
        let id = answer.id(1);
        let one = form(&[("ids", id)]);
        script.play(&format!(
            "
            {actor} C: <iq type='set' id='q'><query xmlns='{MAM}'>{one}</query></iq>
            {actor} S: <message><result xmlns='{MAM}' id='{id}'>
                <forwarded xmlns='urn:xmpp:forward:0'>
                <delay xmlns='urn:xmpp:delay' stamp='2026-11-20T00:00:02.000Z'/>
                <message xmlns='jabber:client' from='alice@example.org/phone' to='bob@example.org'
                    type='chat' id='m1'><retracted xmlns='urn:xmpp:message-retract:1'
                    id='r1' stamp='2026-11-20T00:01:03.000Z'/></message></forwarded></result>
                </message>
            {actor} S: <iq type='result' id='q'/>
            "
        ));
    }
}

/// XEP-0424 §5
#[test]
fn nobody_takes_back_what_another_has_said() {
    let mut script = three();
    tell(&mut script, 0..1);
    // The recipient, and somebody else.
    script.send("bob", &retract("m0", "alice"));
    script.send("carol", &retract("m0", "bob"));
    // The sender, but in another conversation, and not to be kept.
    script.send("alice", &retract("m0", "carol"));
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat' id='r2'><body/>\
         <retract xmlns='urn:xmpp:message-retract:1' id='m0'/>\
         <no-store xmlns='urn:xmpp:hints'/></message>",
    );
    for actor in ["alice", "bob"] {
        script.forget(actor);
        assert_eq!(ask(&mut script, actor, "").texts()[0], "0");
    }
}

/// Also by another device, before the message is on the disk, and whoever was
/// away never sees it.
#[test]
fn a_message_is_taken_back_before_its_recipient_comes() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("laptop", "alice@example.org/laptop");
    script.send(
        "laptop",
        "<message to='bob@example.org' type='chat' id='other'><body>other</body></message>",
    );
    script.hold_commits(true);
    script.send(
        "alice",
        &format!(
            "<message to='bob@example.org' type='chat' id='m'><body>secret</body></message>{}{}",
            retract("m", "bob"),
            retract("other", "bob").replace("r1", "r2"),
        ),
    );
    script.hold_commits(false);
    script.world.settle();
    script.log_in("bob", "bob@example.org/phone");
    script.send("bob", "<presence/>");
    script.play(
        "
        bob S: <presence/>
        bob S: <message id='other'><retracted xmlns='urn:xmpp:message-retract:1' id='r2'/></message>
        bob S: <message id='m'><retracted xmlns='urn:xmpp:message-retract:1' id='r1'/></message>
        bob S: <message id='r1'/>
        bob S: <message id='r2'/>
        bob S: nothing
        ",
    );
}

/// Looking for it ends after two thousand messages.
#[test]
fn what_was_said_long_ago_is_not_taken_back() {
    let mut script = two();
    script.send(
        "alice",
        "<message to='bob@example.org' id='old'><body>old</body></message>",
    );
    let burst = "<message to='bob@example.org' id='x'><body>x</body></message>".repeat(100);
    for _ in 0..19 {
        script.send("alice", &burst);
    }
    script.send("alice", &retract("old", "bob"));
    script.forget("bob");
    let first = set("<max>1</max>");
    assert_eq!(ask(&mut script, "bob", &first).texts(), [""]);
    script.send(
        "alice",
        "<message to='bob@example.org' id='old2'><body>old</body></message>",
    );
    for _ in 0..20 {
        script.send("alice", &burst);
    }
    script.send("alice", &retract("old2", "bob"));
    script.forget("bob");
    let after = ask(
        &mut script,
        "bob",
        &format!("{}{}", form(&[]), set("<max>1</max><before/>")),
    );
    assert_eq!(after.texts(), ["I take it back"]);
    let mut page = ask(&mut script, "bob", &set("<max>250</max>"));
    let mut texts = Vec::new();
    loop {
        texts.extend(page.texts().iter().map(|text| (*text).to_owned()));
        if page.is_complete() {
            break;
        }
        let last = page.ends().unwrap().1;
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>250</max><after>{last}</after>")),
        );
    }
    assert_eq!(texts.len(), 1 + 1900 + 1 + 1 + 2000 + 1);
    assert_eq!(texts.iter().filter(|text| *text == "old").count(), 1);
}
