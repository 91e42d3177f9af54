//! What is stored instead of a password, for SCRAM and PLAIN alike.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto;
use crate::mechanism::{Hash, Mechanism};
use crate::prepare::{self, PasswordFault};

/// Bytes of the salt of a new password.
pub const SALT_BYTES: usize = 16;

/// How often a password is hashed: 4096 (RFC 5802 §5.1) to ten million times.
/// The upper bound is for the client, whose time a server could waste.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Iterations(NonZeroU32);

/// A number of iterations out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{got} iterations are not between {} and {}",
    Iterations::MIN,
    Iterations::MAX
)]
pub struct IterationsFault {
    /// The number given.
    pub got: u32,
}

impl Iterations {
    /// Fewest allowed (RFC 5802 §5.1, RFC 7677 §4).
    pub const MIN: u32 = 4096;
    /// Most allowed.
    pub const MAX: u32 = 10_000_000;

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`IterationsFault`] if the number is out of them.
    pub fn new(got: u32) -> Result<Self, IterationsFault> {
        match NonZeroU32::new(got) {
            Some(count) if (Self::MIN..=Self::MAX).contains(&got) => Ok(Self(count)),
            _ => Err(IterationsFault { got }),
        }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// What a server keeps of a password for one hash function (RFC 5802 §3). Who
/// has it can check passwords and pose as the server, not log in; `Debug` does
/// not show the keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(crate) hash: Hash,
    pub(crate) iterations: Iterations,
    pub(crate) salt: Vec<u8>,
    pub(crate) stored_key: Vec<u8>,
    pub(crate) server_key: Vec<u8>,
}

impl Verifier {
    /// Hashes a password (RFC 5802 §3), which takes milliseconds: not for a
    /// thread that others wait for.
    ///
    /// # Errors
    /// [`PasswordFault`] if SASLprep refuses the password.
    pub fn derive(
        hash: Hash,
        password: &str,
        salt: &[u8],
        iterations: Iterations,
    ) -> Result<Self, PasswordFault> {
        let password = prepare::password(password)?;
        let keys = Keys::derive(hash, &password, salt, iterations);
        Ok(Self {
            hash,
            iterations,
            salt: salt.to_vec(),
            stored_key: keys.stored_key,
            server_key: keys.server_key,
        })
    }

    /// The verifiers of a new password, one for each of [`Hash::ALL`]. The salt
    /// is random, and shared: work on one hash function is no help with another.
    ///
    /// # Errors
    /// [`PasswordFault`] if SASLprep refuses the password.
    pub fn derive_all(
        password: &str,
        salt: [u8; SALT_BYTES],
        iterations: Iterations,
    ) -> Result<[Self; 3], PasswordFault> {
        let derive = |hash| Self::derive(hash, password, &salt, iterations);
        Ok([
            derive(Hash::Sha512)?,
            derive(Hash::Sha256)?,
            derive(Hash::Sha1)?,
        ])
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// [`StoredFault`]: it is something else, or damaged.
    pub fn parse(text: &str) -> Result<Self, StoredFault> {
        let (name, rest) = text.split_once('$').ok_or(StoredFault::Form)?;
        let (info, keys) = rest.split_once('$').ok_or(StoredFault::Form)?;
        let (iterations, salt) = info.split_once(':').ok_or(StoredFault::Form)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(StoredFault::Form)?;
        let Some(Mechanism::Scram(hash)) = Mechanism::from_name(name) else {
            return Err(StoredFault::Mechanism);
        };
        let iterations = iterations.parse().map_err(|_| StoredFault::Form)?;
        Ok(Self {
            hash,
            iterations: Iterations::new(iterations)?,
            salt: BASE64.decode(salt).map_err(|_| StoredFault::Encoding)?,
            stored_key: decode_key(hash, stored_key)?,
            server_key: decode_key(hash, server_key)?,
        })
    }

    /// The form to store it in (RFC 5803 §2):
    /// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. A secret.
    pub fn to_text(&self) -> String {
        let [salt, stored_key, server_key] =
            [&self.salt, &self.stored_key, &self.server_key].map(|bytes| BASE64.encode(bytes));
        let (name, iterations) = (Mechanism::Scram(self.hash), self.iterations.get());
        format!("{name}${iterations}:{salt}${stored_key}:{server_key}")
    }

    /// The hash function it is for.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Whether this is the password, which takes as long as [`Self::derive`].
    pub fn verify_password(&self, password: &str) -> bool {
        Self::derive(self.hash, password, &self.salt, self.iterations)
            .is_ok_and(|given| crypto::is_equal(&given.stored_key, &self.stored_key))
    }

    /// Whether the proof shows knowledge of the password: the client key that
    /// it hides must hash to the stored key (RFC 5802 §3).
    pub(crate) fn verify_proof(&self, proof: &[u8], auth_message: &[&[u8]]) -> bool {
        let signature = crypto::hmac(self.hash, &self.stored_key, auth_message);
        let client_key = crypto::xor(proof, signature.as_ref());
        let stored_key = crypto::digest(self.hash, &client_key);
        crypto::is_equal(stored_key.as_ref(), &self.stored_key)
            && proof.len() == self.hash.len_bytes()
    }

    /// `ServerSignature` (RFC 5802 §3).
    pub(crate) fn sign(&self, auth_message: &[&[u8]]) -> Vec<u8> {
        crypto::hmac(self.hash, &self.server_key, auth_message)
            .as_ref()
            .to_vec()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?}, {})", self.hash, self.iterations.get())
    }
}

/// The text is not a stored verifier. It says nothing about the secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredFault {
    /// It has not the fields of RFC 5803 §2.
    #[error("not a stored SCRAM verifier")]
    Form,
    /// It is for a mechanism that we do not have.
    #[error("a verifier for an unknown mechanism")]
    Mechanism,
    /// Its number of iterations is out of bounds.
    #[error(transparent)]
    Iterations(#[from] IterationsFault),
    /// A field is not base64.
    #[error("a field of the verifier is not base64")]
    Encoding,
    /// A key is of another length than the hash.
    #[error("a key of {got} bytes where the hash has {expected}")]
    KeyLength {
        /// Bytes of the key.
        got: usize,
        /// Bytes of the hash.
        expected: usize,
    },
}

fn decode_key(hash: Hash, text: &str) -> Result<Vec<u8>, StoredFault> {
    let key = BASE64.decode(text).map_err(|_| StoredFault::Encoding)?;
    let (got, expected) = (key.len(), hash.len_bytes());
    if got == expected {
        Ok(key)
    } else {
        Err(StoredFault::KeyLength { got, expected })
    }
}

/// What both ends make of a password (RFC 5802 §3).
pub(crate) struct Keys {
    pub(crate) client_key: Vec<u8>,
    pub(crate) stored_key: Vec<u8>,
    pub(crate) server_key: Vec<u8>,
}

impl Keys {
    /// `password` is prepared.
    pub(crate) fn derive(hash: Hash, password: &str, salt: &[u8], iterations: Iterations) -> Self {
        let salted = crypto::salted(hash, password, salt, iterations.0);
        let [client_key, server_key] = [b"Client Key", b"Server Key"]
            .map(|label| crypto::hmac(hash, &salted, &[label]).as_ref().to_vec());
        let stored_key = crypto::digest(hash, &client_key).as_ref().to_vec();
        Self {
            client_key,
            stored_key,
            server_key,
        }
    }
}
