//! Occupants enter rooms, one after the other.

use std::time::Duration;

use serde::Serialize;

use crate::audience::{Audience, Waiting};
use crate::clients::{LoadError, doing};
use crate::figures::{Cost, Meter, Percentiles, per_thousand, round};
use crate::muc::{Broadcast, Room};
use crate::process::ProcessTree;

/// Ranges of occupants for which latencies are told.
const SLICES: usize = 10;

/// How rooms were filled.
pub(crate) struct Filling {
    /// Everyone, reading on.
    pub(crate) audience: Audience,
    /// How many were in the room already, and how long the join took.
    joins: Vec<(usize, Duration)>,
    presences: u64,
    expected: Option<u64>,
    cost: Cost,
}

/// The figures of a filling.
#[derive(Debug, Serialize)]
pub(crate) struct Joins {
    count: u64,
    server_cpu_s_per_1000: Option<f64>,
    seconds: f64,
    presences: u64,
    pub(crate) presences_missing: u64,
    latency_ms: Option<Percentiles>,
    by_occupants: Vec<Slice>,
}

/// The joins of those who found so many in the room.
#[derive(Debug, Serialize)]
struct Slice {
    from: usize,
    to: usize,
    latency_ms: Option<Percentiles>,
}

impl Filling {
    /// Fills rooms with so many occupants each, all of those who wait, in their order. The first one
    /// in a room makes it. One enters at a time: latencies are those of a room, not of a queue.
    ///
    /// # Errors
    /// If anyone is not let in.
    pub(crate) async fn fill(
        rooms: &[Room],
        occupants: usize,
        broadcast: Broadcast,
        mut waiting: Waiting,
        server: Option<ProcessTree>,
        stall: Duration,
    ) -> Result<Self, LoadError> {
        let meter = Meter::start(server);
        let mut audience = Audience::new();
        let (mut joins, mut own) = (Vec::new(), 0);
        let listening = || doing(|| "waiting for a turn".to_owned());
        for number in 0..rooms.len() * occupants {
            let Some(mut session) = waiting.next().await.map_err(listening())? else {
                break;
            };
            let (room, seat) = (&rooms[number / occupants], number % occupants);
            let what = || format!("u{number} in {}", room.address());
            let joined = room.join(&mut session, seat).await.map_err(doing(what))?;
            if seat == 0 {
                let configured = room.configure(&mut session, broadcast.at_first());
                configured.await.map_err(doing(what))?;
            }
            joins.push((seat, joined.time));
            own += joined.presences;
            audience.add(number, session);
        }
        let expected = match broadcast {
            Broadcast::All => Some((rooms.len() * occupants * occupants) as u64),
            Broadcast::Moderators | Broadcast::Revealed => None,
        };
        let others = expected.map(|expected| expected.saturating_sub(own));
        audience.wait_for(others, stall).await;
        Ok(Self {
            joins,
            presences: own + audience.presences(),
            expected,
            cost: meter.read(),
            audience,
        })
    }

    /// What it showed, and everyone who is in.
    pub(crate) fn end(self) -> (Joins, Audience) {
        let count = self.joins.len() as u64;
        let most = self.joins.iter().map(|(seat, _)| seat + 1).max();
        let missing = |expected: u64| expected.saturating_sub(self.presences);
        let joins = Joins {
            count,
            server_cpu_s_per_1000: self
                .cost
                .server_cpu
                .and_then(|cpu| per_thousand(cpu, count)),
            seconds: round(self.cost.seconds, 3),
            presences: self.presences,
            presences_missing: self.expected.map_or(0, missing),
            by_occupants: slices(&self.joins, most.unwrap_or_default()),
            latency_ms: Percentiles::of(self.joins.iter().map(|(_, time)| *time).collect()),
        };
        (joins, self.audience)
    }
}

fn slices(joins: &[(usize, Duration)], most: usize) -> Vec<Slice> {
    let bound = |slice: usize| most * slice / SLICES;
    let slice = |number| {
        let range = bound(number)..bound(number + 1);
        let times = joins.iter().filter(|(seat, _)| range.contains(seat));
        Slice {
            from: range.start,
            to: range.end,
            latency_ms: Percentiles::of(times.map(|(_, time)| *time).collect()),
        }
    };
    (0..SLICES).map(slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_join_is_in_the_slice_of_those_it_found_there() {
        let joins: Vec<_> = (0..50)
            .chain(0..50)
            .map(|seat| (seat, Duration::from_millis(seat as u64)))
            .collect();
        let slices = slices(&joins, 50);
        assert_eq!(slices.len(), SLICES);
        assert_eq!((slices[0].from, slices[0].to), (0, 5));
        assert_eq!((slices[9].from, slices[9].to), (45, 50));
        let expected = Percentiles::of([45, 46, 47, 48, 49].map(Duration::from_millis).to_vec());
        assert_eq!(slices[9].latency_ms, expected);
    }
}
