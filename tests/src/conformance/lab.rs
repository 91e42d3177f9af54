//! A server that test suites are run against.

use super::prosody::Prosody;
use crate::program::{Anser, binary};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whom to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The program from here.
    Anser,
    /// Debian's Prosody, for comparison.
    Prosody,
}

/// The domain of its accounts.
pub(super) const DOMAIN: &str = "localhost";

/// Where its rooms are.
pub(super) const ROOMS: &str = "rooms.localhost";

/// What every account that is made beforehand is opened with.
pub(super) const PASSWORD: &str = "secret";

/// A server at a loopback address of its own, with doors at the ports 5222 and 5223.
///
/// Suites insist on these ports, and runs at the same time must not meet: but of loopback
/// addresses there are sixteen million.
#[derive(Debug)]
pub struct Lab {
    address: IpAddr,
    server: Server,
}

#[derive(Debug)]
enum Server {
    Anser(Anser),
    Prosody(Prosody),
}

impl Lab {
    /// Starts the server.
    #[must_use]
    pub fn open(subject: Subject) -> Self {
        let address = free_address();
        let server = match subject {
            Subject::Anser => Server::Anser(start_anser(address)),
            Subject::Prosody => Server::Prosody(Prosody::start(address)),
        };
        Self { address, server }
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The certificate of the authority that has to be trusted.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        match &self.server {
            Server::Anser(anser) => anser.authority(),
            Server::Prosody(prosody) => prosody.certificate(),
        }
    }

    /// Makes an account.
    pub fn add_user(&self, name: &str) {
        match &self.server {
            Server::Anser(anser) => anser.add_user(&format!("{name}@{DOMAIN}"), PASSWORD),
            Server::Prosody(prosody) => prosody.add_user(name, PASSWORD),
        }
    }

    /// A command that makes an account: for `NAME` in it, with `PASSWORD`, which goes to
    /// its standard input too.
    #[must_use]
    pub fn add_user_command(&self) -> Vec<String> {
        match &self.server {
            Server::Anser(anser) => {
                let address = format!("NAME@{DOMAIN}");
                let words = ["user", "add", &address, "--password-stdin", "--data"];
                let program = binary().display().to_string();
                let data = anser.data().display().to_string();
                let words = words.into_iter().map(str::to_owned);
                [program].into_iter().chain(words).chain([data]).collect()
            }
            Server::Prosody(prosody) => prosody.add_user_command("NAME", "PASSWORD"),
        }
    }

    /// What the server says about itself.
    #[must_use]
    pub fn log(&self) -> String {
        match &self.server {
            Server::Anser(anser) => anser.process().log.text(),
            Server::Prosody(prosody) => prosody.log(),
        }
    }
}

fn start_anser(address: IpAddr) -> Anser {
    let doors = [("xmpp", 5222), ("xmpps", 5223)];
    let doors = doors.map(|(door, port)| format!("{door}={address}:{port}"));
    Anser::start_with(&["--listen", &doors[0], "--listen", &doors[1]])
}

/// A loopback address at which nobody listens. It follows from the number of this process,
/// so that runs at the same time look in different places.
fn free_address() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., b, c] = std::process::id().to_be_bytes();
    // Not 127.0.…, where everybody is.
    let addresses = (0..u8::MAX).map(|_| {
        let d = NEXT.fetch_add(1, Ordering::Relaxed);
        IpAddr::V4(Ipv4Addr::new(127, b | 0x80, c, d))
    });
    let listens = |address, port| TcpListener::bind((address, port)).is_ok();
    let is_free = |address: &IpAddr| listens(*address, 5222) && listens(*address, 5223);
    let address = { addresses }.find(is_free);
    address.expect("somebody listens at port 5222 or 5223 of every address of this machine")
}
