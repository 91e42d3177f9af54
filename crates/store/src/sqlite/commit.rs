//! One transaction under way.

use super::blocks::{Chain, IndexEntry, Insert, Span};
use super::tail::{Entries, Tail};
use crate::{Change, EntryFlags, Expect, MessageId, NewEntry, Refusal, Tidiness};
use anser_jid::BareJid;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Transaction, params};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// Applies changes to the tables, and collects what the tail gains by them.
pub(super) struct Commit<'a> {
    db: &'a Transaction<'a>,
    addresses: &'a mut Addresses,
    tail: &'a Tail,
    tail_is_indexed: bool,
    fresh: Entries,
    /// Once for all messages: looking it up costs a good part of what it does.
    insert_message: Option<CachedStatement<'a>>,
}

/// What a commit does to the tail once it is on disk.
pub(super) struct Fresh {
    tail_is_indexed: bool,
    entries: Entries,
}

impl Fresh {
    pub(super) fn join(self, tail: &Tail) {
        let mut tail = tail.write();
        if self.tail_is_indexed {
            *tail = self.entries;
        } else {
            tail.append(self.entries);
        }
    }
}

impl<'a> Commit<'a> {
    pub(super) fn new(
        db: &'a Transaction<'a>,
        addresses: &'a mut Addresses,
        tail: &'a Tail,
    ) -> Self {
        Self {
            db,
            addresses,
            tail,
            tail_is_indexed: false,
            fresh: Entries::default(),
            insert_message: None,
        }
    }

    pub(super) fn finish(self) -> Fresh {
        Fresh {
            tail_is_indexed: self.tail_is_indexed,
            entries: self.fresh,
        }
    }

    /// Checks first and changes then, so that a batch in conflict leaves no
    /// trace in a transaction that goes on.
    pub(super) fn apply(&mut self, batch: &[Change]) -> rusqlite::Result<Result<(), Refusal>> {
        for change in batch {
            if let Err(refusal) = self.check(change)? {
                return Ok(Err(refusal));
            }
        }
        for change in batch {
            self.change(change)?;
        }
        Ok(Ok(()))
    }

    fn check(&mut self, change: &Change) -> rusqlite::Result<Result<(), Refusal>> {
        let Change::Put {
            owner,
            kind,
            key,
            expect,
            ..
        } = change
        else {
            return Ok(Ok(()));
        };
        if *expect == Expect::Anything {
            return Ok(Ok(()));
        }
        let number = self.number(owner)?;
        let found: Option<u64> = self
            .db
            .prepare_cached("SELECT version FROM record WHERE owner = ? AND kind = ? AND key = ?")?
            .query_row(params![number, kind, key], |row| row.get(0))
            .optional()?;
        if expect.holds(found) {
            return Ok(Ok(()));
        }
        Ok(Err(Refusal::Conflict {
            owner: owner.clone(),
            kind,
            key: key.clone(),
        }))
    }

    fn change(&mut self, change: &Change) -> rusqlite::Result<()> {
        match change {
            Change::Put {
                owner,
                kind,
                key,
                value,
                ..
            } => {
                let number = self.number(owner)?;
                self.execute(
                    "INSERT INTO record (owner, kind, key, version, value) VALUES (?, ?, ?, 1, ?)
                     ON CONFLICT DO UPDATE SET version = version + 1, value = excluded.value",
                    params![number, kind, key, &value[..]],
                )
            }
            Change::Delete { owner, kind, key } => {
                let number = self.number(owner)?;
                self.execute(
                    "DELETE FROM record WHERE owner = ? AND kind = ? AND key = ?",
                    params![number, kind, key],
                )
            }
            Change::Append { id, body, entries } => self.append(*id, body, entries),
            Change::Replace { id, body } => self.execute(
                "UPDATE message SET body = ? WHERE id = ?",
                params![&body[..], id.to_sql()],
            ),
            Change::Trim { owner, through } => self.doom(owner, *through),
            Change::Forget { owner } => {
                let number = self.number(owner)?;
                self.execute("DELETE FROM record WHERE owner = ?", params![number])?;
                self.doom(owner, MessageId::LAST)
            }
        }
    }

