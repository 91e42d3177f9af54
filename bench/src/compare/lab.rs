//! Where servers are set up, put under load one at a time, and cleared away.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use super::case::{Case, Given, Load};
use super::run::Run;
use super::server::{Server, tail};
use super::variant::{Product, Variant};
use super::{CompareError, anser, machine, trying};

/// The most that one load may take; they end by themselves long before.
const PATIENCE: Duration = Duration::from_secs(900);

/// Directories for all servers, removed in the end.
pub(crate) struct Lab {
    /// This program, which is the load generator too.
    program: PathBuf,
    anser: PathBuf,
    /// Added to every load.
    options: Vec<String>,
    work: PathBuf,
    peers: PathBuf,
}

impl Lab {
    /// Makes empty directories in `work` for Anser and in `peers` for the others.
    pub(crate) fn new(
        program: PathBuf,
        anser: PathBuf,
        options: Vec<String>,
        work: &Path,
        peers: &Path,
    ) -> Result<Self, CompareError> {
        let make = |dir: &Path| {
            let dir = dir.join(format!("bench-work-{}", std::process::id()));
            // Servers run in their own directories: their paths must not be relative.
            let made = fs::create_dir_all(&dir).and_then(|()| dir.canonicalize());
            made.map_err(trying(|| format!("making {}", dir.display())))
        };
        Ok(Self {
            program,
            anser,
            options,
            work: make(work)?,
            peers: make(peers)?,
        })
    }

    /// Prepares the data that every run of a server begins with: nothing but accounts.
    pub(crate) async fn furnish(
        &self,
        variant: Variant,
        accounts: usize,
    ) -> Result<(), CompareError> {
        let seed = self.seed(variant);
        fs::create_dir_all(&seed).map_err(trying(|| format!("making {}", seed.display())))?;
        let count = accounts.to_string();
        match variant.product {
            Product::Anser => {
                let list = self.work.join("accounts");
                let listed = succeed(self.bench(&["accounts", "--count", &count])).await?;
                fs::write(&list, listed.stdout)
                    .map_err(trying(|| "the list of accounts".to_owned()))?;
                succeed(anser::add_accounts(&self.anser, &seed, &list)).await?;
            }
            Product::Ejabberd | Product::Prosody => {
                let server = Server::start(variant, &self.anser, &seed).await?;
                let to = server.doors().xmpp.to_string();
                succeed(self.bench(&["register", "--count", &count, "--to", &to])).await?;
                server.stop().await;
            }
        }
        Ok(())
    }

    /// Runs a case on a server that is started for it, with fresh data.
    pub(crate) async fn measure(
        &self,
        round: u32,
        case: &Case,
        load: Load,
        variant: Variant,
    ) -> Run {
        let load_average = machine::load_average();
        let result = self.try_measure(case, load, variant).await;
        let (report, sound, error) = match result {
            Ok((report, sound)) => (Some(report), sound, None),
            Err(error) => (None, false, Some(error.to_string())),
        };
        Run {
            round,
            case: case.name,
            variant,
            data_on: machine::file_system_of(self.root(variant)),
            load_average,
            command: load.command(&self.options),
            given_by: load.given.by(),
            report,
            sound,
            error,
        }
    }

    async fn try_measure(
        &self,
        case: &Case,
        load: Load,
        variant: Variant,
    ) -> Result<(Value, bool), CompareError> {
        let mut seed = self.seed(variant);
        if let Some(by) = load.given.by() {
            let prepared = self
                .root(variant)
                .join(format!("{}-{}", variant.product, case.name));
            if !prepared.exists() {
                self.prepare(by, case, variant, &prepared).await?;
            }
            seed = prepared;
        }
        let mut arguments = load.arguments.to_owned();
        let server = match load.given {
            Given::Nothing | Given::Left { .. } => self.start(variant, &seed).await?,
            Given::Sleeping { empty, .. } => {
                let kib = self.rss_at_rest(empty, case, variant).await?;
                write!(arguments, " --empty-rss-kib {kib}").expect("strings take everything");
                self.launch(variant, &seed).await?
            }
        };
        if let Some(warm_up) = case.warm_up {
            self.put_under(warm_up, case, &server).await?;
        }
        let report = self.put_under(&arguments, case, &server).await;
        server.stop().await;
        report
    }

