//! Acknowledgements and resumption (XEP-0198). What happens to clients that do not
//! acknowledge is in `security`.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;
use std::time::Duration;

/// Bob with acknowledgements on, and the id of his stream.
fn managed(script: &mut Script) -> String {
    script.log_in("bob", "bob@example.org/phone");
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = script.receive("bob");
    assert_eq!(enabled.attribute("resume").as_deref(), Some("true"));
    assert_eq!(enabled.attribute("max").as_deref(), Some("300"));
    script.send("bob", "<presence/>");
    script.expect("bob", "<presence from='bob@example.org/phone'/>");
    let id = enabled.attribute("id").unwrap().into_owned();
    assert!(id.len() >= 32, "128 bits: {id}");
    id
}

fn alice_and_bob() -> (Script, String) {
    let mut script = Script::new(&["alice", "bob"]);
    script.log_in("alice", "alice@example.org/phone");
    let id = managed(&mut script);
    (script, id)
}

/// XEP-0198 §4
#[test]
fn stanzas_are_counted_both_ways() {
    let (mut script, _) = alice_and_bob();
    script.play(
        "
        bob   C: <message to='alice@example.org' type='chat'><body>1</body></message>
        bob   C: <iq type='get' to='example.org' id='p'><ping xmlns='urn:xmpp:ping'/></iq>
        bob   S: <iq type='result' id='p'/>
        bob   C: <r xmlns='urn:xmpp:sm:3'/>
        bob   S: <a xmlns='urn:xmpp:sm:3' h='3'/>
        bob   C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob   C: <a xmlns='urn:xmpp:sm:3' h='2'/>
        bob   S: nothing
        ",
    );
}

/// XEP-0198 §4
#[test]
fn a_client_is_asked_after_a_while_and_after_many_stanzas() {
    let (mut script, _) = alice_and_bob();
    say_to_bob(&mut script);
    script.world.pass(Duration::from_millis(999));
    script.expect_nothing("bob");
    script.world.pass(Duration::from_millis(1));
    script.play(
        "
        bob S: <r xmlns='urn:xmpp:sm:3'/>
        bob C: <a xmlns='urn:xmpp:sm:3' h='2'/>
        ",
    );
    for _ in 0..20 {
        say_to_bob(&mut script);
    }
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
}

/// XEP-0198 §4: when to ask is up to each side. In a large room there is no end of
/// presences.
#[test]
fn a_client_is_not_asked_so_soon_for_what_others_are_doing() {
    let (mut script, _) = alice_and_bob();
    script.world.pass(Duration::from_millis(29_999));
    script.expect_nothing("bob");
    script.world.pass(Duration::from_millis(1));
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
}

fn say_to_bob(script: &mut Script) {
    let message = "<message to='bob@example.org' type='chat'><body>x</body></message>";
    script.send("alice", message);
    let _message = script.receive("bob");
}

/// XEP-0198 §4: acknowledged means durable
#[test]
fn an_acknowledgement_waits_for_the_disk_and_so_does_everybody_else() {
    let (mut script, _) = alice_and_bob();
    script.appear("carol", "alice@example.org/laptop");
    script.hold_commits(true);
    script.play(
        "
        bob   C: <message to='alice@example.org' type='chat'><body>1</body></message>
            <r xmlns='urn:xmpp:sm:3'/>
        bob   S: nothing
        carol S: nothing
        ",
    );
    script.hold_commits(false);
    script.play(
        "
        bob   S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        carol S: <message><body>1</body></message>
        ",
    );
}

