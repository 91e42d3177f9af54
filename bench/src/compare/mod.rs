//! `compare`: Anser beside ejabberd and Prosody, on one machine, in one sitting.

mod anser;
mod case;
mod ejabberd;
mod figure;
mod install;
mod lab;
mod machine;
mod prosody;
mod ratio;
mod report;
mod run;
mod server;
mod table;
mod variant;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

#[cfg(test)]
pub(crate) use case::all_arguments;
use case::{CASES, Case, Column, Load};
use figure::number;
use lab::Lab;
use machine::Machine;
use report::Comparison;
use variant::{Product, Variant};

/// Options of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A first look: one round, short loads
    #[arg(long)]
    quick: bool,
    /// Rounds; each runs every case once on every server [default: 3, or 1 with --quick]
    #[arg(long)]
    rounds: Option<u32>,
    /// Only these cases
    #[arg(long, num_args = 1.., value_name = "CASE", value_parser = PossibleValuesParser::new(CASES.iter().map(|case| case.name)))]
    only: Vec<String>,
    /// Only these servers
    #[arg(long, num_args = 1.., value_name = "NAME", value_enum)]
    server: Vec<Product>,
    /// Where comparison.md and comparison.json go
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
    /// Where the servers keep their data, on a real disk [default: beside this program]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Keep the peers' data in /dev/shm, which spares them the disk that Anser waits for
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    peers_on_tmpfs: bool,
    /// The program `anser` [default: beside this program]
    #[arg(long, value_name = "FILE")]
    anser: Option<PathBuf>,
    /// First install the peers that are missing, from Debian's packages
    #[arg(long)]
    install: bool,
    /// Further options of the loads, the same for all servers
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompareError {
    /// A file or a process could not be had.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no program to compare.
    #[error(
        "{0} is not there: build it with `cargo build --release`, or leave it out with --server"
    )]
    NoAnser(PathBuf),
    /// A peer is not installed.
    #[error("{0} is not installed: run with --install, or leave it out with --server")]
    NotInstalled(&'static str),
    /// A program that had to succeed did not.
    #[error("`{command}` failed: {output}")]
    Failed {
        /// What was run.
        command: String,
        /// The end of what it said.
        output: String,
    },
    /// A server ended, or never listened.
    #[error("{variant} did not start: {output}")]
    NotStarted {
        /// Which one.
        variant: Variant,
        /// The end of what it said.
        output: String,
    },
}

/// Says what was being tried when a call to the system failed.
fn trying(what: impl FnOnce() -> String) -> impl FnOnce(io::Error) -> CompareError {
    |source| CompareError::Io {
        what: what(),
        source,
    }
}

/// Compares, and writes what came of it after every round.
pub(crate) async fn compare(args: CompareArgs) -> Result<(), CompareError> {
    if args.install {
        install::install_missing().await?;
    }
    let program = std::env::current_exe().map_err(trying(|| "finding this program".to_owned()))?;
    let beside = program.parent().unwrap_or(Path::new("."));
    let anser = args.anser.clone().unwrap_or_else(|| beside.join("anser"));
    let anser = std::path::absolute(&anser).map_err(trying(|| "finding anser".to_owned()))?;
    let (cases, variants) = (args.cases(), args.variants());
    check(&variants, &anser).await?;

    let work = args.work.as_deref().unwrap_or(beside);
    let peers = if args.peers_on_tmpfs {
        Path::new("/dev/shm")
    } else {
        work
    };
    let lab = Lab::new(
        program.clone(),
        anser.clone(),
        args.options.clone(),
        work,
        peers,
    )?;
    for &variant in &variants {
        let accounts = cases
            .iter()
            .filter(|case| variant.takes(case))
            .map(|case| args.load(case).accounts);
        if let Some(accounts) = accounts.max() {
            eprintln!("{variant}: making {accounts} accounts");
            lab.furnish(variant, accounts).await?;
        }
    }
    let machine = Machine::inspect(&anser).await;
    let mut comparison = Comparison {
        machine,
        command: command_line(),
        cases,
        runs: Vec::new(),
    };
    for round in 1..=args.rounds() {
        run_round(&args, &lab, &mut comparison, &variants, round).await;
        comparison.write(&args.out)?;
    }
    println!("{comparison}");
    Ok(())
}

/// Every case on every server, one after the other; each round begins with another server.
async fn run_round(
    args: &CompareArgs,
    lab: &Lab,
    comparison: &mut Comparison,
    variants: &[Variant],
    round: u32,
) {
    let mut order = variants.to_vec();
    order.rotate_left((round as usize - 1) % variants.len());
    for case in comparison.cases.clone() {
        for &variant in order.iter().filter(|variant| variant.takes(case)) {
            let run = lab.measure(round, case, args.load(case), variant).await;
            let told = |column: &Column| {
                run.figure(column.pointer)
                    .map(|figure| format!("{} {}", number(figure), column.heading))
            };
            let told: Vec<String> = case.columns.iter().take(2).filter_map(told).collect();
            let fault = run.fault().unwrap_or_default();
            eprintln!(
                "round {round}, {}: {variant}: {} {fault}",
                case.name,
                told.join(", ")
            );
            comparison.runs.push(run);
        }
    }
}

impl CompareArgs {
    fn cases(&self) -> Vec<&'static Case> {
        let is_wanted =
            |case: &&Case| self.only.is_empty() || self.only.iter().any(|name| name == case.name);
        CASES.iter().filter(is_wanted).collect()
    }

    fn variants(&self) -> Vec<Variant> {
        let is_wanted =
            |variant: &Variant| self.server.is_empty() || self.server.contains(&variant.product);
        Variant::ALL.into_iter().filter(is_wanted).collect()
    }

    fn load(&self, case: &Case) -> Load {
        if self.quick { case.quick } else { case.load }
    }

    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 })
    }
}

/// Whether the programs are there, before any time is spent.
async fn check(variants: &[Variant], anser: &Path) -> Result<(), CompareError> {
    let installed = install::versions().await;
    for variant in variants {
        let package = match variant.product {
            Product::Anser if anser.exists() => continue,
            Product::Anser => return Err(CompareError::NoAnser(anser.to_owned())),
            Product::Ejabberd => "ejabberd",
            Product::Prosody => "prosody",
        };
        if !install::lists(&installed, package) {
            return Err(CompareError::NotInstalled(package));
        }
    }
    Ok(())
}

fn command_line() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("anser-bench {}", arguments.join(" "))
}
