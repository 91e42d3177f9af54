//! Clients that are in and read on while others come: what they get is counted, not looked into.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::select;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::xmpp::{Error, Incoming, Session};

/// When nothing has come for so long, nothing more will.
const SILENCE: Duration = Duration::from_millis(500);

/// Sessions that read in the background, until they are wanted back.
pub(crate) struct Audience {
    listeners: JoinSet<(usize, Result<Session, Error>)>,
    stop: watch::Sender<()>,
    presences: Arc<AtomicU64>,
}

impl Audience {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        Self {
            listeners: JoinSet::new(),
            stop: watch::channel(()).0,
            presences: Arc::default(),
        }
    }

    /// Lets a session read on.
    pub(crate) fn add(&mut self, number: usize, session: Session) {
        let (stopped, presences) = (self.stop.subscribe(), self.presences.clone());
        self.listeners
            .spawn(async move { (number, listen(session, stopped, &presences).await) });
    }

    /// Presences of occupants that have come so far.
    pub(crate) fn presences(&self) -> u64 {
        self.presences.load(Relaxed)
    }

    /// Waits until so many presences have come in all, or no more come: for longer if some are missing.
    pub(crate) async fn wait_for(&self, presences: Option<u64>, stall: Duration) {
        let (mut seen, mut since) = (self.presences(), Instant::now());
        let patience = presences.map_or(SILENCE, |_| stall);
        loop {
            let now = self.presences();
            if now > seen {
                (seen, since) = (now, Instant::now());
            }
            if presences.is_some_and(|presences| seen >= presences) || since.elapsed() > patience {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The sessions again, in the order of their numbers.
    ///
    /// # Errors
    /// Why the first one ended that did not last.
    pub(crate) async fn gather(mut self) -> Result<Vec<Session>, Error> {
        drop(self.stop);
        let mut sessions = Vec::new();
        while let Some(listener) = self.listeners.join_next().await {
            let (number, session) = listener.expect("a listener does not panic");
            sessions.push((number, session?));
        }
        sessions.sort_unstable_by_key(|(number, _)| *number);
        Ok(sessions.into_iter().map(|(_, session)| session).collect())
    }
}

/// Sessions that wait for their turn, and answer the server meanwhile: one that does not
/// acknowledge for a minute is closed.
pub(crate) struct Waiting(VecDeque<Listener>);

/// One of those.
struct Listener {
    /// Dropped when its turn has come.
    stop: watch::Sender<()>,
    session: JoinHandle<Result<Session, Error>>,
}

impl Waiting {
    /// All of them, in this order.
    pub(crate) fn new(sessions: Vec<Session>) -> Self {
        let wait = |session| {
            let (stop, stopped) = watch::channel(());
            let waiting = async move { listen(session, stopped, &AtomicU64::new(0)).await };
            Listener {
                stop,
                session: tokio::spawn(waiting),
            }
        };
        Self(sessions.into_iter().map(wait).collect())
    }

    /// The next one; nothing if that was all.
    ///
    /// # Errors
    /// Why it did not last.
    pub(crate) async fn next(&mut self) -> Result<Option<Session>, Error> {
        let Some(Listener { stop, session }) = self.0.pop_front() else {
            return Ok(None);
        };
        drop(stop);
        let session = session.await.expect("a listener does not panic");
        session.map(Some)
    }
}

async fn listen(
    mut session: Session,
    mut stopped: watch::Receiver<()>,
    presences: &AtomicU64,
) -> Result<Session, Error> {
    loop {
        select! {
            incoming = session.next() => if is_presence(&incoming?) {
                presences.fetch_add(1, Relaxed);
            },
            _ = stopped.changed() => return Ok(session),
        }
    }
}

/// Whether it is from a room (XEP-0045 §7.2.2), and not of a contact or another device.
fn is_presence(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Stanza(stanza) => {
            stanza.name() == b"presence" && stanza.mentions("http://jabber.org/protocol/muc#user")
        }
        Incoming::Acknowledgement => false,
    }
}
