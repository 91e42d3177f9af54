//! Who carries out commands: a running server, through its socket, or nobody but
//! us, on its data.

use crate::cli::Failure;
use crate::config::Config;
use crate::control::Connection;
use crate::data::{DataFolder, DataLock};
use crate::serve;
use crate::writer::Writer;
use anser_hub::{Hub, HubConfig, Then, run_command};
use anser_net::Clock;
use anser_sasl::Iterations;
use anser_store::Journal;
use ring::rand::SystemRandom;
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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

    /// How often passwords are hashed here.
    pub(crate) fn iterations(&self) -> Iterations {
        self.iterations
    }

    /// The data folder, if there was no database in it before.
    pub(crate) fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }

    /// Has a command carried out.
    pub(crate) fn run(&self, command: &str, arguments: &impl Serialize) -> Result<Value, Failure> {
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
