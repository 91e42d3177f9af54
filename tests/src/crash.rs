//! What the tests have in common that kill the server.

use crate::client::Fault;
use anser_store::{Engine, SqliteOptions, StoreError, View};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A number from the environment, or the usual one.
///
/// # Panics
/// There is something else.
#[must_use]
pub fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// A while after the first acknowledgement, or, once in eight, while most are
/// still logging in.
///
/// # Panics
/// Nothing is acknowledged, or everybody has given up.
pub fn wait_for_the_moment(acknowledged: &Receiver<()>, random: &mut Random) {
    let while_ = Duration::from_millis(random.below(600));
    if random.below(8) > 0 {
        let first = acknowledged.recv_timeout(Duration::from_secs(60));
        first.expect("the server acknowledges");
    }
    let deadline = Instant::now() + while_;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match acknowledged.recv_timeout(left) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => panic!("all senders have given up"),
        }
    }
}

/// Whether a session ended as one does whose server is killed.
///
/// # Panics
/// It did not.
pub fn assert_crashed(end: &Option<Fault>) {
    match end {
        Some(Fault::Broken(_) | Fault::Closed) => {}
        other => panic!("{other:?}"),
    }
}

/// What a restart will find, without touching it.
pub struct Remains(TempDir);

impl Remains {
    /// Of the server that had this data folder.
    ///
    /// # Panics
    /// There is no database, or no room for another.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for name in ["anser.db", "anser.db-wal"] {
            let from = data.join(name);
            if from.exists() {
                fs::copy(from, copy.path().join(name)).unwrap();
            }
        }
        Self(copy)
    }

    /// Reads in them.
    ///
    /// # Panics
    /// They cannot be read.
    pub fn read<R: Send + 'static>(
        &self,
        reads: impl FnOnce(&View<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> R {
        let options = SqliteOptions::new(self.0.path().join("anser.db"));
        let (_engine, store) = Engine::sqlite(&options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        runtime.block_on(store.read(reads)).unwrap()
    }
}

/// SplitMix64: the same seed, the same moments.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, and nobody iterates over it"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
