//! Whoever does not read what they are sent fills queues: these have an end, and
//! reaching it costs the reader and nobody else.

use anser_hub::AccountsConfig;
use anser_store::JournalLimits;
use anser_tests::client::{Client, Fault};
use anser_tests::program::Anser;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xml::Element;
use anser_xmpp::XmppConfig;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Alice and Bob in a world with these limits; Bob acknowledges, or says so.
fn alice_and_bob(limits: AccountsConfig, patience: XmppConfig) -> Script {
    let world = World::with_config(1, &["alice", "bob", "carol"], limits, patience);
    let mut script = Script::in_world(world);
    script.log_in("alice", "alice@example.org/phone");
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        bob C: <enable xmlns='urn:xmpp:sm:3' resume='true'/>
        bob S: <enabled xmlns='urn:xmpp:sm:3'/>
        bob C: <presence/>
        bob S: <presence from='bob@example.org/phone'/>
        ",
    );
    script
}

fn send_to_bob(script: &mut Script, id: usize, body: &str) {
    script.send(
        "alice",
        &format!(
            "<message to='bob@example.org' type='chat' id='{id}'><body>{body}</body></message>"
        ),
    );
    script.expect_nothing("alice");
}

/// CVE-2010-0305, GHSA-x337-43mr-gg3h: a reader that does not read costs itself
/// only.
#[test]
fn a_client_that_does_not_acknowledge_loses_its_session_and_nobody_else_notices() {
    let limits = AccountsConfig {
        mailbox_events: 50,
        ..AccountsConfig::default()
    };
    let patience = XmppConfig {
        unacknowledged_stanzas: 10,
        ..XmppConfig::default()
    };
    let mut script = alice_and_bob(limits, patience);
    for number in 0..70 {
        send_to_bob(&mut script, number, "x");
    }
    // One presence and nine messages are under way, and then it is over.
    for number in 0..9 {
        script.expect("bob", &format!("<message id='{number}'/>"));
    }
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    crate::expect_stream_error(&mut script, "bob", "resource-constraint");
    // Nothing is lost by it.
    script.appear("again", "bob@example.org/phone");
    for number in 0..70 {
        script.expect("again", &format!("<message id='{number}'/>"));
    }
    script.expect_nothing("again");
}

/// CVE-2010-0305: the mailbox is bounded in bytes too.
#[test]
fn a_few_large_messages_fill_a_mailbox_as_many_small_ones_do() {
    let limits = AccountsConfig {
        mailbox_bytes: 100_000,
        ..AccountsConfig::default()
    };
    let patience = XmppConfig {
        unacknowledged_stanzas: 1,
        ..XmppConfig::default()
    };
    let mut script = alice_and_bob(limits, patience);
    let body = "x".repeat(30_000);
    for number in 0..4 {
        send_to_bob(&mut script, number, &body);
    }
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    crate::expect_stream_error(&mut script, "bob", "resource-constraint");
}

/// CVE-2010-0305: nor is more under way to a client than so many bytes, however
/// few stanzas that is.
#[test]
fn large_messages_wait_for_acknowledgements_as_many_small_ones_do() {
    let patience = XmppConfig {
        unacknowledged_bytes: 100_000,
        ..XmppConfig::default()
    };
    let mut script = alice_and_bob(AccountsConfig::default(), patience);
    let body = "x".repeat(30_000);
    for number in 0..8 {
        send_to_bob(&mut script, number, &body);
    }
    for number in 0..4 {
        script.expect("bob", &format!("<message id='{number}'/>"));
    }
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    script.expect_nothing("bob");
    script.send("bob", "<a xmlns='urn:xmpp:sm:3' h='4'/>");
    for number in 4..7 {
        script.expect("bob", &format!("<message id='{number}'/>"));
    }
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    script.expect_nothing("bob");
    script.send("bob", "<a xmlns='urn:xmpp:sm:3' h='8'/>");
    script.expect("bob", "<message id='7'/>");
}

