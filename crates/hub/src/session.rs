//! One device of an account, as the exchange sees it.

use crate::account::Account;
use crate::inbox::Slot;
use crate::mailbox::Wakes;
use crate::room::Visits;
use crate::{Hub, Mailbox};
use anser_jid::FullJid;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

/// One device of an account. It lives as long as its [`SessionHandle`].
#[derive(Debug)]
pub struct Session {
    address: FullJid,
    account: Arc<Account>,
    slot: Slot,
    mailbox: Mailbox,
    settling: Settling,
    visits: Visits,
}

/// How many of the messages that the session sent are in the journal, and how
/// many of these have been settled: the front end acknowledges no more.
#[derive(Debug, Default)]
struct Settling {
    submitted: AtomicU32,
    settled: AtomicU32,
    is_awaited: AtomicBool,
}

impl Session {
    pub(crate) fn new(
        address: FullJid,
        account: Arc<Account>,
        slot: Slot,
        mailbox: Mailbox,
    ) -> Self {
        Self {
            address,
            account,
            slot,
            mailbox,
            settling: Settling::default(),
            visits: Visits::default(),
        }
    }

    /// The session's address.
    #[must_use]
    pub fn address(&self) -> &FullJid {
        &self.address
    }

    /// What is for the session.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The rooms it is in.
    pub(crate) fn visits(&self) -> &Visits {
        &self.visits
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// How many of the session's messages have gone through the journal and
    /// are settled; counts from zero and wraps around.
    #[must_use]
    pub fn settled(&self) -> u32 {
        self.settling.settled.load(Ordering::Acquire)
    }

    /// How many of the session's messages have gone into the journal.
    #[must_use]
    pub fn submitted(&self) -> u32 {
        self.settling.submitted.load(Ordering::Acquire)
    }

    /// Whether some of the session's messages are still on their way to disk.
    #[must_use]
    pub fn has_unsettled(&self) -> bool {
        self.submitted() != self.settled()
    }

    /// Ready when `count` of the session's messages are settled. Only the last
    /// task to ask is woken.
    pub fn poll_settled(&self, count: u32, context: &mut Context<'_>) -> Poll<()> {
        let settling = &self.settling;
        // Whoever waits for mail waits for this too.
        self.mailbox.wake_later(context);
        settling.is_awaited.store(true, Ordering::SeqCst);
        // Looked at last: either this sees what has just been settled, or
        // settling sees that it is awaited.
        let missing = count.wrapping_sub(settling.settled.load(Ordering::SeqCst));
        if missing == 0 || missing > u32::MAX / 2 {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Waits until everything that the session has sent so far is settled.
    pub async fn all_settled(&self) {
        let count = self.submitted();
        std::future::poll_fn(|context| self.poll_settled(count, context)).await;
    }

    pub(crate) fn on_submitted(&self) {
        self.settling.submitted.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn on_settled(&self, wakes: &mut Wakes) {
        self.settling.settled.fetch_add(1, Ordering::SeqCst);
        if self.settling.is_awaited.swap(false, Ordering::SeqCst) {
            self.mailbox.wake(wakes);
        }
    }
}

/// A session's owner. Dropping it ends the session, however that comes about:
/// a task that panics leaves no ghost behind.
#[derive(Debug)]
pub struct SessionHandle {
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl SessionHandle {
    pub(crate) fn new(hub: Arc<Hub>, session: Arc<Session>) -> Self {
        Self { hub, session }
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The exchange that it is a session of.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

impl Deref for SessionHandle {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.hub.end_session(&self.session);
    }
}
