//! The thread that commits.

use anser_hub::{Hub, Then};
use anser_store::{Engine, Journal};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// The thread that commits what is appended to the journal. It ends when the
/// journal is closed and empty.
#[derive(Debug)]
pub(crate) struct Writer {
    thread: JoinHandle<()>,
    /// Nothing comes through here; it closes when the thread ends.
    ended: oneshot::Receiver<Infallible>,
}

/// The thread has panicked: what was not settled by then is not on disk.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the writer of the journal has panicked")]
pub(crate) struct WriterPanicked;

impl Writer {
    pub(crate) fn start(
        journal: &Journal<Then>,
        hub: &Arc<Hub>,
        engine: Engine,
    ) -> io::Result<Self> {
        let (journal, hub) = (journal.clone(), Arc::clone(hub));
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("anser-journal".into())
            .spawn(move || {
                let _end = end;
                journal.run(engine, |settled| hub.settle(settled));
            })?;
        Ok(Self { thread, ended })
    }

    /// Waits until the thread has ended, as only a panic makes it while the
    /// journal is open. To be awaited to its end once only.
    pub(crate) async fn ended(&mut self) {
        // An error is how the closing of a channel arrives.
        let Err(_) = (&mut self.ended).await;
    }

    /// Waits for the thread without letting anybody else run.
    ///
    /// # Errors
    /// [`WriterPanicked`]
    pub(crate) fn join(self) -> Result<(), WriterPanicked> {
        self.thread.join().map_err(|_| WriterPanicked)
    }
}
