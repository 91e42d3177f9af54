//! SIGTERM drains, SIGHUP reloads.

use crate::write;
use anser_tests::client::{Client, Fault, Way};
use anser_tests::program::Anser;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// RFC 6120 §4.9.3.20
#[test]
fn a_server_that_is_told_to_stop_says_so_to_everybody_and_succeeds() {
    for signal in ["TERM", "INT"] {
        let anser = Anser::start();
        anser.add_user("alice@localhost", "secret");
        let log_in = |way: Way| Client::log_in(&way, "alice@localhost", "secret").unwrap();
        let clients = [log_in(anser.starttls()), log_in(anser.direct_tls())];
        anser.process().signal(signal);
        for mut client in clients {
            match client.next() {
                Err(Fault::Stream(condition)) => assert_eq!(condition, "system-shutdown"),
                other => panic!("{other:?}"),
            }
        }
        let _data = anser.stopped();
    }
}

/// What was sent is stored, and acknowledged if that was asked for, before the
/// end (XEP-0198 §4).
#[test]
fn what_was_sent_before_the_server_stops_is_there_when_it_starts_again() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.add_user("bob@localhost", "secret");
    let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    for number in 0..100 {
        let message = "<message to='bob@localhost' type='chat'>";
        alice
            .send(&format!("{message}<body>{number}</body></message>"))
            .unwrap();
    }
    alice.catch_up().unwrap();
    let anser = Anser::start_in(anser.stop(), &[]);
    let mut bob = Client::log_in(&anser.starttls(), "bob@localhost", "secret").unwrap();
    bob.send("<presence/>").unwrap();
    let texts: Vec<_> = bob
        .catch_up()
        .unwrap()
        .iter()
        .filter_map(|stanza| Some(stanza.child("jabber:client", "body")?.text().into_owned()))
        .collect();
    let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
}

/// The largest stanza, as the server advertises it (XEP-0478 §3).
fn advertised_bytes(anser: &Anser) -> String {
    let client = Client::authenticated(&anser.starttls(), "alice@localhost", "secret").unwrap();
    let limits = client
        .features()
        .child("urn:xmpp:stream-limits:0", "limits");
    let limits = limits.unwrap().open();
    let most = limits.child("urn:xmpp:stream-limits:0", "max-bytes");
    most.unwrap().text().into_owned()
}

/// A server with a configuration file.
fn configured(text: &str) -> (Anser, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "anser.toml", text);
    let anser = Anser::start_with(&["--config", &file]);
    anser.add_user("alice@localhost", "secret");
    (anser, folder)
}

