//! Data folders that cannot be used.

use crate::{accounts, offline};
use anser_tests::client::Client;
use anser_tests::program::Anser;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SERVE: [&str; 3] = ["serve", "--listen", "xmpp=127.0.0.1:0"];
const ADD: [&str; 4] = ["user", "add", "bob@localhost", "--password-stdin"];
const LIST: [&str; 3] = ["user", "list", "--json"];

/// A data folder that a server has worked in.
fn used() -> TempDir {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.stop()
}

/// All that needs the data fails, and says so in a text with all these parts.
fn assert_refused(data: &Path, parts: &[&str]) {
    for arguments in [&SERVE[..], &ADD, &LIST] {
        let ended = offline(data, arguments, "secret");
        assert_eq!(ended.code(), 1, "{ended:?}");
        for part in parts {
            let text = format!("{}{}", ended.output, ended.errors);
            assert!(text.contains(part), "{part}: {ended:?}");
        }
    }
}

#[test]
fn a_data_folder_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("some").join("where");
    offline(&folder, &ADD, "secret").succeeded();
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn after_an_orderly_end_the_database_is_one_file_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let data = used();
    let copy = tempfile::tempdir().unwrap();
    let database = data.path().join("anser.db");
    fs::copy(&database, copy.path().join("anser.db")).unwrap();
    let listed = offline(copy.path(), &LIST, "");
    assert_eq!(accounts(&listed), ["alice@localhost"]);
    let mode = fs::metadata(&database).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_data_folder_that_is_none_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "mine").unwrap();
    for data in [&file, &file.join("below")] {
        assert_refused(data, &["the data folder", data.to_str().unwrap()]);
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_database_that_is_none_is_named_and_left_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    let database = data.path().join("anser.db");
    let text = "Dear diary, today I was told that I am a database. ".repeat(400);
    fs::write(&database, &text).unwrap();
    let name = database.to_str().unwrap();
    assert_refused(
        data.path(),
        &[name, "damaged or not an Anser database", "--data"],
    );
    assert_eq!(fs::read_to_string(&database).unwrap(), text);
}

#[test]
fn a_database_that_is_cut_short_is_named_and_left_as_it_was() {
    let data = used();
    let database = data.path().join("anser.db");
    let whole = fs::read(&database).unwrap();
    let half = &whole[..whole.len() / 2 / 4096 * 4096 + 100];
    fs::write(&database, half).unwrap();
    assert_refused(data.path(), &[database.to_str().unwrap(), "damaged"]);
    assert_eq!(fs::read(&database).unwrap(), half);
}

#[test]
fn a_database_of_a_newer_version_is_named_and_left_as_it_was() {
    let data = used();
    let database = data.path().join("anser.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    connection.close().unwrap();
    let newer = fs::read(&database).unwrap();
    let name = database.to_str().unwrap();
    assert_refused(data.path(), &[name, "schema 999"]);
    assert_eq!(fs::read(&database).unwrap(), newer);
}

#[test]
fn a_secret_that_is_cut_short_is_named() {
    let data = used();
    let secret = data.path().join("secret");
    fs::write(&secret, [1; 31]).unwrap();
    let ended = offline(data.path(), &SERVE, "");
    assert_eq!(ended.code(), 1);
    let name = secret.to_str().unwrap();
    assert!(ended.errors.contains(name), "{ended:?}");
}

#[test]
fn a_second_server_in_the_same_folder_does_not_start_and_disturbs_nobody() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
    let second = anser.command(&SERVE, "");
    assert_eq!(second.code(), 1);
    let folder = anser.data().to_str().unwrap();
    let expected = format!("anser: another anser works in {folder}");
    assert!(second.errors.starts_with(&expected), "{second:?}");
    alice.catch_up().unwrap();
    assert_eq!(accounts(&anser.command(&LIST, "")), ["alice@localhost"]);
}

#[test]
fn a_server_that_was_killed_leaves_nothing_in_the_way_of_the_next() {
    let mut anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.kill();
    let listed = offline(anser.data(), &LIST, "");
    assert_eq!(accounts(&listed), ["alice@localhost"]);
    anser.restart();
    Client::log_in(&anser.starttls(), "alice@localhost", "secret").unwrap();
}

#[test]
fn a_folder_without_a_database_is_named_and_left_as_it_was() {
    let parent = tempfile::tempdir().unwrap();
    let (missing, other) = (parent.path().join("mising"), parent.path().join("other"));
    fs::create_dir(&other).unwrap();
    for folder in [&missing, &other] {
        for arguments in [
            &["user", "list"][..],
            &["user", "passwd", "bob@localhost", "--password-stdin"],
            &["user", "delete", "bob@localhost"],
        ] {
            let ended = offline(folder, arguments, "secret");
            assert_eq!(ended.code(), 1);
            let name = folder.display();
            let expected = format!("anser: the data folder {name} has no database");
            assert!(ended.errors.starts_with(&expected), "{ended:?}");
        }
    }
    assert!(!missing.exists());
    assert_eq!(fs::read_dir(other).unwrap().count(), 0);
}

/// A server that was ended before it had a database.
#[test]
fn a_folder_with_nothing_but_a_lock_has_no_database() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("lock"), "").unwrap();
    let ended = offline(data.path(), &LIST, "");
    assert_eq!(ended.code(), 1);
    assert!(ended.output.contains("has no database"), "{ended:?}");
}

#[test]
fn whoever_makes_the_first_account_is_told_that_the_database_is_new() {
    let parent = tempfile::tempdir().unwrap();
    let name = |name: &str| parent.path().join(name);
    let (text, json) = (name("text"), name("json"));
    let made = offline(&text, &ADD, "secret");
    let expected = format!(
        "bob@localhost is there, in a new database in {}\n",
        text.display()
    );
    assert_eq!(made.succeeded(), expected);
    let add_in_json = [&ADD[..], &["--json"]].concat();
    let made = offline(&json, &add_in_json, "secret");
    assert_eq!(made.json(), [json!({ "added": 1, "made": json })]);
    let add = ["user", "add", "carol@localhost", "--password-stdin"];
    let added = offline(&text, &add, "secret");
    assert_eq!(added.succeeded(), "carol@localhost is there\n");
}

#[test]
fn a_secret_that_cannot_be_read_is_not_taken_for_none() {
    let data = used();
    let secret = data.path().join("secret");
    fs::remove_file(&secret).unwrap();
    fs::create_dir(&secret).unwrap();
    let ended = offline(data.path(), &SERVE, "");
    assert_eq!(ended.code(), 1);
    let expected = format!("anser: {}: Is a directory", secret.display());
    assert!(ended.errors.starts_with(&expected), "{ended:?}");
}
