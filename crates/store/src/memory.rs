//! The engine that keeps everything in memory: for tests, simulations and
//! servers that shall forget.

use crate::{Change, EntryFlags, LogEntry, MessageId, Page, Record, Refusal, Space, StoreError};
use anser_jid::BareJid;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The contents, shared by the writer and the readers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    contents: Arc<Mutex<Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    records: BTreeMap<RecordKey, Record>,
    messages: HashMap<MessageId, Message>,
    logs: HashMap<BareJid, BTreeMap<MessageId, Entry>>,
    newest: MessageId,
    space: Space,
    used_bytes: u64,
}

type RecordKey = (&'static str, BareJid, String);

#[derive(Debug)]
struct Message {
    entries: usize,
    body: Bytes,
}

#[derive(Debug)]
struct Entry {
    counterpart: BareJid,
    flags: EntryFlags,
}

impl Shelf {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn space(&self) -> Space {
        self.contents().space.clone()
    }

    pub(crate) fn newest(&self) -> MessageId {
        self.contents().newest
    }

    pub(crate) fn commit<'a>(
        &self,
        batches: impl Iterator<Item = &'a [Change]> + Clone,
    ) -> Vec<Result<(), Refusal>> {
        let mut contents = self.contents();
        let weight = |batch: &[Change]| batch.iter().map(Change::weight_bytes).sum::<usize>();
        let added = batches.clone().map(weight).sum::<usize>() as u64;
        if added > 0 && contents.used_bytes + added > contents.space.granted() {
            let full = Refusal::Store(Arc::new(StoreError::Full));
            let refused = |batch: &[Change]| match batch {
                [] => Ok(()),
                _ => Err(full.clone()),
            };
            return batches.map(refused).collect();
        }
        contents.used_bytes += added;
        batches.map(|batch| contents.apply(batch)).collect()
    }

    pub(crate) fn record(&self, owner: &BareJid, kind: &'static str, key: &str) -> Option<Record> {
        let key = (kind, owner.clone(), key.to_owned());
        self.contents().records.get(&key).cloned()
    }

    pub(crate) fn records(&self, owner: &BareJid, kind: &'static str) -> Vec<(String, Record)> {
        let first = (kind, owner.clone(), String::new());
        self.contents()
            .records
            .range(first..)
            .take_while(|((k, o, _), _)| *k == kind && o == owner)
            .map(|((_, _, key), record)| (key.clone(), record.clone()))
            .collect()
    }

    pub(crate) fn owners(
        &self,
        kind: &'static str,
        after: Option<&BareJid>,
        limit: usize,
    ) -> Vec<BareJid> {
        let mut owners: Vec<_> = self
            .contents()
            .records
            .keys()
            .filter(|(k, owner, _)| {
                *k == kind && after.is_none_or(|after| owner.as_str() > after.as_str())
            })
            .map(|(_, owner, _)| owner.clone())
            .collect();
        owners.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        owners.dedup();
        owners.truncate(limit);
        owners
    }

    pub(crate) fn owners_by_key(&self, kind: &'static str, key: &str) -> Vec<BareJid> {
        let contents = self.contents();
        let keys = contents.records.keys();
        let mut owners: Vec<_> = keys
            .filter(|(k, _, of)| *k == kind && of == key)
            .map(|(_, owner, _)| owner.clone())
            .collect();
        owners.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        owners
    }

    pub(crate) fn page(&self, owner: &BareJid, page: &Page) -> Vec<LogEntry> {
        let contents = self.contents();
        let Some(log) = contents.logs.get(owner) else {
            return Vec::new();
        };
        if page.after.next() >= page.before {
            return Vec::new();
        }
        let range = (Bound::Excluded(page.after), Bound::Excluded(page.before));
        let wanted = |(_, entry): &(&MessageId, &Entry)| {
            entry.flags.contains(page.flags)
                && page
                    .counterpart
                    .as_ref()
                    .is_none_or(|counterpart| *counterpart == entry.counterpart)
        };
        let read = |(id, entry): (&MessageId, &Entry)| LogEntry {
            id: *id,
            counterpart: entry.counterpart.clone(),
            flags: entry.flags,
            body: contents.body(*id).unwrap_or_default(),
        };
        let range = log.range(range).filter(wanted);
        if page.newest {
            let mut newest: Vec<_> = range.rev().take(page.limit).map(read).collect();
            newest.reverse();
            newest
        } else {
            range.take(page.limit).map(read).collect()
        }
    }

    pub(crate) fn places(&self, owner: &BareJid, page: &Page) -> Vec<MessageId> {
        self.page(owner, page)
            .iter()
            .map(|entry| entry.id)
            .collect()
    }

    pub(crate) fn body(&self, place: MessageId) -> Option<Bytes> {
        self.contents().body(place)
    }

    pub(crate) fn head(&self, owner: &BareJid) -> MessageId {
        let contents = self.contents();
        let newest = contents.logs.get(owner).and_then(BTreeMap::last_key_value);
        newest.map_or(MessageId::FIRST, |(id, _)| *id)
    }
}

impl Contents {
    fn body(&self, id: MessageId) -> Option<Bytes> {
        self.messages.get(&id).map(|message| message.body.clone())
    }

    fn apply(&mut self, batch: &[Change]) -> Result<(), Refusal> {
        for change in batch {
            self.check(change)?;
        }
        for change in batch {
            self.change(change);
        }
        Ok(())
    }

    fn check(&self, change: &Change) -> Result<(), Refusal> {
        let Change::Put {
            owner,
            kind,
            key,
            expect,
            ..
        } = change
        else {
            return Ok(());
        };
        let found = self
            .records
            .get(&(*kind, owner.clone(), key.clone()))
            .map(|record| record.version);
        if expect.holds(found) {
            Ok(())
        } else {
            Err(Refusal::Conflict {
                owner: owner.clone(),
                kind,
                key: key.clone(),
            })
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Put {
                owner,
                kind,
                key,
                value,
                ..
            } => {
                let record = self
                    .records
                    .entry((kind, owner.clone(), key.clone()))
                    .or_insert(Record {
                        version: 0,
                        value: Bytes::new(),
                    });
                record.version += 1;
                record.value = value.clone();
            }
            Change::Delete { owner, kind, key } => {
                self.records.remove(&(*kind, owner.clone(), key.clone()));
            }
            Change::Append { id, body, entries } => {
                self.newest = *id;
                self.messages.insert(
                    *id,
                    Message {
                        entries: entries.len(),
                        body: body.clone(),
                    },
                );
                for entry in entries {
                    let log = self.logs.entry(entry.owner.clone()).or_default();
                    log.insert(
                        *id,
                        Entry {
                            counterpart: entry.counterpart.clone(),
                            flags: entry.flags,
                        },
                    );
                }
            }
            Change::Replace { id, body } => {
                if let Some(message) = self.messages.get_mut(id) {
                    message.body = body.clone();
                }
            }
            Change::Trim { owner, through } => {
                if let Some(mut log) = self.logs.remove(owner) {
                    let kept = log.split_off(&through.next());
                    self.release(log.into_keys());
                    self.logs.insert(owner.clone(), kept);
                }
            }
            Change::Forget { owner } => {
                self.records.retain(|(_, of, _), _| of != owner);
                if let Some(log) = self.logs.remove(owner) {
                    self.release(log.into_keys());
                }
            }
        }
    }

    fn release(&mut self, ids: impl Iterator<Item = MessageId>) {
        for id in ids {
            if let Some(message) = self.messages.get_mut(&id) {
                message.entries -= 1;
                if message.entries == 0 {
                    self.messages.remove(&id);
                }
            }
        }
    }
}
