//! `make-rooms` and `sleepers`: very many rooms that last, of which few are used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time;

use crate::clients::{Ends, LoadError, doing, enter};
use crate::figures::{Meter, Percentiles, per_thousand, round};
use crate::muc::{Room, RoomArgs, Setting as RoomSetting, is_self_presence};
use crate::process::{Memory, ProcessTree};
use crate::run::{Report, RunArgs, seconds};
use crate::xmpp::{Door, Error, Incoming, Session, log_in};

/// The most that a server may take to start.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often a server that starts is asked.
const INTERVAL: Duration = Duration::from_millis(10);

/// Options of `make-rooms`.
#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    /// Rooms
    #[arg(long, default_value_t = 100_000)]
    rooms: usize,
    /// Clients that make them, each its share
    #[arg(long, default_value_t = 8)]
    makers: usize,
    /// Rooms that each of them has under way
    #[arg(long, default_value_t = 20)]
    window: usize,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `make-rooms`.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    load: &'static str,
    rooms: usize,
    failed: u64,
    first_failure: Option<String>,
    seconds: f64,
    server_cpu_s_per_1000_rooms: Option<f64>,
}

/// Options of `sleepers`.
#[derive(Debug, Args)]
pub(crate) struct SleepersArgs {
    /// Rooms that there are, made by `make-rooms`
    #[arg(long, default_value_t = 100_000)]
    rooms: usize,
    /// Those that someone enters and writes to, evenly among the others
    #[arg(long, default_value_t = 1000)]
    active: usize,
    /// Clients that do so, each its share, one room after the other
    #[arg(long, default_value_t = 10)]
    visitors: usize,
    /// Seconds to stay idle before memory is read
    #[arg(long, default_value = "5", value_parser = seconds)]
    hold: Duration,
    /// What the same server needs without any rooms, in KiB: `memory_at_rest` of a run with `--rooms 0`
    #[arg(long)]
    empty_rss_kib: Option<f64>,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `sleepers`.
#[derive(Debug, Serialize)]
pub(crate) struct Sleepers {
    load: &'static str,
    rooms: usize,
    /// From the start of the server's process to the first login that it answered.
    start_up_s: Option<f64>,
    memory_at_rest: Option<Memory>,
    rss_kib_per_sleeping_room: Option<f64>,
    active: usize,
    /// Rooms that were not there.
    missing: u64,
    failed: u64,
    first_failure: Option<String>,
    join_ms: Option<Percentiles>,
    message_ms: Option<Percentiles>,
    server_cpu_s_per_1000_visits: Option<f64>,
    memory_after: Option<Memory>,
    rss_kib_per_active_room: Option<f64>,
}

/// Makes rooms that last: enters each, configures it and leaves, all in one write.
pub(crate) async fn make(args: MakeArgs) -> Result<Made, LoadError> {
    let door = Arc::new(args.run.door()?);
    let service = args.room.service(door.accounts());
    let sessions = enter(&args.run, &door, args.makers, 1).await?;
    let meter = Meter::start(args.run.server());
    let mut makers = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        let maker = Maker {
            session,
            service: service.clone(),
            waiting: (number..args.rooms).step_by(args.makers).collect(),
            under_way: Vec::new(),
        };
        makers.spawn(maker.make(args.window));
    }
    let ends = Ends::of(makers).await;
    let cost = meter.read();
    let rooms = args.rooms as u64;
    Ok(Made {
        load: "make-rooms",
        rooms: args.rooms,
        failed: ends.failures.len() as u64,
        first_failure: ends.failures.into_iter().next(),
        seconds: round(cost.seconds, 3),
        server_cpu_s_per_1000_rooms: cost.server_cpu.and_then(|cpu| per_thousand(cpu, rooms)),
    })
}

/// One who makes rooms.
struct Maker {
    session: Session,
    service: String,
    /// The numbers of rooms yet to be made.
    waiting: Vec<usize>,
    under_way: Vec<Room>,
}

impl Maker {
    async fn make(mut self, window: usize) -> Result<u32, Error> {
        loop {
            while self.under_way.len() < window
                && let Some(number) = self.waiting.pop()
            {
                self.begin(Room::lasting(&self.service, number));
            }
            if self.under_way.is_empty() {
                break;
            }
            let next = time::timeout(PATIENCE, self.session.next()).await;
            let silent = |_| Error::Silent {
                step: "making rooms",
                patience: PATIENCE,
            };
            if let Incoming::Stanza(stanza) = next.map_err(silent)?? {
                if stanza.attribute("type") == Some("error") {
                    return Err(Error::Refused {
                        step: "making a room",
                        answer: stanza.to_string(),
                    });
                }
                // Having left is the last of the three.
                if stanza.attribute("type") == Some("unavailable") && is_self_presence(&stanza) {
                    self.under_way
                        .retain(|room| room.seat_of(&stanza).is_none());
                }
            }
        }
        self.session.close().await;
        Ok(0)
    }

    fn begin(&mut self, room: Room) {
        self.session.queue(&room.entrance(0));
        let configuration = room.configuration("lasting", &[RoomSetting::Persistent]);
        self.session.queue(&configuration);
        self.session.queue(&room.exit(0));
        self.under_way.push(room);
    }
}

