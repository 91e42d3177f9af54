//! The mechanisms, by name and strength.

use std::fmt;

/// A SASL mechanism that both ends of this crate can speak. The order is the
/// order of strength: any channel binding is worth more than a longer hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// The password itself (RFC 4616).
    Plain,
    /// SCRAM (RFC 5802, RFC 7677).
    Scram(Hash),
    /// SCRAM bound to its TLS connection (RFC 5802 §6).
    ScramPlus(Hash),
}

/// The hash function of a SCRAM mechanism (RFC 5802 §4). The order is the order
/// of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SHA-1, mandatory to implement in XMPP (RFC 6120 §13.8).
    Sha1,
    /// SHA-256 (RFC 7677).
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Mechanism {
    /// Every mechanism, the strongest first.
    pub const ALL: [Self; 7] = [
        Self::ScramPlus(Hash::Sha512),
        Self::ScramPlus(Hash::Sha256),
        Self::ScramPlus(Hash::Sha1),
        Self::Scram(Hash::Sha512),
        Self::Scram(Hash::Sha256),
        Self::Scram(Hash::Sha1),
        Self::Plain,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(Hash::Sha1) => "SCRAM-SHA-1",
            Self::Scram(Hash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(Hash::Sha512) => "SCRAM-SHA-512",
            Self::ScramPlus(Hash::Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(Hash::Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(Hash::Sha512) => "SCRAM-SHA-512-PLUS",
        }
    }

    /// The mechanism of that name; names are in capitals (RFC 4422 §3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }

    /// Whether it binds to the TLS connection (RFC 5802 §6).
    pub fn is_plus(self) -> bool {
        match self {
            Self::Plain | Self::Scram(_) => false,
            Self::ScramPlus(_) => true,
        }
    }

    /// The hash that a stored verifier must be of; PLAIN takes any.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::Plain => None,
            Self::Scram(hash) | Self::ScramPlus(hash) => Some(hash),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Hash {
    /// Every hash, the strongest first.
    pub const ALL: [Self; 3] = [Self::Sha512, Self::Sha256, Self::Sha1];

    /// Bytes of a hash and of every key made with it.
    pub fn len_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4422 §3.1
    #[test]
    fn every_name_leads_back_to_its_mechanism() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
        }
        for unknown in ["", "plain", "SCRAM-SHA-1-", "SCRAM-MD5", "EXTERNAL"] {
            assert_eq!(Mechanism::from_name(unknown), None);
        }
    }

    #[test]
    fn mechanisms_are_listed_by_strength() {
        assert!(Mechanism::ALL.is_sorted_by(|stronger, weaker| stronger > weaker));
        assert!(
            Mechanism::ALL
                .into_iter()
                .all(|one| one.is_plus() == one.name().ends_with("PLUS"))
        );
    }
}
