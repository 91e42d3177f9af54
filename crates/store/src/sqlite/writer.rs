//! The one writing connection.

use super::checkpoint::{self, Checkpointer};
use super::commit::{Addresses, Commit};
use super::tail::Tail;
use super::{engine_error, limit};
use crate::{Change, MessageId, Refusal, Space, StoreError};
use rusqlite::hooks::Wal;
use rusqlite::{Connection, TransactionBehavior};
use std::ffi::c_int;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Writer {
    connection: Connection,
    addresses: Addresses,
    tail: Tail,
    /// How long the tail may become.
    tail_entries: usize,
    space: Space,
    /// What the engine was told of it last.
    applied_space_bytes: u64,
    checkpointer: Checkpointer,
}

impl Writer {
    pub(super) fn new(
        mut connection: Connection,
        checkpointer: Checkpointer,
        tail: Tail,
        tail_entries: usize,
    ) -> rusqlite::Result<Self> {
        let gauge = checkpointer.gauge();
        connection.wal_hook(Some(move |_: &'_ mut Wal, pages: c_int| {
            gauge.set(pages);
            Ok(())
        }))?;
        let mut writer = Self {
            connection,
            addresses: Addresses::default(),
            tail,
            tail_entries,
            space: Space::default(),
            applied_space_bytes: u64::MAX,
            checkpointer,
        };
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method's path is not general enough over lifetimes"
        )]
        writer.transact(|commit| commit.index_after_crash())?;
        Ok(writer)
    }

    pub(crate) fn space(&self) -> Space {
        self.space.clone()
    }

    pub(crate) fn newest(&self) -> Result<MessageId, StoreError> {
        self.connection
            .query_row("SELECT max(id) FROM message", [], |row| {
                row.get::<_, Option<i64>>(0)
            })
            .map(|id| id.map_or(MessageId::FIRST, MessageId::from_sql))
            .map_err(|error| engine_error(&error))
    }

    pub(crate) fn commit<'a>(
        &mut self,
        batches: impl Iterator<Item = &'a [Change]> + Clone,
    ) -> Vec<Result<(), Refusal>> {
        if batches.clone().all(<[Change]>::is_empty) {
            return batches.map(|_| Ok(())).collect();
        }
        self.apply_space();
        let most = self.tail_entries;
        let committed = self.transact(|commit| {
            if commit.tail_entries() >= most {
                commit.index_tail()?;
            }
            batches.clone().map(|batch| commit.apply(batch)).collect()
        });
        committed.unwrap_or_else(|error| {
            let refusal = Refusal::Store(Arc::new(engine_error(&error)));
            let refused = |batch: &[Change]| match batch {
                [] => Ok(()),
                _ => Err(refusal.clone()),
            };
            batches.map(refused).collect()
        })
    }

    fn apply_space(&mut self) {
        let granted = self.space.granted();
        if granted == self.applied_space_bytes {
            return;
        }
        match limit(&self.connection, granted) {
            Ok(()) => self.applied_space_bytes = granted,
            Err(error) => tracing::warn!(%error, "the limit of the database is as it was"),
        }
    }

    /// Runs `work` in a transaction; what it did counts once that is on disk.
    fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut Commit<'_>) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut commit = Commit::new(&transaction, &mut self.addresses, &self.tail);
        let result = work(&mut commit);
        let fresh = commit.finish();
        let result = result.and_then(|result| {
            transaction.commit()?;
            Ok(result)
        });
        if result.is_ok() {
            fresh.join(&self.tail);
            self.checkpointer.after_commit(&self.connection);
        } else {
            // The numbers of addresses first seen in what was rolled back will
            // be given again.
            self.addresses.forget();
        }
        result
    }
}

/// After an orderly end, the database file alone has everything.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = checkpoint::fold_all(&self.connection) {
            tracing::warn!(%error, "the write-ahead log could not be folded in");
        }
    }
}
