//! Reading: records by one query each, logs from the index and the tail.

use super::blocks::{Chain, IndexEntry, Span};
use super::tail::{Tail, TailEntry};
use crate::{EntryFlags, LogEntry, MessageId, Page, Record};
use anser_jid::BareJid;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

/// A connection that only reads.
#[derive(Debug)]
pub(crate) struct ReadConnection {
    db: Connection,
    tail: Tail,
}

impl ReadConnection {
    pub(super) fn new(db: Connection, tail: Tail) -> Self {
        Self { db, tail }
    }

    pub(crate) fn record(
        &self,
        owner: &BareJid,
        kind: &str,
        key: &str,
    ) -> rusqlite::Result<Option<Record>> {
        self.db
            .prepare_cached(
                "SELECT version, value FROM record
                 WHERE owner = (SELECT id FROM address WHERE name = ?) AND kind = ? AND key = ?",
            )?
            .query_row(params![owner.as_str(), kind, key], |row| record(row, 0))
            .optional()
    }

    pub(crate) fn records(
        &self,
        owner: &BareJid,
        kind: &str,
    ) -> rusqlite::Result<Vec<(String, Record)>> {
        self.db
            .prepare_cached(
                "SELECT key, version, value FROM record
                 WHERE owner = (SELECT id FROM address WHERE name = ?) AND kind = ? ORDER BY key",
            )?
            .query_map(params![owner.as_str(), kind], |row| {
                Ok((row.get(0)?, record(row, 1)?))
            })?
            .collect()
    }

    pub(crate) fn owners(
        &self,
        kind: &str,
        after: Option<&BareJid>,
        limit: usize,
    ) -> rusqlite::Result<Vec<BareJid>> {
        let after = after.map_or("", |jid| jid.as_str());
        self.db
            .prepare_cached(
                "SELECT name FROM address
                 WHERE name > ? AND EXISTS
                     (SELECT 1 FROM record WHERE record.owner = address.id AND record.kind = ?)
                 ORDER BY name LIMIT ?",
            )?
            .query_map(params![after, kind, limit], |row| address(row, 0))?
            .collect()
    }

    pub(crate) fn owners_by_key(&self, kind: &str, key: &str) -> rusqlite::Result<Vec<BareJid>> {
        self.db
            .prepare_cached(
                "SELECT name FROM record JOIN address ON address.id = record.owner
                 WHERE kind = ? AND key = ? AND key <> '' ORDER BY name",
            )?
            .query_map(params![kind, key], |row| address(row, 0))?
            .collect()
    }

    pub(crate) fn page(&self, owner: &BareJid, page: &Page) -> rusqlite::Result<Vec<LogEntry>> {
        let (indexed, tail) = self.merged(owner, page)?;
        let mut names = HashMap::new();
        let mut entries = Vec::with_capacity(indexed.len() + tail.len());
        for entry in indexed {
            let name = match names.entry(entry.counterpart) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.name(entry.counterpart)?),
            };
            entries.extend(self.with_body(entry.id, name, entry.flags)?);
        }
        for entry in tail {
            entries.extend(self.with_body(entry.id, &entry.counterpart, entry.flags)?);
        }
        Ok(entries)
    }

    pub(crate) fn places(&self, owner: &BareJid, page: &Page) -> rusqlite::Result<Vec<MessageId>> {
        let (indexed, tail) = self.merged(owner, page)?;
        let indexed = indexed.iter().map(|entry| entry.id);
        Ok(indexed.chain(tail.iter().map(|entry| entry.id)).collect())
    }

    /// A page from the index, and what follows of it in the tail. The tail is
    /// read first: an entry may move into the index meanwhile, so it can be found
    /// twice, but not missed.
    fn merged(
        &self,
        owner: &BareJid,
        page: &Page,
    ) -> rusqlite::Result<(Vec<IndexEntry>, Vec<TailEntry>)> {
        let mut tail = self.tail.page(owner, page);
        let mut indexed = self.indexed(owner, page)?;
        if let Some(newest) = indexed.last() {
            tail.drain(..tail.partition_point(|entry| entry.id <= newest.id));
        }
        if page.newest {
            let most_indexed = page.limit - tail.len();
            indexed.drain(..indexed.len().saturating_sub(most_indexed));
        } else {
            tail.truncate(page.limit - indexed.len());
        }
        Ok((indexed, tail))
    }

    fn indexed(&self, owner: &BareJid, page: &Page) -> rusqlite::Result<Vec<IndexEntry>> {
        let mut found = Vec::new();
        let Some(owner) = self.number(owner)? else {
            return Ok(found);
        };
        let chain = match &page.counterpart {
            None => Chain::whole(owner),
            Some(counterpart) => match self.number(counterpart)? {
                Some(counterpart) => Chain::conversation(owner, counterpart),
                None => return Ok(found),
            },
        };
        let span = Span {
            after: page.after.max(self.forgotten_through(owner)?),
            before: page.before,
            newest_first: page.newest,
        };
        chain.read(&self.db, span, |entry| {
            if found.len() == page.limit {
                return ControlFlow::Break(());
            }
            if entry.flags.contains(page.flags) {
                found.push(entry);
            }
            ControlFlow::Continue(())
        })?;
        if page.newest {
            found.reverse();
        }
        Ok(found)
    }

    /// Up to where an owner's log is forgotten and not yet taken apart.
    fn forgotten_through(&self, owner: u32) -> rusqlite::Result<MessageId> {
        let through = self
            .db
            .prepare_cached("SELECT through FROM doomed WHERE owner = ?")?
            .query_row([owner], |row| row.get(0))
            .optional()?;
        Ok(through.map_or(MessageId::FIRST, MessageId::from_sql))
    }

    fn number(&self, address: &BareJid) -> rusqlite::Result<Option<u32>> {
        self.db
            .prepare_cached("SELECT id FROM address WHERE name = ?")?
            .query_row([address.as_str()], |row| row.get(0))
            .optional()
    }

    fn name(&self, number: u32) -> rusqlite::Result<BareJid> {
        self.db
            .prepare_cached("SELECT name FROM address WHERE id = ?")?
            .query_row([number], |row| address(row, 0))
    }

    /// Nothing if the message has just been trimmed.
    fn with_body(
        &self,
        id: MessageId,
        counterpart: &BareJid,
        flags: EntryFlags,
    ) -> rusqlite::Result<Option<LogEntry>> {
        let of_body = |body| LogEntry {
            id,
            counterpart: counterpart.clone(),
            flags,
            body,
        };
        Ok(self.body(id)?.map(of_body))
    }

    pub(crate) fn body(&self, place: MessageId) -> rusqlite::Result<Option<Bytes>> {
        self.db
            .prepare_cached("SELECT body FROM message WHERE id = ?")?
            .query_row([place.to_sql()], |row| row.get::<_, Vec<u8>>(0))
            .optional()
            .map(|body| body.map(Bytes::from))
    }

    pub(crate) fn head(&self, owner: &BareJid) -> rusqlite::Result<MessageId> {
        if let Some(head) = self.tail.head(owner) {
            return Ok(head);
        }
        let newest = self.indexed(owner, &Page::newest(1))?;
        Ok(newest.first().map_or(MessageId::FIRST, |entry| entry.id))
    }
}

fn record(row: &Row<'_>, first: usize) -> rusqlite::Result<Record> {
    Ok(Record {
        version: row.get(first)?,
        value: Bytes::from(row.get::<_, Vec<u8>>(first + 1)?),
    })
}

fn address(row: &Row<'_>, column: usize) -> rusqlite::Result<BareJid> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
