//! How much is said in a room, by the hour (XEP-0502): a register of counters
//! that moves on every hour, as the specification proposes.
//!
//! It is kept as a record that is written when the hour is over, or the room is
//! about to leave memory. A crash loses what was counted in the hour of it. Who
//! has to wait in slow mode is written down with it.

use super::state::RoomState;
use super::{Room, RoomMessage};
use crate::account::to_json;
use crate::sync::lock;
use crate::{Hub, Traits};
use anser_store::{Change, Expect, StoreError, Timestamp, View};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The record of a room's counters.
const ACTIVITY: &str = "room-activity";

/// Hours that are looked at, without the one that is not over.
const HOURS: usize = 24;

const HOUR_MILLIS: u64 = 3_600_000;

/// So many rooms are written down at a time: when an hour begins, there can be
/// many.
const MOST_AT_ONCE: usize = 256;

/// What was said in the last hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Activity {
    /// The hour, counted since 1970, in which somebody began to count.
    since: u64,
    /// The hour of the first counter; each of the others is an hour earlier.
    hour: u64,
    counts: [u32; HOURS + 1],
}

impl Activity {
    fn new(hour: u64) -> Self {
        Self {
            since: hour,
            hour,
            counts: [0; HOURS + 1],
        }
    }

    fn count(&mut self, hour: u64) {
        let passed = usize::try_from(hour.saturating_sub(self.hour)).unwrap_or(usize::MAX);
        let passed = passed.min(self.counts.len());
        self.counts.rotate_right(passed);
        self.counts[..passed].fill(0);
        self.hour = self.hour.max(hour);
        self.counts[0] = self.counts[0].saturating_add(1);
    }

    /// Messages per hour, in the hours that are over; `None` if there is none in
    /// which somebody has counted.
    fn per_hour(&self, hour: u64) -> Option<f64> {
        let counted = hour.saturating_sub(self.since).min(HOURS as u64);
        let ages = (hour.saturating_sub(self.hour)..).take(self.counts.len());
        let counts = self.counts.iter().zip(ages);
        let within = counts.filter(|(_, age)| (1..=HOURS as u64).contains(age));
        let sum: u64 = within.map(|(count, _)| u64::from(*count)).sum();
        #[expect(clippy::cast_precision_loss, reason = "24 counters of 32 bits fit")]
        (counted > 0).then(|| sum as f64 / counted as f64)
    }
}

fn hour_of(at: Timestamp) -> u64 {
    at.millis() / HOUR_MILLIS
}

/// Something said to all that is neither a correction nor something else about
/// what was said before (XEP-0502 §5).
fn counts(message: &RoomMessage) -> bool {
    let traits = message.message.traits();
    let is_talk = traits.contains(Traits::TEXT) && !traits.contains(Traits::AMENDS);
    is_talk && !message.is_subject()
}

impl RoomState {
    /// Counts what was said. Whether the room has to be put onto the list of
    /// those to be written down.
    pub(crate) fn note_activity(&mut self, message: &RoomMessage, at: Timestamp) -> bool {
        let counts = counts(message);
        if counts {
            let hour = hour_of(at);
            self.activity
                .get_or_insert_with(|| Activity::new(hour))
                .count(hour);
        }
        let is_news = counts || !self.spoke.is_empty();
        is_news && !std::mem::replace(&mut self.activity_is_dirty, true)
    }

    /// Messages per hour, if that is for everybody to know: in a room that
    /// stays, that everybody may find and that nobody has to be let into
    /// (XEP-0502 §4.1, §10).
    fn public_activity(&self, now: Timestamp) -> Option<f64> {
        let config = &self.config;
        let is_shown = config.persistent && config.public && config.is_open();
        let activity = self.activity.as_ref().filter(|_| is_shown)?;
        activity.per_hour(hour_of(now))
    }

    pub(crate) fn load_activity(&mut self, view: &View<'_>) -> Result<(), StoreError> {
        let record = view.record(&self.address, ACTIVITY, "")?;
        self.activity = record.and_then(|record| serde_json::from_slice(&record.value).ok());
        Ok(())
    }

