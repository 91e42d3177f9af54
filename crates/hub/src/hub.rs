//! The exchange: what all front ends share.

use crate::account::{Account, AccountState, Device};
use crate::directory::Directory;
use crate::inbox::Slots;
use crate::mailbox::Wakes;
use crate::pipeline::Parcel;
use crate::room::{MOST_SEARCHES, Room, RoomDelivery};
use crate::sync::lock;
use crate::{
    AccountsConfig, CloseReason, Counters, Event, Login, Mailbox, NotKept, OpenError, RoomsConfig,
    Session, SessionHandle,
};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::{Change, Journal, Refusal, Settled, Store, StoreError, Timestamp, Weigh};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, oneshot};

/// What remains to be done when a batch of changes is settled.
#[derive(Debug)]
pub enum Then {
    /// Pass something on.
    Deliver(Box<Parcel>),
    /// Tell everybody in a room, and then whoever waits.
    Tell(Box<RoomDelivery>, oneshot::Sender<Result<(), Refusal>>),
    /// Tell whoever waits.
    Answer(oneshot::Sender<Result<(), Refusal>>),
}

impl Weigh for Then {
    fn weight_bytes(&self) -> usize {
        match self {
            Self::Deliver(parcel) => parcel.weight_bytes(),
            Self::Tell(..) => size_of::<RoomDelivery>(),
            Self::Answer(_) => 0,
        }
    }
}

/// Domains and limits: replaced as a whole when the configuration is read
/// again.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// The domains whose accounts live here.
    pub domains: Domains,
    /// What one account may use.
    pub accounts: AccountsConfig,
    /// What rooms may be.
    pub rooms: RoomsConfig,
}

/// Which domains' accounts live here.
#[derive(Debug, Clone)]
pub enum Domains {
    /// These.
    Only(BTreeSet<String>),
    /// Whichever: for work on the data of a server that does not run.
    Any,
}

impl Domains {
    fn contains(&self, domain: &str) -> bool {
        match self {
            Self::Only(domains) => domains.contains(domain),
            Self::Any => true,
        }
    }
}

/// Whether a resource was free.
enum Entry {
    /// It was, and is this session's now.
    Free(Arc<Session>),
    /// This session has it.
    Taken(Arc<Session>),
    /// The login may not hold any more.
    Outdated,
}

/// The exchange.
#[derive(Debug)]
pub struct Hub {
    config: Mutex<Arc<HubConfig>>,
    store: Store,
    journal: Journal<Then>,
    pub(crate) directory: Directory<Account>,
    pub(crate) rooms: Directory<Room>,
    /// Rooms that nobody wants to keep and whose last occupants have gone.
    pub(crate) emptied: Mutex<Vec<Arc<Room>>>,
    /// Rooms whose counters of what is said differ from what is written down.
    pub(crate) talking: Mutex<Vec<Arc<Room>>>,
    /// What so many may have who search for rooms at the same time.
    pub(crate) searches: Semaphore,
    /// When the exchange began to count the time in which occupants come back.
    pub(crate) leftovers_since: Mutex<Option<Timestamp>>,
    /// The rooms of those who did not come back have been ended.
    pub(crate) leftovers_ended: AtomicBool,
    /// What names are made with that tell strangers nothing.
    pub(crate) secret: [u8; 32],
    counters: Counters,
    /// How often sessions were told that a block list has changed.
    pub(crate) block_pushes: AtomicU64,
    /// Accounts whose devices stand elsewhere in the log than is written down.
    dirty: Mutex<Vec<Arc<Account>>>,
    /// How often an account was removed or got other credentials.
    revocations: AtomicU64,
}

impl Hub {
    /// An exchange over a store. Somebody has to run the journal and hand what
    /// is settled to [`Hub::settle`]. `secret` is the server's, and always the
    /// same: what occupants of rooms are called by follows from it.
    #[must_use]
    pub fn new(
        config: HubConfig,
        store: Store,
        journal: Journal<Then>,
        secret: [u8; 32],
    ) -> Arc<Self> {
        Arc::new(Self {
            config: Mutex::new(Arc::new(config)),
            store,
            journal,
            directory: Directory::new(),
            rooms: Directory::new(),
            emptied: Mutex::default(),
            talking: Mutex::default(),
            searches: Semaphore::new(MOST_SEARCHES),
            leftovers_since: Mutex::default(),
            leftovers_ended: AtomicBool::new(false),
            secret,
            counters: Counters::default(),
            block_pushes: AtomicU64::new(0),
            dirty: Mutex::default(),
            revocations: AtomicU64::new(0),
        })
    }

