//! Reading records and logs.

use crate::memory::Shelf;
use crate::sqlite::{self, ReadConnection, ReadPool};
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

    /// Runs `reads`, as many as belong together, where waiting for the disk
    /// holds up nobody else.
    ///
    /// # Errors
    /// What `reads` returns, [`StoreError::Panicked`] or [`StoreError::Closed`].
    pub async fn read<R: Send + 'static>(
        &self,
        reads: impl FnOnce(&View<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        match &self.engine {
            Reader::Memory(shelf) => reads(&View {
                engine: Engine::Memory(shelf),
            }),
            Reader::Sqlite(pool) => {
                pool.run(move |connection| {
                    reads(&View {
                        engine: Engine::Sqlite(connection),
                    })
                })
                .await
            }
        }
    }
}

/// What can be read. Each method fails with [`StoreError`] if the engine does.
#[derive(Debug)]
pub struct View<'a> {
    engine: Engine<'a>,
}

#[derive(Debug)]
enum Engine<'a> {
    Memory(&'a Shelf),
    Sqlite(&'a ReadConnection),
}

#[expect(clippy::missing_errors_doc, reason = "said once, for all of them")]
impl View<'_> {
    /// One record.
    pub fn record(
        &self,
        owner: &BareJid,
        kind: &'static str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.record(owner, kind, key)),
            Engine::Sqlite(db) => answer(db.record(owner, kind, key)),
        }
    }

    /// An owner's records of one kind, by key.
    pub fn records(
        &self,
        owner: &BareJid,
        kind: &'static str,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.records(owner, kind)),
            Engine::Sqlite(db) => answer(db.records(owner, kind)),
        }
    }

    /// Who has a record of this kind: at most `limit` addresses, in their
    /// order, that come after `after`.
    pub fn owners(
        &self,
        kind: &'static str,
        after: Option<&BareJid>,
        limit: usize,
    ) -> Result<Vec<BareJid>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.owners(kind, after, limit)),
            Engine::Sqlite(db) => answer(db.owners(kind, after, limit)),
        }
    }

    /// Who has a record of this kind under this key, which is not empty, in the
    /// order of their addresses.
    pub fn owners_by_key(&self, kind: &'static str, key: &str) -> Result<Vec<BareJid>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.owners_by_key(kind, key)),
            Engine::Sqlite(db) => answer(db.owners_by_key(kind, key)),
        }
    }

    /// Part of an owner's log, in rising order.
    pub fn page(&self, owner: &BareJid, page: &Page) -> Result<Vec<LogEntry>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.page(owner, page)),
            Engine::Sqlite(db) => answer(db.page(owner, page)),
        }
    }

    /// Where the messages of a page stand, without the messages.
    pub fn places(&self, owner: &BareJid, page: &Page) -> Result<Vec<MessageId>, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.places(owner, page)),
            Engine::Sqlite(db) => answer(db.places(owner, page)),
        }
    }

    /// Messages by their places, whoever has them; those that are gone are left
    /// out.
    pub fn messages(&self, places: &[MessageId]) -> Result<Vec<(MessageId, Bytes)>, StoreError> {
        let body = |place: &MessageId| {
            let body = match self.engine {
                Engine::Memory(shelf) => Ok(shelf.body(*place)),
                Engine::Sqlite(db) => answer(db.body(*place)),
            };
            body.map(|body| body.map(|body| (*place, body))).transpose()
        };
        places.iter().filter_map(body).collect()
    }

    /// The place of the newest message in an owner's log;
    /// [`MessageId::FIRST`] if it is empty.
    pub fn head(&self, owner: &BareJid) -> Result<MessageId, StoreError> {
        match self.engine {
            Engine::Memory(shelf) => Ok(shelf.head(owner)),
            Engine::Sqlite(db) => answer(db.head(owner)),
        }
    }
}

fn answer<R>(result: rusqlite::Result<R>) -> Result<R, StoreError> {
    result.map_err(|error| sqlite::engine_error(&error))
}
