//! The newest part of every log, not in the index yet.
//!
//! A commit that had to put each message into the logs of its owners would
//! write a page per owner, eight times what the message itself costs. So a
//! commit writes the message alone, with a note of whose it is; who has what is
//! kept here and goes into the index many messages at a time. After a crash the
//! notes of the messages that the index lacks are read again.

use crate::{EntryFlags, MessageId, NewEntry, Page};
use anser_jid::BareJid;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Shared by the writer, who adds, and the readers, who look here too.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    entries: Arc<RwLock<Entries>>,
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    logs: HashMap<BareJid, Vec<TailEntry>>,
    newest: MessageId,
    count: usize,
}

/// One message in one log.
#[derive(Debug, Clone)]
pub(super) struct TailEntry {
    pub(super) id: MessageId,
    pub(super) counterpart: BareJid,
    pub(super) flags: EntryFlags,
}

impl Entries {
    pub(super) fn add(&mut self, id: MessageId, entry: &NewEntry) {
        self.newest = id;
        self.count += 1;
        self.logs
            .entry(entry.owner.clone())
            .or_default()
            .push(TailEntry {
                id,
                counterpart: entry.counterpart.clone(),
                flags: entry.flags,
            });
    }

    /// Adds what came later.
    pub(super) fn append(&mut self, later: Self) {
        if later.is_empty() {
            return;
        }
        self.newest = later.newest;
        self.count += later.count;
        for (owner, mut entries) in later.logs {
            self.logs.entry(owner).or_default().append(&mut entries);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The newest message of an owner's log, if it is here.
    pub(super) fn head(&self, owner: &BareJid) -> Option<MessageId> {
        self.logs.get(owner)?.last().map(|entry| entry.id)
    }

    /// The newest message that is here.
    pub(super) fn newest(&self) -> MessageId {
        self.newest
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = (&BareJid, &[TailEntry])> {
        self.logs
            .iter()
            .map(|(owner, entries)| (owner, entries.as_slice()))
    }
}

impl Tail {
    /// What a page of an owner's log would have from here, in rising order: no
    /// more than would fit if nothing else were on it.
    pub(super) fn page(&self, owner: &BareJid, page: &Page) -> Vec<TailEntry> {
        let entries = self.read();
        let Some(log) = entries.logs.get(owner) else {
            return Vec::new();
        };
        let wanted = |entry: &&TailEntry| {
            entry.flags.contains(page.flags)
                && page
                    .counterpart
                    .as_ref()
                    .is_none_or(|counterpart| *counterpart == entry.counterpart)
        };
        // They are in order.
        let log = &log[log.partition_point(|entry| entry.id <= page.after)..];
        let log = &log[..log.partition_point(|entry| entry.id < page.before)];
        if page.newest {
            let newest = log.iter().rev().filter(wanted).take(page.limit);
            let mut newest: Vec<_> = newest.cloned().collect();
            newest.reverse();
            newest
        } else {
            log.iter()
                .filter(wanted)
                .take(page.limit)
                .cloned()
                .collect()
        }
    }

    /// The newest message of an owner's log, if it is here.
    pub(super) fn head(&self, owner: &BareJid) -> Option<MessageId> {
        self.read().head(owner)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}
