//! Threads that wait for the disk so that nobody else has to.

use crate::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

    /// Runs `job` on one of the threads. If it panics, that is its own affair:
    /// the thread and its connection go on to the next.
    ///
    /// # Errors
    /// Those of `job`, [`StoreError::Panicked`], or [`StoreError::Closed`].
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut C| {
            // A job only reads, and gives back what it borrows as it unwinds: the
            // connection is as good as before.
            let result = catch_unwind(AssertUnwindSafe(|| job(connection)));
            let result = result.unwrap_or_else(|_| {
                tracing::error!("a read has panicked");
                Err(StoreError::Panicked)
            });
            // Nobody waits any more if the asker is gone.
            let _ = answer.send(result);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_that_panics_costs_itself_and_nobody_else() {
        let pool = Pool::new(vec![1_u32]).unwrap();
        for _ in 0..2 {
            let panicked = pool.run(|_| -> Result<(), _> { panic!("a mistake") }).await;
            assert!(matches!(panicked, Err(StoreError::Panicked)));
            assert_eq!(pool.run(|connection| Ok(*connection)).await.unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn reads_of_all_threads_are_answered() {
        let pool = Pool::new(vec![1_u32, 2]).unwrap();
        let reads = (0..100).map(|_| pool.run(|connection| Ok(*connection)));
        for read in reads {
            assert!([1, 2].contains(&read.await.unwrap()));
        }
    }
}
