//! The table of one case: a row for each server.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;

use super::case::{Case, Cell, Column};
use super::figure::{Spread, number};
use super::run::{Run, runs_of, spread};
use super::variant::Variant;

/// What a case showed on one server.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    case: &'static str,
    #[serde(flatten)]
    variant: Variant,
    data_on: String,
    command: String,
    given_by: Option<&'static str>,
    runs: usize,
    sound: usize,
    load_average: Option<Spread>,
    figures: BTreeMap<&'static str, Spread>,
    faults: Vec<String>,
    #[serde(skip)]
    cells: Vec<String>,
}

impl Row {
    /// Nothing if the case was not run on that server.
    pub(crate) fn of(runs: &[Run], case: &Case, variant: Variant) -> Option<Self> {
        let runs = runs_of(runs, case, variant);
        let first = runs.first()?;
        let figure = |column: &Column| Some((column.heading, spread(&runs, column.pointer)?));
        Some(Self {
            case: case.name,
            variant,
            data_on: first.data_on.clone(),
            command: first.command.clone(),
            given_by: first.given_by,
            runs: runs.len(),
            sound: runs.iter().filter(|run| run.sound).count(),
            load_average: Spread::of(runs.iter().map(|run| run.load_average).collect()),
            figures: case.columns.iter().filter_map(figure).collect(),
            faults: runs
                .iter()
                .filter_map(|run| run.fault())
                .map(str::to_owned)
                .collect(),
            cells: case
                .columns
                .iter()
                .map(|column| cell(column, &runs))
                .collect(),
        })
    }
}

/// Faults count wherever they happen; other figures only where none did.
fn cell(column: &Column, runs: &[&Run]) -> String {
    let sound = spread(runs, column.pointer);
    let all: Vec<f64> = runs
        .iter()
        .filter_map(|run| run.figure(column.pointer))
        .collect();
    let text = match column.cell {
        Cell::Median => sound.map(|spread| number(spread.median)),
        Cell::Range => sound.map(|spread| spread.to_string()),
        Cell::Sum => (!all.is_empty()).then(|| number(all.iter().sum())),
    };
    text.unwrap_or_default()
}

/// Writes the rows of one case, with the command that gave them.
pub(crate) fn write(to: &mut String, case: &Case, rows: &[Row]) -> fmt::Result {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    writeln!(
        to,
        "\n## {}: {}\n\n    {}\n",
        case.name, case.title, first.command
    )?;
    if let Some(warm_up) = case.warm_up {
        writeln!(
            to,
            "Before it, and not counted: `anser-bench {warm_up} …`.\n"
        )?;
    }
    if let Some(by) = first.given_by {
        writeln!(
            to,
            "What it finds there was left by `anser-bench {by} …`.\n"
        )?;
    }
    let headings: Vec<&str> = case.columns.iter().map(|column| column.heading).collect();
    writeln!(
        to,
        "| server | history | data on | runs | load | {} |",
        headings.join(" | ")
    )?;
    writeln!(to, "|---|---|---|---|---|{}", "---|".repeat(headings.len()))?;
    for row in rows {
        let Row {
            variant,
            data_on,
            runs,
            sound,
            cells,
            ..
        } = row;
        let load = row
            .load_average
            .map(|load| number(load.median))
            .unwrap_or_default();
        let runs = if sound == runs {
            runs.to_string()
        } else {
            format!("{sound} of {runs}")
        };
        write!(
            to,
            "| {} | {} | {data_on} | {runs} | {load} ",
            variant.product, variant.history
        )?;
        writeln!(to, "| {} |", cells.join(" | "))?;
    }
    for row in rows {
        for fault in &row.faults {
            writeln!(
                to,
                "\n{}, a run that does not count: {}",
                row.variant,
                fault.replace('\n', " / ")
            )?;
        }
    }
    Ok(())
}
