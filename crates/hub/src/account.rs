//! An account while somebody needs it.

use crate::blocking::BlockList;
use crate::credentials::CREDENTIALS;
use crate::directory::Resident;
use crate::inbox::{Inbox, InboxRecord, Slot, Slots};
use crate::roster::{Contact, Roster};
use crate::sync::lock;
use crate::{HistoryPreferences, Message, Presence, Session, history};
use anser_jid::{BareJid, Jid};
use anser_store::{
    Change, EntryFlags, Expect, MessageId, Page, Record, StoreError, Timestamp, View,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The records of contacts; the one without a key has the roster's version.
const ROSTER: &str = "roster";
/// The record of where the devices stand in the log.
const INBOX: &str = "inbox";

/// No limit to what is read; engines count with a sign.
const ALL: usize = usize::MAX >> 1;

/// A log entry that waits until a device has taken it.
pub(crate) const FOR_DEVICES: EntryFlags = EntryFlags(1);
/// A log entry that history shows.
pub(crate) const FOR_HISTORY: EntryFlags = EntryFlags(2);
/// A log entry of a message that was sent to a session, not to the account.
pub(crate) const FOR_SESSION: EntryFlags = EntryFlags(4);

/// An account in memory: from the first session or message until some time
/// after the last.
#[derive(Debug)]
pub(crate) struct Account {
    address: BareJid,
    state: Mutex<AccountState>,
    /// Held while a change of the roster is on its way to disk, so that the
    /// next one is decided on what that leaves.
    pub(crate) changes: tokio::sync::Mutex<()>,
    announcing: Mutex<()>,
    last_used: AtomicU64,
    /// It has been removed, or is about to be.
    is_gone: AtomicBool,
}

/// What is decided on under the account's lock.
#[derive(Debug, Default)]
pub(crate) struct AccountState {
    pub(crate) roster: Roster,
    pub(crate) blocked: BlockList,
    pub(crate) inbox: Inbox,
    /// The inbox differs from what is written down, and the exchange has been
    /// told so.
    pub(crate) inbox_is_dirty: bool,
    /// Messages of the account's own since the inbox was written down.
    pub(crate) passed: u32,
    /// Which messages are for history; `None` means all, as for nearly everybody.
    pub(crate) preferences: Option<Box<HistoryPreferences>>,
    pub(crate) devices: Vec<Device>,
}

/// A session with what the exchange knows of it.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) session: Arc<Session>,
    /// The presence it has broadcast; `None` before the first and after an
    /// unavailable one.
    pub(crate) presence: Option<Available>,
    /// It has asked for the roster, and so gets its changes (RFC 6121 §2.1.6).
    pub(crate) wants_roster: bool,
    /// It has asked for the block list, and so gets its changes (XEP-0191 §3.2).
    pub(crate) wants_blocks: bool,
    /// It has asked for copies of what other devices send and get (XEP-0280 §4).
    pub(crate) wants_copies: bool,
    /// Who was told by a presence for them alone (RFC 6121 §4.6).
    pub(crate) directed: BTreeSet<Jid>,
}

/// A broadcast presence.
#[derive(Debug, Clone)]
pub(crate) struct Available {
    pub(crate) priority: i8,
    pub(crate) presence: Arc<Presence>,
}

impl Device {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            presence: None,
            wants_roster: false,
            wants_blocks: false,
            wants_copies: false,
            directed: BTreeSet::new(),
        }
    }

    /// Whether it gets messages for the account (RFC 6121 §8.5.2.1.1).
    pub(crate) fn takes_messages(&self) -> bool {
        self.presence
            .as_ref()
            .is_some_and(|available| available.priority >= 0)
    }
}

impl AccountState {
    /// A number that none of the devices has.
    pub(crate) fn free_slot(&self) -> Option<Slot> {
        let mut taken = Slots::default();
        for device in &self.devices {
            taken.insert(device.session.slot());
        }
        taken.free()
    }

    /// The device with this resource.
    pub(crate) fn device(&mut self, resource: &str) -> Option<&mut Device> {
        self.devices
            .iter_mut()
            .find(|device| device.session.address().resource() == resource)
    }

