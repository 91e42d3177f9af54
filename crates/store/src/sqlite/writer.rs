//! The one writing connection.

use super::checkpoint::{self, Checkpointer};
use super::commit::{Addresses, Commit};
use super::tail::Tail;
use super::{SqliteOptions, engine_error, limit};
use crate::{Change, MessageId, Refusal, Space, StoreError, Tidiness};
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
    /// How much of a forgotten log goes at once.
    piece_entries: usize,
    tidiness: Tidiness,
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
        options: &SqliteOptions,
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
            tail_entries: options.tail_entries,
            piece_entries: options.piece_entries,
            // An earlier process may not have come to an end with it.
            tidiness: Tidiness::Untidy,
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

    /// Also counts those of forgotten messages, as far as the index knows.
    pub(crate) fn newest(&self) -> Result<MessageId, StoreError> {
        self.connection
            .query_row(
                "SELECT max(through, (SELECT coalesce(max(id), 0) FROM message)) FROM indexed",
                [],
                |row| row.get(0).map(MessageId::from_sql),
            )
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
        let is_removal =
            |change: &Change| matches!(change, Change::Trim { .. } | Change::Forget { .. });
        if batches.clone().flatten().any(is_removal) {
            self.tidiness = Tidiness::Untidy;
        }
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

    /// Removes a piece of what is forgotten, in a commit of its own.
    pub(crate) fn tidy(&mut self) -> Tidiness {
        if self.tidiness == Tidiness::Tidy {
            return Tidiness::Tidy;
        }
        let most = self.piece_entries;
        match self.transact(|commit| commit.take_apart(most)) {
            Ok(tidiness) => {
                self.tidiness = tidiness;
                tidiness
            }
            Err(error) => {
                // Nobody sees it meanwhile, and the next commit is another chance.
                tracing::warn!(%error, "what is forgotten takes up room as before");
                Tidiness::Tidy
            }
        }
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