    /// Domains and limits as they stand now.
    #[must_use]
    pub fn config(&self) -> Arc<HubConfig> {
        Arc::clone(&lock(&self.config))
    }

    /// Replaces domains and limits. Open sessions keep the mailbox they have.
    pub fn configure(&self, config: HubConfig) {
        *lock(&self.config) = Arc::new(config);
    }

    /// The queue in front of the disk.
    #[must_use]
    pub fn journal(&self) -> &Journal<Then> {
        &self.journal
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether accounts of this domain live here.
    #[must_use]
    pub fn serves(&self, domain: &str) -> bool {
        self.config().domains.contains(domain)
    }

    /// Whether accounts of this domain live here, and it was named as such.
    pub(crate) fn serves_by_name(&self, domain: &str) -> bool {
        match &self.config().domains {
            Domains::Only(domains) => domains.contains(domain),
            Domains::Any => false,
        }
    }

    /// Opens a session for whoever has logged in. An older one with the same
    /// resource ends (RFC 6120 §7.7.2.2).
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open_session(
        self: &Arc<Self>,
        mut login: Login,
        resource: &str,
        now: Timestamp,
    ) -> Result<SessionHandle, OpenError> {
        let address = login.account().with_resource(resource)?;
        let account = self.account(login.account(), now).await?;
        let account = account.ok_or(OpenError::NoAccount)?;
        loop {
            match self.enter(&account, &address, &login)? {
                Entry::Free(session) => return Ok(SessionHandle::new(Arc::clone(self), session)),
                // Whoever was faster has the resource by now, and it is theirs
                // to lose.
                Entry::Taken(older) => self.replace(&older),
                Entry::Outdated => {
                    let renewed = self.renew(login).await?;
                    login = renewed.ok_or(OpenError::Revoked)?;
                }
            }
        }
    }

    /// Adds a session to an account, if nobody has the resource and nobody's
    /// credentials were revoked meanwhile.
    fn enter(
        &self,
        account: &Arc<Account>,
        address: &FullJid,
        login: &Login,
    ) -> Result<Entry, OpenError> {
        let limits = self.config();
        let mut state = account.state();
        if account.is_gone() {
            return Err(OpenError::NoAccount);
        }
        // Under the lock: what is revoked later finds the session.
        if login.revocations() != self.revocations() {
            return Ok(Entry::Outdated);
        }
        if let Some(device) = state.device(address.resource()) {
            return Ok(Entry::Taken(Arc::clone(&device.session)));
        }
        let limit = limits.accounts.sessions.min(Slots::MOST);
        let slot = state.free_slot().filter(|_| state.devices.len() < limit);
        let slot = slot.ok_or(OpenError::TooManySessions { limit })?;
        let mailbox = Mailbox::new(limits.accounts.mailbox());
        let session = Session::new(address.clone(), Arc::clone(account), slot, mailbox);
        let session = Arc::new(session);
        // Most accounts have one or two.
        state.devices.reserve_exact(1);
        state.devices.push(Device::new(Arc::clone(&session)));
        let addressed = state.inbox.give_addressed(slot, session.address());
        if !addressed.is_empty() {
            let waiting = Event::Waiting(addressed);
            session.mailbox().push(waiting, &mut Wakes::default());
        }
        Ok(Entry::Free(session))
    }

    /// How often sessions were revoked so far, of whichever account.
    pub(crate) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::SeqCst)
    }

    /// Notes that an account is gone or has other credentials. To be called when
    /// that is on disk, and before its sessions end.
    pub(crate) fn note_revocation(&self) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends a session in favour of a newer one.
    fn replace(&self, old: &Arc<Session>) {
        self.end_session(old);
        let mut wakes = Wakes::default();
        old.mailbox().close(CloseReason::Replaced, &mut wakes);
    }

    /// Ends every session, as the server stops. First, each is told so by the
    /// rooms that it is in, and nobody of the others' leaving.
    pub fn close_all(&self) {
        let mut wakes = Wakes::default();
        self.vacate_rooms(&mut wakes);
        for account in self.directory.all() {
            for device in &account.state().devices {
                let mailbox = device.session.mailbox();
                mailbox.close(CloseReason::Shutdown, &mut wakes);
            }
        }
    }

    /// How many sessions there are.
    #[must_use]
    pub fn session_count(&self) -> usize {
        let accounts = self.directory.all();
        accounts
            .iter()
            .map(|account| account.state().devices.len())
            .sum()
    }

    /// How many accounts are in memory: those that somebody has used lately.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.directory.all().len()
    }

    /// Writes down where devices stand and forgets accounts that nobody uses.
    /// To be called every second or so.
    pub async fn tick(&self, now: Timestamp) {
        self.save_inboxes(now).await;
        self.end_emptied_rooms(now).await;
        self.end_leftover_rooms(now).await;
        self.save_due_activities(now).await;
        self.directory.sweep(now);
        self.rooms.sweep(now);
    }

    /// Writes down where the devices of all accounts stand in their logs.
    pub async fn save_inboxes(&self, now: Timestamp) {
        let dirty = std::mem::take(&mut *lock(&self.dirty));
        if dirty.is_empty() {
            return;
        }
        let saved: Vec<_> = dirty.iter().map(|account| account.save_inbox()).collect();
        let changes = || {
            let saved = dirty.iter().zip(saved);
            let wanted = saved.filter(|(account, _)| !account.is_gone());
            wanted.map(|(_, change)| change).collect()
        };
        if let Err(error) = self.commit_all(changes, now).await {
            tracing::warn!(%error, "where devices stand in their logs is not written down");
            for account in dirty {
                self.inbox_changed(&account, &mut account.state());
            }
        }
    }

    /// Notes that an inbox has to be written down.
    pub(crate) fn inbox_changed(&self, account: &Arc<Account>, state: &mut AccountState) {
        if !std::mem::replace(&mut state.inbox_is_dirty, true) {
            lock(&self.dirty).push(Arc::clone(account));
        }
    }

    /// The account at an address, read if need be; `None` if there is none, or
    /// its domain is not served here.
    pub(crate) async fn account(
        &self,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let config = self.config();
        if address.local().is_none() || !config.domains.contains(address.domain()) {
            return Ok(None);
        }
        let of = address.clone();
        let read = move |view: &anser_store::View<'_>| Account::load(view, &of);
        self.directory.load(&self.store, address, now, read).await
    }

    /// The account at an address if it is in memory, which it is whenever it
    /// has a session.
    pub(crate) fn resident(&self, address: &Jid) -> Option<Arc<Account>> {
        self.directory.resident(address)
    }

    /// Commits changes and waits for the disk.
    pub(crate) async fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<(), Refusal> {
        self.commit_all(|| changes, now).await
    }

    /// The same with changes that depend on which accounts and rooms are gone
    /// when they get into the journal.
    pub(crate) async fn commit_all(
        &self,
        changes: impl FnOnce() -> Vec<Change>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.journal
            .append(now, |_| (changes(), Then::Answer(answer)));
        let closed = || Err(Refusal::Store(Arc::new(StoreError::Closed)));
        answered.await.unwrap_or_else(|_| closed())
    }

    /// Does what waited for a commit, in the order of the journal. Sessions are
    /// woken once, at the end.
    pub fn settle(&self, settled: &mut Vec<Settled<Then>>) {
        let mut wakes = Wakes::default();
        for Settled { tag, outcome } in settled.drain(..) {
            match tag {
                Then::Deliver(parcel) => {
                    let outcome = outcome.map_err(NotKept::from);
                    self.on_settled(*parcel, outcome, &mut wakes);
                }
                Then::Tell(delivery, waiting) => {
                    if outcome.is_ok() {
                        // In a room that is gone there is nobody to be told.
                        let _ = self.deliver_to_room(*delivery, &mut wakes);
                    }
                    let _ = waiting.send(outcome);
                }
                Then::Answer(waiting) => {
                    // Whoever asked may have gone.
                    let _ = waiting.send(outcome);
                }
            }
        }
    }
}