    pub(crate) fn device_of(&mut self, session: &Session) -> Option<&mut Device> {
        self.devices
            .iter_mut()
            .find(|device| std::ptr::eq(Arc::as_ptr(&device.session), session))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct RosterHead {
    version: u64,
}

impl Account {
    /// Reads an account; `None` if there is no such account.
    pub(crate) fn load(view: &View<'_>, address: &BareJid) -> Result<Option<Self>, StoreError> {
        if view.record(address, CREDENTIALS, "")?.is_none() {
            return Ok(None);
        }
        let state = AccountState {
            roster: read_roster(view.records(address, ROSTER)?),
            blocked: BlockList::read(view, address)?,
            inbox: read_inbox(view, address)?,
            preferences: history::read_preferences(view, address)?,
            ..AccountState::default()
        };
        Ok(Some(Self {
            address: address.clone(),
            state: Mutex::new(state),
            changes: tokio::sync::Mutex::default(),
            announcing: Mutex::default(),
            last_used: AtomicU64::new(0),
            is_gone: AtomicBool::new(false),
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, AccountState> {
        lock(&self.state)
    }

    /// To be held from before the presence of a device changes until all who see
    /// it are told, so that what they hear last is how it is. Taken before any
    /// account's state.
    pub(crate) fn announce(&self) -> MutexGuard<'_, ()> {
        lock(&self.announcing)
    }

    /// Whether the account has been removed. No session opens from then on, and
    /// nothing is written for it.
    ///
    /// To be asked where it cannot change before the answer counts: under the
    /// account's state for what concerns its sessions, under `changes` for its
    /// records, and for what goes into the journal there, where the removal is
    /// behind it or was seen here.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// To be called under the account's `changes`.
    pub(crate) fn set_gone(&self, is_gone: bool) {
        // Under the lock: whoever has asked under it is through.
        let _state = self.state();
        self.is_gone.store(is_gone, Ordering::Release);
    }

    /// What writes down where the devices stand. It counts as written from now
    /// on.
    pub(crate) fn save_inbox(&self) -> Change {
        let mut state = self.state();
        state.inbox_is_dirty = false;
        state.passed = 0;
        let record = state.inbox.record();
        drop(state);
        Change::Put {
            owner: self.address.clone(),
            kind: INBOX,
            key: String::new(),
            value: to_json(&record),
            expect: Expect::Anything,
        }
    }

    /// What writes down a contact and the version of the roster with it.
    pub(crate) fn save_contact(&self, of: &Jid, contact: &Contact, version: u64) -> Vec<Change> {
        let owner = &self.address;
        let put = |key: String, value| Change::Put {
            owner: owner.clone(),
            kind: ROSTER,
            key,
            value,
            expect: Expect::Anything,
        };
        let contact = if contact.is_empty() {
            Change::Delete {
                owner: owner.clone(),
                kind: ROSTER,
                key: of.to_string(),
            }
        } else {
            put(of.to_string(), to_json(contact))
        };
        vec![
            contact,
            put(String::new(), to_json(&RosterHead { version })),
        ]
    }
}

impl Resident for Account {
    fn address(&self) -> &BareJid {
        &self.address
    }

    fn touch(&self, now: Timestamp) {
        self.last_used.store(now.millis(), Ordering::Relaxed);
    }

    fn last_used(&self) -> Timestamp {
        Timestamp::from_millis(self.last_used.load(Ordering::Relaxed))
    }

    /// It has something to write down.
    fn is_needed(&self) -> bool {
        self.state().inbox_is_dirty
    }
}

pub(crate) fn to_json(value: &impl Serialize) -> bytes::Bytes {
    let json = serde_json::to_vec(value);
    json.expect("plain structs with text keys have a JSON form")
        .into()
}

fn read_roster(records: Vec<(String, Record)>) -> Roster {
    let mut version = 0;
    let mut contacts = BTreeMap::new();
    for (key, record) in records {
        if key.is_empty() {
            let head = serde_json::from_slice::<RosterHead>(&record.value);
            version = head.map_or(0, |head| head.version);
            continue;
        }
        match (key.parse(), serde_json::from_slice(&record.value)) {
            (Ok(address), Ok(contact)) => {
                contacts.insert(address, contact);
            }
            _ => tracing::error!(contact = key, "a contact that cannot be read is left out"),
        }
    }
    Roster::new(contacts, version)
}

/// Everything in the log waits that is not written down as done, however much
/// that is: how much may wait is asked when a message comes.
fn read_inbox(view: &View<'_>, address: &BareJid) -> Result<Inbox, StoreError> {
    let record = view.record(address, INBOX, "")?;
    let mut inbox = record.map_or_else(Inbox::default, |record| {
        parse_inbox(&record).unwrap_or_else(|error| {
            tracing::error!(
                %address,
                %error,
                "where the devices stand cannot be read: they get again what is in the log"
            );
            Inbox::default()
        })
    });
    let gaps = inbox.gaps();
    for place in flagged(view, address, &gaps, FOR_DEVICES)? {
        inbox.found(place);
    }
    note_addressees(view, address, &gaps, &mut inbox)?;
    Ok(inbox)
}

fn parse_inbox(record: &Record) -> Result<Inbox, Box<dyn std::error::Error>> {
    let record: InboxRecord = serde_json::from_slice(&record.value)?;
    Ok(Inbox::new(&record)?)
}

/// The entries with these flags in some parts of a log.
fn flagged(
    view: &View<'_>,
    address: &BareJid,
    parts: &[(MessageId, MessageId)],
    flags: EntryFlags,
) -> Result<Vec<MessageId>, StoreError> {
    let mut places = Vec::new();
    for (after, before) in parts {
        let page = Page {
            after: *after,
            before: *before,
            flags,
            ..Page::oldest(ALL)
        };
        places.append(&mut view.places(address, &page)?);
    }
    Ok(places)
}

/// Reads those of the waiting messages that were sent to a session, to see
/// which.
fn note_addressees(
    view: &View<'_>,
    address: &BareJid,
    gaps: &[(MessageId, MessageId)],
    inbox: &mut Inbox,
) -> Result<(), StoreError> {
    let waiting: BTreeSet<_> = inbox.places().collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let mut addressed = flagged(view, address, gaps, FOR_DEVICES.with(FOR_SESSION))?;
    addressed.retain(|place| waiting.contains(place));
    for (place, body) in view.messages(&addressed)? {
        if let Ok(message) = Message::decode(body) {
            inbox.addressed(place, message.to());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anser_store::{Engine, Journal, JournalLimits, NewEntry, NodeId};

    const NOW: u64 = 1_795_000_000_000;

    fn place(number: u64) -> MessageId {
        MessageId::at(Timestamp::from_millis(NOW + number))
    }

    fn bob() -> BareJid {
        "bob@example.org".parse().unwrap()
    }

    fn put(kind: &'static str, value: &'static str) -> Change {
        Change::Put {
            owner: bob(),
            kind,
            key: String::new(),
            value: value.into(),
            expect: Expect::Anything,
        }
    }

    fn message(number: u64) -> Change {
        Change::Append {
            id: place(number),
            body: "x".into(),
            entries: vec![NewEntry {
                owner: bob(),
                counterpart: "alice@example.org".parse().unwrap(),
                flags: FOR_DEVICES.with(FOR_HISTORY),
            }],
        }
    }

    /// What waits for Bob when his account is read after these changes.
    async fn waiting(changes: Vec<Change>) -> Vec<MessageId> {
        let (mut engine, store) = Engine::memory();
        let limits = JournalLimits::default();
        let journal = Journal::new(NodeId::default(), MessageId::FIRST, limits);
        journal.append(Timestamp::from_millis(NOW), |_| (changes, ()));
        journal.commit_group(&mut engine, &mut Vec::new());
        let account = store.read(|view| Account::load(view, &bob())).await;
        let account = account.unwrap().unwrap();
        let state = account.state();
        state.inbox.places().collect()
    }

    #[tokio::test]
    async fn however_much_is_in_the_log_and_not_done_waits() {
        let mut changes = vec![put(CREDENTIALS, "{}")];
        changes.extend((0..30_000).map(message));
        assert_eq!(waiting(changes).await.len(), 30_000);
    }

    #[tokio::test]
    async fn an_inbox_that_cannot_be_read_counts_as_one_of_which_nothing_is_done() {
        for record in [
            "",
            "{}",
            r#"{"through":"0000000000000001","waiting":[]}"#,
            r#"{"from":"somewhere","taken":[]}"#,
        ] {
            let changes = vec![put(CREDENTIALS, "{}"), put(INBOX, record), message(1)];
            assert_eq!(waiting(changes).await, [place(1)], "{record}");
        }
    }
}