/// XEP-0198 §4: a message that could not be kept is refused, and only then
/// counts as handled.
#[test]
fn a_full_disk_refuses_messages_and_loses_none() {
    let (mut script, _) = alice_and_bob();
    script.world.space().grant(Some(0));
    script.play(
        "
        bob C: <message to='alice@example.org' type='chat' id='m1'><body>1</body></message>
            <r xmlns='urn:xmpp:sm:3'/>
        bob S: <message type='error' from='alice@example.org' id='m1'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        bob S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        bob C: <iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>
        bob S: <iq type='error' id='s'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob C: <presence to='alice@example.org' type='subscribe' id='p'/>
        bob S: <presence type='error' id='p'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        ",
    );
    script.world.space().grant(None);
    script.play(
        "
        bob C: <message to='alice@example.org' type='chat' id='m2'><body>2</body></message>
        bob S: nothing
        alice C: <presence/>
        alice S: <presence/>
        alice S: <message id='m2'><body>2</body></message>
        alice S: nothing
        ",
    );
}

/// XEP-0198 §5
#[test]
fn a_stream_goes_on_where_the_connection_broke() {
    let (mut script, id) = alice_and_bob();
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='1'><body>1</body></message>
        bob   S: <message id='1'/>
        bob   C: <message to='alice@example.org' type='chat' id='2'><body>2</body></message>
        ",
    );
    script.cut("bob");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='3'><body>3</body></message>
        alice C: <iq type='get' to='bob@example.org/phone' id='4'><ping xmlns='urn:xmpp:ping'/></iq>
        alice S: nothing
        ",
    );
    script.world.pass(Duration::from_secs(299));
    script.authenticate("bob", "bob");
    // He has seen his own presence, and the first message got lost on the way.
    script.play(&format!(
        "
        bob   C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        bob   S: <resumed xmlns='urn:xmpp:sm:3' previd='{id}' h='2'/>
        bob   S: <message id='1'><body>1</body></message>
        bob   S: <message id='3'><body>3</body><delay xmlns='urn:xmpp:delay'/></message>
        bob   S: <iq type='get' id='4'/>
        bob   S: <r xmlns='urn:xmpp:sm:3'/>
        bob   C: <a xmlns='urn:xmpp:sm:3' h='4'/>
        bob   C: <r xmlns='urn:xmpp:sm:3'/>
        bob   S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        bob   S: nothing
        "
    ));
}

/// XEP-0198 §5: the old connection may look alive for long.
#[test]
fn a_stream_is_taken_over_from_a_connection_that_nobody_missed() {
    let (mut script, id) = alice_and_bob();
    script.authenticate("again", "bob");
    script.play(&format!(
        "
        again C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        again S: <resumed xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        bob   S: <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        bob   S: </stream:stream>
        bob   S: closed
        alice C: <message to='bob@example.org' type='chat' id='1'><body>1</body></message>
        again S: <message id='1'/>
        "
    ));
}

/// XEP-0198 §5: what nobody acknowledged goes to whoever is there, or waits.
#[test]
fn a_stream_that_nobody_comes_back_to_leaves_its_messages() {
    let (mut script, id) = alice_and_bob();
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='1'><body>1</body></message>
        bob   S: <message id='1'/>
        alice C: <message to='bob@example.org/phone' type='chat' id='2'><body>2</body></message>
        bob   S: <message id='2'/>
        alice C: <iq type='get' to='bob@example.org/phone' id='3'><ping xmlns='urn:xmpp:ping'/></iq>
        bob   S: <iq id='3'/>
        ",
    );
    script.cut("bob");
    script.appear("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop S: <presence from='bob@example.org/phone'/>
        laptop S: <message id='1'><delay xmlns='urn:xmpp:delay'/></message>
        laptop S: nothing
        ",
    );
    script.world.pass(Duration::from_secs(301));
    script.play(
        "
        alice  S: <iq type='error' from='bob@example.org/phone' id='3'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        laptop S: <message id='2'><delay xmlns='urn:xmpp:delay'/></message>
        laptop S: <presence type='unavailable' from='bob@example.org/phone'/>
        ",
    );
    script.authenticate("bob", "bob");
    script.play(&format!(
        "
        bob C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        bob S: <failed xmlns='urn:xmpp:sm:3'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        bob C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        bob S: <iq type='result' id='b'/>
        "
    ));
}

