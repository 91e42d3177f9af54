//! Whom an account does not want to hear of (XEP-0191). Whoever is blocked sees
//! an account that is never there.

use crate::account::{Account, AccountState, Available};
use crate::directory::Resident;
use crate::inbox::Taken;
use crate::mailbox::Wakes;
use crate::roster::Subscription;
use crate::{Event, Hub, Message, NotKept, Presence, SendError, Session, SessionHandle};
use anser_jid::{BareJid, Jid};
use anser_store::{Change, Expect, MessageId, Refusal, StoreError, Timestamp, View};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The records of it; the key is who is blocked.
const KIND: &str = "blocked";

/// Whom an account blocks. Most block nobody, which takes no memory.
#[derive(Debug, Clone, Default)]
pub struct BlockList(Option<Arc<Blocked>>);

#[derive(Debug)]
struct Blocked {
    owner: BareJid,
    addresses: BTreeSet<Jid>,
}

/// A change of a block list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockChange {
    /// These are blocked (XEP-0191 §3.3).
    Block(BTreeSet<Jid>),
    /// These no longer are (§3.4).
    Unblock(BTreeSet<Jid>),
    /// Nobody is any more (§3.5).
    UnblockAll,
}

impl BlockChange {
    /// Whether it lets nobody in.
    fn is_stricter(&self) -> bool {
        match self {
            Self::Block(_) => true,
            Self::Unblock(_) | Self::UnblockAll => false,
        }
    }
}

/// A change of the block list, for those of the account's sessions that have
/// asked for it.
#[derive(Debug)]
pub struct BlockPush {
    /// Tells it from every other since the start.
    pub number: u64,
    /// What has changed.
    pub change: BlockChange,
}

/// A block list was not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlockError {
    /// The account has been removed.
    #[error("the account is gone")]
    NoAccount,
    /// Too many addresses would be blocked.
    #[error("{got} addresses would be blocked, and {limit} can be (accounts.blocked)")]
    TooMany {
        /// How many would be.
        got: usize,
        /// How many can be.
        limit: usize,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl From<Refusal> for BlockError {
    fn from(refusal: Refusal) -> Self {
        Self::NotKept(refusal.into())
    }
}

impl BlockList {
    fn new(owner: &BareJid, addresses: BTreeSet<Jid>) -> Self {
        if addresses.is_empty() {
            return Self(None);
        }
        let owner = owner.clone();
        Self(Some(Arc::new(Blocked { owner, addresses })))
    }

    pub(crate) fn read(view: &View<'_>, owner: &BareJid) -> Result<Self, StoreError> {
        let mut addresses = BTreeSet::new();
        for (key, _) in view.records(owner, KIND)? {
            match key.parse() {
                Ok(address) => drop(addresses.insert(address)),
                Err(error) => tracing::error!(%owner, key, %error, "nobody is blocked by this"),
            }
        }
        Ok(Self::new(owner, addresses))
    }

    /// Who is on it, in the order of their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &Jid> {
        self.0.iter().flat_map(|blocked| &blocked.addresses)
    }

    /// Whether somebody is blocked: by their full address, by that of their
    /// account, or with their whole domain (XEP-0191 §6). Nobody blocks their own
    /// devices (§5).
    pub(crate) fn covers(&self, address: &Jid) -> bool {
        let Some(Blocked { owner, addresses }) = self.0.as_deref() else {
            return false;
        };
        let forms = [address.as_str(), address.bare_str(), address.domain()];
        let is_own = address.bare_str() == owner.as_str();
        !is_own && forms.iter().any(|form| addresses.contains(*form))
    }

    fn changed(&self, owner: &BareJid, change: &BlockChange) -> Self {
        let mut addresses: BTreeSet<_> = self.addresses().cloned().collect();
        match change {
            BlockChange::Block(named) => addresses.extend(named.iter().cloned()),
            BlockChange::Unblock(named) => addresses.retain(|address| !named.contains(address)),
            BlockChange::UnblockAll => addresses.clear(),
        }
        Self::new(owner, addresses)
    }

    /// What writes down `self` where `before` is written.
    fn changes(&self, before: &Self, owner: &BareJid) -> Vec<Change> {
        let has = |list: &Self, address: &Jid| {
            let blocked = list.0.as_deref();
            blocked.is_some_and(|blocked| blocked.addresses.contains(address))
        };
        let new = self.addresses().filter(|address| !has(before, address));
        let put = new.map(|address| Change::Put {
            owner: owner.clone(),
            kind: KIND,
            key: address.to_string(),
            value: Bytes::new(),
            expect: Expect::Anything,
        });
        let old = before.addresses().filter(|address| !has(self, address));
        let delete = old.map(|address| Change::Delete {
            owner: owner.clone(),
            kind: KIND,
            key: address.to_string(),
        });
        put.chain(delete).collect()
    }
}

