//! Which accounts and rooms are in memory.

use crate::sync::lock;
use anser_jid::{BareJid, Jid};
use anser_store::{Store, StoreError, Timestamp, View};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Enough that two workers seldom want the same one.
const SHARDS: usize = 64;

/// What nobody used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(60);

/// What is in memory while somebody needs it.
pub(crate) trait Resident {
    /// Its address.
    fn address(&self) -> &BareJid;
    /// Notes that somebody needed it.
    fn touch(&self, now: Timestamp);
    /// When somebody needed it last.
    fn last_used(&self) -> Timestamp;
    /// Whether it must not be forgotten, however long ago that was.
    fn is_needed(&self) -> bool;
}

/// Accounts or rooms in memory, by address.
#[derive(Debug)]
pub(crate) struct Directory<T> {
    hasher: RandomState,
    shards: Box<[Shard<T>]>,
}

#[derive(Debug)]
struct Shard<T> {
    residents: Mutex<HashMap<BareJid, Arc<T>>>,
    /// Held while one is read or made, so that there is never a second copy of
    /// one that has moved on meanwhile.
    loading: tokio::sync::Mutex<()>,
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Self {
            residents: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }
}

impl<T: Resident + Send + 'static> Directory<T> {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }

    fn shard(&self, address: &str) -> &Shard<T> {
        &self.shards[self.shard_number(address)]
    }

    fn shard_number(&self, address: &str) -> usize {
        let hash = self.hasher.hash_one(address);
        // The upper bits: the maps in the shards use the lower ones.
        (hash >> 32) as usize % SHARDS
    }

    /// The one at an address, if it is in memory.
    pub(crate) fn resident(&self, address: &Jid) -> Option<Arc<T>> {
        let address = address.bare_str();
        lock(&self.shard(address).residents).get(address).cloned()
    }

    /// The one at an address, read if need be; `None` if there is none.
    pub(crate) async fn load(
        &self,
        store: &Store,
        address: &BareJid,
        now: Timestamp,
        read: impl FnOnce(&View<'_>) -> Result<Option<T>, StoreError> + Send + 'static,
    ) -> Result<Option<Arc<T>>, StoreError> {
        if let Some(resident) = self.resident(address) {
            resident.touch(now);
            return Ok(Some(resident));
        }
        let shard = self.shard(address.as_str());
        let _alone = shard.loading.lock().await;
        if let Some(resident) = self.resident(address) {
            return Ok(Some(resident));
        }
        let Some(resident) = store.read(read).await? else {
            return Ok(None);
        };
        resident.touch(now);
        let resident = Arc::new(resident);
        lock(&shard.residents).insert(address.clone(), Arc::clone(&resident));
        Ok(Some(resident))
    }

    /// Puts a new one in, unless there is one with its address in memory, or one
    /// that `is_kept` where it could be read.
    pub(crate) async fn create(
        &self,
        store: &Store,
        resident: T,
        now: Timestamp,
        is_kept: impl FnOnce(&View<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let shard = self.shard(resident.address().as_str());
        let _alone = shard.loading.lock().await;
        if self.resident(resident.address()).is_some() || store.read(is_kept).await? {
            return Ok(None);
        }
        resident.touch(now);
        let resident = Arc::new(resident);
        let address = resident.address().clone();
        lock(&shard.residents).insert(address, Arc::clone(&resident));
        Ok(Some(resident))
    }

    /// Keeps everybody else from reading or making what is at these addresses
    /// until what this gives is dropped.
    pub(crate) async fn hold(
        &self,
        addresses: impl Iterator<Item = &BareJid>,
    ) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        let shards: BTreeSet<_> = addresses
            .map(|address| self.shard_number(address.as_str()))
            .collect();
        // In their order: nobody who wants several waits for one who has some
        // of them already.
        let mut held = Vec::with_capacity(shards.len());
        for shard in shards {
            held.push(self.shards[shard].loading.lock().await);
        }
        held
    }

    /// Takes one out, whoever still uses it.
    pub(crate) fn remove(&self, resident: &T) {
        let address = resident.address();
        lock(&self.shard(address.as_str()).residents).remove(address);
    }

    /// All that are in memory.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        let in_shard =
            |shard: &Shard<T>| lock(&shard.residents).values().cloned().collect::<Vec<_>>();
        self.shards.iter().flat_map(in_shard).collect()
    }

    /// Forgets those that nobody has used lately and that nobody needs.
    pub(crate) fn sweep(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut residents = lock(&shard.residents);
            residents.retain(|_, resident| {
                let is_idle = now.since(resident.last_used()) >= IDLE;
                // One reference is the map's own, and nobody gets another
                // while its lock is held.
                let is_free = Arc::strong_count(resident) == 1;
                !(is_idle && is_free) || resident.is_needed()
            });
            if residents.capacity() > 4 * residents.len().max(16) {
                residents.shrink_to_fit();
            }
        }
    }
}
