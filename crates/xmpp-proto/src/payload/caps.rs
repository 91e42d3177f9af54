//! Entity capabilities (XEP-0115): what somebody can do, as a hash.

use super::disco::Identity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

/// The verification string (XEP-0115 §5.1) of an entity without extended
/// information.
#[must_use]
pub fn verification(identities: &[Identity<'_>], features: &[&str]) -> String {
    let mut identities: Vec<_> = identities
        .iter()
        .map(|identity| {
            let Identity {
                category,
                kind,
                name,
            } = identity;
            format!("{category}/{kind}//{name}<")
        })
        .collect();
    identities.sort_unstable();
    let mut features = features.to_vec();
    features.sort_unstable();
    let mut text = identities.concat();
    for feature in features {
        text += feature;
        text.push('<');
    }
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0115 §5.2
    #[test]
    fn the_simple_example_has_its_hash() {
        let identities = [Identity {
            category: "client",
            kind: "pc",
            name: "Exodus 0.9.1",
        }];
        let features = [
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/muc",
            "http://jabber.org/protocol/caps",
        ];
        let hash = verification(&identities, &features);
        assert_eq!(hash, "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }
}
