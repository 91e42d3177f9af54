//! Anser against the better peer.

use std::fmt::{self, Write};

use serde::Serialize;

use super::case::{
    CASES, CPU_PER_DELIVERY, CPU_PER_JOIN, CPU_PER_LATE_JOIN, CPU_PER_LOGIN, CPU_PER_MESSAGE,
    CPU_PER_PAGE_BY_COUNTERPART, CPU_PER_PAGE_BY_ID, CPU_PER_PAGE_BY_TIME, P99, RSS_PER_OCCUPANT,
    RSS_PER_SESSION, RSS_PER_SLEEPING_ROOM, START_UP,
};
use super::figure::{Spread, number};
use super::run::{Run, runs_of, spread};
use super::variant::{History, Product, Variant};

/// A figure of which less is better.
struct Measure {
    name: &'static str,
    case: &'static str,
    pointer: &'static str,
    /// What the peers do that it is held against.
    peers: History,
    /// How many times less Anser shall need.
    target: Option<f64>,
}

/// A tenth of what the better peer needs.
const TENTH: Option<f64> = Some(10.0);

#[rustfmt::skip] // a table reads as a table
const MEASURES: &[Measure] = &[
    Measure { name: "CPU-s per 1,000 messages", case: "chat", pointer: CPU_PER_MESSAGE, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 messages", case: "chat", pointer: CPU_PER_MESSAGE, peers: History::Off, target: None },
    Measure { name: "p99 latency, ms", case: "chat-500", pointer: P99, peers: History::On, target: None },
    Measure { name: "p99 latency, ms", case: "chat-500", pointer: P99, peers: History::Off, target: None },
    Measure { name: "CPU-s per 1,000 logins", case: "login", pointer: CPU_PER_LOGIN, peers: History::Off, target: None },
    Measure { name: "KiB per session, TCP", case: "idle", pointer: RSS_PER_SESSION, peers: History::Off, target: None },
    Measure { name: "KiB per session, TLS", case: "idle-tls", pointer: RSS_PER_SESSION, peers: History::Off, target: None },
    Measure { name: "CPU-s per 1,000 messages", case: "chat-carbons", pointer: CPU_PER_MESSAGE, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 messages", case: "chat-devices", pointer: CPU_PER_MESSAGE, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 deliveries", case: "rooms-10x50", pointer: CPU_PER_DELIVERY, peers: History::On, target: TENTH },
    Measure { name: "CPU-s per 1,000 deliveries", case: "rooms-1x1000", pointer: CPU_PER_DELIVERY, peers: History::On, target: TENTH },
    Measure { name: "CPU-s per 1,000 joins", case: "rooms-10x50", pointer: CPU_PER_JOIN, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 joins", case: "crowd-all", pointer: CPU_PER_JOIN, peers: History::On, target: None },
    Measure { name: "CPU-ms of a join", case: "crowd", pointer: CPU_PER_LATE_JOIN, peers: History::On, target: None },
    Measure { name: "KiB per occupant", case: "crowd", pointer: RSS_PER_OCCUPANT, peers: History::On, target: None },
    Measure { name: "start-up, s", case: "sleepers", pointer: START_UP, peers: History::On, target: None },
    Measure { name: "KiB per sleeping room", case: "sleepers", pointer: RSS_PER_SLEEPING_ROOM, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 pages by time", case: "history", pointer: CPU_PER_PAGE_BY_TIME, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 pages by counterpart", case: "history", pointer: CPU_PER_PAGE_BY_COUNTERPART, peers: History::On, target: None },
    Measure { name: "CPU-s per 1,000 pages by id", case: "history", pointer: CPU_PER_PAGE_BY_ID, peers: History::On, target: None },
];

const EXPLANATION: &str = "\
Less is better in all of these. *Times* is the peer's median in Anser's, and in brackets what it
could be if the worst run of one is held against the best of the other. Anser's history is always
on. The figures are those of the tables above. *At least* is what *times* shall be.

| figure | case | Anser | better peer | its figure | times | at least |
|---|---|---|---|---|---|---|
";

/// How much less Anser needs.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    figure: &'static str,
    case: &'static str,
    anser: Spread,
    better_peer: Variant,
    peer: Spread,
    /// The peer's figure in Anser's: above one is in Anser's favour.
    times: Spread,
    /// What that shall be at least.
    target: Option<f64>,
}

/// The ratios for which there are figures.
pub(crate) fn ratios(runs: &[Run]) -> Vec<Ratio> {
    MEASURES
        .iter()
        .filter_map(|measure| measure.ratio(runs))
        .collect()
}

impl Measure {
    fn ratio(&self, runs: &[Run]) -> Option<Ratio> {
        let case = CASES.iter().find(|case| case.name == self.case)?;
        let figure = |variant| spread(&runs_of(runs, case, variant), self.pointer);
        let anser = figure(Variant {
            product: Product::Anser,
            history: History::On,
        })?;
        let peers = Variant::ALL
            .into_iter()
            .filter(|variant| variant.product != Product::Anser && variant.history == self.peers);
        let peers = peers.filter_map(|variant| Some((variant, figure(variant)?)));
        let (better_peer, peer) =
            peers.min_by(|(_, one), (_, two)| one.median.total_cmp(&two.median))?;
        Some(Ratio {
            figure: self.name,
            case: self.case,
            anser,
            better_peer,
            peer,
            times: Spread {
                median: peer.median / anser.median,
                min: peer.min / anser.max,
                max: peer.max / anser.min,
            },
            target: self.target,
        })
    }
}

/// Writes the ratios as a table.
pub(crate) fn write(to: &mut String, ratios: &[Ratio]) -> fmt::Result {
    writeln!(to, "\n## Anser and the better peer\n")?;
    if ratios.is_empty() {
        return writeln!(
            to,
            "There are no figures of Anser, or none of a peer, to compare."
        );
    }
    to.write_str(EXPLANATION)?;
    for ratio in ratios {
        let (anser, peer) = (number(ratio.anser.median), number(ratio.peer.median));
        let times = ratio.times;
        let target = ratio.target.map(number).unwrap_or_default();
        writeln!(
            to,
            "| {} | {} | {anser} | {} | {peer} | {times} | {target} |",
            ratio.figure, ratio.case, ratio.better_peer
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(product: Product, history: History, cpu: f64) -> Run {
        Run {
            round: 1,
            case: "chat",
            variant: Variant { product, history },
            data_on: "tmpfs".to_owned(),
            load_average: 0.0,
            command: String::new(),
            given_by: None,
            report: Some(json!({ "server_cpu_s_per_1000_messages": cpu })),
            sound: true,
            error: None,
        }
    }

    #[test]
    fn anser_is_held_against_the_peer_that_needs_less() {
        let runs = [
            run(Product::Anser, History::On, 0.01),
            run(Product::Anser, History::On, 0.02),
            run(Product::Ejabberd, History::On, 0.6),
            run(Product::Prosody, History::On, 0.45),
            run(Product::Prosody, History::Off, 0.03),
        ];
        let ratios = ratios(&runs);
        assert_eq!(ratios.len(), 2);
        assert_eq!(
            ratios[0].better_peer,
            Variant {
                product: Product::Prosody,
                history: History::On
            }
        );
        assert_eq!(number(ratios[0].times.median), "30.0");
        assert_eq!(
            (number(ratios[0].times.min), number(ratios[0].times.max)),
            ("22.5".into(), "45.0".into())
        );
        assert_eq!(number(ratios[1].times.median), "2.00");
    }

    #[test]
    fn every_measure_names_a_case_that_has_its_figure() {
        for measure in MEASURES {
            let case = CASES.iter().find(|case| case.name == measure.case).unwrap();
            assert!(
                case.columns
                    .iter()
                    .any(|column| column.pointer == measure.pointer),
                "{}",
                measure.name
            );
        }
    }
}
