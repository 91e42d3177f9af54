//! The functions that SCRAM is made of (RFC 5802 §2.2).

use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq;

use crate::mechanism::Hash;

/// `H(str)`.
pub(crate) fn digest(hash: Hash, data: &[u8]) -> digest::Digest {
    counted(1);
    digest::digest(
        match hash {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        },
        data,
    )
}

/// `HMAC(key, str)`, the string in pieces.
pub(crate) fn hmac(hash: Hash, key: &[u8], pieces: &[&[u8]]) -> hmac::Tag {
    counted(1);
    let algorithm = match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    for piece in pieces {
        context.update(piece);
    }
    context.sign()
}

/// `Hi(str, salt, i)`.
pub(crate) fn salted(hash: Hash, password: &str, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
    counted(iterations.get());
    let algorithm = match hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut salted = vec![0; hash.len_bytes()];
    pbkdf2::derive(
        algorithm,
        iterations,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    salted
}

/// `a XOR b`, both of the same length.
pub(crate) fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// Equality in a time that tells nothing but the lengths.
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(not(test))]
fn counted(_operations: u32) {}

#[cfg(test)]
use count::counted;

/// Counts what takes time, so that tests can compare the work of two answers.
#[cfg(test)]
pub(crate) mod count {
    use std::cell::Cell;

    thread_local!(static OPERATIONS: Cell<u64> = const { Cell::new(0) });

    pub(super) fn counted(operations: u32) {
        OPERATIONS.set(OPERATIONS.get() + u64::from(operations));
    }

    /// Hash operations that `work` has done.
    pub(crate) fn operations<T>(work: impl FnOnce() -> T) -> (u64, T) {
        let before = OPERATIONS.get();
        let result = work();
        (OPERATIONS.get() - before, result)
    }
}
