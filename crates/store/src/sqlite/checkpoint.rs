//! Folding the write-ahead log into the database file.
//!
//! A checkpoint waits for the disk, and whoever does it inside a commit makes
//! that commit's messages wait with it. So a thread with a connection of its
//! own does it while commits go on. The log starts over at its beginning only
//! when a commit finds everything folded in. Under a load that never pauses
//! this does not happen by itself: now and then the writer folds in the little
//! that came while the thread worked.

use rusqlite::Connection;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Pages in the log from which on the thread works: 8 MiB.
const FOLD_PAGES: c_int = 2048;
/// Pages in the log from which on the writer folds in the rest: 64 MiB.
const RESTART_PAGES: c_int = 16_384;

#[derive(Debug)]
pub(super) struct Checkpointer {
    gauge: Gauge,
    /// Dropping it ends the thread.
    wake: SyncSender<()>,
    /// The thread has finished a checkpoint since the last restart.
    folded: Arc<AtomicBool>,
}

/// How many pages the log holds, told by the engine at each commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge {
    pages: Arc<AtomicI32>,
}

impl Gauge {
    pub(super) fn set(&self, pages: c_int) {
        self.pages.store(pages, Ordering::Relaxed);
    }

    fn get(&self) -> c_int {
        self.pages.load(Ordering::Relaxed)
    }
}

/// Starts the thread.
pub(super) fn start(connection: Connection) -> std::io::Result<Checkpointer> {
    let (wake, awake) = sync_channel(1);
    let folded = Arc::new(AtomicBool::new(false));
    std::thread::Builder::new()
        .name("anser-checkpoint".into())
        .spawn({
            let folded = Arc::clone(&folded);
            move || fold(&connection, &awake, &folded)
        })?;
    Ok(Checkpointer {
        gauge: Gauge::default(),
        wake,
        folded,
    })
}

fn fold(connection: &Connection, awake: &Receiver<()>, folded: &AtomicBool) {
    while awake.recv().is_ok() {
        match checkpoint(connection) {
            Ok(()) => folded.store(true, Ordering::Release),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be folded in"),
        }
    }
}

/// Never waits for readers: what they still need stays in the log until the
/// next time.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma(None, "wal_checkpoint", "PASSIVE", |_| Ok(()))
}

/// Leaves nothing in the log; waits for whoever still reads.
pub(super) fn fold_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
}

impl Checkpointer {
    pub(super) fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Called by the writer between commits.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let pages = self.gauge.get();
        if pages < FOLD_PAGES {
            return;
        }
        if pages >= RESTART_PAGES && self.folded.swap(false, Ordering::Acquire) {
            if let Err(error) = checkpoint(writer) {
                tracing::warn!(%error, "the write-ahead log could not start over");
            }
            return;
        }
        // Full means that the thread has been told already.
        let _ = self.wake.try_send(());
    }
}
