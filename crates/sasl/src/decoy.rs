//! Answers for accounts that do not exist.

use crate::crypto;
use crate::mechanism::Hash;
use crate::verifier::{Iterations, SALT_BYTES, Verifier};

/// Makes up verifiers for accounts that have none, the same ones every time, so
/// that nobody learns from an exchange which accounts exist.
#[derive(Clone)]
pub struct Decoys {
    secret: Vec<u8>,
    iterations: Iterations,
}

impl Decoys {
    /// `secret` is random, is kept for good and belongs to this server.
    /// `iterations` are those of new passwords.
    pub fn new(secret: &[u8], iterations: Iterations) -> Self {
        Self {
            secret: secret.to_vec(),
            iterations,
        }
    }

    /// The verifier that `account` would have. No password fits it.
    ///
    /// `account` is the prepared address, not what the client typed: otherwise
    /// the salts of `Juliet` and `juliet` differ for a decoy and not for an
    /// account.
    pub fn verifier(&self, hash: Hash, account: &str) -> Verifier {
        let make = |label: &str, hash| {
            crypto::hmac(
                hash,
                &self.secret,
                &[label.as_bytes(), b"\0", account.as_bytes()],
            )
            .as_ref()
            .to_vec()
        };
        // One salt for all hash functions, as `Verifier::derive_all` has it.
        let mut salt = make("salt", Hash::Sha256);
        salt.truncate(SALT_BYTES);
        Verifier {
            hash,
            iterations: self.iterations,
            salt,
            stored_key: make("stored key", hash),
            server_key: make("server key", hash),
        }
    }
}
