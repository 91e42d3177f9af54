//! How much one session may send to rooms at a time, and a room take.

use anser_store::Timestamp;
use std::time::Duration;

/// What may be sent: refilled as time passes, up to a burst.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Thousandths of a message.
    left: u64,
    at: Timestamp,
}

/// What fills a budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Messages at once; 0 means that nobody counts.
    pub(crate) burst: u32,
    /// Messages a second for long.
    pub(crate) per_second: u32,
}

/// As how many messages something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost(u64);

impl Cost {
    /// One message, and not a large one.
    pub(crate) const ONE: Self = Self(1);

    /// One message: one of 4,096 bytes counts as two, one of twice the size as
    /// three.
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        Self(1 + bytes as u64 / 4096)
    }

    /// So many messages at once.
    pub(crate) fn of(messages: usize) -> Self {
        Self(messages as u64)
    }
}

impl Budget {
    /// As much as may be sent at once.
    pub(crate) fn full(rate: Rate, now: Timestamp) -> Self {
        Self {
            left: u64::from(rate.burst) * 1000,
            at: now,
        }
    }

    /// Takes out what something costs.
    ///
    /// # Errors
    /// There is none left; gives the time until there is.
    pub(crate) fn take(&mut self, cost: Cost, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        if rate.burst == 0 {
            return Ok(());
        }
        // However large it is, a full budget is enough.
        let cost = 1000 * cost.0.min(rate.burst.into());
        let per_second = u64::from(rate.per_second);
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let most = u64::from(rate.burst) * 1000;
        self.left = most.min(self.left.saturating_add(passed.saturating_mul(per_second)));
        self.at = now;
        if self.left >= cost {
            self.left -= cost;
            return Ok(());
        }
        let missing = (cost - self.left).div_ceil(per_second.max(1));
        Err(Duration::from_millis(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        per_second: 2,
    };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + millis)
    }

    #[test]
    fn a_burst_is_followed_by_the_rate_for_long() {
        let mut budget = Budget::full(RATE, at(0));
        for _ in 0..3 {
            assert_eq!(budget.take(Cost::ONE, RATE, at(0)), Ok(()));
        }
        assert_eq!(
            budget.take(Cost::ONE, RATE, at(0)),
            Err(Duration::from_millis(500))
        );
        assert_eq!(
            budget.take(Cost::ONE, RATE, at(499)),
            Err(Duration::from_millis(1))
        );
        assert_eq!(budget.take(Cost::ONE, RATE, at(500)), Ok(()));
        assert!(budget.take(Cost::ONE, RATE, at(501)).is_err());
    }

    #[test]
    fn silence_gives_no_more_than_a_burst() {
        let mut budget = Budget::full(RATE, at(0));
        for _ in 0..3 {
            assert_eq!(budget.take(Cost::ONE, RATE, at(1_000_000)), Ok(()));
        }
        assert!(budget.take(Cost::ONE, RATE, at(1_000_000)).is_err());
    }

    #[test]
    fn a_large_message_counts_as_many_and_never_as_too_many() {
        let mut budget = Budget::full(RATE, at(0));
        assert_eq!(budget.take(Cost::of_bytes(4095), RATE, at(0)), Ok(()));
        assert_eq!(budget.take(Cost::of_bytes(4096), RATE, at(0)), Ok(()));
        assert!(budget.take(Cost::ONE, RATE, at(0)).is_err());
        let mut budget = Budget::full(RATE, at(0));
        assert_eq!(budget.take(Cost::of_bytes(1 << 20), RATE, at(0)), Ok(()));
        assert!(budget.take(Cost::ONE, RATE, at(0)).is_err());
    }

    #[test]
    fn without_a_burst_nobody_counts() {
        let rate = Rate { burst: 0, ..RATE };
        let mut budget = Budget::full(rate, at(0));
        assert!((0..10_000).all(|_| budget.take(Cost::ONE, rate, at(0)).is_ok()));
    }
}
