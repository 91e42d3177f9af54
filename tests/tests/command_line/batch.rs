//! `anser user add --batch FILE`.

use crate::{accounts, offline, refusal, write};
use anser_tests::client::Client;
use anser_tests::process::Ended;
use anser_tests::program::Anser;
use serde_json::json;
use std::path::Path;

/// Passwords are hashed as seldom as the rules allow.
const FAST_HASHING: &str = "[auth]\nscram_iterations = 4096\n";

fn lines(from: usize, to: usize) -> String {
    let line = |number| format!("user{number:05}@localhost secret {number}\n");
    (from..to).map(line).collect()
}

/// More at a time than are made in one commit.
#[test]
fn many_accounts_are_made_in_one_go_with_and_without_a_running_server() {
    let data = tempfile::tempdir().unwrap();
    let config = write(data.path(), "anser.toml", FAST_HASHING);
    let first = write(data.path(), "first.txt", &lines(0, 300));
    let rest = format!("# the others\n\n{}", lines(300, 400));
    let rest = write(data.path(), "rest.txt", &rest);
    let add = ["user", "add", "--json", "--config", &config, "--batch"];

    let made = offline(data.path(), &[&add[..], &[&first]].concat(), "");
    assert_eq!(made.json(), [json!({ "added": 300, "made": data.path() })]);
    let anser = Anser::start_in(data, &["--config", &config]);
    let made = anser.command(&[&add[..], &[&rest]].concat(), "");
    assert_eq!(made.json(), [json!({ "added": 100 })]);

    let listed = anser.command(&["user", "list", "--json"], "");
    let expected: Vec<_> = (0..400)
        .map(|number| format!("user{number:05}@localhost"))
        .collect();
    assert_eq!(accounts(&listed), expected);
    for number in [0, 299, 300, 399] {
        let address = format!("user{number:05}@localhost");
        let password = format!("secret {number}");
        Client::log_in(&anser.starttls(), &address, &password).unwrap();
    }
}

fn add_batch(data: &Path, lines: &str) -> Ended {
    let config = write(data, "anser.toml", FAST_HASHING);
    let batch = write(data, "batch.txt", lines);
    let add = ["user", "add", "--config", &config, "--batch", &batch];
    offline(data, &add, "")
}

#[test]
fn a_line_that_is_none_is_named_and_nothing_is_done() {
    for (text, line) in [
        ("alice@localhost secret\nbob@localhost\n", 2),
        (
            "# all of them\n\nalice@localhost secret\nbob@localhost  \n",
            4,
        ),
    ] {
        let data = tempfile::tempdir().unwrap();
        let ended = add_batch(data.path(), text);
        assert_eq!(ended.code(), 1);
        let expected = format!("batch.txt:{line}: a line takes the form ADDRESS PASSWORD\n");
        assert!(ended.errors.ends_with(&expected), "{ended:?}");
        let listed = offline(data.path(), &["user", "list", "--json"], "");
        assert!(accounts(&listed).is_empty());
    }
}

#[test]
fn an_account_that_is_there_is_named_and_what_was_made_before_is_said() {
    let data = tempfile::tempdir().unwrap();
    add_batch(data.path(), "user00251@localhost other\n").succeeded();
    let ended = add_batch(data.path(), &lines(0, 252));
    assert_eq!(ended.code(), 1);
    assert!(
        ended.errors.contains("user00251@localhost exists already"),
        "{ended:?}"
    );
    let listed = offline(data.path(), &["user", "list", "--json"], "");
    let made = accounts(&listed).len() - 1;
    assert!(
        ended.errors.contains(&format!("{made} accounts were made")),
        "{ended:?}"
    );
    let anser = Anser::start_in(data, &[]);
    Client::log_in(&anser.starttls(), "user00251@localhost", "other").unwrap();
    let changed = Client::log_in(&anser.starttls(), "user00251@localhost", "secret 251");
    assert_eq!(refusal(changed), "not-authorized");
}

#[test]
fn a_batch_that_cannot_be_read_is_named() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing.txt");
    let missing = missing.to_str().unwrap();
    let ended = offline(data.path(), &["user", "add", "--batch", missing], "");
    assert_eq!(ended.code(), 1);
    assert!(ended.errors.contains(missing), "{ended:?}");
}
