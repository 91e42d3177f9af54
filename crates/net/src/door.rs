//! Where clients come in.

use crate::Workers;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// An address at which clients are awaited.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
}

impl Door {
    /// Listens at an address; port 0 picks a free one.
    ///
    /// # Errors
    /// The address is taken, or not this machine's.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener })
    }

    /// The address, with the real port.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Lets clients in until the future is dropped: each runs on one of the
    /// workers, as `serve` says, which gives up the [`Guest`] at the end.
    pub async fn serve<F: Future<Output = ()> + Send + 'static>(
        self,
        workers: Arc<Workers>,
        guests: Arc<Guests>,
        serve: impl Fn(TcpStream, SocketAddr, Guest) -> F,
    ) {
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: some will be free soon.
                    tracing::warn!(%error, "a client could not be let in");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(guest) = guests.enter() else {
                tracing::debug!(%peer, "turned away: too many connections");
                continue;
            };
            if let Ok(stream) = prepare(stream) {
                workers.spawn(|| Ok(serve(TcpStream::from_std(stream)?, peer, guest)));
            }
        }
    }
}

/// Detaches a connection from the runtime that accepted it.
fn prepare(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.into_std()
}

/// How many connections there are, and may be.
#[derive(Debug)]
pub struct Guests {
    most: usize,
    count: AtomicUsize,
    left: Notify,
}

/// One connection, as long as it lasts.
#[derive(Debug)]
pub struct Guest {
    guests: Arc<Guests>,
}

impl Guests {
    /// At most `most` at the same time.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            count: AtomicUsize::new(0),
            left: Notify::new(),
        })
    }

    fn enter(self: &Arc<Self>) -> Option<Guest> {
        let guest = Guest {
            guests: Arc::clone(self),
        };
        let before = self.count.fetch_add(1, Ordering::AcqRel);
        (before < self.most).then_some(guest)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Waits until all have left.
    pub async fn gone(&self) {
        loop {
            let left = self.left.notified();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.guests.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.guests.left.notify_waiters();
        }
    }
}
