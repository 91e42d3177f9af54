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
    tickets: Mutex<BTreeMap<u128, Arc<Ticket>>>,
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
    pub(crate) fn issue(&self, id: &str, account: BareJid) -> TicketHolder {
        let id = number(id).expect("our own ids are hexadecimal numbers");
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
        let ticket = self.tickets().get(&number(id)?).cloned()?;
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

    fn tickets(&self) -> MutexGuard<'_, BTreeMap<u128, Arc<Ticket>>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands in memory for an id; `None` for what is no id of ours.
fn number(id: &str) -> Option<u128> {
    let is_whole = id.len() == 2 * size_of::<u128>();
    u128::from_str_radix(id, 16).ok().filter(|_| is_whole)
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
    /// Whether another connection has asked for the stream.
    pub(crate) fn is_wanted(&self) -> bool {
        let is_wanted = |stream: &Stream| match stream {
            Stream::Live { wanted_by, .. } => wanted_by.is_some(),
            Stream::Parked { .. } | Stream::Gone => false,
        };
        is_wanted(&self.ticket.stream())
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::XmppConfig;
    use crate::front::Xmpp;
    use anser_hub::{AccountsConfig, Credentials, Domains, Hub, HubConfig, RoomsConfig, Then};
    use anser_sasl::{Decoys, Iterations};
    use anser_store::{Engine, Journal, JournalLimits, MessageId, NodeId};
    use anser_xml::{Element, Limits};
    use bytes::BytesMut;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn account(name: &str) -> BareJid {
        BareJid::new(Some(name), "example.org").unwrap()
    }

    /// A front end over a hub in which Alice has an account, and the disk.
    struct World {
        front: Arc<Xmpp>,
        journal: Journal<Then>,
        engine: Engine,
    }

    impl World {
        fn new() -> Self {
            let (engine, store) = Engine::memory();
            let limits = JournalLimits::default();
            let journal = Journal::new(NodeId::default(), MessageId::FIRST, limits);
            let config = HubConfig {
                domains: Domains::Any,
                accounts: AccountsConfig::default(),
                rooms: RoomsConfig::default(),
            };
            let hub = Hub::new(config, store, journal.clone(), [0; 32]);
            let decoys = Decoys::new(b"decoys", Iterations::new(Iterations::MIN).unwrap());
            let next = AtomicU8::new(0);
            let random = move |bytes: &mut [u8]| bytes.fill(next.fetch_add(1, Ordering::Relaxed));
            let front = Xmpp::new(hub, XmppConfig::default(), decoys, Box::new(random));
            let mut world = Self {
                front,
                journal,
                engine,
            };
            let hub = Arc::clone(world.front.hub());
            let accounts = [(account("alice"), Credentials::new(&[]))];
            let made = world.run(hub.create_accounts(&accounts, NOW));
            made.unwrap();
            world
        }

        /// Runs something to its end, and the disk with it.
        fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
            let mut future = pin!(future);
            let mut context = Context::from_waker(Waker::noop());
            loop {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return value;
                }
                let mut settled = Vec::new();
                let count = self.journal.commit_group(&mut self.engine, &mut settled);
                assert!(count > 0, "it waits for something else");
                self.front.hub().settle(&mut settled);
            }
        }

        /// A stream of Alice's that cannot be resumed.
        fn stream(&mut self, resource: &str) -> Box<Bound> {
            let hub = Arc::clone(self.front.hub());
            let known = self.run(hub.credentials(&account("alice"))).unwrap();
            let (_, login) = known.unwrap();
            let session = self.run(hub.open_session(login, resource, NOW)).unwrap();
            Box::new(Bound::new(session, self.front.config(), NOW))
        }

        /// A stream of Alice's and what it can be resumed with.
        fn resumable(&mut self) -> (Box<Bound>, String) {
            let mut bound = self.stream("phone");
            let enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
            let enable = Element::parse(enable.into(), &Limits::NONE).unwrap();
            let front = Arc::clone(&self.front);
            let mut output = BytesMut::new();
            let handled = self.run(bound.handle(&front, &enable, &mut output, NOW));
            handled.unwrap();
            let enabled = Element::parse(output.freeze(), &Limits::NONE).unwrap();
            (bound, enabled.attribute("id").unwrap().into_owned())
        }

        fn tickets(&self) -> &Resumptions {
            self.front.resumptions()
        }

        /// Claims what is there at once, or not at all.
        fn claim(&self, id: &str, name: &str) -> Option<Box<Bound>> {
            let owner = account(name);
            let claimed = pin!(self.tickets().claim(id, &owner));
            match poll(claimed) {
                Poll::Ready(claimed) => claimed,
                Poll::Pending => panic!("somebody has it"),
            }
        }
    }

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn is_wanted(bound: &Bound) -> bool {
        let ticket = bound.ticket().unwrap();
        let polled = ticket.poll_wanted(&mut Context::from_waker(Waker::noop()));
        polled.is_ready()
    }

    fn park(bound: Box<Bound>) {
        let parked = Resumptions::park(bound, NOW.after(Duration::from_secs(300)));
        assert!(parked.is_ok());
    }

    /// XEP-0198 §5
    #[test]
    fn a_ticket_is_good_for_the_stream_that_it_was_given_to() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        park(bound);
        let claimed = world.claim(&id, "alice").unwrap();
        assert_eq!(claimed.session().address().resource(), "phone");
    }

    /// XEP-0198 §5: item-not-found
    #[test]
    fn an_unknown_ticket_is_good_for_nothing() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        park(bound);
        for unknown in ["", "x", &id[1..], &format!("{id} ")] {
            assert!(world.claim(unknown, "alice").is_none(), "{unknown}");
        }
    }

    /// XEP-0198 §10: a stream belongs to its account, and trying does no harm.
    #[test]
    fn a_ticket_of_another_account_is_good_for_nothing() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        assert!(world.claim(&id, "eve").is_none());
        assert!(!is_wanted(&bound));
        park(bound);
        assert!(world.claim(&id, "eve").is_none());
        assert!(world.claim(&id, "alice").is_some());
    }

    /// XEP-0198 §5: "max", after which the stream is gone.
    #[test]
    fn a_ticket_expires_with_its_stream() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        park(bound);
        let swept_at = |seconds| {
            let now = NOW.after(Duration::from_secs(seconds));
            world.tickets().sweep(now).len()
        };
        assert_eq!(swept_at(299), 0);
        assert_eq!(swept_at(300), 1);
        assert_eq!(swept_at(301), 0);
        assert!(world.claim(&id, "alice").is_none());
        assert_eq!(world.tickets().len(), 0);
    }

    /// XEP-0198 §5: a stream goes on in one place.
    #[test]
    fn a_stream_is_taken_once_only() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        park(bound);
        let first = world.claim(&id, "alice").unwrap();
        let owner = account("alice");
        let mut second = pin!(world.tickets().claim(&id, &owner));
        assert!(poll(second.as_mut()).is_pending(), "the first has it");
        assert!(is_wanted(&first));
        // Nor does the second get it when the first ends it.
        drop(first);
        assert!(matches!(poll(second), Poll::Ready(None)));
        assert!(world.claim(&id, "alice").is_none());
    }

    /// XEP-0198 §5: the old connection may look alive for long.
    #[test]
    fn a_stream_in_a_connection_is_handed_over_when_that_lets_go_of_it() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        assert!(!is_wanted(&bound));
        let owner = account("alice");
        let mut claimed = pin!(world.tickets().claim(&id, &owner));
        assert!(poll(claimed.as_mut()).is_pending());
        assert!(is_wanted(&bound));
        park(bound);
        let Poll::Ready(Some(bound)) = poll(claimed) else {
            panic!("it was not handed over");
        };
        assert!(!is_wanted(&bound));
        assert_eq!(world.tickets().take_parked().len(), 0);
    }

    /// The last who asks is the one whose connection is alive.
    #[test]
    fn of_two_who_want_a_stream_the_later_gets_it() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        let owner = account("alice");
        let mut first = pin!(world.tickets().claim(&id, &owner));
        assert!(poll(first.as_mut()).is_pending());
        let mut second = pin!(world.tickets().claim(&id, &owner));
        assert!(poll(second.as_mut()).is_pending());
        assert!(matches!(poll(first), Poll::Ready(None)));
        park(bound);
        assert!(matches!(poll(second), Poll::Ready(Some(_))));
    }

    #[test]
    fn a_stream_whose_claimant_has_gone_waits_for_the_next() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        let owner = account("alice");
        {
            let claimed = pin!(world.tickets().claim(&id, &owner));
            assert!(poll(claimed).is_pending());
        }
        park(bound);
        assert!(world.claim(&id, "alice").is_some());
    }

    #[test]
    fn a_stream_without_a_ticket_is_given_back() {
        let mut world = World::new();
        let bound = world.stream("phone");
        let back = Resumptions::park(bound, NOW).unwrap_err();
        assert_eq!(back.session().address().resource(), "phone");
    }

    /// The ticket of a stream that ended in its connection is forgotten.
    #[test]
    fn void_tickets_leave_nothing_behind() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        assert_eq!(world.tickets().sweep(NOW).len(), 0);
        assert_eq!(world.tickets().len(), 1);
        drop(bound);
        assert!(world.claim(&id, "alice").is_none());
        assert_eq!(world.tickets().sweep(NOW).len(), 0);
        assert_eq!(world.tickets().len(), 0);
    }

    /// RFC 6120 §7.7.2.2: a newer session with the resource ends a parked one
    /// too.
    #[test]
    fn a_parked_stream_whose_session_has_ended_does_not_wait_for_its_time() {
        let mut world = World::new();
        let (bound, _) = world.resumable();
        park(bound);
        let _newer = world.stream("phone");
        assert_eq!(world.tickets().sweep(NOW).len(), 1);
    }

    #[test]
    fn the_server_takes_all_parked_streams_when_it_stops() {
        let mut world = World::new();
        let (bound, id) = world.resumable();
        park(bound);
        assert_eq!(world.tickets().take_parked().len(), 1);
        assert!(world.claim(&id, "alice").is_none());
    }
}
