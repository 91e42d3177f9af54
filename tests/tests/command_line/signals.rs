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
