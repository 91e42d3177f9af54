//! What the exchange counts of its own work.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted from the start of the server.
#[derive(Debug, Default)]
pub struct Counters {
    renderings: AtomicU64,
}

impl Counters {
    /// A front end has put something that is the same for many into its form.
    pub fn on_rendering(&self) {
        self.renderings.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was.
    #[must_use]
    pub fn renderings(&self) -> u64 {
        self.renderings.load(Ordering::Relaxed)
    }
}