impl Session {
    /// Whether the session may write to an address: not if its account blocks it
    /// (XEP-0191 §3.3).
    ///
    /// # Errors
    /// [`SendError::Blocked`]
    pub fn check_addressee(&self, to: &Jid) -> Result<(), SendError> {
        match self.account().state().blocked.covers(to) {
            true => Err(SendError::Blocked),
            false => Ok(()),
        }
    }
}

impl Hub {
    /// Whom the session's account blocks, and from now on the changes of that
    /// (XEP-0191 §3.2).
    #[must_use]
    pub fn blocked(&self, session: &SessionHandle) -> BlockList {
        let session = session.session();
        let mut state = session.account().state();
        if let Some(device) = state.device_of(session) {
            device.wants_blocks = true;
        }
        state.blocked.clone()
    }

    /// Whether the server may answer a session for an address, an account's or
    /// its own.
    ///
    /// # Errors
    /// [`SendError::Blocked`] if the session's account blocks it, and
    /// [`SendError::Unavailable`] the other way round.
    pub async fn check_question(
        &self,
        session: &SessionHandle,
        to: &Jid,
        now: Timestamp,
    ) -> Result<(), SendError> {
        session.check_addressee(to)?;
        let account = self.account(&to.to_bare(), now).await?;
        let asker = session.address();
        match account.is_some_and(|account| account.state().blocked.covers(asker)) {
            true => Err(SendError::Unavailable),
            false => Ok(()),
        }
    }

    /// Messages that wait for a session, by their places. Those of somebody who
    /// is blocked by now wait no longer; they are in the archive.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn waiting_messages(
        &self,
        session: &Session,
        places: &[MessageId],
    ) -> Result<Vec<(MessageId, Message)>, StoreError> {
        let mut messages = self.messages(places).await?;
        let blocked = session.account().state().blocked.clone();
        let is_unwanted = |message: &Message| blocked.covers(message.from());
        let unwanted = messages.iter().filter(|(_, message)| is_unwanted(message));
        self.taken(session, unwanted.map(|(place, _)| Taken::Mail(*place)));
        messages.retain(|(_, message)| !is_unwanted(message));
        Ok(messages)
    }

    /// Blocks somebody, or no longer. Whoever is blocked by that sees the
    /// account's devices go; whoever no longer is sees them come (XEP-0191 §3.3,
    /// §3.4). The devices leave rooms that are blocked.
    ///
    /// # Errors
    /// [`BlockError`]; nothing has changed.
    pub async fn change_blocks(
        &self,
        session: &SessionHandle,
        change: BlockChange,
        now: Timestamp,
    ) -> Result<(), BlockError> {
        let account = session.session().account();
        let _alone = account.changes.lock().await;
        if account.is_gone() {
            return Err(BlockError::NoAccount);
        }
        let before = account.state().blocked.clone();
        let after = before.changed(account.address(), &change);
        let (got, limit) = (after.addresses().count(), self.config().accounts.blocked);
        if got > limit && got > before.addresses().count() {
            return Err(BlockError::TooMany { got, limit });
        }
        let changes = after.changes(&before, account.address());
        if !changes.is_empty() {
            // At once, so that nothing overtakes the answer that is behind it in
            // the journal; but nobody is let in before that is certain.
            let is_stricter = change.is_stricter();
            if is_stricter {
                self.put_in_force(account, &before, &after);
            }
            let kept = self.commit(changes, now).await;
            match (&kept, is_stricter) {
                (Ok(()), true) => self.leave_blocked_rooms(account),
                (Ok(()), false) => self.put_in_force(account, &before, &after),
                (Err(_), true) => self.put_in_force(account, &after, &before),
                (Err(_), false) => {}
            }
            kept?;
        }
        self.push_blocks(account, change);
        Ok(())
    }

    /// Tells the sessions that have asked for the list.
    fn push_blocks(&self, account: &Account, change: BlockChange) {
        let number = self.block_pushes.fetch_add(1, Ordering::Relaxed);
        let push = Arc::new(BlockPush { number, change });
        let mut wakes = Wakes::default();
        let state = account.state();
        for device in state.devices.iter().filter(|device| device.wants_blocks) {
            let event = Event::Blocks(Arc::clone(&push));
            device.session.mailbox().push(event, &mut wakes);
        }
    }

    fn leave_blocked_rooms(&self, account: &Account) {
        let state = account.state();
        let blocked = state.blocked.clone();
        let sessions = state.devices.iter();
        let sessions: Vec<_> = sessions.map(|d| Arc::clone(&d.session)).collect();
        drop(state);
        for session in sessions {
            self.leave_rooms_at(&session, |room| blocked.covers(room));
        }
    }

    /// From now on the list is `after`, and those whom that concerns see it.
    fn put_in_force(&self, account: &Account, before: &BlockList, after: &BlockList) {
        let mut wakes = Wakes::default();
        let _turn = account.announce();
        let mut state = account.state();
        state.blocked = after.clone();
        let directed = take_directed(&mut state, after);
        let sessions: Vec<_> = state
            .devices
            .iter()
            .map(|device| (Arc::clone(&device.session), device.presence.clone()))
            .collect();
        let contacts: Vec<_> = state
            .roster
            .contacts()
            .map(|(address, contact)| (address.clone(), contact.subscription))
            .filter(|(_, subscription)| *subscription != Subscription::None)
            .collect();
        let shown = Shown {
            account,
            sessions: &sessions,
            before,
            after,
        };
        drop(state);
        for (contact, subscription) in &contacts {
            if let Some(contact) = self.resident(contact) {
                shown.tell(&contact, *subscription, &mut wakes);
            }
        }
        for gone in directed {
            self.pass_presence(&gone, &BlockList::default(), &mut wakes);
        }
    }
}

