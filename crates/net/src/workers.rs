//! Threads that run connections, each with a runtime of its own: a connection
//! stays on the thread that it began on.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub struct Workers {
    runtimes: Vec<Handle>,
    next: AtomicUsize,
    _stops: Vec<oneshot::Sender<()>>,
}

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// The system has no threads or descriptors left.
    pub fn start(count: usize) -> io::Result<Self> {
        let mut runtimes = Vec::new();
        let mut stops = Vec::new();
        for number in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (stop, stopped) = oneshot::channel();
            runtimes.push(runtime.handle().clone());
            stops.push(stop);
            std::thread::Builder::new()
                .name(format!("anser-work-{number}"))
                .spawn(move || {
                    // An error is how dropping the other end arrives.
                    let _ = runtime.block_on(stopped);
                })?;
        }
        Ok(Self {
            runtimes,
            next: AtomicUsize::new(0),
            _stops: stops,
        })
    }

    /// Runs the task that `begin` makes on the thread whose turn it is. Its
    /// panics are its own. What `begin` makes of sockets belongs to that thread;
    /// if it fails, there is nothing to run.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        begin: impl FnOnce() -> io::Result<F>,
    ) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let runtime = &self.runtimes[turn % self.runtimes.len()];
        let _inside = runtime.enter();
        match begin() {
            Ok(task) => drop(runtime.spawn(task)),
            Err(error) => tracing::warn!(%error, "a connection cannot be served"),
        }
    }
}
