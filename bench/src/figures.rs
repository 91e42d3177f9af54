//! How measurements become figures.

use std::iter::Sum;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::process::ProcessTree;

/// Percentiles in milliseconds, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    /// Nothing of nothing.
    pub(crate) fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let max = times.last()?;
        let milliseconds = |time: &Duration| round(time.as_secs_f64() * 1e3, 3);
        let rank =
            |share: f64| milliseconds(&times[(times.len() as f64 * share).ceil() as usize - 1]);
        Some(Self {
            p50: rank(0.50),
            p95: rank(0.95),
            p99: rank(0.99),
            max: milliseconds(max),
        })
    }
}

/// Rounds to so many decimal digits.
pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

/// How many there are for each thousand of `count`; nothing for a count of nothing.
pub(crate) fn per_thousand(amount: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| round(amount * 1e3 / count as f64, 5))
}

/// Runs from the start of something to its end.
pub(crate) struct Meter {
    server: Option<ProcessTree>,
    started: Instant,
    server_cpu: Option<f64>,
    generator_cpu: Option<f64>,
}

/// What something cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// How long it took.
    pub(crate) seconds: f64,
    /// Processor time of the server; nothing if it is not known or did not survive.
    pub(crate) server_cpu: Option<f64>,
    /// Processor time of the load generator.
    pub(crate) generator_cpu: f64,
}

impl Meter {
    /// Starts with the counters of now.
    pub(crate) fn start(server: Option<ProcessTree>) -> Self {
        Self {
            server,
            started: Instant::now(),
            server_cpu: server.and_then(ProcessTree::cpu_seconds),
            generator_cpu: ProcessTree::own().cpu_seconds(),
        }
    }

    /// What has been spent since the start.
    pub(crate) fn read(&self) -> Cost {
        let since = |before: Option<f64>, tree: ProcessTree| Some(tree.cpu_seconds()? - before?);
        Cost {
            seconds: self.started.elapsed().as_secs_f64(),
            server_cpu: self
                .server
                .and_then(|server| since(self.server_cpu, server)),
            generator_cpu: since(self.generator_cpu, ProcessTree::own()).unwrap_or_default(),
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        let nothing = Self {
            seconds: 0.0,
            server_cpu: Some(0.0),
            generator_cpu: 0.0,
        };
        costs.fold(nothing, |sum, cost| Self {
            seconds: sum.seconds + cost.seconds,
            server_cpu: sum
                .server_cpu
                .zip(cost.server_cpu)
                .map(|(sum, cpu)| sum + cpu),
            generator_cpu: sum.generator_cpu + cost.generator_cpu,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        let expected = Percentiles {
            p50: 100.0,
            p95: 190.0,
            p99: 198.0,
            max: 200.0,
        };
        assert_eq!(Percentiles::of(times), Some(expected));
        let one = Percentiles::of(vec![Duration::from_micros(1500)]).unwrap();
        assert_eq!((one.p50, one.max), (1.5, 1.5));
        assert_eq!(Percentiles::of(vec![]), None);
    }

    #[test]
    fn figures_are_per_thousand() {
        assert_eq!(per_thousand(0.5, 20_000), Some(0.025));
        assert_eq!(per_thousand(0.5, 0), None);
    }
}
