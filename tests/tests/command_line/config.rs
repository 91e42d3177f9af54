//! `anser config check|example`, and what a configuration does to `anser serve`.

use crate::{offline, write};
use anser_tests::process::{Ended, Process};
use anser_tests::program::{binary, run};
use std::process::Command;

fn check(text: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "anser.toml", text);
    let mut ended = run(&["config", "check", "--config", &file], "");
    for text in [&mut ended.output, &mut ended.errors] {
        *text = text.replace(&file, "anser.toml");
    }
    ended
}

#[test]
fn the_example_can_be_used_as_it_is_and_with_every_option_uncommented() {
    let example = run(&["config", "example"], "");
    let example = example.succeeded();
    assert_eq!(check(example).succeeded(), "anser.toml can be used\n");
    let uncommented: String = example
        .lines()
        .filter(|line| !line.starts_with("# ") && !line.ends_with("= \"\""))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    assert!(uncommented.contains("\nstanza_bytes = "), "{uncommented}");
    check(&uncommented).succeeded();
}

#[test]
fn an_empty_file_can_be_used() {
    check("").succeeded();
}

#[test]
fn an_unknown_key_is_named_with_file_line_column_and_the_nearest_name() {
    for (text, place, nearest) in [
        ("domain = ['localhost']\n", "1:1", "domains"),
        (
            "domains = []\n\n[xmpp]\n  stanza_byte = 1\n",
            "4:3",
            "stanza_bytes",
        ),
        ("[store]\nlimit_megabyte = 1\n", "2:1", "limit_megabytes"),
        ("[stor]\n", "1:2", "store"),
    ] {
        let ended = check(text);
        assert_eq!(ended.code(), 1);
        let expected = format!("anser: anser.toml:{place}: unknown ");
        assert!(ended.errors.starts_with(&expected), "{ended:?}");
        let expected = format!("did you mean {nearest:?}?\n");
        assert!(ended.errors.ends_with(&expected), "{ended:?}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named() {
    for (text, part) in [
        ("[network]\nworkers = 'many'\n", "anser.toml:2:11: "),
        ("domains = [\n", "anser.toml:1:"),
        ("[doors]\nxmpp = '127.0.0.1'\n", "anser.toml:2:8: "),
        ("[doors]\ndoor = '127.0.0.1:0'\n", "no door \"door\""),
        ("domains = ['alice@localhost']\n", "alice@localhost"),
        (
            "[auth]\nscram_iterations = 4095\n",
            "anser.toml:2:20: auth.scram_iterations: 4095 is not from 4096",
        ),
        (
            "[xmpp]\nunacknowledged_stanzas = 0\n",
            "anser.toml:2:26: xmpp.unacknowledged_stanzas: 0 is not from 1",
        ),
        (
            "[store]\nlimit_megabytes = 17592186044416\n",
            "anser.toml:2:19: store.limit_megabytes: 17592186044416 is not",
        ),
        (
            "[log]\nlevel = 'loud'\n",
            "anser.toml:2:9: log.level: \"loud\"",
        ),
        ("[tls]\nkey = 'x'\n", "tls.certificate is missing"),
    ] {
        let ended = check(text);
        assert_eq!(ended.code(), 1);
        assert!(ended.errors.contains(part), "{ended:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"# \xe9\n").unwrap();
    for path in [folder.path(), &missing, &latin] {
        let path = path.to_str().unwrap();
        let ended = run(&["config", "check", "--config", path], "");
        assert_eq!(ended.code(), 1);
        assert!(ended.errors.contains(path), "{ended:?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_starts_no_server_and_makes_no_account() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("fresh");
    let config = write(data.path(), "anser.toml", "[xmpp]\nstanza_byte = 1\n");
    let add = [
        "user",
        "add",
        "alice@localhost",
        "--password-stdin",
        "--config",
        &config,
    ];
    for arguments in [&["serve", "--config", &config][..], &add] {
        let ended = offline(&folder, arguments, "secret");
        assert_eq!(ended.code(), 1);
        assert!(ended.errors.contains("anser.toml:2:1: "), "{ended:?}");
    }
    assert!(!folder.exists());
}

#[test]
fn the_configuration_says_where_the_data_is_and_whose_it_is() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("kept-here");
    let text = format!(
        "domains = ['chat.example']\ndata = '{}'\n[doors]\nxmpp = '127.0.0.1:0'\n",
        folder.display()
    );
    let config = write(parent.path(), "anser.toml", &text);
    let mut serve = Command::new(binary());
    let mut process = Process::start(serve.args(["serve", "--json", "--config", &config]));
    process.output.wait_for(folder.to_str().unwrap());
    let add = |address: &str| {
        let add = ["user", "add", address, "--password-stdin"];
        run(&[&add[..], &["--config", &config]].concat(), "secret").code()
    };
    assert_eq!(add("alice@chat.example"), 0);
    assert_eq!(add("alice@localhost"), 1);
    process.signal("TERM");
    assert!(process.end().status.success());
    let listed = run(&["user", "list", "--config", &config], "");
    assert_eq!(listed.succeeded(), "alice@chat.example\n");
    assert!(folder.join("anser.db").exists());
}