/// XEP-0198 §5, §10: a stream belongs to its account.
#[test]
fn nobody_resumes_the_stream_of_another() {
    let (mut script, id) = alice_and_bob();
    script.cut("bob");
    script.authenticate("eve", "alice");
    script.play(&format!(
        "
        eve C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>
        eve S: <failed xmlns='urn:xmpp:sm:3'>
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        "
    ));
    script.authenticate("bob", "bob");
    script.play(&format!(
        "
        bob C: <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>
        bob S: <resumed xmlns='urn:xmpp:sm:3' previd='{id}'/>
        "
    ));
}

/// XEP-0198 §5: a goodbye is final.
#[test]
fn a_stream_that_was_closed_cannot_be_resumed() {
    let (mut script, id) = alice_and_bob();
    script.play(
        "
        bob C: </stream:stream>
        bob S: <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob S: </stream:stream>
        ",
    );
    script.authenticate("bob", "bob");
    script.send(
        "bob",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"),
    );
    script.expect("bob", "<failed xmlns='urn:xmpp:sm:3'/>");
}

/// XEP-0198 §4
#[test]
fn acknowledging_what_was_never_sent_ends_the_stream() {
    let (mut script, _) = alice_and_bob();
    script.play(
        "
        bob C: <a xmlns='urn:xmpp:sm:3' h='9'/>
        bob S: <stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            <handled-count-too-high xmlns='urn:xmpp:sm:3' h='9' send-count='1'/></stream:error>
        bob S: </stream:stream>
        bob S: closed
        ",
    );
}

/// XEP-0198 §3
#[test]
fn management_is_enabled_once_and_with_a_session_only() {
    let (mut script, _) = alice_and_bob();
    script.play(
        "
        bob C: <enable xmlns='urn:xmpp:sm:3'/>
        bob S: <failed xmlns='urn:xmpp:sm:3'>
            <unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        bob C: <resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>
        bob S: <failed xmlns='urn:xmpp:sm:3'/>
        ",
    );
    script.authenticate("early", "alice");
    script.play(
        "
        early C: <enable xmlns='urn:xmpp:sm:3'/>
        early S: <failed xmlns='urn:xmpp:sm:3'>
            <unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        ",
    );
}

/// XEP-0198 §3
#[test]
fn a_stream_can_be_acknowledged_without_being_resumable() {
    let mut script = Script::new(&["bob"]);
    script.log_in("bob", "bob@example.org/phone");
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/>");
    let enabled = script.receive("bob");
    assert_eq!(enabled.attribute("id"), None);
    assert_eq!(enabled.attribute("resume"), None);
}

