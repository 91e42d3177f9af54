//! Threads that wait for the disk so that nobody else has to.

use crate::StoreError;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// A few threads, each with a connection of type `C`.
#[derive(Debug)]
pub(crate) struct Pool<C> {
    jobs: Sender<Job<C>>,
}

impl<C: Send + 'static> Pool<C> {
    /// One thread per connection; they end when the pool is dropped.
    pub(crate) fn new(connections: Vec<C>) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for (number, connection) in connections.into_iter().enumerate() {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("anser-read-{number}"))
                .spawn(move || work(connection, &queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs `job` on one of the threads.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut C| {
            // Nobody waits any more if the asker is gone.
            let _ = answer.send(job(connection));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn work<C>(mut connection: C, queue: &Mutex<Receiver<Job<C>>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else {
            return;
        };
        job(&mut connection);
    }
}
