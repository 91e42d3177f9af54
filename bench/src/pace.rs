//! When a sender may send its next message.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// What makes messages due.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many of each sender may be under way: an arrival makes the next one due (closed loop).
    Window(usize),
    /// So many of all senders together are due each second, whatever the server does (open loop).
    Rate(f64),
}

/// Hands out turns to the senders of a run.
pub(crate) struct Pacer {
    pace: Pace,
    start: Instant,
    end: Instant,
    turns: Vec<Semaphore>,
}

impl Pacer {
    /// Turns for so many senders, from now on.
    pub(crate) fn start(pace: Pace, senders: usize, length: Duration) -> Self {
        let start = Instant::now();
        let first = match pace {
            Pace::Window(window) => window,
            Pace::Rate(_) => 0,
        };
        let turns = (0..senders).map(|_| Semaphore::new(first)).collect();
        Self {
            pace,
            start,
            end: start + length,
            turns,
        }
    }

    /// When the run began.
    pub(crate) fn started(&self) -> Instant {
        self.start
    }

    /// Waits until `sender` may send its message of this number, and says since when it is due.
    /// `None`: there will be no more. Safe to cancel.
    pub(crate) async fn turn(&self, sender: usize, number: usize) -> Option<Instant> {
        self.turns[sender].acquire().await.ok()?.forget();
        Some(match self.pace {
            Pace::Window(_) => Instant::now(),
            Pace::Rate(rate) => self.due(number * self.turns.len() + sender, rate),
        })
    }

    /// A message of `sender` has arrived.
    pub(crate) fn arrived(&self, sender: usize) {
        match self.pace {
            Pace::Window(_) => self.turns[sender].add_permits(1),
            Pace::Rate(_) => {}
        }
    }

    /// Blocks until the run's time is over; gives the number of messages that were due by then,
    /// where that does not depend on the server.
    ///
    /// An open loop needs a thread that sleeps by the microsecond: the runtime's timers have a
    /// resolution of a millisecond, as much as a fast server takes.
    pub(crate) fn drive(&self) -> Option<u64> {
        match self.pace {
            Pace::Window(_) => {
                sleep_until(self.end);
                self.turns.iter().for_each(Semaphore::close);
                None
            }
            Pace::Rate(rate) => {
                let all = (0..).take_while(|&number| self.due(number, rate) < self.end);
                let count = all.map(|number| {
                    sleep_until(self.due(number, rate));
                    self.turns[number % self.turns.len()].add_permits(1);
                });
                Some(count.count() as u64)
            }
        }
    }

    fn due(&self, number: usize, rate: f64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / rate)
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_window_opens_with_every_arrival_and_closes_at_the_end() {
        let pacer = Pacer::start(Pace::Window(2), 1, Duration::from_millis(1));
        assert!(pacer.turn(0, 0).await.is_some());
        assert!(pacer.turn(0, 1).await.is_some());
        assert_eq!(pacer.turns[0].available_permits(), 0);
        pacer.arrived(0);
        assert!(pacer.turn(0, 2).await.is_some());
        pacer.drive();
        assert!(pacer.turn(0, 3).await.is_none());
    }

    #[tokio::test]
    async fn offered_messages_are_due_by_the_clock_alone() {
        let pacer = Pacer::start(Pace::Rate(1000.0), 2, Duration::from_millis(5));
        assert_eq!(pacer.drive(), Some(5));
        assert_eq!(
            pacer.turn(1, 1).await,
            Some(pacer.start + Duration::from_millis(3))
        );
        pacer.arrived(0);
        let left: usize = pacer.turns.iter().map(Semaphore::available_permits).sum();
        assert_eq!(left, 4);
    }
}
