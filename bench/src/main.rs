//! Loads for XMPP servers, and the comparison of Anser with its peers.
//!
//! Every load ends with one line of JSON on the standard output; `README.md` tells what its
//! figures mean. Everything stays on the loopback interface and ends by itself.

mod accounts;
mod audience;
mod chat;
mod clients;
mod compare;
mod crowd;
mod figures;
mod history;
mod ledger;
mod login;
#[cfg(test)]
mod mock;
mod muc;
mod pace;
mod process;
mod ramp;
mod rooms;
mod run;
mod sleepers;
mod talk;
mod talker;
mod xmpp;

use std::error::Error;
use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::select;
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

use crate::run::Report;

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List accounts, a line `ADDRESS PASSWORD` each, for `anser user add --batch`
    Accounts(accounts::ListArgs),
    /// Create accounts by in-band registration (XEP-0077)
    Register(accounts::RegisterArgs),
    /// Many clients log in, then stay idle for a while
    Login(login::LoginArgs),
    /// Pairs of clients, each writing to the other
    Chat(chat::ChatArgs),
    /// Rooms in which every occupant must get everything
    Rooms(rooms::RoomsArgs),
    /// One room with very many occupants
    Crowd(crowd::CrowdArgs),
    /// Make rooms that last, for `sleepers`
    MakeRooms(sleepers::MakeArgs),
    /// A server that starts with very many rooms, of which few are used
    Sleepers(sleepers::SleepersArgs),
    /// Fill the log of an account, for `history`
    FillHistory(history::FillArgs),
    /// Pages of a long log (XEP-0313), and logins with it
    History(history::HistoryArgs),
    /// Anser beside ejabberd and Prosody
    Compare(compare::CompareArgs),
}

impl Command {
    fn threads(&self) -> NonZeroUsize {
        match self {
            Self::Accounts(_) | Self::Compare(_) => NonZeroUsize::MIN,
            Self::Register(args) => args.run.threads,
            Self::Login(args) => args.run.threads,
            Self::Chat(args) => args.run.threads,
            Self::Rooms(args) => args.run.threads,
            Self::FillHistory(args) => args.run.threads,
            Self::History(args) => args.run.threads,
            Self::Crowd(args) => args.run.threads,
            Self::MakeRooms(args) => args.run.threads,
            Self::Sleepers(args) => args.run.threads,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start(cli).unwrap_or_else(|error| {
        eprintln!("anser-bench: {error}");
        ExitCode::FAILURE
    })
}

fn start(cli: Cli) -> Result<ExitCode, Box<dyn Error>> {
    raise_descriptor_limit()?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime
        .worker_threads(cli.command.threads().get())
        .enable_all()
        .build()?;
    runtime.block_on(run(cli.command))
}

async fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Accounts(args) => {
            accounts::list(&args, &mut io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Register(args) => finish(&accounts::register(args).await?),
        Command::Login(args) => finish(&login::login(args).await?),
        Command::Chat(args) => finish(&chat::chat(args).await?),
        Command::Rooms(args) => finish(&rooms::rooms(args).await?),
        Command::Crowd(args) => finish(&crowd::crowd(args).await?),
        Command::MakeRooms(args) => finish(&sleepers::make(args).await?),
        Command::Sleepers(args) => finish(&sleepers::sleepers(args).await?),
        Command::FillHistory(args) => finish(&history::fill(args).await?),
        Command::History(args) => finish(&history::history(args).await?),
        Command::Compare(args) => {
            // Ending here, and not by the signal, ends the servers too.
            select! {
                compared = compare::compare(args) => compared?,
                signal = interrupted() => signal?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn interrupted() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    select! {
        interrupted = ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Err(io::ErrorKind::Interrupted.into())
}

/// Prints the line of a load; a faulty run fails, so that nobody takes its figures for granted.
fn finish(report: &impl Report) -> Result<ExitCode, Box<dyn Error>> {
    println!("{}", serde_json::to_string(report)?);
    Ok(if report.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// To the hard limit: every client is a descriptor, and servers started from here inherit it.
fn raise_descriptor_limit() -> io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_of_the_comparison_can_be_run() {
        for arguments in compare::all_arguments() {
            let words = format!("anser-bench {arguments} --to 127.0.0.1:5222 --server-pid 1");
            let parsed = Cli::try_parse_from(words.split(' '));
            assert!(parsed.is_ok(), "{arguments}: {:?}", parsed.err());
        }
    }
}
