//! The command line, a stable contract: what scripts may rely on.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod accounts;
mod batch;
mod config;
mod data_folder;
mod doors;
mod logging_in;
mod rooms;
mod signals;
mod usage;

use anser_tests::client::Fault;
use anser_tests::process::Ended;
use anser_tests::program::run;
use std::fs;
use std::path::Path;

/// Writes a file and returns its path.
fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs a command in a data folder whose server does not run.
fn offline(data: &Path, arguments: &[&str], input: &str) -> Ended {
    let folder = data.to_str().unwrap();
    run(&[arguments, &["--data", folder]].concat(), input)
}

/// What `user list --json` has listed.
fn accounts(listed: &Ended) -> Vec<String> {
    serde_json::from_value(listed.json()[0]["accounts"].clone()).unwrap()
}

/// Why a client was refused.
fn refusal<T>(result: Result<T, Fault>) -> String {
    match result {
        Err(Fault::Refused(condition)) => condition,
        Err(fault) => panic!("{fault}"),
        Ok(_) => panic!("it was not refused"),
    }
}
