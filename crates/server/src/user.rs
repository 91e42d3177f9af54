//! `anser user`: beside a running server through its socket, or without one on
//! its data.

use crate::cli::{Failure, Output};
use crate::config::Config;
use crate::control::Connection;
use crate::data::{DataFolder, DataLock};
use crate::serve;
use crate::writer::Writer;
use anser_hub::{
    Credentials, Hub, HubConfig, NewAccount, Then, UserAdd, UserDelete, UserList, run_command,
};
use anser_jid::BareJid;
use anser_net::Clock;
use anser_sasl::{Iterations, SALT_BYTES, Verifier};
use anser_store::Journal;
use indicatif::{ProgressBar, ProgressStyle};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Who carries out commands.
pub(crate) struct Server {
    iterations: Iterations,
    reached: Reached,
    /// The data folder, if there was no database in it before.
    made: Option<PathBuf>,
}

/// What to do about a data folder without a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Make one, and the folder too.
    Make,
    /// Say that there is none: the name of the folder is most likely a mistake.
    Refuse,
}

enum Reached {
    /// A server that runs.
    Running(RefCell<Connection>),
    /// Its data, while it does not.
    Stopped(Box<Stopped>),
}

struct Stopped {
    runtime: tokio::runtime::Runtime,
    hub: Arc<Hub>,
    journal: Journal<Then>,
    writer: Option<Writer>,
    _lock: DataLock,
}

/// A server that starts has its folder some moments before its socket.
const PATIENCE: Duration = Duration::from_secs(5);

/// Accounts that are made together.
const CHUNK: usize = 250;

impl Server {
    /// Finds the server of a data folder, or opens the folder.
    pub(crate) fn reach(
        data: &DataFolder,
        config: &Config,
        absent: Absent,
    ) -> Result<Self, Failure> {
        let iterations = Iterations::new(config.auth.scram_iterations)?;
        if absent == Absent::Refuse && !data.is_used() {
            return Err(no_database(data));
        }
        let mut waited = Duration::ZERO;
        let mut made = None;
        let reached = loop {
            if let Some(lock) = data.lock()? {
                if !data.has_database() {
                    match absent {
                        Absent::Refuse => return Err(no_database(data)),
                        Absent::Make => made = Some(data.path().to_owned()),
                    }
                }
                break Reached::Stopped(Box::new(Stopped::open(data, lock, config)?));
            }
            match Connection::open(&data.control_socket()) {
                Ok(connection) => break Reached::Running(RefCell::new(connection)),
                Err(error) if waited >= PATIENCE => {
                    let folder = data.path().display();
                    let text = format!("a server has {folder}, but does not answer: {error}");
                    return Err(Failure::Failed(text));
                }
                Err(_) => {
                    let pause = Duration::from_millis(50);
                    thread::park_timeout(pause);
                    waited += pause;
                }
            }
        };
        Ok(Self {
            iterations,
            reached,
            made,
        })
    }

    fn run(&self, command: &str, arguments: &impl Serialize) -> Result<Value, Failure> {
        let arguments = serde_json::to_value(arguments)?;
        match &self.reached {
            Reached::Running(connection) => connection.borrow_mut().run(command, arguments),
            Reached::Stopped(stopped) => stopped.run(command, arguments),
        }
    }
}

fn no_database(data: &DataFolder) -> Failure {
    let folder = data.path().display();
    Failure::Failed(format!(
        "the data folder {folder} has no database; name another with --data, \
         or make the first account with anser user add"
    ))
}

impl Stopped {
    fn open(data: &DataFolder, lock: DataLock, config: &Config) -> Result<Self, Failure> {
        let (engine, store) = data.open_store(&lock, |_| {})?;
        let journal = serve::new_journal(&engine)?;
        let hub_config = HubConfig {
            // Whichever domains it will serve: that is not known here.
            domains: anser_hub::Domains::Any,
            accounts: config.accounts.clone(),
            rooms: config.rooms.clone(),
        };
        let secret = data.secret(&SystemRandom::new())?;
        let hub = Hub::new(hub_config, store, journal.clone(), secret);
        let writer = Writer::start(&journal, &hub, engine)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self {
            runtime,
            hub,
            journal,
            writer: Some(writer),
            _lock: lock,
        })
    }

    fn run(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        let now = Clock::default().now();
        let running = run_command(&self.hub, command, arguments, now);
        Ok(self.runtime.block_on(running)?)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.journal.close();
        if let Some(writer) = self.writer.take() {
            // What was settled is on disk whatever the thread says.
            let _ = writer.join();
        }
    }
}

pub(crate) fn add(
    server: &Server,
    address: &str,
    password: &str,
    output: &Output,
) -> Result<(), Failure> {
    let account = new_account(address, password, server.iterations)?;
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
    let account = new_account(address, password, server.iterations)?;
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
    let progress = progress(lines.len(), output);
    let mut added = 0;
    for chunk in lines.chunks(CHUNK) {
        let accounts = hash_all(chunk, server.iterations)?;
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
    match &server.made {
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

fn progress(length: usize, output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} accounts, {eta} left");
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
