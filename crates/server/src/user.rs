//! `anser user`: accounts.

use crate::cli::{Failure, Output};
use crate::reach::Server;
use anser_hub::{Credentials, NewAccount, UserAdd, UserDelete, UserList};
use anser_jid::BareJid;
use anser_sasl::{Iterations, SALT_BYTES, Verifier};
use indicatif::{ProgressBar, ProgressStyle};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Accounts that are made together.
const CHUNK: usize = 250;

pub(crate) fn add(
    server: &Server,
    address: &str,
    password: &str,
    output: &Output,
) -> Result<(), Failure> {
    let account = new_account(address, password, server.iterations())?;
    let accounts = vec![account];
    server.run("user add", &UserAdd { accounts })?;
    added(server, &format!("{address} is there"), 1, output);
    Ok(())
}

pub(crate) fn passwd(
    server: &Server,
    address: &str,
    password: &str,
    output: &Output,
) -> Result<(), Failure> {
    let account = new_account(address, password, server.iterations())?;
    let changed = server.run("user passwd", &account)?;
    output.done(&format!("{address} has a new password"), || changed);
    Ok(())
}

pub(crate) fn delete(server: &Server, address: &str, output: &Output) -> Result<(), Failure> {
    let address = address.to_owned();
    let text = format!("{address} is gone");
    let deleted = server.run("user delete", &UserDelete { address })?;
    output.done(&text, || deleted);
    Ok(())
}

pub(crate) fn list(server: &Server, output: &Output) -> Result<(), Failure> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let page = UserList {
            after: all.last().cloned(),
            limit: None,
        };
        let answer = server.run("user list", &page)?;
        let accounts = serde_json::from_value::<Vec<String>>(answer["accounts"].clone())?;
        if accounts.is_empty() {
            break;
        }
        all.extend(accounts);
    }
    if all.is_empty() && !output.is_json() {
        output.done("no accounts yet", || Value::Null);
        return Ok(());
    }
    output.done(&all.join("\n"), || json!({ "accounts": all }));
    Ok(())
}

/// Makes an account of every line. Hashing passwords is the work, and all
/// processors share it.
pub(crate) fn add_batch(server: &Server, file: &Path, output: &Output) -> Result<(), Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    let lines = read_batch(file, &text)?;
    let progress = progress(lines.len(), "accounts", output);
    let mut added = 0;
    for chunk in lines.chunks(CHUNK) {
        let accounts = hash_all(chunk, server.iterations())?;
        server
            .run("user add", &UserAdd { accounts })
            .map_err(|failure| partly(failure, added))?;
        added += chunk.len();
        progress.inc(chunk.len() as u64);
    }
    progress.finish_and_clear();
    self::added(
        server,
        &format!("{added} accounts are there"),
        added,
        output,
    );
    Ok(())
}

/// Says what was added, and whether there was nothing before: somebody who has
/// mistaken the folder would look for the accounts elsewhere.
fn added(server: &Server, text: &str, count: usize, output: &Output) {
    match server.made() {
        None => output.done(text, || json!({ "added": count })),
        Some(folder) => {
            let text = format!("{text}, in a new database in {}", folder.display());
            output.done(&text, || json!({ "added": count, "made": folder }));
        }
    }
}

/// Says how far it went before it failed.
fn partly(failure: Failure, added: usize) -> Failure {
    match failure {
        Failure::Failed(text) if added > 0 => Failure::Failed(format!(
            "{text}\n{added} accounts were made before that; remove their lines to go on"
        )),
        other => other,
    }
}

fn read_batch<'a>(file: &Path, text: &'a str) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((address, password)) = line.split_once(char::is_whitespace) else {
            let (file, number) = (file.display(), number + 1);
            return Err(Failure::Failed(format!(
                "{file}:{number}: a line takes the form ADDRESS PASSWORD"
            )));
        };
        lines.push((address, password.trim_start()));
    }
    Ok(lines)
}

pub(crate) fn progress(length: usize, what: &str, output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:40}} {{pos}} of {{len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn hash_all(lines: &[(&str, &str)], iterations: Iterations) -> Result<Vec<NewAccount>, Failure> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let failed = Mutex::new(None);
    let part = lines.len().div_ceil(threads).max(1);
    let hash = |lines: &[(&str, &str)]| {
        let new = |(address, password): &(&str, &str)| new_account(address, password, iterations);
        match lines.iter().map(new).collect::<Result<Vec<_>, _>>() {
            Ok(accounts) => accounts,
            Err(failure) => {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                Vec::new()
            }
        }
    };
    let accounts = thread::scope(|scope| {
        let parts: Vec<_> = lines
            .chunks(part)
            .map(|lines| scope.spawn(|| hash(lines)))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("hashing does not panic"))
            .collect()
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(accounts),
    }
}

fn new_account(
    address: &str,
    password: &str,
    iterations: Iterations,
) -> Result<NewAccount, Failure> {
    let prepared = BareJid::parse(address)
        .map_err(|error| Failure::Failed(format!("{address:?} is not an address: {error}")))?;
    let mut salt = [0; SALT_BYTES];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| Failure::Failed("the system has no random numbers".to_owned()))?;
    let verifiers = Verifier::derive_all(password, salt, iterations)
        .map_err(|error| Failure::Failed(format!("{address}: {error}")))?;
    Ok(NewAccount {
        address: prepared.to_string(),
        credentials: Credentials::new(&verifiers),
    })
}
