//! Rooms as they are kept: records of the room's address, and its log.

use super::archive::only;
use super::state::{RoomState, Standing};
use super::{AffiliationChange, Hat, RoomConfig, RoomMessage};
use crate::Message;
use crate::account::to_json;
use anser_jid::BareJid;
use anser_store::{Change, EntryFlags, Expect, LogEntry, MessageId, Page, StoreError, View};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The record of what a room is like.
pub(crate) const ROOM: &str = "room";
/// The records of what accounts are in a room.
pub(crate) const AFFILIATION: &str = "room-affiliation";
/// The record of a room that ends with its last occupant: should the server end
/// before that, such rooms are found again by it.
pub(crate) const TEMPORARY: &str = "room-temporary";
/// The record of a room's subject.
const SUBJECT: &str = "room-subject";

/// An entry of a room's log that was said to all, and that whoever enters may
/// be told.
pub(crate) const SAID: EntryFlags = EntryFlags(8);

/// What is written down of a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RoomRecord {
    pub(crate) config: RoomConfig,
    /// What the pictures on its card are known by.
    #[serde(default)]
    pub(crate) avatar: Vec<String>,
    /// The hats that there are in it.
    #[serde(default)]
    pub(crate) hats: Vec<Hat>,
}

impl RoomRecord {
    /// Of a new room.
    pub(crate) fn new(config: RoomConfig) -> Self {
        Self {
            config,
            avatar: Vec::new(),
            hats: Vec::new(),
        }
    }
}

impl RoomState {
    /// Reads a room; `None` if there is none.
    pub(crate) fn load(
        view: &View<'_>,
        address: &BareJid,
        secret: &[u8; 32],
        most_recent: usize,
    ) -> Result<Option<Self>, StoreError> {
        let Some(record) = view.record(address, ROOM, "")? else {
            return Ok(None);
        };
        let mut record: RoomRecord = match serde_json::from_slice(&record.value) {
            Ok(record) => record,
            Err(error) => {
                tracing::error!(%address, %error, "a room cannot be read");
                let reason = format!("the record of room {address} is damaged");
                return Err(StoreError::Engine(reason));
            }
        };
        record.config.limit_history(most_recent);
        let mut state = Self::new(address.clone(), secret, record.config);
        state.avatar = record.avatar;
        state.hats = record.hats;
        state.most_recent = most_recent;
        for (key, record) in view.records(address, AFFILIATION)? {
            match (key.parse(), serde_json::from_slice(&record.value)) {
                (Ok(account), Ok(standing)) => state.set_standing(&account, standing),
                _ => tracing::error!(%address, account = key, "an affiliation cannot be read"),
            }
        }
        state.subject = load_subject(view, &state)?;
        state.load_activity(view)?;
        state.load_waits(view)?;
        let page = Page {
            flags: SAID,
            ..Page::newest(most_recent)
        };
        for entry in view.page(address, &page)? {
            let message = Message::decode(entry.body.clone());
            if let Ok(message) = message {
                let message = state.logged(message, &entry);
                state.recent.push_back(Arc::new(message));
            }
        }
        Ok(Some(state))
    }

    fn logged(&self, message: Message, entry: &LogEntry) -> RoomMessage {
        let id = self.occupant_id(&entry.counterpart);
        RoomMessage::new(message, Some(id), Some(entry.id), entry.id.timestamp())
    }

    /// What is written down of the room itself, were its configuration this.
    pub(crate) fn record(&self, config: &RoomConfig) -> RoomRecord {
        RoomRecord {
            config: config.clone(),
            avatar: self.avatar.clone(),
            hats: self.hats.clone(),
        }
    }

    /// What writes down another configuration and other affiliations, and the
    /// whole room if nothing of it is written down yet.
    pub(crate) fn configuration(
        &self,
        config: &RoomConfig,
        affiliations: &[AffiliationChange],
    ) -> Vec<Change> {
        let record = self.record(config);
        if self.is_locked {
            let mut standings = self.affiliations.clone();
            let changed = affiliations.iter();
            let changed = changed.map(|of| (of.account.clone(), self.standing_after(of)));
            standings.extend(changed);
            let is_something =
                |(_, standing): &(BareJid, Standing)| *standing != Standing::default();
            let standings: Vec<_> = standings.into_iter().filter(is_something).collect();
            return Self::creation(&self.address, &record, &standings);
        }
        let mut changes = Vec::from(save_room(&self.address, &record, Expect::Anything));
        changes.extend(self.save_affiliations(affiliations));
        changes
    }

    /// What writes down other affiliations: nothing before the room is, and then
    /// these too.
    pub(crate) fn save_affiliations(&self, changes: &[AffiliationChange]) -> Vec<Change> {
        let changes = changes.iter().filter(|_| !self.is_locked);
        let writes = changes.map(|change| {
            save_standing(&self.address, &change.account, &self.standing_after(change))
        });
        writes.collect()
    }

