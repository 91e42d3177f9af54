//! `chat`: pairs of clients, each writing to the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::{task, time};

use crate::figures::{Cost, Meter, Percentiles, per_thousand, round};
use crate::ledger::{Ledger, MIN_BODY_BYTES, Totals};
use crate::pace::{Pace, Pacer};
use crate::ramp::ramp;
use crate::run::{Report, RunArgs, seconds};
use crate::talker::Talker;
use crate::xmpp::{Door, DoorError, Error, Session, Setting, log_in};

/// Late duplicates, acknowledgements and deferred writes belong to the run.
const TAIL: Duration = Duration::from_millis(700);
/// The server's work for the logins does not.
const SETTLING: Duration = Duration::from_secs(1);

/// Options of `chat`.
#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// Pairs of clients
    #[arg(long, default_value_t = 50)]
    pairs: usize,
    /// Bytes of a message's body
    #[arg(long, default_value_t = 100, value_parser = body_bytes)]
    size: usize,
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
    stall: Duration,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `chat`.
#[derive(Debug, Serialize)]
pub(crate) struct Chat {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    pairs: usize,
    body_bytes: usize,
    window: Option<usize>,
    offered_per_s: Option<f64>,
    offered: Option<u64>,
    sent: u64,
    delivered: u64,
    seconds: f64,
    delivered_per_s: f64,
    latency_ms: Option<Percentiles>,
    lost: u64,
    duplicated: u64,
    misordered: u64,
    stray: u64,
    refused: u64,
    unacknowledged: u64,
    failed: u64,
    first_failure: Option<String>,
    server_cpu_s_per_1000_messages: Option<f64>,
    server_cpu_s: Option<f64>,
    generator_cpu_s: f64,
    generator_cpu_share: f64,
    generator_late_ms: Option<Percentiles>,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChatError {
    /// There is no door to knock at.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// Not everyone came in.
    #[error("{failed} of {clients} clients could not log in; the first: {first}")]
    Login {
        /// Clients that failed.
        failed: usize,
        /// Clients that there should have been.
        clients: usize,
        /// Why the first one failed.
        first: String,
    },
}

/// Runs the load.
pub(crate) async fn chat(args: ChatArgs) -> Result<Chat, ChatError> {
    let door = Arc::new(args.run.door()?);
    let sessions = enter(&args, &door).await?;
    time::sleep(SETTLING).await;

    let ledger = Arc::new(Ledger::new(std::process::id(), sessions.len(), args.size));
    let meter = Meter::start(args.run.server());
    let pacer = Arc::new(Pacer::start(args.pace(), sessions.len(), args.seconds));
    let (stop, stopped) = watch::channel(());
    let mut talkers = JoinSet::new();
    for (me, session) in sessions.into_iter().enumerate() {
        let (ledger, pacer) = (ledger.clone(), pacer.clone());
        let partner = door.accounts().address(me ^ 1);
        let talker = Talker {
            session,
            me,
            partner,
            ack_every: args.ack_every,
            patience: args.stall,
            ledger,
            pacer,
        };
        talkers.spawn(talker.talk(stopped.clone()));
    }
    let driver = pacer.clone();
    let offered = task::spawn_blocking(move || driver.drive())
        .await
        .expect("the pacer does not panic");
    all_arrived(&ledger, offered, args.stall).await;
    time::sleep(TAIL).await;
    let cost = meter.read();
    drop(stop);
    let ends = Ends::of(talkers).await;
    let started = pacer.started();
    let measured = Measured {
        started,
        offered,
        totals: ledger.totals(),
        cost,
        ends,
    };
    Ok(args.report(door.setting(), measured))
}

async fn enter(args: &ChatArgs, door: &Arc<Door>) -> Result<Vec<Session>, ChatError> {
    let clients = args.pairs * 2;
    let log_in = |number| {
        let door = door.clone();
        async move { log_in(&door, number).await }
    };
    let ramp = ramp(0..clients, args.run.concurrency, log_in).await;
    let failed = ramp.failures.len();
    match ramp.failures.into_iter().next() {
        Some(first) => Err(ChatError::Login {
            failed,
            clients,
            first,
        }),
        None => Ok(ramp
            .clients
            .into_iter()
            .map(|(_, session)| session)
            .collect()),
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
        if arrived >= offered.unwrap_or(sent) || since.elapsed() > stall {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
}

/// What a run showed.
struct Measured {
    started: Instant,
    offered: Option<u64>,
    totals: Totals,
    cost: Cost,
    ends: Ends,
}

/// How the clients ended.
#[derive(Default)]
struct Ends {
    unacknowledged: u64,
    failures: Vec<String>,
}

impl Ends {
    async fn of(mut talkers: JoinSet<Result<u32, Error>>) -> Self {
        let mut ends = Self::default();
        while let Some(end) = talkers.join_next().await {
            match end {
                Ok(Ok(unacknowledged)) => ends.unacknowledged += u64::from(unacknowledged),
                Ok(Err(error)) => ends.failures.push(error.to_string()),
                Err(panic) => ends.failures.push(panic.to_string()),
            }
        }
        ends
    }
}

impl ChatArgs {
    fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Window(self.window), Pace::Rate)
    }

    fn report(&self, setting: &Setting, measured: Measured) -> Chat {
        let Measured {
            started,
            offered,
            totals,
            cost,
            ends,
        } = measured;
        let delivered = totals.delivered();
        let seconds = totals
            .last
            .map_or(0.0, |last| (last - started).as_secs_f64());
        Chat {
            load: "chat",
            setting: setting.clone(),
            pairs: self.pairs,
            body_bytes: self.size,
            window: self.rate.is_none().then_some(self.window),
            offered_per_s: self.rate,
            offered,
            sent: totals.sent,
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
            server_cpu_s_per_1000_messages: cost
                .server_cpu
                .and_then(|cpu| per_thousand(cpu, delivered)),
            server_cpu_s: cost.server_cpu.map(|cpu| round(cpu, 2)),
            generator_cpu_s: round(cost.generator_cpu, 2),
            generator_cpu_share: round(cost.generator_cpu / cost.seconds, 3),
            generator_late_ms: self.rate.and_then(|_| Percentiles::of(totals.late)),
            latency_ms: Percentiles::of(totals.times),
        }
    }
}

impl Report for Chat {
    fn is_sound(&self) -> bool {
        let faults = self.lost + self.duplicated + self.misordered + self.stray;
        faults + self.refused + self.unacknowledged + self.failed == 0
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::join;

    use super::*;
    use crate::mock::{self, Fault};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        chat: ChatArgs,
    }

