//! The result, for people and for programs.

use std::fmt::{self, Write};
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::case::Case;
use super::machine::Machine;
use super::ratio::{self, ratios};
use super::run::Run;
use super::table::{self, Row};
use super::variant::Variant;
use super::{CompareError, trying};

const EXPLANATION: &str = "
Medians of the runs, and in brackets from where to where they went. *Data on* is the file system
under a server's data: on tmpfs nothing waits for a disk and nothing survives a power cut. *load* is
the machine's load average before the runs. How the figures are made, and what misleads, stands in
`bench/README.md`.
";

/// Everything that a comparison found out.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// Where.
    pub(crate) machine: Machine,
    /// The command line.
    pub(crate) command: String,
    /// What was measured.
    #[serde(skip)]
    pub(crate) cases: Vec<&'static Case>,
    /// Every single run.
    pub(crate) runs: Vec<Run>,
}

impl Comparison {
    /// Writes `comparison.md` and `comparison.json`.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), CompareError> {
        let mut json = json!(self);
        json["table"] = json!(self.rows().collect::<Vec<_>>());
        json["ratios"] = json!(ratios(&self.runs));
        let written = fs::create_dir_all(dir)
            .and_then(|()| fs::write(dir.join("comparison.json"), format!("{json:#}\n")))
            .and_then(|()| fs::write(dir.join("comparison.md"), self.to_string()));
        written.map_err(trying(|| format!("writing to {}", dir.display())))
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        self.cases.iter().flat_map(|case| self.rows_of(case))
    }

    fn rows_of(&self, case: &Case) -> Vec<Row> {
        Variant::ALL
            .into_iter()
            .filter_map(|variant| Row::of(&self.runs, case, variant))
            .collect()
    }

    fn head(&self, to: &mut String) -> fmt::Result {
        let Machine {
            date,
            processor,
            processors,
            memory_gib,
            kernel,
            system,
            rustc,
            commit,
            anser,
            packages,
        } = &self.machine;
        writeln!(to, "# Anser and its peers\n\n    {}\n", self.command)?;
        writeln!(
            to,
            "- {date} UTC, {processors} × {processor}, {memory_gib} GiB, {system}, Linux {kernel}"
        )?;
        writeln!(to, "- Anser: {anser}, commit {commit}, {rustc}")?;
        writeln!(to, "- peers: {}", packages.join(", "))?;
        to.write_str(EXPLANATION)
    }
}

/// Markdown.
impl fmt::Display for Comparison {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.head(&mut text)?;
        for case in &self.cases {
            table::write(&mut text, case, &self.rows_of(case))?;
        }
        ratio::write(&mut text, &ratios(&self.runs))?;
        to.write_str(&text)
    }
}