    /// What makes a new room, owned by somebody if there is somebody. Whatever
    /// an earlier room of that name has left is not the new one's.
    pub(crate) fn creation(
        address: &BareJid,
        record: &RoomRecord,
        standings: &[(BareJid, Standing)],
    ) -> Vec<Change> {
        let mut changes = vec![Change::Forget {
            owner: address.clone(),
        }];
        changes.extend(save_room(address, record, Expect::Absent));
        let standings = standings.iter();
        changes
            .extend(standings.map(|(account, standing)| save_standing(address, account, standing)));
        changes
    }
}

/// What writes down how a room is.
pub(crate) fn save_room(address: &BareJid, record: &RoomRecord, expect: Expect) -> [Change; 2] {
    let (owner, key) = (address.clone(), String::new());
    let mark = if record.config.persistent {
        Change::Delete {
            owner: owner.clone(),
            kind: TEMPORARY,
            key: key.clone(),
        }
    } else {
        Change::Put {
            owner: owner.clone(),
            kind: TEMPORARY,
            key: key.clone(),
            value: Bytes::new(),
            expect: Expect::Anything,
        }
    };
    let room = Change::Put {
        owner,
        kind: ROOM,
        key,
        value: to_json(record),
        expect,
    };
    [room, mark]
}

/// What writes down what an account is in a room.
pub(crate) fn save_standing(room: &BareJid, account: &BareJid, standing: &Standing) -> Change {
    if *standing == Standing::default() {
        return Change::Delete {
            owner: room.clone(),
            kind: AFFILIATION,
            key: account.to_string(),
        };
    }
    Change::Put {
        owner: room.clone(),
        kind: AFFILIATION,
        key: account.to_string(),
        value: to_json(standing),
        expect: Expect::Anything,
    }
}

/// What writes down a room's subject: when it was set, whose it is, and the
/// message that set it.
pub(crate) fn save_subject(
    room: &BareJid,
    place: MessageId,
    account: &BareJid,
    message: &Message,
) -> Change {
    let head = format!("{place}\n{account}\n");
    let value = [head.as_bytes(), message.encoded()].concat();
    Change::Put {
        owner: room.clone(),
        kind: SUBJECT,
        key: String::new(),
        value: value.into(),
        expect: Expect::Anything,
    }
}

/// What removes it.
pub(crate) fn forget_subject(room: &BareJid) -> Change {
    Change::Delete {
        owner: room.clone(),
        kind: SUBJECT,
        key: String::new(),
    }
}

/// The subject, unless it was taken back; with its place in the log if it is
/// there.
fn load_subject(
    view: &View<'_>,
    state: &RoomState,
) -> Result<Option<Arc<RoomMessage>>, StoreError> {
    let record = view.record(&state.address, SUBJECT, "")?;
    let subject = record.and_then(|record| read_subject(&record.value));
    let Some((place, account, message)) = subject else {
        return Ok(None);
    };
    let said = view.page(&state.address, &only(place))?.pop();
    let is_said = said.is_some();
    let said = said.and_then(|entry| Message::decode(entry.body).ok());
    if said.is_some_and(|said| said.is_tombstone()) {
        return Ok(None);
    }
    let (id, at) = (state.occupant_id(&account), place.timestamp());
    let place = Some(place).filter(|_| is_said);
    let subject = RoomMessage::new(message, Some(id), place, at);
    Ok(Some(Arc::new(subject)))
}

fn read_subject(value: &Bytes) -> Option<(MessageId, BareJid, Message)> {
    let mut parts = value.splitn(3, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let place = text()?.parse().ok()?;
    let account = text()?.parse().ok()?;
    let message = Message::decode(value.slice_ref(parts.next()?)).ok()?;
    Some((place, account, message))
}

/// A room in the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its address.
    pub address: BareJid,
    /// What it is like.
    pub config: RoomConfig,
}

/// What was found among records.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) rooms: Vec<RoomSummary>,
    /// So many records were read.
    pub(crate) read: usize,
    /// The last of them; `None` if there are no more.
    pub(crate) reached: Option<BareJid>,
}

/// Rooms in the order of their addresses, those after `after`: at most `limit`
/// of those that are `wanted`, among at most `most_read`.
pub(crate) fn scan(
    view: &View<'_>,
    after: Option<&BareJid>,
    limit: usize,
    most_read: usize,
    wanted: impl Fn(&RoomSummary) -> bool,
) -> Result<Scan, StoreError> {
    /// Addresses read at a time.
    const STEP: usize = 256;
    let mut scan = Scan {
        rooms: Vec::new(),
        read: 0,
        reached: after.cloned(),
    };
    while scan.rooms.len() < limit && scan.read < most_read {
        let step = STEP.min(most_read - scan.read);
        let addresses = view.owners(ROOM, scan.reached.as_ref(), step)?;
        if addresses.is_empty() {
            scan.reached = None;
            break;
        }
        for address in addresses {
            if scan.rooms.len() >= limit {
                break;
            }
            scan.read += 1;
            scan.reached = Some(address.clone());
            let Some(record) = view.record(&address, ROOM, "")? else {
                continue;
            };
            let Ok(record) = serde_json::from_slice::<RoomRecord>(&record.value) else {
                continue;
            };
            let config = record.config;
            let summary = RoomSummary { address, config };
            if wanted(&summary) {
                scan.rooms.push(summary);
            }
        }
    }
    Ok(scan)
}