/// What those who are blocked have been told by a presence for them alone is taken
/// back: the presences that do so.
fn take_directed(state: &mut AccountState, blocked: &BlockList) -> Vec<Presence> {
    let mut gone = Vec::new();
    let AccountState {
        devices, roster, ..
    } = state;
    for device in devices {
        let directed = std::mem::take(&mut device.directed).into_iter();
        let (hidden, kept) = directed.partition(|to| blocked.covers(to));
        device.directed = kept;
        // Whom the broadcast has reached, that what takes it back reaches too.
        let is_told = |to: &Jid| device.presence.is_some() && roster.is_seen_by(to.bare_str());
        let hidden: BTreeSet<Jid> = hidden;
        for to in hidden.into_iter().filter(|to| !is_told(to)) {
            let from = device.session.address().clone().into();
            gone.push(Presence::unavailable(from, to));
        }
    }
    gone
}

/// An account's devices with the presence they have broadcast, before its block
/// list changes and after.
struct Shown<'a> {
    account: &'a Account,
    sessions: &'a [(Arc<Session>, Option<Available>)],
    before: &'a BlockList,
    after: &'a BlockList,
}

impl Shown<'_> {
    /// Tells a contact's devices that ours are gone, or there again; and ours that
    /// theirs are there, if they may know each.
    fn tell(&self, contact: &Account, subscription: Subscription, wakes: &mut Wakes) {
        let own = self.account.address().as_str();
        let state = contact.state();
        // Whoever does not want to see it is not told, even if allowed to.
        let is_seen = subscription.is_seen() && state.roster.sees(own);
        let sees = subscription.sees_contact() && state.roster.is_seen_by(own);
        for device in &state.devices {
            let Some(theirs) = &device.presence else {
                continue;
            };
            let address = device.session.address();
            let (was, is) = (self.before.covers(address), self.after.covers(address));
            if was == is {
                continue;
            }
            for (session, ours) in self.sessions {
                let Some(ours) = ours else {
                    continue;
                };
                if state.blocked.covers(session.address()) {
                    continue;
                }
                if is_seen {
                    let to = Jid::from(contact.address().clone());
                    let ours = if is {
                        Presence::unavailable(ours.presence.from.clone(), to)
                    } else {
                        ours.presence.readdressed(to)
                    };
                    let event = Event::Presence(Arc::new(ours));
                    device.session.mailbox().push(event, wakes);
                }
                if sees && !is {
                    let to = self.account.address().clone().into();
                    let event = Event::Presence(Arc::new(theirs.presence.readdressed(to)));
                    session.mailbox().push(event, wakes);
                }
            }
        }
    }
}
