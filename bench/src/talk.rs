//! What all loads with messages have in common: the options, the course of a run, its figures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::{task, time};

use crate::clients::Ends;
use crate::figures::{Cost, Meter, Percentiles, per_thousand, round};
use crate::ledger::{Ledger, MIN_BODY_BYTES, Totals};
use crate::pace::{Pace, Pacer};
use crate::process::ProcessTree;
use crate::run::seconds;
use crate::talker::{Seat, Talker};
use crate::xmpp::Session;

/// Late duplicates, acknowledgements and deferred writes belong to the run.
pub(crate) const TAIL: Duration = Duration::from_millis(700);
/// The server's work for what came before does not.
pub(crate) const SETTLING: Duration = Duration::from_secs(1);

/// How messages are sent.
#[derive(Debug, Args)]
pub(crate) struct TalkArgs {
    /// Bytes of a message's body
    #[arg(long, default_value_t = 100, value_parser = body_bytes)]
    pub(crate) size: usize,
    /// Messages of each sender that may be under way
    #[arg(long, default_value_t = 10)]
    window: usize,
    /// Messages due each second from all senders together, whether the server keeps up or not;
    /// instead of a window
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Seconds of sending
    #[arg(long, default_value = "10", value_parser = seconds)]
    seconds: Duration,
    /// Messages after which a sender asks for acknowledgement; 0: only at the end
    #[arg(long, default_value_t = 10)]
    ack_every: usize,
    /// Seconds without any arrival after which the rest counts as lost, and after which what is not
    /// acknowledged never will be
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub(crate) stall: Duration,
}

/// The figures of a run. A delivery is one message at one of its receivers.
#[derive(Debug, Serialize)]
pub(crate) struct Traffic {
    pub(crate) body_bytes: usize,
    pub(crate) window: Option<usize>,
    pub(crate) offered_per_s: Option<f64>,
    pub(crate) offered: Option<u64>,
    pub(crate) sent: u64,
    pub(crate) completed: u64,
    pub(crate) delivered: u64,
    pub(crate) seconds: f64,
    pub(crate) delivered_per_s: f64,
    pub(crate) latency_ms: Option<Percentiles>,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) misordered: u64,
    pub(crate) stray: u64,
    pub(crate) refused: u64,
    pub(crate) unacknowledged: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) server_cpu_s_per_1000_messages: Option<f64>,
    pub(crate) server_cpu_s_per_1000_deliveries: Option<f64>,
    pub(crate) server_cpu_s: Option<f64>,
    pub(crate) generator_cpu_s: f64,
    pub(crate) generator_cpu_share: f64,
    pub(crate) generator_late_ms: Option<Percentiles>,
}

impl TalkArgs {
    /// Lets clients talk, each from its seat, until the time is over and everything has arrived.
    pub(crate) async fn talk<S: Seat>(
        &self,
        server: Option<ProcessTree>,
        ledger: Arc<Ledger>,
        senders: usize,
        clients: impl IntoIterator<Item = (Session, S)>,
    ) -> Traffic {
        let meter = Meter::start(server);
        let pacer = Arc::new(Pacer::start(self.pace(), senders, self.seconds));
        let (stop, stopped) = watch::channel(());
        let mut talkers = JoinSet::new();
        for (session, seat) in clients {
            let talker = Talker {
                session,
                seat,
                ack_every: self.ack_every,
                patience: self.stall,
                ledger: ledger.clone(),
                pacer: pacer.clone(),
            };
            talkers.spawn(talker.talk(stopped.clone()));
        }
        let driver = pacer.clone();
        let offered = task::spawn_blocking(move || driver.drive())
            .await
            .expect("the pacer does not panic");
        all_arrived(&ledger, offered, self.stall).await;
        time::sleep(TAIL).await;
        let cost = meter.read();
        drop(stop);
        let ends = Ends::of(talkers).await;
        self.traffic(pacer.started(), offered, ledger.totals(), cost, ends)
    }

    fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Window(self.window), Pace::Rate)
    }

    fn traffic(
        &self,
        started: Instant,
        offered: Option<u64>,
        totals: Totals,
        cost: Cost,
        ends: Ends,
    ) -> Traffic {
        let delivered = totals.delivered();
        let seconds = totals
            .last
            .map_or(0.0, |last| (last - started).as_secs_f64());
        let per_thousand = |count| cost.server_cpu.and_then(|cpu| per_thousand(cpu, count));
        Traffic {
            body_bytes: self.size,
            window: self.rate.is_none().then_some(self.window),
            offered_per_s: self.rate,
            offered,
            sent: totals.sent,
            completed: totals.completed,
            delivered,
            seconds: round(seconds, 3),
            delivered_per_s: round(delivered as f64 / seconds, 1),
            lost: totals.lost(),
            duplicated: totals.duplicated,
            misordered: totals.misordered,
            stray: totals.stray,
            refused: totals.refused,
            unacknowledged: ends.unacknowledged,
            failed: ends.failures.len() as u64,
            first_failure: ends.failures.into_iter().next(),
            server_cpu_s_per_1000_messages: per_thousand(totals.completed),
            server_cpu_s_per_1000_deliveries: per_thousand(delivered),
            server_cpu_s: cost.server_cpu.map(|cpu| round(cpu, 2)),
            generator_cpu_s: round(cost.generator_cpu, 2),
            generator_cpu_share: round(cost.generator_cpu / cost.seconds, 3),
            generator_late_ms: self.rate.and_then(|_| Percentiles::of(totals.late)),
            latency_ms: Percentiles::of(totals.times),
        }
    }
}

impl Traffic {
    /// Whether everything arrived once, in order, and was acknowledged.
    pub(crate) fn is_sound(&self) -> bool {
        let faults = self.lost + self.duplicated + self.misordered + self.stray;
        faults + self.refused + self.unacknowledged + self.failed == 0
    }
}

/// Waits until everything that was sent, or offered, has arrived, or nothing has for as long as `stall`.
async fn all_arrived(ledger: &Ledger, offered: Option<u64>, stall: Duration) {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let (sent, arrived) = ledger.progress();
        if arrived > seen {
            (seen, since) = (arrived, Instant::now());
        }
        let expected = offered.unwrap_or(sent) * ledger.receivers() as u64;
        if arrived >= expected || since.elapsed() > stall {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    (rate > 0.0)
        .then_some(rate)
        .ok_or("not above zero".to_owned())
}

fn body_bytes(text: &str) -> Result<usize, String> {
    let size = text.parse().map_err(|_| "not a number".to_owned())?;
    (size >= MIN_BODY_BYTES).then_some(size).ok_or(format!(
        "less than the {MIN_BODY_BYTES} that hold a message's numbers"
    ))
}
