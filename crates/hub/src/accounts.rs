//! Making, changing and removing accounts.

use crate::account::Account;
use crate::credentials::CREDENTIALS;
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::room::forget_standing;
use crate::roster::Contact;
use crate::{AccountError, CloseReason, Credentials, Hub, NotKept};
use anser_jid::BareJid;
use anser_store::{Change, Expect, Refusal, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Hub {
    /// Makes accounts: all of them, or none.
    ///
    /// # Errors
    /// [`AccountError::Exists`], [`AccountError::Unfit`] or
    /// [`AccountError::Repeated`] for the first that cannot be made.
    pub async fn create_accounts(
        &self,
        accounts: &[(BareJid, Credentials)],
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let mut changes = Vec::with_capacity(accounts.len());
        // What a batch expects is checked before anything of it changes: the
        // second would find no more than the first, and replace it.
        let mut named = BTreeSet::new();
        for (address, credentials) in accounts {
            self.check_fit(address)?;
            if !named.insert(address.as_str()) {
                return Err(AccountError::Repeated(address.clone()));
            }
            // Whatever an earlier account of that name has left, or got when it
            // was gone already, is not the new one's.
            changes.push(forget(address));
            changes.push(put(address, credentials, Expect::Absent));
        }
        match self.commit(changes, now).await {
            Ok(()) => Ok(()),
            Err(Refusal::Conflict { owner, .. }) => Err(AccountError::Exists(owner)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Replaces an account's credentials and ends its sessions: whoever had the
    /// old password is out.
    ///
    /// # Errors
    /// [`AccountError::Missing`] if there is no such account.
    pub async fn set_credentials(
        &self,
        address: &BareJid,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let account = self.existing(address, now).await?;
        let alone = account.changes.lock().await;
        if account.is_gone() {
            return Err(AccountError::Missing(address.clone()));
        }
        let changes = vec![put(address, credentials, Expect::Anything)];
        self.commit(changes, now).await?;
        drop(alone);
        self.revoke(&account);
        Ok(())
    }

    /// Removes an account with all that it has and all that it is in rooms, but
    /// for bans: in one batch, so that nothing of it is left to a later account
    /// of the same name. Then its contacts learn that it is gone (RFC 6121
    /// §2.5). A crash before the last of them did leaves the others with a
    /// subscription to nobody.
    ///
    /// # Errors
    /// [`AccountError::Missing`] if there is no such account;
    /// [`AccountError::NotKept`] if it is still there, whole.
    pub async fn delete_account(
        &self,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let account = self.existing(address, now).await?;
        let (contacts, rooms) = self.forget_account(&account, now).await?;
        self.directory.remove(&account);
        self.revoke(&account);
        for room in &rooms {
            self.forget_in_room(room, account.address(), now).await;
        }
        for (address, contact) in contacts {
            self.say_farewell(&account, &address, &contact, now).await;
        }
        Ok(())
    }

    /// Takes an account off the disk. Returns who was in its roster, and the
    /// rooms that it was something in.
    async fn forget_account(
        &self,
        account: &Account,
        now: Timestamp,
    ) -> Result<(Vec<(BareJid, Contact)>, Vec<BareJid>), AccountError> {
        let _alone = account.changes.lock().await;
        if account.is_gone() {
            return Err(AccountError::Missing(account.address().clone()));
        }
        // First, so that nothing gets into the journal for it after what
        // removes it.
        account.set_gone(true);
        let rooms = match self.remove_records(account.address(), now).await {
            Ok(rooms) => rooms,
            Err(error) => {
                account.set_gone(false);
                return Err(error);
            }
        };
        let state = account.state();
        let contacts = state.roster.contacts();
        let contacts = contacts.map(|(address, contact)| (address.to_bare(), contact.clone()));
        Ok((contacts.collect(), rooms))
    }

    async fn remove_records(
        &self,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Vec<BareJid>, AccountError> {
        let rooms = self.rooms_of(address).await?;
        let mut changes = vec![forget(address)];
        changes.extend(rooms.iter().map(|room| forget_standing(room, address)));
        self.commit(changes, now).await?;
        Ok(rooms)
    }

    /// At most `limit` accounts, in the order of their addresses, that come
    /// after `after`.
    ///
    /// # Errors
    /// [`NotKept`] if they could not be read.
    pub async fn list_accounts(
        &self,
        after: Option<BareJid>,
        limit: usize,
    ) -> Result<Vec<BareJid>, NotKept> {
        let read =
            move |view: &anser_store::View<'_>| view.owners(CREDENTIALS, after.as_ref(), limit);
        Ok(self.store().read(read).await?)
    }

    fn check_fit(&self, address: &BareJid) -> Result<(), AccountError> {
        let unfit = |reason| AccountError::Unfit {
            address: address.clone(),
            reason,
        };
        if address.local().is_none() {
            return Err(unfit("it has no name before the @"));
        }
        if !self.serves(address.domain()) {
            return Err(unfit("its domain is not one of this server's"));
        }
        Ok(())
    }

    async fn existing(
        &self,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Arc<Account>, AccountError> {
        let account = self.account(address, now).await?;
        account.ok_or_else(|| AccountError::Missing(address.clone()))
    }

    fn revoke(&self, account: &Account) {
        self.note_revocation();
        let sessions: Vec<_> = account
            .state()
            .devices
            .iter()
            .map(|device| Arc::clone(&device.session))
            .collect();
        let mut wakes = Wakes::default();
        for session in sessions {
            // No connection has broken.
            self.quit_rooms(&session);
            self.end_session(&session);
            session.mailbox().close(CloseReason::Revoked, &mut wakes);
        }
    }
}

fn forget(address: &BareJid) -> Change {
    Change::Forget {
        owner: address.clone(),
    }
}

fn put(address: &BareJid, credentials: &Credentials, expect: Expect) -> Change {
    let json = serde_json::to_vec(credentials);
    Change::Put {
        owner: address.clone(),
        kind: CREDENTIALS,
        key: String::new(),
        value: json.expect("a list of texts has a JSON form").into(),
        expect,
    }
}
