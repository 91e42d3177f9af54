//! Accounts as records: whether they exist, and how their owners prove it.

use anser_sasl::{Hash, Verifier};
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
