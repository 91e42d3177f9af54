//! What the arguments may be, and in which form the answer comes.

use crate::{offline, write};
use anser_tests::process::Ended;
use anser_tests::program::run;
use serde_json::json;
use std::path::Path;

#[test]
fn help_and_version_are_results() {
    let version = run(&["--version"], "");
    let expected = format!("anser {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.succeeded(), expected);
    let help = run(&["--help"], "");
    for command in ["serve", "user", "config"] {
        assert!(help.succeeded().contains(command));
    }
    let help = run(&["serve", "--help"], "");
    for option in [
        "--data",
        "--config",
        "--domain",
        "--listen",
        "--allow-plaintext-login",
        "--json",
    ] {
        assert!(help.succeeded().contains(option));
    }
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2_and_says_why() {
    let data = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&[][..], "Usage"),
        (&["user"], "Usage"),
        (&["sing"], "sing"),
        (&["user", "add", "--password-stdin"], "<ADDRESS>"),
        (&["user", "add", "alice@localhost"], "--password-stdin"),
        (&["user", "add", "--batch", "x", "a@b"], "--batch"),
        (
            &["user", "add", "--batch", "x", "--password-stdin"],
            "--batch",
        ),
        (&["user", "passwd", "--password-stdin"], "<ADDRESS>"),
        (&["user", "delete"], "<ADDRESS>"),
        (&["config", "check"], "--config"),
        (&["serve", "--sing"], "--sing"),
        (&["serve", "--listen", "xmpp"], "DOOR=ADDRESS:PORT"),
        (&["serve", "--listen", "xmpp=localhost"], "127.0.0.1:5222"),
        (&["serve", "--listen", "door=127.0.0.1:0"], "xmpp, xmpps"),
        (&["serve", "--domain", "alice@localhost"], "not a domain"),
    ] {
        let ended = match arguments {
            ["serve" | "user", _, ..] => offline(data.path(), arguments, ""),
            _ => run(arguments, ""),
        };
        assert_eq!(ended.code(), 2, "{arguments:?} {ended:?}");
        assert!(ended.errors.contains(part), "{arguments:?} {ended:?}");
        assert_eq!(ended.output, "");
    }
}

#[test]
fn every_result_is_one_json_object_a_line_if_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let alice = "alice@localhost";
    for (arguments, object) in [
        (
            &["user", "add", alice, "--password-stdin"][..],
            json!({ "added": 1, "made": data.path() }),
        ),
        (&["user", "list"], json!({ "accounts": [alice] })),
        (
            &["user", "passwd", alice, "--password-stdin"],
            json!({ "changed": alice }),
        ),
        (&["user", "delete", alice], json!({ "deleted": alice })),
        (&["user", "list"], json!({ "accounts": [] })),
    ] {
        let first = [&["--json"], arguments].concat();
        let ended = offline(data.path(), &first, "secret");
        ended.succeeded();
        assert_eq!(ended.json(), [object]);
    }
    let example = run(&["config", "example", "--json"], "").json();
    let example = example[0]["example"].as_str().unwrap();
    let file = write(data.path(), "anser.toml", example);
    let checked = run(&["config", "check", "--json", "--config", &file], "");
    assert_eq!(checked.json(), [json!({ "ok": true, "config": file })]);
}

#[test]
fn every_failure_is_one_json_object_if_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing").to_str().unwrap().to_owned();
    let alice = "alice@localhost";
    for (arguments, code) in [
        (&["user", "delete", alice][..], 1),
        (&["user", "passwd", alice, "--password-stdin"], 1),
        (&["user", "add", "nobody", "--password-stdin"], 1),
        (&["user", "add", "--batch", &missing], 1),
        (&["user", "add", alice], 2),
        (&["serve", "--config", &missing], 1),
        (&["serve", "--listen", "door=127.0.0.1:0"], 2),
        (&["serve", "--domain", alice], 2),
        (&["serve", "--sing"], 2),
        (&["user", "add"], 2),
    ] {
        let last = [arguments, &["--json"]].concat();
        let ended = offline(data.path(), &last, "secret");
        assert_eq!(ended.code(), code, "{ended:?}");
        assert_one_error(&ended);
    }
    let ended = run(&["config", "check", "--json", "--config", &missing], "");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert_one_error(&ended);
    assert!(!Path::new(&missing).exists());
}

fn assert_one_error(ended: &Ended) {
    let objects = ended.json();
    assert_eq!(objects.len(), 1, "{ended:?}");
    assert!(!objects[0]["error"].as_str().unwrap().is_empty());
    assert_eq!(ended.errors, "");
}
