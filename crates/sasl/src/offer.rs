//! What a server has advertised, and its hash that keeps an attacker from
//! shortening the list (XEP-0474).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::binding::BindingType;
use crate::crypto;
use crate::mechanism::{Hash, Mechanism};

const BETWEEN_NAMES: &str = "\x1e";
const BEFORE_BINDINGS: char = '\x1f';

/// The mechanisms and channel bindings that the server listed in its stream
/// features, SASL or SASL2, whichever the client answers. Both ends make it
/// from the same names.
#[derive(Debug, Clone)]
pub struct Offer {
    mechanisms: Vec<Mechanism>,
    bindings: Vec<BindingType>,
    has_plus: bool,
    /// The text that XEP-0474 §6.1 hashes.
    listing: String,
}

impl Offer {
    /// `mechanisms` and `bindings` are all names that were advertised, also of
    /// mechanisms that this crate does not know. No bindings means that the
    /// server did not advertise any (XEP-0440).
    pub fn new<'a>(
        mechanisms: impl IntoIterator<Item = &'a str>,
        bindings: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut mechanisms: Vec<&str> = mechanisms.into_iter().collect();
        let mut bindings: Vec<&str> = bindings.into_iter().collect();
        mechanisms.sort_unstable();
        bindings.sort_unstable();
        let mut listing = mechanisms.join(BETWEEN_NAMES);
        if !bindings.is_empty() {
            listing.push(BEFORE_BINDINGS);
            listing.push_str(&bindings.join(BETWEEN_NAMES));
        }
        Self {
            has_plus: mechanisms.iter().any(|name| name.ends_with("-PLUS")),
            mechanisms: mechanisms
                .into_iter()
                .filter_map(Mechanism::from_name)
                .collect(),
            bindings: bindings
                .into_iter()
                .filter_map(BindingType::from_name)
                .collect(),
            listing,
        }
    }

    /// Whether the mechanism was advertised.
    pub fn has(&self, mechanism: Mechanism) -> bool {
        self.mechanisms.contains(&mechanism)
    }

    /// Whether any mechanism with channel binding was advertised, known or not.
    pub fn has_plus(&self) -> bool {
        self.has_plus
    }

    /// Whether the type of channel binding was advertised.
    pub fn has_binding(&self, binding: BindingType) -> bool {
        self.bindings.contains(&binding)
    }

    /// Whether any type of channel binding was advertised, known or not.
    pub fn has_any_binding(&self) -> bool {
        self.listing.contains(BEFORE_BINDINGS)
    }

    /// The value of the SCRAM attribute `h` (XEP-0474 §6.1).
    pub(crate) fn downgrade_hash(&self, hash: Hash) -> String {
        BASE64.encode(crypto::digest(hash, self.listing.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0474 §6.3
    #[test]
    fn the_hash_of_the_example_is_as_given() {
        let offer = Offer::new(
            ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"],
            ["tls-server-end-point", "tls-exporter"],
        );
        assert_eq!(
            offer.listing,
            "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point"
        );
        assert_eq!(
            offer.downgrade_hash(Hash::Sha1),
            "G6k/rBLDqgOhRRaCuuatSDFkJ08="
        );
    }

    /// XEP-0474 §6.1: octets are sorted, and names that we do not know count
    #[test]
    fn the_hash_covers_every_name_in_whatever_order_it_was_sent() {
        let offer = Offer::new(
            ["X-OAUTH2", "PLAIN", "SCRAM-SHA-256", "EXTERNAL"],
            ["b", "a"],
        );
        assert_eq!(
            offer.listing,
            "EXTERNAL\x1ePLAIN\x1eSCRAM-SHA-256\x1eX-OAUTH2\x1fa\x1eb"
        );
        assert!(offer.has(Mechanism::Plain) && offer.has(Mechanism::Scram(Hash::Sha256)));
        assert!(!offer.has_plus() && offer.has_any_binding());
        assert!(Offer::new(["SCRAM-SHA3-512-PLUS"], []).has_plus());
    }

    /// XEP-0474 §6.1: the second separator stands only before channel bindings
    #[test]
    fn without_channel_bindings_the_hash_is_of_the_mechanisms_alone() {
        let offer = Offer::new(["PLAIN"], []);
        assert_eq!(offer.listing, "PLAIN");
        assert!(!offer.has_any_binding());
    }
}
