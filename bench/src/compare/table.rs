//! The table of one case: a row for each server.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;

use super::case::{Case, Cell, Column};
use super::figure::{Spread, number, runs_of, values};
use super::lab::Run;
use super::variant::Variant;

/// What a case showed on one server.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    case: &'static str,
    #[serde(flatten)]
    variant: Variant,
    data_on: String,
    command: String,
    runs: usize,
    load_average: Option<Spread>,
    figures: BTreeMap<&'static str, Spread>,
    faults: Vec<String>,
    #[serde(skip)]
    cells: Vec<String>,
}

impl Row {
    /// Nothing if the case was not run on that server.
    pub(crate) fn of(runs: &[Run], case: &Case, variant: Variant) -> Option<Self> {
        let first = runs_of(runs, case, variant).next()?;
        let all = || runs_of(runs, case, variant);
        let spread = |column: &Column| {
            let spread = Spread::in_runs(runs, case, variant, column.pointer)?;
            Some((column.heading, spread))
        };
        let cell = |column: &Column| {
            cell(
                column,
                values(runs, case, variant, column.pointer).collect(),
            )
        };
        Some(Self {
            case: case.name,
            variant,
            data_on: first.data_on.clone(),
            command: first.command.clone(),
            runs: all().filter(|run| run.report.is_some()).count(),
            load_average: Spread::of(all().map(|run| run.load_average).collect()),
            figures: case.columns.iter().filter_map(spread).collect(),
            faults: all().filter_map(Run::fault).map(str::to_owned).collect(),
            cells: case.columns.iter().map(cell).collect(),
        })
    }
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
    write!(to, "| server | history | data on | runs | load |")?;
    case.columns
        .iter()
        .try_for_each(|column| write!(to, " {} |", column.heading))?;
    writeln!(
        to,
        "\n|---|---|---|---|---|{}",
        "---|".repeat(case.columns.len())
    )?;
    for row in rows {
        let load = row
            .load_average
            .map(|load| number(load.median))
            .unwrap_or_default();
        let Variant { product, history } = row.variant;
        write!(
            to,
            "| {product} | {history} | {} | {} | {load} |",
            row.data_on, row.runs
        )?;
        row.cells
            .iter()
            .try_for_each(|cell| write!(to, " {cell} |"))?;
        writeln!(to)?;
    }
    for row in rows {
        for fault in &row.faults {
            writeln!(
                to,
                "\n{}, a run with faults: {}",
                row.variant,
                fault.replace('\n', " / ")
            )?;
        }
    }
    Ok(())
}

fn cell(column: &Column, values: Vec<f64>) -> String {
    let sum: f64 = values.iter().sum();
    match (column.cell, Spread::of(values)) {
        (_, None) => String::new(),
        (Cell::Median, Some(spread)) => number(spread.median),
        (Cell::Range, Some(spread)) => spread.to_string(),
        (Cell::Sum, Some(_)) => number(sum),
    }
}