#[test]
fn a_changed_limit_holds_after_a_reload() {
    let (anser, folder) = configured("[xmpp]\nstanza_bytes = 100000\n");
    assert_eq!(advertised_bytes(&anser), "100000");
    write(
        folder.path(),
        "anser.toml",
        "[xmpp]\nstanza_bytes = 20000\n",
    );
    anser.process().signal("HUP");
    anser
        .process()
        .log
        .wait_for("the configuration was read again");
    assert_eq!(advertised_bytes(&anser), "20000");

    let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    let own = alice.address().to_owned();
    let message = |length: usize| {
        let text = "x".repeat(length);
        format!("<message to='{own}'><body>{text}</body></message>")
    };
    alice.send(&message(19_000)).unwrap();
    alice.catch_up().unwrap();
    alice.send(&message(20_000)).unwrap();
    match alice.next() {
        Err(Fault::Stream(condition)) => assert_eq!(condition, "policy-violation"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broken_configuration_leaves_the_old_one_in_force_whole() {
    let (anser, folder) = configured("[xmpp]\nstanza_bytes = 100000\n");
    for (broken, part) in [
        (
            "[xmpp]\nstanza_bytes = 20000\nstanza_byte = 1\n",
            ":3:1: unknown field",
        ),
        (
            "[xmpp]\nstanza_bytes = 20000\n[tls]\nkey = 'x'\n",
            "tls.certificate is missing",
        ),
        (
            "[xmpp]\nstanza_bytes = 20000\n[tls]\nkey = 'x'\ncertificate = 'x'\n",
            "No such file",
        ),
        ("domains = ['a@b']\n[xmpp]\nstanza_bytes = 20000\n", "a@b"),
    ] {
        write(folder.path(), "anser.toml", broken);
        assert_not_reloaded(&anser, part);
    }
    std::fs::remove_file(folder.path().join("anser.toml")).unwrap();
    assert_not_reloaded(&anser, "anser.toml: No such file");
}

fn assert_not_reloaded(anser: &Anser, reason: &str) {
    let log = &anser.process().log;
    let before = log.count();
    anser.process().signal("HUP");
    let (line, _) = log.find("the refusal", before, |line| {
        line.contains("the configuration is as it was")
            .then(|| line.to_owned())
    });
    assert!(line.contains(reason), "{line}");
    assert_eq!(advertised_bytes(anser), "100000");
}

#[test]
fn sessions_live_on_through_a_reload() {
    let (anser, folder) = configured("");
    let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    write(
        folder.path(),
        "anser.toml",
        "[xmpp]\nstanza_bytes = 20000\n",
    );
    anser.process().signal("HUP");
    anser
        .process()
        .log
        .wait_for("the configuration was read again");
    alice.catch_up().unwrap();
}

/// Whoever holds the database keeps the server from writing to it, as a disk that
/// stalls does: for ten seconds, then the commit fails.
fn stall(anser: &Anser) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(anser.data().join("anser.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    database
}

/// Far less than a stalled commit takes, and far more than a signal.
const SOON: Duration = Duration::from_secs(5);

/// Alice, who has something that the server has to write down at its next tick.
fn unsaved(anser: &Anser) -> (Client, rusqlite::Connection) {
    let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    alice.enable_management(false).unwrap();
    alice
        .send("<presence/><message to='alice@localhost'><body>to myself</body></message>")
        .unwrap();
    alice.wait_for(|stanza| stanza.name() == "message").unwrap();
    let stalled = stall(anser);
    // What she has taken changes where she stands in her log.
    alice.acknowledge().unwrap();
    (alice, stalled)
}

#[test]
fn a_disk_that_stalls_holds_up_no_signal() {
    let (anser, _folder) = configured("");
    let (_alice, stalled) = unsaved(&anser);
    let log = &anser.process().log;
    let began = Instant::now();
    // The tick is once a second.
    while began.elapsed() < Duration::from_secs(2) {
        let (told, before) = (Instant::now(), log.count());
        anser.process().signal("HUP");
        log.find("the reload", before, |line| {
            line.contains("the configuration was read again")
                .then_some(())
        });
        assert!(told.elapsed() < SOON);
    }
    anser.process().signal("TERM");
    log.wait_for("stopping");
    assert!(began.elapsed() < SOON);
    drop(stalled);
    let _data = anser.stopped();
}

#[test]
fn whoever_is_told_to_stop_a_second_time_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let (anser, _folder) = configured("");
        let (_alice, _stalled) = unsaved(&anser);
        anser.process().signal("TERM");
        anser.process().log.wait_for("stopping");
        let told = Instant::now();
        anser.process().signal(signal);
        let (ended, _data) = anser.ended();
        assert!(told.elapsed() < SOON);
        assert_eq!(ended.code(), 1);
        assert!(
            ended.output.contains("told to stop a second time"),
            "{ended:?}"
        );
    }
}

/// Whoever reads that it is ready may send signals.
#[test]
fn a_server_that_is_told_to_stop_as_soon_as_it_is_ready_succeeds() {
    for signal in ["TERM", "INT"] {
        let anser = Anser::start();
        anser.process().signal("HUP");
        anser.process().signal(signal);
        let _data = anser.stopped();
    }
}

/// A client that does not read is waited for, but not for long.
#[test]
fn a_client_that_says_nothing_does_not_keep_the_server_from_stopping() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    let _silent = std::net::TcpStream::connect(anser.door("xmpp")).unwrap();
    let _early = Client::connect(&anser.starttls(), "localhost").unwrap();
    let _idle = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    let began = Instant::now();
    let _data = anser.stop();
    assert!(began.elapsed() < Duration::from_secs(20));
}