/// CVE-2010-0305: what a client asks for and does not acknowledge is bounded as
/// well, and it is asked in time.
#[test]
fn a_client_that_only_asks_and_never_acknowledges_loses_its_stream() {
    let patience = XmppConfig {
        unacknowledged_stanzas: 30,
        ..XmppConfig::default()
    };
    let mut script = alice_and_bob(AccountsConfig::default(), patience);
    let ping = "<iq type='get' to='example.org' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    // One presence is under way as well.
    for _ in 0..59 {
        script.send("bob", ping);
    }
    let (mut answers, mut asked) = (0, 0);
    while answers < 59 {
        match script.receive("bob").name() {
            "iq" => answers += 1,
            "r" => asked += 1,
            other => panic!("{other} after {answers} answers"),
        }
    }
    assert!(asked > 0);
    script.expect("bob", "<r xmlns='urn:xmpp:sm:3'/>");
    crate::expect_stream_error(&mut script, "bob", "policy-violation");
}

/// A world with a journal that is full at 100,000 bytes, with Alice and Bob in it.
fn with_small_journal() -> Script {
    let limits = JournalLimits {
        queue_bytes: 100_000,
        ..JournalLimits::default()
    };
    let (accounts, patience) = (AccountsConfig::default(), XmppConfig::default());
    let world = World::with_limits(1, &["alice", "bob"], accounts, patience, limits);
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script
}

/// GHSA-x337-43mr-gg3h: what waits behind a slow disk without being written is
/// held in memory like what is.
#[test]
fn what_is_not_kept_fills_the_journal_too() {
    let typing = |bytes| {
        let padding = "x".repeat(bytes);
        format!(
            "<message to='bob@example.org' type='chat'>\
             <composing xmlns='http://jabber.org/protocol/chatstates'>{padding}</composing></message>"
        )
    };
    let question = |bytes| {
        let padding = "x".repeat(bytes);
        format!(
            "<iq to='bob@example.org/phone' type='get' id='1'><x xmlns='urn:x'>{padding}</x></iq>"
        )
    };
    for stanza in [typing(40_000), question(40_000)] {
        let mut script = with_small_journal();
        script.hold_commits(true);
        script.play("alice C: <message to='bob@example.org'><body>kept</body></message>");
        for _ in 0..2 {
            script.send("alice", &stanza);
            assert!(script.world.hub().journal().has_room());
        }
        script.send("alice", &stanza);
        assert!(!script.world.hub().journal().has_room());
    }
}