    /// Two pairs for a tenth of a second, each sender with 20 messages under way.
    async fn with(fault: Fault, more: &[&str]) -> Chat {
        let to = mock::serve(fault).await.to_string();
        let arguments =
            "chat --pairs 2 --mechanism plain --window 20 --seconds 0.1 --stall 0.2 --to";
        let arguments = arguments
            .split(' ')
            .chain([to.as_str()])
            .chain(more.iter().copied());
        chat(Command::parse_from(arguments).chat).await.unwrap()
    }

    #[tokio::test]
    async fn a_server_without_faults_is_found_sound() {
        let chats = join!(
            with(Fault::None, &["--no-sm"]),
            with(Fault::None, &["--ack-every", "3"]),
            with(Fault::None, &["--size", "5000"]),
        );
        for chat in <[Chat; 3]>::from(chats) {
            assert!(chat.is_sound(), "{chat:?}");
            assert!(
                chat.delivered > 100 && chat.delivered == chat.sent,
                "{chat:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_the_server_does_wrong_is_named() {
        let (lossy, doubling, delaying, bouncing, forgetful) = join!(
            with(Fault::Loses, &[]),
            with(Fault::Doubles, &[]),
            with(Fault::Delays, &[]),
            with(Fault::Bounces, &[]),
            with(Fault::Forgets, &["--ack-every", "0"]),
        );
        assert!(
            lossy.lost > 0 && lossy.lost == lossy.sent - lossy.delivered,
            "{lossy:?}"
        );
        assert!(
            doubling.duplicated > 0 && doubling.lost == 0,
            "{doubling:?}"
        );
        assert!(delaying.misordered > 0, "{delaying:?}");
        assert!(
            bouncing.refused > 0 && bouncing.refused == bouncing.lost,
            "{bouncing:?}"
        );
        assert!(
            forgetful.unacknowledged > 0 && forgetful.lost == 0,
            "{forgetful:?}"
        );
        for faulty in [lossy, doubling, delaying, bouncing, forgetful] {
            assert!(!faulty.is_sound());
        }
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_a_failure() {
        let broken = with(Fault::HangsUp, &[]).await;
        assert_eq!((broken.failed, broken.is_sound()), (4, false), "{broken:?}");
        assert!(broken.first_failure.is_some());
    }

    #[tokio::test]
    async fn an_offered_rate_does_not_wait_for_the_server() {
        let offered = with(Fault::None, &["--rate", "200"]).await;
        assert_eq!(
            (offered.offered, offered.sent, offered.delivered),
            (Some(20), 20, 20),
            "{offered:?}"
        );
    }
}
