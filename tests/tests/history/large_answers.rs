//! Answers that are larger than what a client takes at once: they wait for it.

use super::{MAM, archived, set, tell};
use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;

/// Alice and Bob with a device each, at a server with these limits.
fn limited(config: XmppConfig) -> Script {
    let users = ["alice", "bob"];
    let world = World::with_config(1, &users, AccountsConfig::default(), config);
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script
}

/// Bob may leave so many stanzas unacknowledged, and his archive has 300 messages.
fn careful(unacknowledged_stanzas: usize) -> Script {
    let config = XmppConfig {
        unacknowledged_stanzas,
        ..XmppConfig::default()
    };
    let mut script = limited(config);
    tell(&mut script, 0..300);
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("bob", "<enabled xmlns='urn:xmpp:sm:3'/>");
    script
}

/// XEP-0198 §4: a large page waits for a client that does not acknowledge, and
/// costs nobody their stream.
#[test]
fn a_large_page_comes_as_fast_as_it_is_acknowledged() {
    let mut script = careful(30);
    let question = set("<max>250</max>");
    script.send(
        "bob",
        &format!("<iq type='set' id='q'><query xmlns='{MAM}'>{question}</query></iq>"),
    );
    let (mut received, mut texts, mut unacknowledged) = (0, Vec::new(), 0);
    loop {
        let Some(element) = script.try_receive("bob") else {
            // It waits for exactly that.
            assert!(unacknowledged > 0, "stuck after {received}");
            unacknowledged = 0;
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        if element.name() == "r" {
            continue;
        }
        received += 1;
        unacknowledged += 1;
        assert!(unacknowledged <= 30);
        if element.name() == "iq" {
            assert_eq!(element.attribute("type").unwrap(), "result");
            break;
        }
        texts.push(archived(&element).1);
    }
    let expected: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
    // What is live comes too, and the stream goes on.
    script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>new</body></message>",
    );
    let message = script.receive("bob");
    let body = message.child("jabber:client", "body").unwrap();
    assert_eq!(body.text(), "new");
}

/// XEP-0198 §4: the limit is one of bytes too, and a page of large messages is
/// no exception.
#[test]
fn a_page_of_large_messages_is_under_way_a_piece_at_a_time() {
    const MOST_BYTES: usize = 300_000;
    let config = XmppConfig {
        unacknowledged_bytes: MOST_BYTES as u32,
        ..XmppConfig::default()
    };
    let mut script = limited(config);
    let large = "x".repeat(100_000);
    for _ in 0..30 {
        let message =
            format!("<message to='bob@example.org' type='chat'><body>{large}</body></message>");
        script.send("alice", &message);
        script.forget("bob");
    }
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("bob", "<enabled xmlns='urn:xmpp:sm:3'/>");
    let question = format!("<iq type='set' id='q'><query xmlns='{MAM}'/></iq>");
    script.send("bob", &question);
    let (mut received, mut bytes) = (0, 0);
    loop {
        let Some(element) = script.try_receive("bob") else {
            bytes = 0;
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        if element.name() == "r" {
            continue;
        }
        received += 1;
        bytes += element.raw().len();
        // The last may go beyond it.
        assert!(bytes < MOST_BYTES + large.len() + 1000, "{bytes}");
        if element.name() == "iq" {
            break;
        }
    }
    assert_eq!(received, 31);
    script.expect_open("bob");
}

/// XEP-0198 §5: the rest of an answer comes in the next connection.
#[test]
fn an_answer_goes_on_where_the_stream_does() {
    let config = XmppConfig {
        unacknowledged_stanzas: 10,
        ..XmppConfig::default()
    };
    let mut script = limited(config);
    tell(&mut script, 0..25);
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = script.receive("bob");
    let id = enabled.attribute("id").unwrap().into_owned();
    script.send(
        "bob",
        &format!("<iq type='set' id='q'><query xmlns='{MAM}'/></iq>"),
    );
    let mut texts = Vec::new();
    for _ in 0..7 {
        texts.push(archived(&script.receive("bob")).1);
    }
    script.cut("bob");
    script.authenticate("bob", "bob");
    script.send(
        "bob",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='7'/>"),
    );
    script.expect("bob", "<resumed xmlns='urn:xmpp:sm:3'/>");
    let mut received = 7;
    loop {
        let Some(element) = script.try_receive("bob") else {
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        match element.name() {
            "r" => continue,
            "iq" => break,
            _ => texts.push(archived(&element).1),
        }
        received += 1;
    }
    let expected: Vec<_> = (0..25).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
}

/// Questions whose answers nobody takes are bounded.
#[test]
fn whoever_asks_and_does_not_read_is_refused_further_answers() {
    let mut script = careful(30);
    for number in 0..34 {
        script.send(
            "bob",
            &format!("<iq type='set' id='q{number}'><query xmlns='{MAM}'/></iq>"),
        );
    }
    let mut refused = Vec::new();
    while let Some(element) = script.try_receive("bob") {
        if element.name() == "iq" {
            let error = element.child("jabber:client", "error").unwrap();
            let condition = "urn:ietf:params:xml:ns:xmpp-stanzas";
            assert!(error.child(condition, "resource-constraint").is_some());
            refused.push(element.attribute("id").unwrap().into_owned());
        }
    }
    assert_eq!(refused, ["q32", "q33"]);
    script.expect_open("bob");
}