/// Whoever has no room for what clients say still has something to say to them.
#[test]
fn a_full_journal_stops_the_reading_of_sockets_and_nothing_else() {
    let full = || {
        let mut script = with_small_journal();
        script.hold_commits(true);
        let body = "x".repeat(100_000);
        script.send(
            "alice",
            &format!("<message to='bob@example.org'><body>{body}</body></message>"),
        );
        assert!(!script.world.hub().journal().has_room());
        script.send("alice", "<presence to='bob@example.org'/>");
        script.expect_nothing("bob");
        script
    };
    // Mail, which is that the server stops.
    let mut script = full();
    script.world.hub().close_all();
    for actor in ["alice", "bob"] {
        crate::expect_stream_error(&mut script, actor, "system-shutdown");
    }
    // The clock.
    let mut script = full();
    script.world.pass(Duration::from_secs(300));
    for actor in ["alice", "bob"] {
        script.expect(actor, "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
    }
    script.world.pass(Duration::from_secs(60));
    crate::expect_stream_error(&mut script, "bob", "connection-timeout");
    // And reading goes on when there is room again.
    let mut script = full();
    script.hold_commits(false);
    script.expect("bob", "<message from='alice@example.org/phone'/>");
    script.expect("bob", "<presence from='alice@example.org/phone'/>");
}

/// A server whose mailboxes are small and whose patience is long, and the folder
/// with its configuration.
fn server() -> (Anser, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anser.toml");
    let text = "[accounts]\nmailbox_bytes = 1000000\n[network]\nwrite_timeout_seconds = 3600\n";
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let anser = Anser::start_with(&["--config", file, "--allow-plaintext-login"]);
    for user in ["alice", "bob", "carol"] {
        anser.add_user(&format!("{user}@localhost"), "secret");
    }
    (anser, folder)
}

/// Somebody who takes messages.
fn present(anser: &Anser, user: &str) -> Client {
    let account = format!("{user}@localhost");
    let mut client = Client::log_in(&anser.plain(), &account, "secret").unwrap();
    client.send("<presence/>").unwrap();
    client
        .wait_for(|stanza| stanza.name() == "presence")
        .unwrap();
    client
}

const MESSAGES: usize = 1500;
const BODY_BYTES: usize = 60_000;
/// The cache of the database; what a session may hold with these limits: in its
/// mailbox, taken out of that and not sent, not swallowed by the socket; and the
/// step in which memory comes where the kernel gives huge pages, once for the
/// allocator and once for the cache. The messages are nearly twice as much.
const MEMORY_KIB: u64 = (32 + 12 + 2 * 2) << 10;

/// The ids of the messages that somebody gets, until something else happens.
fn ids(client: &mut Client, count: usize) -> (BTreeSet<String>, Option<Fault>) {
    let mut ids = BTreeSet::new();
    let id = |stanza: &Element| stanza.attribute("id").unwrap().into_owned();
    while ids.len() < count {
        match client.wait_for(|stanza| stanza.name() == "message") {
            Ok(message) => ids.insert(id(&message)),
            Err(fault) => return (ids, Some(fault)),
        };
    }
    (ids, None)
}

/// GHSA-x337-43mr-gg3h: somebody who stops reading their socket.
#[test]
fn a_socket_that_nobody_reads_holds_neither_senders_nor_memory() {
    let (anser, _folder) = server();
    let mut bob = present(&anser, "bob");
    let mut carol = present(&anser, "carol");
    let mut alice = present(&anser, "alice");
    alice.enable_management(false).unwrap();
    let before = anser.process().memory_kib();
    let body = "x".repeat(BODY_BYTES);
    for number in 0..MESSAGES {
        let message = format!(
            "<message to='bob@localhost' type='chat' id='{number}'><body>{body}</body></message>"
        );
        alice.send(&message).unwrap();
        if number % 50 == 0 {
            // What she sends is handled, whoever reads it, and so is everybody.
            alice.ask().unwrap();
            alice.wait_for(|element| element.name() == "a").unwrap();
            assert_eq!(carol.catch_up().unwrap().len(), 0);
        }
    }
    alice.ask().unwrap();
    alice.wait_for(|element| element.name() == "a").unwrap();
    let grown = anser.process().memory_kib().saturating_sub(before);
    assert!(grown < MEMORY_KIB, "{grown} KiB");

    // Bob gets what was under way to him, and learns why it was no more.
    let (mut got, fault) = ids(&mut bob, MESSAGES);
    let Some(Fault::Stream(condition)) = fault else {
        panic!("{fault:?} after {} messages", got.len());
    };
    assert_eq!(condition, "resource-constraint");
    // The rest waited for him.
    let (rest, fault) = ids(&mut present_again(&anser), MESSAGES - got.len());
    assert!(fault.is_none(), "{fault:?}");
    got.extend(rest);
    assert_eq!(got.len(), MESSAGES);
}

/// Bob, who now does read. His messages come before his own presence is looked
/// for.
fn present_again(anser: &Anser) -> Client {
    let mut bob = Client::log_in(&anser.plain(), "bob@localhost", "secret").unwrap();
    bob.send("<presence/>").unwrap();
    bob
}

/// CVE-2010-0305: nor does a queue grow by coming again: what waits for an
/// account is bounded, whether somebody is there who does not take it or nobody.
#[test]
fn a_client_that_comes_again_without_taking_anything_gathers_no_more_than_may_wait() {
    let limits = AccountsConfig {
        waiting_messages: 20,
        mailbox_events: 10,
        ..AccountsConfig::default()
    };
    let patience = XmppConfig {
        unacknowledged_stanzas: 2,
        ..XmppConfig::default()
    };
    let mut script = alice_and_bob(limits, patience);
    let mut refused = 0;
    for number in 0..100 {
        script.send(
            "alice",
            &format!("<message to='bob@example.org' id='{number}'><body>x</body></message>"),
        );
        if let Some(refusal) = script.try_receive("alice") {
            assert!(String::from_utf8_lossy(refusal.raw()).contains("<resource-constraint "));
            refused += 1;
        }
        if number % 10 == 9 {
            script.cut("bob");
            script.log_in("bob", "bob@example.org/phone");
            script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/><presence/>");
        }
    }
    assert_eq!(refused, 80);
}
