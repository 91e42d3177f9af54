//! The only clock.

use anser_store::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time of day. It never goes back and never stands still: when the
/// clock of the system is set back, this one goes on at half the speed until
/// that has caught up. So whoever waits for a moment waits twice as long at
/// worst, and no moment comes twice.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    /// In nanoseconds: the time that was told, less half the age of the clock
    /// then. The highest such figure, with half the age now, is the least that
    /// may be told.
    floor: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            floor: AtomicU64::new(0),
        }
    }
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        // Before 1970 there is no time.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        self.tell(since_epoch.unwrap_or_default(), self.began.elapsed())
    }

    /// The time when the system says that it is `wall` since 1970, and the clock
    /// is `age` old.
    fn tell(&self, wall: Duration, age: Duration) -> Timestamp {
        let half_age = nanos(age) / 2;
        let floor = nanos(wall).saturating_sub(half_age);
        let highest = self.floor.fetch_max(floor, Ordering::Relaxed).max(floor);
        let told = Duration::from_nanos(highest.saturating_add(half_age));
        Timestamp::default().after(told)
    }
}

/// Enough for 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_132_800;

    /// What a new clock tells, in seconds after noon, when the system has said
    /// so at these ages.
    fn told<const N: usize>(readings: [(u64, i64); N]) -> [f64; N] {
        let clock = Clock::default();
        readings.map(|(age, wall)| {
            let wall = Duration::from_secs(NOON.checked_add_signed(wall).unwrap());
            let told = clock.tell(wall, Duration::from_secs(age));
            (told.millis() as f64) / 1000.0 - NOON as f64
        })
    }

    #[test]
    fn the_clock_follows_that_of_the_system() {
        let readings = [(0, 0), (1, 1), (2, 2), (2, 2), (60, 60)];
        assert_eq!(told(readings), [0.0, 1.0, 2.0, 2.0, 60.0]);
    }

    #[test]
    fn a_clock_that_is_set_ahead_is_followed_at_once() {
        assert_eq!(told([(0, 0), (1, 1), (2, 3602)]), [0.0, 1.0, 3602.0]);
    }

    #[test]
    fn a_clock_that_is_set_back_is_waited_for_at_half_speed() {
        // Set back by 60 seconds when it was ten seconds old.
        let readings = [(0, 0), (10, 10), (10, -50), (20, -40), (30, -30), (110, 50)];
        assert_eq!(told(readings), [0.0, 10.0, 10.0, 15.0, 20.0, 60.0]);
        // The two meet after 120 seconds, and go on together.
        let readings = [(10, 10), (11, -49), (129, 69), (130, 70), (131, 71)];
        assert_eq!(told(readings), [10.0, 10.5, 69.5, 70.0, 71.0]);
    }

    #[test]
    fn a_clock_that_is_set_back_again_and_again_goes_on_all_the_same() {
        let readings = [(0, 0), (2, -100), (4, -1000), (6, -100_000)];
        assert_eq!(told(readings), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_system_whose_clock_is_before_1970_has_time_that_passes() {
        let clock = Clock::default();
        let tell = |age| clock.tell(Duration::ZERO, Duration::from_secs(age));
        assert_eq!(tell(4).since(tell(2)), Duration::from_secs(1));
    }
}
