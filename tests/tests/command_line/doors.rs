//! Which doors are open, and where.

use crate::{accounts, offline, write};
use anser_tests::client::{Client, Fault, Way};
use anser_tests::process::{PATIENCE, Process};
use anser_tests::program::{Anser, binary};
use serde_json::Value;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

#[test]
fn with_any_listen_only_the_doors_named_are_open() {
    for (name, other) in [("xmpp", "xmpps"), ("xmpps", "xmpp")] {
        let anser = Anser::start_with(&["--listen", &format!("{name}=127.0.0.1:0")]);
        assert_ne!(anser.door(name).port(), 0);
        let ready = anser.process().output.text();
        assert!(!ready.contains(&format!("\"{other}\":")), "{ready}");
    }
}

#[test]
fn the_configuration_names_the_doors_unless_the_command_line_does() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(
        folder.path(),
        "anser.toml",
        "[doors]\nxmpp = '127.0.0.1:0'\n",
    );
    let start = |more: &[&str]| {
        let arguments = [&["--config", &config], more].concat();
        let anser = Anser::serve(tempfile::tempdir().unwrap(), &arguments);
        let ready = anser.process().output.text();
        ["\"xmpp\":", "\"xmpps\":"].map(|door| ready.contains(door))
    };
    assert_eq!(start(&[]), [true, false]);
    assert_eq!(start(&["--listen", "xmpps=127.0.0.1:0"]), [false, true]);
}

#[test]
fn being_ready_is_one_line_with_the_real_address_of_every_door() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary());
    command.args(["serve", "--data"]).arg(data.path());
    command.args([
        "--listen",
        "xmpp=127.0.0.1:0",
        "--listen",
        "xmpps=127.0.0.1:0",
    ]);
    let mut process = Process::start(&mut command);
    process.output.wait_for("ready");
    process.signal("TERM");
    let ended = process.end();
    assert!(ended.status.success());
    let text = ended.output;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(" xmpp at 127.0.0.1:"), "{text}");
    assert!(text.contains(" xmpps at 127.0.0.1:"), "{text}");
    assert!(!text.contains(":0,"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let listen = format!("xmpp={address}");
    let ended = offline(data.path(), &["serve", "--listen", &listen], "");
    assert_eq!(ended.code(), 1);
    let errors = &ended.errors;
    assert!(
        errors.contains(&format!("anser: door xmpp cannot be opened at {address}: ")),
        "{ended:?}"
    );
    assert!(
        errors.contains("choose another port with --listen"),
        "{ended:?}"
    );
}

/// A busy port moves up and is printed, never fatal.
#[test]
fn the_usual_ports_move_on_when_they_are_taken() {
    // If this fails, somebody else has them, which is as good.
    let _taken = [5222, 5223].map(|port| TcpListener::bind(("127.0.0.1", port)));
    let start = || Anser::serve(tempfile::tempdir().unwrap(), &[]);
    let both = [start(), start()];
    let mut seen = Vec::new();
    for anser in &both {
        anser.add_user("alice@localhost", "secret");
        for way in [anser.starttls(), anser.direct_tls()] {
            Client::log_in(&way, "alice@localhost", "secret").unwrap();
        }
        seen.extend([anser.door("xmpp"), anser.door("xmpps")]);
    }
    for address in &seen {
        assert!(address.ip().is_loopback());
        assert!((5224..5300).contains(&address.port()), "{seen:?}");
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[test]
fn logging_in_without_tls_is_permitted_on_loopback_only() {
    let data = tempfile::tempdir().unwrap();
    for listen in [
        &["--listen", "xmpp=0.0.0.0:0"][..],
        &["--listen", "xmpp=127.0.0.1:0", "--listen", "xmpps=[::]:0"],
        &["--domain", "chat.example"],
    ] {
        let serve = [&["serve", "--allow-plaintext-login"], listen].concat();
        let ended = offline(data.path(), &serve, "");
        assert_eq!(ended.code(), 2);
        assert!(ended.errors.contains("loopback only"), "{ended:?}");
    }
}

/// RFC 6120 §5.3.1 and §6.4.1
#[test]
fn logging_in_without_tls_works_where_it_is_permitted_and_nowhere_else() {
    let anser = Anser::start_with(&["--allow-plaintext-login"]);
    anser.add_user("alice@localhost", "secret");
    let mut alice = Client::log_in(&anser.plain(), "alice@localhost", "secret").unwrap();
    alice.catch_up().unwrap();

    let strict = Anser::start();
    strict.add_user("alice@localhost", "secret");
    let mut alice = Client::connect(&strict.plain(), "localhost").unwrap();
    assert!(alice.mechanisms().is_empty());
    let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>";
    alice.send(auth).unwrap();
    let answer = alice.next().unwrap();
    assert_eq!(answer.name(), "failure");
    assert_eq!(
        answer.children().next().unwrap().name(),
        "encryption-required"
    );
}

/// RFC 6120 §4.9.3.6
#[test]
fn a_domain_that_is_not_served_is_refused() {
    let anser = Anser::start();
    let way = anser.plain();
    match Client::connect(&way, "elsewhere.example") {
        Err(Fault::Stream(condition)) => assert_eq!(condition, "host-unknown"),
        Err(fault) => panic!("{fault}"),
        Ok(_) => panic!("it is served"),
    }
}

/// RFC 6120 §13.7.1.2: nobody but the authority's own server is believed.
#[test]
fn a_server_of_another_authority_is_not_believed() {
    let (one, other) = (Anser::start(), Anser::start());
    for way in [
        Way::StartTls(one.door("xmpp"), other.authority()),
        Way::DirectTls(one.door("xmpps"), other.authority()),
    ] {
        match Client::connect(&way, "localhost") {
            Err(Fault::Broken(error)) => {
                assert!(error.to_string().contains("certificate"), "{error}");
            }
            Err(fault) => panic!("{fault}"),
            Ok(_) => panic!("it is believed"),
        }
    }
}

/// Running out of descriptors would keep out the operator too, who alone can do
/// something about it.
#[test]
fn with_few_files_clients_are_turned_away_and_commands_are_taken() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    let limited = "ulimit -n 120; exec \"$@\"";
    command.args(["-c", limited, "sh"]).arg(binary());
    command.args(["serve", "--json", "--listen", "xmpp=127.0.0.1:0", "--data"]);
    let process = Process::start(command.arg(data.path()));
    process
        .log
        .wait_for("the limit of open files leaves room for");
    let (ready, _) = process.output.find("being ready", 0, |line| {
        serde_json::from_str::<Value>(line).ok()
    });
    let door: SocketAddr = ready["doors"]["xmpp"].as_str().unwrap().parse().unwrap();
    let mut crowd: Vec<_> = (0..200)
        .map(|_| TcpStream::connect(door).unwrap())
        .collect();
    // Whoever came last was turned away, so all have been looked at.
    let last = crowd.last_mut().unwrap();
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    match last.read(&mut [0]) {
        Ok(bytes) => assert_eq!(bytes, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    let listed = offline(data.path(), &["user", "list", "--json"], "");
    assert!(accounts(&listed).is_empty());
    assert!(
        !process.log.text().contains("could not be let in"),
        "{process:?}"
    );
}
