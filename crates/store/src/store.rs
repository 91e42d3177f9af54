//! Reading records and logs.

use crate::memory::Shelf;
use crate::sqlite::ReadPool;
use crate::{EntryFlags, MessageId, StoreError};
use anser_jid::BareJid;
use bytes::Bytes;
use std::sync::Arc;

/// A record as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Counts the writes; for [`Expect::Version`](crate::Expect).
    pub version: u64,
    /// What was written last.
    pub value: Bytes,
}

/// A message as one log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The message's place.
    pub id: MessageId,
    /// Who the conversation is with.
    pub counterpart: BareJid,
    /// As written.
    pub flags: EntryFlags,
    /// As written, or what replaced it.
    pub body: Bytes,
}

/// Which part of a log to read.
#[derive(Debug, Clone)]
pub struct Page {
    /// Only messages after this place.
    pub after: MessageId,
    /// Only messages before this place.
    pub before: MessageId,
    /// Only the conversation with this address.
    pub counterpart: Option<BareJid>,
    /// Only entries that have all these bits.
    pub flags: EntryFlags,
    /// At most so many.
    pub limit: usize,
    /// Take the newest of the range instead of the oldest. The answer is in
    /// rising order either way.
    pub newest: bool,
}

impl Page {
    /// The oldest `limit` messages of a log.
    #[must_use]
    pub fn oldest(limit: usize) -> Self {
        Self {
            after: MessageId::FIRST,
            before: MessageId::LAST,
            counterpart: None,
            flags: EntryFlags::NONE,
            limit,
            newest: false,
        }
    }

    /// The newest `limit` messages of a log.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            newest: true,
            ..Self::oldest(limit)
        }
    }
}

/// The reading side. Cheap to clone; sees what is committed.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Reader,
}

#[derive(Debug, Clone)]
enum Reader {
    Memory(Shelf),
    Sqlite(Arc<ReadPool>),
}

impl Store {
    pub(crate) fn memory(shelf: Shelf) -> Self {
        Self {
            engine: Reader::Memory(shelf),
        }
    }

    pub(crate) fn sqlite(pool: ReadPool) -> Self {
        Self {
            engine: Reader::Sqlite(Arc::new(pool)),
        }
    }

    /// One record.
    ///
    /// # Errors
    /// [`StoreError`] if the engine failed; so do the other methods.
    pub async fn record(
        &self,
        owner: &BareJid,
        kind: &'static str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => Ok(shelf.record(owner, kind, key)),
            Reader::Sqlite(pool) => {
                let (owner, key) = (owner.clone(), key.to_owned());
                pool.read(move |db| db.record(&owner, kind, &key)).await
            }
        }
    }

    /// An owner's records of one kind, by key.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn records(
        &self,
        owner: &BareJid,
        kind: &'static str,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => Ok(shelf.records(owner, kind)),
            Reader::Sqlite(pool) => {
                let owner = owner.clone();
                pool.read(move |db| db.records(&owner, kind)).await
            }
        }
    }

    /// Who has a record of this kind: at most `limit` addresses, in their
    /// order, that come after `after`.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn owners(
        &self,
        kind: &'static str,
        after: Option<&BareJid>,
        limit: usize,
    ) -> Result<Vec<BareJid>, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => Ok(shelf.owners(kind, after, limit)),
            Reader::Sqlite(pool) => {
                let after = after.cloned();
                pool.read(move |db| db.owners(kind, after.as_ref(), limit))
                    .await
            }
        }
    }

    /// Part of an owner's log, in rising order.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn page(&self, owner: &BareJid, page: Page) -> Result<Vec<LogEntry>, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => Ok(shelf.page(owner, &page)),
            Reader::Sqlite(pool) => {
                let owner = owner.clone();
                pool.read(move |db| db.page(&owner, &page)).await
            }
        }
    }

    /// The place of the newest message in an owner's log;
    /// [`MessageId::FIRST`] if it is empty.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn head(&self, owner: &BareJid) -> Result<MessageId, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => Ok(shelf.head(owner)),
            Reader::Sqlite(pool) => {
                let owner = owner.clone();
                pool.read(move |db| db.head(&owner)).await
            }
        }
    }
}
