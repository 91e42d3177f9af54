//! What clients keep with their account for themselves (XEP-0049). The exchange
//! does not know what it is; it has a name, and that is all.

use crate::directory::Resident;
use crate::{Hub, NotKept, SessionHandle};
use anser_store::{Change, Expect, Refusal, StoreError, Timestamp};
use bytes::Bytes;
use std::collections::BTreeMap;

/// The records of it; the key is the name.
const KIND: &str = "private";

/// Something was not kept for a client, or not found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PrivateError {
    /// The account has been removed.
    #[error("the account is gone")]
    NoAccount,
    /// The account would keep too many things.
    #[error("{got} things would be kept, and {limit} can be (accounts.private_entries)")]
    TooMany {
        /// How many there would be.
        got: usize,
        /// How many there can be.
        limit: usize,
    },
    /// The account would keep too much.
    #[error("{got} bytes would be kept, and {limit} can be (accounts.private_bytes)")]
    TooLarge {
        /// How much it would be.
        got: usize,
        /// How much it can be.
        limit: usize,
    },
    /// It could not be kept, or not be read.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl From<Refusal> for PrivateError {
    fn from(refusal: Refusal) -> Self {
        Self::NotKept(refusal.into())
    }
}

impl From<StoreError> for PrivateError {
    fn from(error: StoreError) -> Self {
        Self::NotKept(error.into())
    }
}

impl Hub {
    /// What the session's account keeps under a name; `None` if that is nothing.
    ///
    /// # Errors
    /// [`NotKept`] if it could not be read.
    pub async fn private(
        &self,
        session: &SessionHandle,
        name: &str,
    ) -> Result<Option<Bytes>, NotKept> {
        let (owner, name) = (session.address().to_bare(), name.to_owned());
        let read = move |view: &anser_store::View<'_>| view.record(&owner, KIND, &name);
        let record = self.store().read(read).await?;
        Ok(record.map(|record| record.value))
    }

    /// Keeps things for the session's account, each in the place of what was
    /// under its name: all of them, or none. An empty one is forgotten.
    ///
    /// # Errors
    /// [`PrivateError`]; everything is as it was.
    pub async fn set_private(
        &self,
        session: &SessionHandle,
        things: BTreeMap<String, Bytes>,
        now: Timestamp,
    ) -> Result<(), PrivateError> {
        let account = session.session().account();
        let _alone = account.changes.lock().await;
        if account.is_gone() {
            return Err(PrivateError::NoAccount);
        }
        let owner = account.address().clone();
        let read = move |view: &anser_store::View<'_>| view.records(&owner, KIND);
        let kept = self.store().read(read).await?;
        let untouched = kept.iter().filter(|(name, _)| !things.contains_key(name));
        let untouched = untouched.map(|(name, record)| (name, &record.value));
        let new = things.iter().filter(|(_, thing)| !thing.is_empty());
        self.check_private(untouched.chain(new))?;
        let is_kept = |name: &String| kept.iter().any(|(other, _)| other == name);
        let changes = things.iter().filter_map(|(name, thing)| {
            let (owner, key) = (account.address().clone(), name.clone());
            let kind = KIND;
            if thing.is_empty() {
                return is_kept(name).then_some(Change::Delete { owner, kind, key });
            }
            Some(Change::Put {
                owner,
                kind,
                key,
                value: thing.clone(),
                expect: Expect::Anything,
            })
        });
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        Ok(self.commit(changes, now).await?)
    }

    /// Whether an account may keep all this.
    fn check_private<'a>(
        &self,
        things: impl Iterator<Item = (&'a String, &'a Bytes)>,
    ) -> Result<(), PrivateError> {
        let (count, bytes) = things.fold((0, 0), |(count, bytes), (name, thing)| {
            (count + 1, bytes + name.len() + thing.len())
        });
        let limits = &self.config().accounts;
        if count > limits.private_entries {
            let (got, limit) = (count, limits.private_entries);
            return Err(PrivateError::TooMany { got, limit });
        }
        if bytes > limits.private_bytes {
            let (got, limit) = (bytes, limits.private_bytes);
            return Err(PrivateError::TooLarge { got, limit });
        }
        Ok(())
    }
}
