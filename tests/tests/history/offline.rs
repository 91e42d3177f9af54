//! What waits for a device: all that it has not read in the archive, and no more.

use super::{MAM, form, set, two};
use anser_jid::BareJid;
use anser_store::{MessageId, Page, View};
use anser_tests::script::Script;
use std::time::Duration;

/// Whoever logs in waits for what is not done, not for what they have written in
/// their life.
#[test]
fn what_an_account_has_written_is_not_read_when_it_logs_in() {
    let mut script = two();
    let burst = "<message to='bob@example.org' type='chat'><body>x</body></message>".repeat(100);
    for _ in 0..11 {
        script.send("alice", &burst);
    }
    script.world.pass(Duration::from_secs(1));
    script.world.settle();
    let store = script.world.store().clone();
    let (is_written, newer) = script.world.complete(async move {
        let alice = BareJid::parse("alice@example.org").unwrap();
        let read = move |view: &View<'_>| {
            let record = view.record(&alice, "inbox", "")?;
            let record = record.map(|record| String::from_utf8(record.value.to_vec()).unwrap());
            let from = record
                .as_deref()
                .and_then(|record| record.split('"').nth(3));
            let from: MessageId = from.map_or(MessageId::FIRST, |from| from.parse().unwrap());
            let page = Page {
                after: from,
                ..Page::oldest(2000)
            };
            Ok((from != MessageId::FIRST, view.places(&alice, &page)?.len()))
        };
        store.read(read).await.unwrap()
    });
    assert!(is_written);
    assert!(newer < 500, "{newer} of 1100 are read");
}

/// XEP-0313 §6.1.1: what a client has read in the archive it is not given again,
/// and nothing else counts as read: not what is on other pages, and not what is
/// in no archive.
#[test]
fn a_device_is_given_what_it_has_not_read_in_the_archive() {
    let with_carol = form(&[("with", "carol@example.org")]);
    let questions = [
        (String::new(), &["unarchived"][..]),
        (set("<before/>"), &["unarchived"]),
        (set("<before/><max>1</max>"), &["first", "unarchived"]),
        (set("<max>1</max>"), &["unarchived", "second"]),
        (set("<max>0</max>"), &["first", "unarchived", "second"]),
        (with_carol, &["first", "unarchived", "second"]),
        (
            set("<after>0000000000000001</after>"),
            &["first", "unarchived", "second"],
        ),
    ];
    for (question, given) in questions {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        let passing = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
        for (id, hint) in [("first", ""), ("unarchived", passing), ("second", "")] {
            let message = format!(
                "<message to='bob@example.org' type='chat' id='{id}'><body>x</body>{hint}</message>"
            );
            script.send("alice", &message);
        }
        script.log_in("bob", "bob@example.org/phone");
        let ask = format!("<iq type='set' id='q'><query xmlns='{MAM}'>{question}</query></iq>");
        script.send("bob", &ask);
        script.forget("bob");
        script.send("bob", "<presence/>");
        script.expect("bob", "<presence from='bob@example.org/phone'/>");
        for id in given {
            script.expect("bob", &format!("<message id='{id}'/>"));
        }
        script.expect_nothing("bob");
        // One device has everything now.
        script.appear("desk", "bob@example.org/desk");
        script.expect("desk", "<presence from='bob@example.org/phone'/>");
        script.expect_nothing("desk");
    }
}

/// XEP-0198 §4, XEP-0313 §6.1.1: what was sent out of the archive is read when it
/// is acknowledged.
#[test]
fn what_was_read_in_an_archive_and_not_acknowledged_waits_for_the_next_device() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    for id in ["m1", "m2"] {
        let message =
            format!("<message to='bob@example.org' type='chat' id='{id}'><body>x</body></message>");
        script.send("alice", &message);
    }
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        bob C: <enable xmlns='urn:xmpp:sm:3'/>
        bob S: <enabled xmlns='urn:xmpp:sm:3'/>
        bob C: <iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>
        bob S: <message><result xmlns='urn:xmpp:mam:2'/></message>
        bob S: <message><result xmlns='urn:xmpp:mam:2'/></message>
        bob S: <iq type='result' id='q'/>
        bob C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob C: <presence/>
        bob S: <presence from='bob@example.org/phone'/>
        bob S: nothing
        ",
    );
    script.cut("bob");
    script.log_in("desk", "bob@example.org/desk");
    script.play(
        "
        desk C: <presence/>
        desk S: <presence from='bob@example.org/desk'/>
        desk S: <message id='m2'/>
        desk S: nothing
        ",
    );
}
