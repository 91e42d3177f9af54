//! `anser user add|list|passwd|delete ADDRESS`.

use crate::{accounts, offline, refusal};
use anser_tests::client::{Client, Fault};
use anser_tests::program::Anser;

#[test]
fn accounts_are_made_listed_and_removed_beside_a_running_server() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.add_user("bob@localhost", "secret");
    let listed = anser.command(&["user", "list", "--json"], "");
    assert_eq!(accounts(&listed), ["alice@localhost", "bob@localhost"]);
    anser
        .command(&["user", "delete", "bob@localhost"], "")
        .succeeded();
    let again = anser.command(&["user", "delete", "bob@localhost"], "");
    assert_eq!(again.code(), 1);
    assert_eq!(again.errors, "anser: there is no account bob@localhost\n");
}

#[test]
fn accounts_are_made_listed_changed_and_removed_without_a_running_server() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input| offline(data.path(), arguments, input);
    for address in ["bob@localhost", "alice@localhost", "carol@localhost"] {
        run(&["user", "add", address, "--password-stdin"], "secret\n").succeeded();
    }
    let listed = run(&["user", "list"], "");
    let all = "alice@localhost\nbob@localhost\ncarol@localhost\n";
    assert_eq!(listed.succeeded(), all);
    let passwd = ["user", "passwd", "alice@localhost", "--password-stdin"];
    run(&passwd, "changed").succeeded();
    run(&["user", "delete", "bob@localhost"], "").succeeded();

    let anser = Anser::start_in(data, &[]);
    let log_in = |address, password| Client::log_in(&anser.starttls(), address, password);
    assert!(log_in("alice@localhost", "changed").is_ok());
    assert!(log_in("carol@localhost", "secret").is_ok());
    for address in ["alice@localhost", "bob@localhost"] {
        assert_eq!(refusal(log_in(address, "secret")), "not-authorized");
    }
}

#[test]
fn an_account_that_is_there_is_not_made_again() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    for same in ["alice@localhost", "ALICE@LocalHost"] {
        let add = ["user", "add", same, "--password-stdin"];
        let again = anser.command(&add, "changed");
        assert_eq!(again.code(), 1);
        assert_eq!(again.errors, "anser: alice@localhost exists already\n");
    }
    Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
}

#[test]
fn an_account_needs_an_address_and_a_password_that_can_be_used() {
    let data = tempfile::tempdir().unwrap();
    for (address, password, part) in [
        ("alice@localhost", "", "no password came"),
        ("alice@localhost", "\n", "no password came"),
        ("alice@localhost", "\u{7}", "alice@localhost: "),
        ("alice@", "secret", "\"alice@\" is not an address"),
        (
            "a b@localhost",
            "secret",
            "\"a b@localhost\" is not an address",
        ),
        (
            "a@localhost/b",
            "secret",
            "\"a@localhost/b\" is not an address",
        ),
        ("localhost", "secret", "localhost cannot be an account"),
    ] {
        let add = ["user", "add", address, "--password-stdin"];
        let ended = offline(data.path(), &add, password);
        assert_eq!(ended.code(), 1, "{ended:?}");
        let expected = format!("anser: {part}");
        assert!(ended.errors.starts_with(&expected), "{ended:?}");
    }
    let listed = offline(data.path(), &["user", "list", "--json"], "");
    assert!(accounts(&listed).is_empty());
}

#[test]
fn an_account_belongs_to_a_domain_of_the_running_server() {
    let domains = ["--domain", "one.example", "--domain", "two.example"];
    let anser = Anser::start_with(&domains);
    for address in ["alice@one.example", "alice@two.example"] {
        anser.add_user(address, "secret");
        Client::log_in(&anser.starttls(), address, "secret").unwrap();
    }
    let add = ["user", "add", "alice@localhost", "--password-stdin"];
    let ended = anser.command(&add, "secret");
    assert_eq!(ended.code(), 1);
    assert!(
        ended.errors.contains("not one of this server's"),
        "{ended:?}"
    );
}

/// Whoever had the old password is out (RFC 6120 §4.9.3.12).
#[test]
fn a_changed_password_ends_the_sessions_and_the_old_one_opens_no_more() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.add_user("bob@localhost", "secret");
    let log_in = |address, password| Client::log_in(&anser.starttls(), address, password);
    let mut alice = log_in("alice@localhost", "secret").unwrap();
    let mut bob = log_in("bob@localhost", "secret").unwrap();
    let passwd = ["user", "passwd", "alice@localhost", "--password-stdin"];
    anser.command(&passwd, "changed").succeeded();

    match alice.next() {
        Err(Fault::Stream(condition)) => assert_eq!(condition, "not-authorized"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        refusal(log_in("alice@localhost", "secret")),
        "not-authorized"
    );
    log_in("alice@localhost", "changed").unwrap();
    bob.catch_up().unwrap();
}

#[test]
fn a_removed_account_loses_its_sessions_and_lets_nobody_in() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    let log_in = || Client::log_in(&anser.starttls(), "alice@localhost", "secret");
    let mut alice = log_in().unwrap();
    anser
        .command(&["user", "delete", "alice@localhost"], "")
        .succeeded();
    match alice.next() {
        Err(Fault::Stream(condition)) => assert_eq!(condition, "not-authorized"),
        other => panic!("{other:?}"),
    }
    assert_eq!(refusal(log_in()), "not-authorized");
}
