//! How much room there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The space granted to a store; can be changed at any time. What is stored
/// already stays, however much it is.
#[derive(Debug, Clone)]
pub struct Space {
    bytes: Arc<AtomicU64>,
}

impl Default for Space {
    fn default() -> Self {
        Self {
            bytes: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }
}

impl Space {
    /// Grants so many bytes, or, with `None`, whatever the disk has. Commits
    /// beyond that are refused from now on.
    pub fn grant(&self, bytes: Option<u64>) {
        self.bytes
            .store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// In bytes.
    pub(crate) fn granted(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