    /// A server with a copy of this data.
    async fn start(&self, variant: Variant, seed: &Path) -> Result<Server, CompareError> {
        let dir = self.copy(variant, seed).await?;
        Server::start(variant, &self.anser, &dir).await
    }

    /// The same, as soon as it listens.
    async fn launch(&self, variant: Variant, seed: &Path) -> Result<Server, CompareError> {
        let dir = self.copy(variant, seed).await?;
        Server::launch(variant, &self.anser, &dir).await
    }

    async fn copy(&self, variant: Variant, seed: &Path) -> Result<PathBuf, CompareError> {
        let dir = self.root(variant).join("run");
        let _ = fs::remove_dir_all(&dir);
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(seed).arg(&dir);
        succeed(copy).await?;
        Ok(dir)
    }

    /// Keeps what a load leaves, for all runs of a case.
    async fn prepare(
        &self,
        by: &str,
        case: &Case,
        variant: Variant,
        prepared: &Path,
    ) -> Result<(), CompareError> {
        eprintln!("{variant}: {by}");
        let server = self.start(variant, &self.seed(variant)).await?;
        let (report, is_sound) = self.put_under(by, case, &server).await?;
        server.stop().await;
        if !is_sound {
            return Err(CompareError::Failed {
                command: by.to_owned(),
                output: report.to_string(),
            });
        }
        fs::rename(self.root(variant).join("run"), prepared)
            .map_err(trying(|| format!("keeping {}", prepared.display())))
    }

    /// What a server needs that has just started and has nothing but accounts.
    async fn rss_at_rest(
        &self,
        empty: &str,
        case: &Case,
        variant: Variant,
    ) -> Result<f64, CompareError> {
        let server = self.launch(variant, &self.seed(variant)).await?;
        let report = self.put_under(empty, case, &server).await;
        server.stop().await;
        let (report, _) = report?;
        let rss = report.pointer("/memory_at_rest/rss_kib");
        rss.and_then(Value::as_f64)
            .ok_or_else(|| CompareError::Failed {
                command: empty.to_owned(),
                output: report.to_string(),
            })
    }

    async fn put_under(
        &self,
        arguments: &str,
        case: &Case,
        server: &Server,
    ) -> Result<(Value, bool), CompareError> {
        let (door, pid) = (server.doors().named(case.door), server.pid());
        let mut command = self.bench(&arguments.split(' ').collect::<Vec<_>>());
        command.args(&self.options).args([
            "--to",
            &door.to_string(),
            "--server-pid",
            &pid.to_string(),
        ]);
        let output = output_of(&mut command).await?;
        // A faulty run has a report too, and a status that says so.
        let report =
            serde_json::from_slice(&output.stdout).map_err(|_| failed(&command, &output))?;
        Ok((report, output.status.success()))
    }

    fn bench(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    fn root(&self, variant: Variant) -> &Path {
        match variant.product {
            Product::Anser => &self.work,
            Product::Ejabberd | Product::Prosody => &self.peers,
        }
    }

    fn seed(&self, variant: Variant) -> PathBuf {
        self.root(variant)
            .join(format!("{}-{}", variant.product, variant.history))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for dir in [&self.work, &self.peers] {
            let _ = fs::remove_dir_all(dir);
        }
    }
}

/// Runs a program that must succeed.
pub(crate) async fn succeed(mut command: Command) -> Result<Output, CompareError> {
    let output = output_of(&mut command).await?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(failed(&command, &output))
    }
}

async fn output_of(command: &mut Command) -> Result<Output, CompareError> {
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    let output = output.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    output.map_err(trying(|| text_of(command)))
}

fn failed(command: &Command, output: &Output) -> CompareError {
    let said = String::from_utf8_lossy(&output.stderr);
    CompareError::Failed {
        command: text_of(command),
        output: tail(&said),
    }
}

fn text_of(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(std::ffi::OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
