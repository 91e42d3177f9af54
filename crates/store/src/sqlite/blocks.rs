//! Logs as the index has them: chains of blocks, each a row with the entries
//! that came together.
//!
//! A row for each entry would cost as much as the message itself. What belongs
//! to a block stands in the migration that made the table.

use crate::{EntryFlags, MessageId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::ops::ControlFlow;

/// One message in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) id: MessageId,
    /// The number of the address.
    pub(super) counterpart: u32,
    pub(super) flags: EntryFlags,
}

impl IndexEntry {
    const BYTES: usize = 13;

    fn write(self, block: &mut Vec<u8>) {
        block.extend(self.id.to_sql().to_be_bytes());
        block.extend(self.counterpart.to_be_bytes());
        block.push(self.flags.0);
    }

    fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let [id @ .., c0, c1, c2, c3, flags] = *bytes;
        Self {
            id: MessageId::from_sql(i64::from_be_bytes(id)),
            counterpart: u32::from_be_bytes([c0, c1, c2, c3]),
            flags: EntryFlags(flags),
        }
    }
}

/// Larger blocks would not be on one page with others.
const BLOCK_ENTRIES: usize = 64;

fn entries(block: &[u8]) -> impl DoubleEndedIterator<Item = IndexEntry> {
    let (entries, _) = block.as_chunks();
    entries.iter().map(IndexEntry::read)
}

/// Part of an owner's log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    owner: u32,
    counterpart: u32,
}

/// Which entries of a chain, and from which end of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) after: MessageId,
    pub(super) before: MessageId,
    pub(super) newest_first: bool,
}

impl Chain {
    /// All of it. No address has the number 0.
    pub(super) fn whole(owner: u32) -> Self {
        Self {
            owner,
            counterpart: 0,
        }
    }

    /// One conversation.
    pub(super) fn conversation(owner: u32, counterpart: u32) -> Self {
        Self { owner, counterpart }
    }

    /// Hands over one entry after the other, until `take` has enough.
    pub(super) fn read(
        self,
        db: &Connection,
        span: Span,
        mut take: impl FnMut(IndexEntry) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let order = if span.newest_first { "DESC" } else { "ASC" };
        let mut blocks = db.prepare_cached(&format!(
            "SELECT entries FROM block
             WHERE owner = ?1 AND counterpart = ?2 AND first < ?4
               AND first >= coalesce((SELECT max(first) FROM block
                   WHERE owner = ?1 AND counterpart = ?2 AND first <= ?3), 0)
             ORDER BY first {order}"
        ))?;
        let (after, before) = (span.after.to_sql(), span.before.to_sql());
        let mut rows = blocks.query(params![self.owner, self.counterpart, after, before])?;
        let mut take = |entry: IndexEntry| {
            if entry.id > span.after && entry.id < span.before {
                take(entry)
            } else {
                ControlFlow::Continue(())
            }
        };
        while let Some(row) = rows.next()? {
            let mut entries = entries(row.get_ref(0)?.as_blob()?);
            let flow = if span.newest_first {
                entries.rev().try_for_each(&mut take)
            } else {
                entries.try_for_each(&mut take)
            };
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Removes what is at this place and before.
    pub(super) fn cut(self, db: &Connection, through: MessageId) -> rusqlite::Result<()> {
        let range = params![self.owner, self.counterpart, through.to_sql()];
        let mut rest = Vec::new();
        db.prepare_cached(
            "SELECT entries FROM block WHERE owner = ? AND counterpart = ? AND first <= ?
             ORDER BY first DESC LIMIT 1",
        )?
        .query_row(range, |row| {
            let last = entries(row.get_ref(0)?.as_blob()?);
            rest.extend(last.filter(|entry| entry.id > through));
            Ok(())
        })
        .optional()?;
        db.prepare_cached("DELETE FROM block WHERE owner = ? AND counterpart = ? AND first <= ?")?
            .execute(range)?;
        Insert::new(db)?.chain(self, &rest)
    }
}

/// Puts entries into the index.
pub(super) struct Insert<'a> {
    statement: CachedStatement<'a>,
    block: Vec<u8>,
}

impl<'a> Insert<'a> {
    pub(super) fn new(db: &'a Connection) -> rusqlite::Result<Self> {
        let statement = db.prepare_cached(
            "INSERT INTO block (owner, counterpart, first, entries) VALUES (?, ?, ?, ?)",
        )?;
        Ok(Self {
            statement,
            block: Vec::new(),
        })
    }

    /// Adds to the end of a log.
    pub(super) fn log(&mut self, owner: u32, mut log: Vec<IndexEntry>) -> rusqlite::Result<()> {
        self.chain(Chain::whole(owner), &log)?;
        // What is equal stays in its order.
        log.sort_by_key(|entry| entry.counterpart);
        for conversation in log.chunk_by(|one, next| one.counterpart == next.counterpart) {
            let counterpart = conversation[0].counterpart;
            self.chain(Chain::conversation(owner, counterpart), conversation)?;
        }
        Ok(())
    }

    fn chain(&mut self, chain: Chain, entries: &[IndexEntry]) -> rusqlite::Result<()> {
        for entries in entries.chunks(BLOCK_ENTRIES) {
            self.block.clear();
            for entry in entries {
                entry.write(&mut self.block);
            }
            let first = entries[0].id.to_sql();
            self.statement
                .execute(params![chain.owner, chain.counterpart, first, self.block])?;
        }
        Ok(())
    }
}