    fn append(&mut self, id: MessageId, body: &[u8], entries: &[NewEntry]) -> rusqlite::Result<()> {
        let mut logs = Vec::with_capacity(entries.len() * Note::BYTES);
        for entry in entries {
            let note = Note {
                owner: self.number(&entry.owner)?,
                counterpart: self.number(&entry.counterpart)?,
                flags: entry.flags,
            };
            note.write(&mut logs);
            self.fresh.add(id, entry);
        }
        let insert = match &mut self.insert_message {
            Some(insert) => insert,
            none => none.insert(self.db.prepare_cached(INSERT_MESSAGE)?),
        };
        insert.execute((id.to_sql(), entries.len(), logs, body))?;
        Ok(())
    }

    /// Hides part of a log at once; [`Commit::take_apart`] does the work. The
    /// index must have all of the log before that. Mostly there is no log: who
    /// makes a room or an account forgets whatever an earlier one has left.
    fn doom(&mut self, owner: &BareJid, through: MessageId) -> rusqlite::Result<()> {
        if self.tail.head(owner).is_some() || self.fresh.head(owner).is_some() {
            self.index_tail()?;
            self.index_fresh()?;
        }
        let owner = self.number(owner)?;
        // Not beyond what is there: what comes later is not meant.
        let Some(last) = self.last_until(owner, through)? else {
            return Ok(());
        };
        self.execute(
            "INSERT INTO doomed (owner, through) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET through = max(through, excluded.through)",
            params![owner, last.to_sql()],
        )
    }

    /// The newest entry of a log up to a place, as far as the index knows.
    fn last_until(&self, owner: u32, through: MessageId) -> rusqlite::Result<Option<MessageId>> {
        let newest = Span {
            after: MessageId::FIRST,
            before: through.next(),
            newest_first: true,
        };
        let mut last = None;
        Chain::whole(owner).read(self.db, newest, |entry| {
            last = Some(entry.id);
            ControlFlow::Break(())
        })?;
        Ok(last)
    }

    /// Removes at most `most` entries of a log that was doomed, oldest first.
    pub(super) fn take_apart(&mut self, most: usize) -> rusqlite::Result<Tidiness> {
        let doomed: Option<(u32, i64)> = self
            .db
            .prepare_cached("SELECT owner, through FROM doomed LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((owner, through)) = doomed else {
            return Ok(Tidiness::Tidy);
        };
        let piece = self.piece(owner, MessageId::from_sql(through), most)?;
        self.remove(owner, &piece)?;
        if piece.len() < most {
            self.execute("DELETE FROM doomed WHERE owner = ?", [owner])?;
        }
        Ok(Tidiness::Untidy)
    }

    /// The oldest entries of a log, up to a place.
    fn piece(
        &self,
        owner: u32,
        through: MessageId,
        most: usize,
    ) -> rusqlite::Result<Vec<IndexEntry>> {
        let oldest = Span {
            after: MessageId::FIRST,
            before: MessageId::LAST,
            newest_first: false,
        };
        let mut piece = Vec::new();
        Chain::whole(owner).read(self.db, oldest, |entry| {
            if entry.id > through || piece.len() == most {
                return ControlFlow::Break(());
            }
            piece.push(entry);
            ControlFlow::Continue(())
        })?;
        Ok(piece)
    }

    /// Removes the oldest entries of a log, these. Messages that are in nobody's
    /// log any more go too.
    fn remove(&self, owner: u32, piece: &[IndexEntry]) -> rusqlite::Result<()> {
        let Some(last) = piece.last() else {
            return Ok(());
        };
        Chain::whole(owner).cut(self.db, last.id)?;
        let conversations: BTreeSet<u32> = piece.iter().map(|entry| entry.counterpart).collect();
        for counterpart in conversations {
            Chain::conversation(owner, counterpart).cut(self.db, last.id)?;
        }
        for entry in piece {
            let id = [entry.id.to_sql()];
            self.execute("UPDATE message SET entries = entries - 1 WHERE id = ?", id)?;
            self.execute("DELETE FROM message WHERE id = ? AND entries = 0", id)?;
        }
        Ok(())
    }

    /// How long the tail was when this commit began.
    pub(super) fn tail_entries(&self) -> usize {
        self.tail.read().count()
    }

    /// Puts what was in the tail before this commit into the index.
    pub(super) fn index_tail(&mut self) -> rusqlite::Result<()> {
        if !self.tail_is_indexed {
            let tail = self.tail.clone();
            self.index(&tail.read())?;
            self.tail_is_indexed = true;
        }
        Ok(())
    }

