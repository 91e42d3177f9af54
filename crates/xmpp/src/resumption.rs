//! Streams that may outlive their connection (XEP-0198 §5).

use crate::bound::Bound;
use anser_jid::BareJid;
use anser_store::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

/// The streams that can be resumed, by the ids that their clients were given.
#[derive(Debug, Default)]
pub(crate) struct Resumptions {
    tickets: Mutex<BTreeMap<String, Arc<Ticket>>>,
}

/// The right to resume one stream.
#[derive(Debug)]
struct Ticket {
    account: BareJid,
    stream: Mutex<Stream>,
}

/// Where a stream that can be resumed is.
#[derive(Debug)]
enum Stream {
    /// In a connection, which may have been asked for it.
    Live {
        waker: Option<Waker>,
        wanted_by: Option<oneshot::Sender<Box<Bound>>>,
    },
    /// Here, for so long.
    Parked { bound: Box<Bound>, until: Timestamp },
    /// Nowhere any more.
    Gone,
}

/// A stream's side of its ticket: goes wherever the stream goes. When the
/// stream is dropped, however that comes about, the ticket is void.
#[derive(Debug)]
pub(crate) struct TicketHolder {
    ticket: Arc<Ticket>,
}

impl Resumptions {
    /// Makes a stream resumable under `id`.
    pub(crate) fn issue(&self, id: String, account: BareJid) -> TicketHolder {
        let ticket = Arc::new(Ticket {
            account,
            stream: Mutex::new(Stream::live()),
        });
        self.tickets().insert(id, Arc::clone(&ticket));
        TicketHolder { ticket }
    }

    /// Takes a stream over from wherever it is. `None` if there is no such
    /// stream of this account.
    pub(crate) async fn claim(&self, id: &str, account: &BareJid) -> Option<Box<Bound>> {
        let ticket = self.tickets().get(id).cloned()?;
        if ticket.account != *account {
            return None;
        }
        match ticket.claim() {
            Claimed::Now(bound) => Some(bound),
            Claimed::Soon(bound) => bound.await.ok(),
            Claimed::Never => None,
        }
    }

    /// Keeps a stream until its client comes back, or hands it to the
    /// connection in which that has come back already.
    ///
    /// # Errors
    /// Gives the stream back if it cannot be resumed.
    pub(crate) fn park(bound: Box<Bound>, until: Timestamp) -> Result<(), Box<Bound>> {
        let Some(holder) = bound.ticket() else {
            return Err(bound);
        };
        let ticket = Arc::clone(&holder.ticket);
        let mut stream = ticket.stream();
        let wanted_by = match &mut *stream {
            Stream::Live { wanted_by, .. } => wanted_by.take(),
            Stream::Parked { .. } | Stream::Gone => None,
        };
        let unclaimed = match wanted_by {
            // The claimant may have gone meanwhile.
            Some(claimant) => claimant.send(bound).err(),
            None => Some(bound),
        };
        *stream = match unclaimed {
            Some(bound) => Stream::Parked { bound, until },
            None => Stream::live(),
        };
        Ok(())
    }

    /// Takes out the streams that nobody came back to in time, or that have
    /// ended meanwhile; forgets tickets that are void.
    pub(crate) fn sweep(&self, now: Timestamp) -> Vec<Bound> {
        self.take(|bound, until| until <= now || bound.is_over())
    }

    /// Takes out all parked streams.
    pub(crate) fn take_parked(&self) -> Vec<Bound> {
        self.take(|_, _| true)
    }

    /// How many tickets there are, with those that are void and not forgotten.
    pub(crate) fn len(&self) -> usize {
        self.tickets().len()
    }

    fn take(&self, is_wanted: impl Fn(&Bound, Timestamp) -> bool) -> Vec<Bound> {
        let mut taken = Vec::new();
        self.tickets().retain(|_, ticket| {
            let mut stream = ticket.stream();
            match std::mem::replace(&mut *stream, Stream::Gone) {
                Stream::Parked { bound, until } if is_wanted(&bound, until) => {
                    taken.push(*bound);
                    false
                }
                Stream::Gone => false,
                other @ (Stream::Live { .. } | Stream::Parked { .. }) => {
                    *stream = other;
                    true
                }
            }
        });
        taken
    }

    fn tickets(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Ticket>>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What claiming a stream brings.
enum Claimed {
    Now(Box<Bound>),
    Soon(oneshot::Receiver<Box<Bound>>),
    Never,
}

impl Ticket {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self) -> Claimed {
        let mut stream = self.stream();
        match std::mem::replace(&mut *stream, Stream::Gone) {
            Stream::Parked { bound, .. } => {
                *stream = Stream::live();
                Claimed::Now(bound)
            }
            Stream::Live { waker, .. } => {
                let (hand_over, handed_over) = oneshot::channel();
                *stream = Stream::Live {
                    waker: None,
                    wanted_by: Some(hand_over),
                };
                drop(stream);
                if let Some(waker) = waker {
                    waker.wake();
                }
                Claimed::Soon(handed_over)
            }
            Stream::Gone => Claimed::Never,
        }
    }
}

impl Stream {
    fn live() -> Self {
        Self::Live {
            waker: None,
            wanted_by: None,
        }
    }
}

impl TicketHolder {
    /// Ready when another connection wants the stream.
    pub(crate) fn poll_wanted(&self, context: &mut Context<'_>) -> Poll<()> {
        match &mut *self.ticket.stream() {
            Stream::Live {
                wanted_by: Some(_), ..
            } => Poll::Ready(()),
            Stream::Live {
                wanted_by: None,
                waker,
            } => {
                match waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    none => *none = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            Stream::Parked { .. } | Stream::Gone => Poll::Pending,
        }
    }
}

/// A stream that is dropped is not parked in its ticket, so nothing that could
/// ask for the same lock is dropped under it.
impl Drop for TicketHolder {
    fn drop(&mut self) {
        *self.ticket.stream() = Stream::Gone;
    }
}
