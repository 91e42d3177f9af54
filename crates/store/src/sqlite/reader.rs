//! Reading, one query per method.

use super::tail::{Tail, TailEntry};
use crate::{EntryFlags, LogEntry, MessageId, Page, Record};
use anser_jid::BareJid;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

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

    pub(crate) fn page(&self, owner: &BareJid, page: &Page) -> rusqlite::Result<Vec<LogEntry>> {
        let select = "SELECT entry.message, address.name, entry.flags, message.body
             FROM entry
             JOIN message ON message.id = entry.message
             JOIN address ON address.id = entry.counterpart";
        self.merged(
            owner,
            page,
            select,
            entry,
            |entry| entry.id,
            Self::with_body,
        )
    }

    pub(crate) fn places(&self, owner: &BareJid, page: &Page) -> rusqlite::Result<Vec<MessageId>> {
        let select = "SELECT entry.message FROM entry";
        let id = |row: &Row<'_>| row.get(0).map(MessageId::from_sql);
        self.merged(
            owner,
            page,
            select,
            id,
            |id| *id,
            |_, entry| Ok(Some(entry.id)),
        )
    }

    /// A page from the index and the tail together. The tail is read first: an
    /// entry may move into the index meanwhile, so it can be found twice, but
    /// not missed.
    fn merged<E>(
        &self,
        owner: &BareJid,
        page: &Page,
        select: &str,
        indexed: impl FnMut(&Row<'_>) -> rusqlite::Result<E>,
        id: impl Fn(&E) -> MessageId,
        fresh: impl Fn(&Self, &TailEntry) -> rusqlite::Result<Option<E>>,
    ) -> rusqlite::Result<Vec<E>> {
        let tail = self.tail.page(owner, page);
        let mut entries = self.indexed(owner, page, select, indexed)?;
        let newest = entries.last().map_or(MessageId::FIRST, id);
        let mut tail = &tail[tail.partition_point(|entry| entry.id <= newest)..];
        if page.newest {
            tail = &tail[tail.len().saturating_sub(page.limit)..];
            let most_indexed = page.limit - tail.len();
            entries.drain(..entries.len().saturating_sub(most_indexed));
        } else {
            let missing = page.limit.saturating_sub(entries.len());
            tail = &tail[..tail.len().min(missing)];
        }
        for entry in tail {
            entries.extend(fresh(self, entry)?);
        }
        Ok(entries)
    }

    fn indexed<E>(
        &self,
        owner: &BareJid,
        page: &Page,
        select: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<E>,
    ) -> rusqlite::Result<Vec<E>> {
        // The texts are put together from constant words only. Without a
        // counterpart there must be none in the text: the engine would not know
        // whether the index of conversations helps.
        let order = if page.newest { "DESC" } else { "ASC" };
        let conversation = match page.counterpart {
            Some(_) => "= (SELECT id FROM address WHERE name = ?4)",
            None => "IS NOT ?4",
        };
        let sql = format!(
            "{select}
             WHERE entry.owner = (SELECT id FROM address WHERE name = ?1)
               AND entry.message > max(?2, coalesce(({DOOMED}), 0)) AND entry.message < ?3
               AND entry.counterpart {conversation}
               AND entry.flags & ?5 = ?5
             ORDER BY entry.message {order} LIMIT ?6"
        );
        let counterpart = page.counterpart.as_ref().map(|jid| jid.as_str());
        let values = params![
            owner.as_str(),
            page.after.to_sql(),
            page.before.to_sql(),
            counterpart,
            page.flags.0,
            page.limit,
        ];
        let mut entries = self
            .db
            .prepare_cached(&sql)?
            .query_map(values, read)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if page.newest {
            entries.reverse();
        }
        Ok(entries)
    }

    /// Nothing if the message has just been trimmed.
    fn with_body(&self, entry: &TailEntry) -> rusqlite::Result<Option<LogEntry>> {
        let of_body = |body| LogEntry {
            id: entry.id,
            counterpart: entry.counterpart.clone(),
            flags: entry.flags,
            body,
        };
        Ok(self.body(entry.id)?.map(of_body))
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
        self.db
            .prepare_cached(&format!(
                "SELECT max(message) FROM entry
                     WHERE owner = (SELECT id FROM address WHERE name = ?1)
                       AND message > coalesce(({DOOMED}), 0)"
            ))?
            .query_row([owner.as_str()], |row| row.get::<_, Option<i64>>(0))
            .map(|id| id.map_or(MessageId::FIRST, MessageId::from_sql))
    }
}

/// Up to where the log of the owner `?1` is forgotten, if part of it is.
const DOOMED: &str =
    "SELECT through FROM doomed WHERE owner = (SELECT id FROM address WHERE name = ?1)";

fn record(row: &Row<'_>, first: usize) -> rusqlite::Result<Record> {
    Ok(Record {
        version: row.get(first)?,
        value: Bytes::from(row.get::<_, Vec<u8>>(first + 1)?),
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry {
        id: MessageId::from_sql(row.get(0)?),
        counterpart: address(row, 1)?,
        flags: EntryFlags(row.get(2)?),
        body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
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