/// Waits for a server that is starting, then visits some of its rooms.
pub(crate) async fn sleepers(args: SleepersArgs) -> Result<Sleepers, LoadError> {
    let door = Arc::new(args.run.door()?);
    let server = args.run.server();
    answer(&door).await.map_err(doing(|| "starting".into()))?;
    let start_up = server.and_then(ProcessTree::age);
    time::sleep(args.hold).await;
    let memory_at_rest = server.and_then(ProcessTree::memory);

    let active = args.active.min(args.rooms);
    let visitors = if active == 0 { 0 } else { args.visitors };
    let sessions = enter(&args.run, &door, visitors, 1).await?;
    let service = args.room.service(door.accounts());
    let memory_before = server.and_then(ProcessTree::memory);
    let meter = Meter::start(server);
    let mut visiting = JoinSet::new();
    for (visitor, session) in sessions.into_iter().enumerate() {
        let room = |number| Room::lasting(&service, number * args.rooms / active);
        let rooms = (visitor..active).step_by(visitors).map(room).collect();
        visiting.spawn(visit(session, rooms));
    }
    let visits = Visits::of(visiting).await;
    let server_cpu = meter.read().server_cpu;
    let memory_after = server.and_then(ProcessTree::memory);
    let grown = memory_after
        .zip(memory_before)
        .map(|(after, before)| after.rss_kib as f64 - before.rss_kib as f64);
    let per = |kib: f64, rooms: usize| (rooms > 0).then(|| round(kib / rooms as f64, 3));
    let at_rest = memory_at_rest.zip(args.empty_rss_kib);
    Ok(Sleepers {
        load: "sleepers",
        rooms: args.rooms,
        start_up_s: start_up.map(|age| round(age.as_secs_f64(), 2)),
        memory_at_rest,
        rss_kib_per_sleeping_room: at_rest
            .and_then(|(memory, empty)| per(memory.rss_kib as f64 - empty, args.rooms)),
        active,
        missing: visits.missing,
        failed: visits.failures.len() as u64,
        first_failure: visits.failures.into_iter().next(),
        server_cpu_s_per_1000_visits: server_cpu
            .and_then(|cpu| per_thousand(cpu, visits.joins.len() as u64)),
        join_ms: Percentiles::of(visits.joins),
        message_ms: Percentiles::of(visits.messages),
        memory_after,
        rss_kib_per_active_room: grown.and_then(|kib| per(kib, active)),
    })
}

/// Logs in again and again until the server lets a client in.
async fn answer(door: &Door) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let attempt = time::timeout(PATIENCE, log_in(door, 0)).await;
        match attempt {
            Ok(Ok(session)) => {
                session.close().await;
                return Ok(());
            }
            Ok(Err(error)) if started.elapsed() > PATIENCE => return Err(error),
            Ok(Err(_)) => time::sleep(INTERVAL).await,
            Err(_) => {
                return Err(Error::Silent {
                    step: "starting",
                    patience: PATIENCE,
                });
            }
        }
    }
}

/// What visitors found.
#[derive(Default)]
struct Visits {
    joins: Vec<Duration>,
    messages: Vec<Duration>,
    missing: u64,
    failures: Vec<String>,
}

impl Visits {
    async fn of(mut visiting: JoinSet<Result<Self, Error>>) -> Self {
        let mut all = Self::default();
        while let Some(visits) = visiting.join_next().await {
            match visits {
                Ok(Ok(visits)) => {
                    all.joins.extend(visits.joins);
                    all.messages.extend(visits.messages);
                    all.missing += visits.missing;
                }
                Ok(Err(error)) => all.failures.push(error.to_string()),
                Err(panic) => all.failures.push(panic.to_string()),
            }
        }
        all
    }
}

/// Enters each room and writes to it; nobody leaves before the end, since active rooms are those
/// that someone is in.
async fn visit(mut session: Session, rooms: Vec<Room>) -> Result<Visits, Error> {
    let mut visits = Visits::default();
    for (number, room) in rooms.iter().enumerate() {
        let joined = room.join(&mut session, 1).await?;
        visits.joins.push(joined.time);
        visits.missing += u64::from(joined.created);
        let (id, body) = (format!("awake{number}"), format!("awake {number}"));
        visits
            .messages
            .push(room.say(&mut session, &id, &body).await?);
    }
    session.close().await;
    Ok(visits)
}

impl Report for Made {
    fn is_sound(&self) -> bool {
        self.failed == 0
    }
}

impl Report for Sleepers {
    fn is_sound(&self) -> bool {
        self.failed + self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::mock::{self, Fault};

    #[derive(Parser)]
    struct Making {
        #[command(flatten)]
        make: MakeArgs,
    }

    #[derive(Parser)]
    struct Visiting {
        #[command(flatten)]
        sleepers: SleepersArgs,
    }

    #[tokio::test]
    async fn rooms_that_were_made_are_there_and_others_are_missed() {
        let to = mock::serve(Fault::None).await;
        let common = format!("--mechanism plain --to {to}");
        let making = format!("make-rooms --rooms 30 --makers 4 --window 3 {common}");
        let making = Making::parse_from(making.split_whitespace());
        let made = make(making.make).await.unwrap();
        assert!(made.is_sound(), "{made:?}");
        for (rooms, missing) in [(30, 0), (60, 5)] {
            let visiting =
                format!("sleepers --rooms {rooms} --active 10 --visitors 3 --hold 0 {common}");
            let visiting = Visiting::parse_from(visiting.split_whitespace());
            let sleepers = sleepers(visiting.sleepers).await.unwrap();
            assert_eq!(sleepers.missing, missing, "{sleepers:?}");
            assert_eq!(sleepers.is_sound(), missing == 0);
            assert!(sleepers.message_ms.is_some());
        }
    }
}
