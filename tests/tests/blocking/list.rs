//! The list: asked for, changed, kept.

use super::{friends, with_blocked};
use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;
use std::time::Duration;

/// XEP-0191 §3.2 to §3.5
#[test]
fn the_list_is_kept_and_every_device_that_asked_hears_of_changes() {
    let mut script = Script::new(&["alice"]);
    for actor in ["phone", "laptop", "deaf"] {
        script.log_in(actor, &format!("alice@example.org/{actor}"));
    }
    script.play(
        "
        phone  C: <iq type='get' id='1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        phone  S: <iq type='result' id='1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        laptop C: <iq type='get' id='2' to='alice@example.org'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        laptop S: <iq type='result' id='2'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        phone  C: <iq type='set' id='3'><block xmlns='urn:xmpp:blocking'>
            <item jid='Romeo@montague.example'/><item jid='iago.example'/></block></iq>
        phone  S: <iq type='result' id='3'/>
        phone  S: <iq type='set' to='alice@example.org/phone' id='block-0'><block xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.example'/><item jid='iago.example'/></block></iq>
        laptop S: <iq type='set' to='alice@example.org/laptop' id='block-0'><block xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.example'/><item jid='iago.example'/></block></iq>
        laptop C: <iq type='result' id='block-0'/>
        deaf   S: nothing
        deaf   C: <iq type='get' id='4'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        deaf   S: <iq type='result' id='4'><blocklist xmlns='urn:xmpp:blocking'>
            <item jid='romeo@montague.example'/><item jid='iago.example'/></blocklist></iq>
        deaf   C: <iq type='set' id='5'><unblock xmlns='urn:xmpp:blocking'><item jid='iago.example'/></unblock></iq>
        deaf   S: <iq type='result' id='5'/>
        deaf   S: <iq type='set' id='block-1'><unblock xmlns='urn:xmpp:blocking'><item jid='iago.example'/></unblock></iq>
        phone  S: <iq type='set'><unblock xmlns='urn:xmpp:blocking'><item jid='iago.example'/></unblock></iq>
        laptop S: <iq type='set'/>
        laptop S: nothing
        phone  C: <iq type='set' id='6'><unblock xmlns='urn:xmpp:blocking'/></iq>
        phone  S: <iq type='result' id='6'/>
        phone  S: <iq type='set'/>
        ",
    );
    let push = script.receive("deaf");
    let unblock = push.child("urn:xmpp:blocking", "unblock").unwrap();
    assert_eq!(unblock.children().count(), 0);
    script.send(
        "phone",
        "<iq type='get' id='7'><blocklist xmlns='urn:xmpp:blocking'/></iq>",
    );
    let answer = script.receive("phone");
    let list = answer.child("urn:xmpp:blocking", "blocklist").unwrap();
    assert_eq!(list.children().count(), 0);
}

/// XEP-0191 §3.3: "the server MUST return a bad-request error"; "Other standard
/// XMPP stanza errors also apply".
#[test]
fn a_command_that_names_nobody_or_something_else_is_refused() {
    let mut script = friends();
    script.play(
        "
        alice C: <iq type='set' id='1'><block xmlns='urn:xmpp:blocking'/></iq>
        alice S: <iq type='error' id='1'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='set' id='2'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/>
            <item jid='@'/></block></iq>
        alice S: <iq type='error' id='2'><error type='modify'>
            <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='set' id='3'><unblock xmlns='urn:xmpp:blocking'><item/></unblock></iq>
        alice S: <iq type='error' id='3'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        alice C: <iq type='get' id='4' to='bob@example.org'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        alice S: <iq type='error' id='4'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   C: <message to='alice@example.org' type='chat'><body>still here</body></message>
        alice S: <message from='bob@example.org/phone'><body>still here</body></message>
        ",
    );
}

/// Every input has a limit, here `accounts.blocked`.
#[test]
fn an_account_blocks_so_many_and_no_more() {
    let accounts = AccountsConfig {
        blocked: 2,
        ..AccountsConfig::default()
    };
    let world = World::with_config(1, &["alice"], accounts, XmppConfig::default());
    let mut script = Script::in_world(world);
    script.log_in("alice", "alice@example.org/phone");
    script.change_blocks("alice", "block", &["a.example", "b.example"]);
    script.change_blocks("alice", "block", &["a.example"]);
    script.play(
        "
        alice C: <iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='c.example'/></block></iq>
        alice S: <iq type='error' id='1'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
    script.change_blocks("alice", "unblock", &["a.example"]);
    script.change_blocks("alice", "block", &["c.example"]);
}

/// XEP-0191 §3.3: "applies across sessions"; whoever is away is not written to
/// either.
#[test]
fn a_block_outlasts_the_sessions_and_the_memory_of_the_server() {
    let mut script = with_blocked(&["bob@example.org"]);
    script.send("alice", "</stream:stream>");
    script.world.pass(Duration::from_secs(600));
    script.world.settle();
    script.forget("bob");
    script.play(
        "
        bob C: <message to='alice@example.org' type='chat' id='1'><body>x</body></message>
        bob S: <message type='error' id='1' from='alice@example.org'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
    script.appear("alice", "alice@example.org/phone");
    script.expect_nothing("alice");
}