/// XEP-0198 §6, RFC 6120 §4.6.3
#[test]
fn a_silent_client_is_asked_and_then_taken_for_gone() {
    let (mut script, id) = alice_and_bob();
    script.send("bob", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    script.world.pass(Duration::from_secs(300));
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    script.expect(
        "alice",
        "<iq type='get' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    script.world.pass(Duration::from_secs(59));
    script.send("alice", " ");
    script.expect_nothing("bob");
    script.world.pass(Duration::from_secs(1));
    script.play(
        "
        alice S: nothing
        bob S: <stream:error><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            </stream:error>
        bob S: </stream:stream>
        bob S: closed
        ",
    );
    script.authenticate("bob", "bob");
    script.send(
        "bob",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>"),
    );
    script.expect("bob", "<resumed xmlns='urn:xmpp:sm:3'/>");
}

/// XEP-0198 §4: whoever asks gets an answer, also while it goes on sending.
#[test]
fn an_acknowledgement_does_not_wait_for_what_is_sent_after_it_was_asked_for() {
    let (mut script, _) = alice_and_bob();
    script.hold_commits(true);
    let message = "<message to='alice@example.org' type='chat'><body>x</body></message>
        <r xmlns='urn:xmpp:sm:3'/>";
    script.send("bob", message);
    script.world.commit();
    script.send("bob", message);
    script.expect("bob", "<a xmlns='urn:xmpp:sm:3' h='2'/>");
    script.expect_nothing("bob");
    script.world.commit();
    script.world.settle();
    script.expect("bob", "<a xmlns='urn:xmpp:sm:3' h='3'/>");
}

/// XEP-0198 §4
#[test]
fn a_client_that_has_acknowledged_everything_is_not_asked() {
    let (mut script, _) = alice_and_bob();
    script.send("bob", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    script.world.pass(Duration::from_secs(60));
    script.expect_nothing("bob");
}

/// XEP-0198 §4: a client that comes back to another server process cannot resume,
/// and sends again what was not acknowledged.
#[test]
fn a_server_that_stops_acknowledges_first_what_it_has_taken() {
    let (mut script, _) = alice_and_bob();
    script.hold_commits(true);
    script.send(
        "bob",
        "<message to='alice@example.org' type='chat'><body>x</body></message>",
    );
    script.world.hub().close_all();
    script.world.settle();
    script.expect_nothing("bob");
    script.hold_commits(false);
    script.world.settle();
    script.play(
        "
        bob S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        bob S: <stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        bob S: </stream:stream>
        bob S: closed
        ",
    );
}

/// RFC 6120 §4.9.3.20: the end does not wait for mail that is held back.
#[test]
fn a_client_that_takes_nothing_is_told_at_once_that_the_server_stops() {
    let patience = XmppConfig {
        unacknowledged_stanzas: 2,
        ..XmppConfig::default()
    };
    let limits = AccountsConfig::default();
    let world = World::with_config(1, &["alice", "bob"], limits, patience);
    let mut script = Script::in_world(world);
    script.log_in("alice", "alice@example.org/phone");
    managed(&mut script);
    script.hold_commits(true);
    for _ in 0..5 {
        script.send(
            "alice",
            "<message to='bob@example.org' type='chat'><body>x</body></message>",
        );
    }
    script.world.commit();
    script.world.hub().close_all();
    script.world.settle();
    let mut last = script.receive("bob");
    while last.name() != "error" {
        last = script.receive("bob");
    }
    assert!(
        last.children()
            .any(|child| child.name() == "system-shutdown")
    );
}

/// RFC 6120 §4.6.4: whoever is asked has time to answer, also when the machine
/// was asleep meanwhile.
#[test]
fn the_time_for_a_sign_of_life_counts_from_the_question() {
    let (mut script, _) = alice_and_bob();
    script.send("bob", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    script.world.pass(Duration::from_secs(3600));
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    script.world.pass(Duration::from_secs(59));
    script.expect_open("bob");
    script.world.pass(Duration::from_secs(1));
    script.expect(
        "bob",
        "<stream:error><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
}

/// RFC 6120 §4.9.3.20: whoever comes while the server stops does not keep it from
/// doing so.
#[test]
fn nobody_gets_a_session_while_the_server_stops() {
    let (mut script, id) = alice_and_bob();
    script.cut("bob");
    for actor in ["new", "back"] {
        script.authenticate(actor, "bob");
    }
    assert_eq!(script.world.hub().session_count(), 2);
    script.world.front().stop();
    assert_eq!(script.world.hub().session_count(), 1);
    let bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    let resume = format!("<resume xmlns='urn:xmpp:sm:3' h='0' previd='{id}'/>");
    for (actor, request) in [("new", bind), ("back", &resume)] {
        script.send(actor, request);
        script.play(&format!(
            "{actor} S: <stream:error><system-shutdown \
             xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ));
        script.expect(actor, "</stream:stream>");
        script.expect_closed(actor);
    }
    assert_eq!(script.world.hub().session_count(), 1);
}

#[test]
fn a_stream_whose_connection_breaks_while_the_server_stops_ends_at_once() {
    let (mut script, _) = alice_and_bob();
    script.world.front().stop();
    assert_eq!(script.world.hub().session_count(), 2);
    script.cut("bob");
    assert_eq!(script.world.hub().session_count(), 1);
}
