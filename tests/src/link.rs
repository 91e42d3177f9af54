//! A link to a server that can be cut.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes on between clients and a door, both on loopback, until it is cut.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Both ends of what is connected.
    ends: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

impl Link {
    /// To this door.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn to(door: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let link = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&link.shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.is_over.load(Ordering::Relaxed) {
                    break;
                }
                let _ = shared.connect(client.unwrap(), door);
            }
        });
        link
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts what is connected, in the middle of everything: what is under way
    /// in either direction is lost. Says how many connections that were.
    ///
    /// # Panics
    /// Somebody has panicked.
    pub fn cut(&self) -> usize {
        let ends = std::mem::take(&mut *self.shared.ends.lock().unwrap());
        for end in &ends {
            // It may have ended by itself.
            let _ = end.shutdown(Shutdown::Both);
        }
        ends.len() / 2
    }
}

impl Shared {
    fn connect(&self, client: TcpStream, door: SocketAddr) -> io::Result<()> {
        let server = TcpStream::connect(door)?;
        let ways = [
            (client.try_clone()?, server.try_clone()?),
            (server.try_clone()?, client.try_clone()?),
        ];
        for (mut from, mut to) in ways {
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
        self.ends.lock().unwrap().extend([client, server]);
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Whoever waits for clients sees that only when one comes.
        let _ = TcpStream::connect(self.address);
        for end in &*self.shared.ends.lock().unwrap() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}
