//! Accounts as records: whether they exist, and how their owners prove it.

use crate::Hub;
use anser_jid::BareJid;
use anser_sasl::{Hash, Verifier};
use anser_store::StoreError;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The kind of record that makes an account exist.
pub(crate) const CREDENTIALS: &str = "account";

/// How an account's owner proves who they are. Never the password itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// One verifier per hash function, in their text form.
    scram: Vec<String>,
}

impl Credentials {
    /// From what was derived of the password, one for each hash function.
    #[must_use]
    pub fn new(verifiers: &[Verifier]) -> Self {
        Self {
            scram: verifiers.iter().map(Verifier::to_text).collect(),
        }
    }

    /// The verifier for a hash function, if the account has one.
    #[must_use]
    pub fn verifier(&self, hash: Hash) -> Option<Verifier> {
        self.verifiers().find(|verifier| verifier.hash() == hash)
    }

    /// All verifiers that can be read.
    pub fn verifiers(&self) -> impl Iterator<Item = Verifier> {
        self.scram
            .iter()
            .filter_map(|text| Verifier::parse(text).ok())
    }
}

/// Which credentials of an account somebody has proved to have. A session opens
/// with them as long as they are the account's.
#[derive(Debug, Clone)]
pub struct Login {
    account: BareJid,
    /// The credentials as they are stored: with a new salt whenever they change,
    /// also to the same password, and also of a new account of the same name.
    record: Bytes,
    /// How many revocations there were when they were read.
    revocations: u64,
}

impl Login {
    /// Whose credentials they are.
    #[must_use]
    pub fn account(&self) -> &BareJid {
        &self.account
    }

    pub(crate) fn revocations(&self) -> u64 {
        self.revocations
    }
}

impl Hub {
    /// An account's credentials, and what opens a session for whoever proves to
    /// have them; `None` if there is no such account.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn credentials(
        &self,
        address: &BareJid,
    ) -> Result<Option<(Credentials, Login)>, StoreError> {
        let Some(login) = self.read_login(address).await? else {
            return Ok(None);
        };
        match serde_json::from_slice(&login.record) {
            Ok(credentials) => Ok(Some((credentials, login))),
            Err(error) => {
                let reason = format!("credentials of {address}: {error}");
                Err(StoreError::Engine(reason))
            }
        }
    }

    /// The login with which a session may open now; `None` if the account is
    /// gone or has other credentials. Something is read only if somebody's
    /// credentials were revoked since `login` was.
    pub(crate) async fn renew(&self, login: Login) -> Result<Option<Login>, StoreError> {
        if login.revocations == self.revocations() {
            return Ok(Some(login));
        }
        let now = self.read_login(&login.account).await?;
        Ok(now.filter(|now| now.record == login.record))
    }

    async fn read_login(&self, address: &BareJid) -> Result<Option<Login>, StoreError> {
        // Before the record: whatever is revoked while it is read counts as
        // later.
        let revocations = self.revocations();
        let account = address.clone();
        let record = self
            .store()
            .read(move |view| view.record(&account, CREDENTIALS, ""))
            .await?;
        Ok(record.map(|record| Login {
            account: address.clone(),
            record: record.value,
            revocations,
        }))
    }
}