    /// What writes the counters down, and who has to wait, if it is time to do
    /// so.
    fn save_activity(&mut self, now: Timestamp, when: SaveWhen) -> Option<Vec<Change>> {
        let is_asleep = self.occupants.is_empty();
        let is_old = |activity: &Activity| activity.hour < hour_of(now);
        let is_due = match when {
            SaveWhen::Due => is_asleep || self.activity.as_ref().is_some_and(is_old),
            SaveWhen::Now => true,
        };
        if !is_due {
            return None;
        }
        self.activity_is_dirty = false;
        let activity = self.activity.as_ref().map(|activity| Change::Put {
            owner: self.address.clone(),
            kind: ACTIVITY,
            key: String::new(),
            value: to_json(activity),
            expect: Expect::Anything,
        });
        Some(activity.into_iter().chain(self.save_waits(now)).collect())
    }
}

/// When counters are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SaveWhen {
    /// When their hour is over, or nobody is in the room any more.
    Due,
    /// Now: the server stops.
    Now,
}

impl Hub {
    /// Messages per hour in a room, if there is something to tell everybody
    /// (XEP-0502 §4.1).
    #[must_use]
    pub fn room_activity(&self, room: &Room, now: Timestamp) -> Option<f64> {
        room.state().public_activity(now)
    }

    /// Notes that a room's counters have to be written down.
    pub(super) fn activity_changed(&self, room: &Arc<Room>) {
        lock(&self.talking).push(Arc::clone(room));
    }

    /// Writes down the counters that are due.
    pub(crate) async fn save_due_activities(&self, now: Timestamp) {
        self.save_some_activities(now, MOST_AT_ONCE, SaveWhen::Due)
            .await;
    }

    /// Writes down how much is said in all rooms, as the server stops.
    pub async fn save_activities(&self, now: Timestamp) {
        self.save_some_activities(now, usize::MAX, SaveWhen::Now)
            .await;
    }

    async fn save_some_activities(&self, now: Timestamp, most: usize, when: SaveWhen) {
        let mut saved = Vec::new();
        let mut changes = Vec::new();
        // Whoever waits on this list stays in memory.
        lock(&self.talking).retain(|room| {
            let is_full = saved.len() >= most;
            let change = (!is_full).then(|| room.state().save_activity(now, when));
            match change.flatten() {
                Some(change) => {
                    saved.push(Arc::clone(room));
                    changes.push(change);
                    false
                }
                None => true,
            }
        });
        if saved.is_empty() {
            return;
        }
        let changes = || {
            let changes = saved.iter().zip(changes);
            let wanted = changes.filter(|(room, _)| !room.is_gone());
            wanted.flat_map(|(_, changes)| changes).collect()
        };
        if let Err(error) = self.commit_all(changes, now).await {
            tracing::warn!(%error, "how much is said in rooms is not written down");
            for room in saved {
                let was_dirty = std::mem::replace(&mut room.state().activity_is_dirty, true);
                if !was_dirty {
                    self.activity_changed(&room);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0502 §6
    #[test]
    fn the_hour_that_is_not_over_does_not_count() {
        let mut activity = Activity::new(1000);
        for _ in 0..6 {
            activity.count(1000);
        }
        assert_eq!(activity.per_hour(1000), None);
        assert_eq!(activity.per_hour(1001), Some(6.0));
        activity.count(1001);
        assert_eq!(activity.per_hour(1001), Some(6.0));
        assert_eq!(activity.per_hour(1002), Some(3.5));
    }

    /// XEP-0502 §5: "services SHOULD NOT take into account messages which are
    /// older than 72 hours".
    #[test]
    fn what_was_said_a_day_ago_is_forgotten_whether_or_not_somebody_speaks() {
        let mut silent = Activity::new(1000);
        for _ in 0..48 {
            silent.count(1000);
        }
        assert_eq!(silent.per_hour(1024), Some(2.0));
        assert_eq!(silent.per_hour(1025), Some(0.0));
        assert_eq!(silent.per_hour(u64::MAX), Some(0.0));
        let mut spoken_in = silent.clone();
        spoken_in.count(1024);
        assert_eq!(spoken_in.per_hour(1024), Some(2.0));
        assert_eq!(spoken_in.per_hour(1025), Some(1.0 / 24.0));
        spoken_in.count(5000);
        assert_eq!(spoken_in.counts.iter().sum::<u32>(), 1);
    }

    #[test]
    fn a_clock_that_goes_back_moves_nothing() {
        let mut activity = Activity::new(1000);
        activity.count(1000);
        activity.count(999);
        assert_eq!((activity.hour, activity.counts[0]), (1000, 2));
        assert_eq!(activity.per_hour(999), None);
    }
}
