//! Why something could not be stored or read.

use anser_jid::BareJid;
use std::path::PathBuf;
use std::sync::Arc;

/// Opening, reading or committing failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system or the engine said.
        reason: String,
    },
    /// The file is there, but is not what we write, or is no longer whole.
    #[error("{path} is damaged or not an Anser database ({reason})")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by a later version.
    #[error("{path} has schema {found}, but this Anser knows schemas up to {known}")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The schema it has.
        found: u32,
        /// The newest one we know.
        known: u32,
    },
    /// The disk, or the space granted to the store, is full.
    #[error("no room left to store anything")]
    Full,
    /// The engine failed otherwise.
    #[error("the database failed: {0}")]
    Engine(String),
    /// Reading went wrong through a mistake of ours; the log says more.
    #[error("reading from the database has panicked")]
    Panicked,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a batch of changes was not committed. Nothing of it was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// A record was not as [`Expect`](crate::Expect) demanded.
    #[error("{owner} has another {kind} {key:?} than expected")]
    Conflict {
        /// Whose record.
        owner: BareJid,
        /// What sort of record.
        kind: &'static str,
        /// Which one of that sort.
        key: String,
    },
    /// The whole commit failed; a later one may go through.
    #[error(transparent)]
    Store(Arc<StoreError>),
}