    fn index_fresh(&mut self) -> rusqlite::Result<()> {
        let fresh = std::mem::take(&mut self.fresh);
        self.index(&fresh)
    }

    fn index(&mut self, entries: &Entries) -> rusqlite::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut logs = Vec::new();
        for (owner, log) in entries.logs() {
            let log = log.iter().map(|entry| {
                Ok(IndexEntry {
                    id: entry.id,
                    counterpart: self.number(&entry.counterpart)?,
                    flags: entry.flags,
                })
            });
            let log = log.collect::<rusqlite::Result<Vec<_>>>()?;
            logs.push((self.number(owner)?, log));
        }
        self.insert(logs, entries.newest())
    }

    /// In the order of the owners' numbers: neighbours share pages.
    fn insert(
        &self,
        mut logs: Vec<(u32, Vec<IndexEntry>)>,
        newest: MessageId,
    ) -> rusqlite::Result<()> {
        logs.sort_unstable_by_key(|(owner, _)| *owner);
        let mut insert = Insert::new(self.db)?;
        for (owner, log) in logs {
            insert.log(owner, log)?;
        }
        self.execute("UPDATE indexed SET through = ?", [newest.to_sql()])
    }

    /// Reads the notes of the messages that the index lacks.
    pub(super) fn index_after_crash(&mut self) -> rusqlite::Result<()> {
        let mut missing = self.db.prepare(
            "SELECT id, logs FROM message WHERE id > (SELECT through FROM indexed) ORDER BY id",
        )?;
        let mut rows = missing.query([])?;
        let mut logs: HashMap<u32, Vec<IndexEntry>> = HashMap::new();
        let mut newest = None;
        while let Some(row) = rows.next()? {
            let id = MessageId::from_sql(row.get(0)?);
            for note in Note::read(row.get_ref(1)?.as_blob()?) {
                logs.entry(note.owner).or_default().push(IndexEntry {
                    id,
                    counterpart: note.counterpart,
                    flags: note.flags,
                });
            }
            newest = Some(id);
        }
        newest.map_or(Ok(()), |newest| {
            self.insert(logs.into_iter().collect(), newest)
        })
    }

    fn execute(&self, sql: &str, values: impl Params) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn number(&mut self, address: &BareJid) -> rusqlite::Result<u32> {
        self.addresses.number(self.db, address)
    }
}

const INSERT_MESSAGE: &str = "INSERT INTO message (id, entries, logs, body) VALUES (?, ?, ?, ?)";

/// Who has a message, as it stands in `message.logs`: nine bytes.
#[derive(Clone, Copy)]
struct Note {
    owner: u32,
    counterpart: u32,
    flags: EntryFlags,
}

impl Note {
    const BYTES: usize = 9;

    fn write(self, logs: &mut Vec<u8>) {
        logs.extend(self.owner.to_le_bytes());
        logs.extend(self.counterpart.to_le_bytes());
        logs.push(self.flags.0);
    }

    fn read(logs: &[u8]) -> impl Iterator<Item = Self> {
        let number = |bytes: &[u8]| {
            let bytes = bytes.try_into().expect("a note has four bytes here");
            u32::from_le_bytes(bytes)
        };
        logs.chunks_exact(Self::BYTES).map(move |note| Self {
            owner: number(&note[..4]),
            counterpart: number(&note[4..8]),
            flags: EntryFlags(note[8]),
        })
    }
}

/// The numbers that stand for addresses in the tables, as far as they were
/// needed lately.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    numbers: HashMap<BareJid, u32>,
}

impl Addresses {
    /// A few megabytes; then it starts anew rather than grow with the number
    /// of addresses ever seen.
    const MOST: usize = 50_000;

    fn number(&mut self, db: &Connection, address: &BareJid) -> rusqlite::Result<u32> {
        if let Some(number) = self.numbers.get(address) {
            return Ok(*number);
        }
        let known = db
            .prepare_cached("SELECT id FROM address WHERE name = ?")?
            .query_row([address.as_str()], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => db
                .prepare_cached("INSERT INTO address (name) VALUES (?) RETURNING id")?
                .query_row([address.as_str()], |row| row.get(0))?,
        };
        if self.numbers.len() >= Self::MOST {
            self.forget();
        }
        self.numbers.insert(address.clone(), number);
        Ok(number)
    }

    pub(super) fn forget(&mut self) {
        self.numbers.clear();
    }
}
