//! Which accounts are in memory.

use crate::account::Account;
use crate::sync::lock;
use anser_jid::{BareJid, Jid};
use anser_store::{Store, StoreError, Timestamp};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Enough that two workers seldom want the same one.
const SHARDS: usize = 64;

/// An account that nobody used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(60);

/// The accounts in memory, by address.
#[derive(Debug)]
pub(crate) struct Directory {
    hasher: RandomState,
    shards: Box<[Shard]>,
}

#[derive(Debug, Default)]
struct Shard {
    accounts: Mutex<HashMap<BareJid, Arc<Account>>>,
    /// Held while an account is read, so that there is never a second copy
    /// of one that has moved on meanwhile.
    loading: tokio::sync::Mutex<()>,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }

    fn shard(&self, address: &str) -> &Shard {
        let hash = self.hasher.hash_one(address);
        // The upper bits: the maps in the shards use the lower ones.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    /// The account, if it is in memory.
    pub(crate) fn resident(&self, address: &Jid) -> Option<Arc<Account>> {
        let address = address.bare_str();
        lock(&self.shard(address).accounts).get(address).cloned()
    }

    /// The account, read if need be; `None` if there is none.
    pub(crate) async fn load(
        &self,
        store: &Store,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        if let Some(account) = self.resident(address) {
            account.touch(now);
            return Ok(Some(account));
        }
        let shard = self.shard(address.as_str());
        let _alone = shard.loading.lock().await;
        if let Some(account) = self.resident(address) {
            return Ok(Some(account));
        }
        let read = {
            let address = address.clone();
            move |view: &anser_store::View<'_>| Account::load(view, &address)
        };
        let Some(account) = store.read(read).await? else {
            return Ok(None);
        };
        account.touch(now);
        let account = Arc::new(account);
        lock(&shard.accounts).insert(address.clone(), Arc::clone(&account));
        Ok(Some(account))
    }

    /// Takes an account out, whoever still uses it.
    pub(crate) fn remove(&self, account: &Account) {
        let address = account.address();
        lock(&self.shard(address.as_str()).accounts).remove(address);
    }

    /// All accounts in memory.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        let in_shard = |shard: &Shard| lock(&shard.accounts).values().cloned().collect::<Vec<_>>();
        self.shards.iter().flat_map(in_shard).collect()
    }

    /// Forgets the accounts that nobody has used lately and that have nothing
    /// left to write down.
    pub(crate) fn sweep(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut accounts = lock(&shard.accounts);
            accounts.retain(|_, account| {
                let is_idle = now.since(account.last_used()) >= IDLE;
                // One reference is the map's own, and nobody gets another
                // while its lock is held.
                let is_free = Arc::strong_count(account) == 1;
                !(is_idle && is_free) || account.state().inbox_is_dirty
            });
            if accounts.capacity() > 4 * accounts.len().max(16) {
                accounts.shrink_to_fit();
            }
        }
    }
}
