//! The server's side of SCRAM (RFC 5802): three states, each of which makes the
//! next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::binding::{BindingType, ChannelBindings};
use crate::crypto;
use crate::fault::{BindingFault, MessageFault, SaslFault};
use crate::mechanism::Hash;
use crate::message::{ClientFinal, ClientFirst, Flag};
use crate::nonce::Nonce;
use crate::offer::Offer;
use crate::prepare;
use crate::verifier::Verifier;

/// What the client may say about channel binding (RFC 5802 §6).
#[derive(Debug)]
pub(crate) enum Policy {
    /// It chose a -PLUS mechanism: that it uses one of these.
    Bound(Vec<(BindingType, Vec<u8>)>),
    /// It chose another, though a -PLUS mechanism was offered: that it cannot.
    Declined,
    /// None was offered: that it cannot, or that it would have.
    NotOffered,
}

impl Policy {
    /// For a -PLUS mechanism.
    pub(crate) fn bound(offer: &Offer, bindings: &ChannelBindings) -> Self {
        let usable = bindings
            .iter()
            .filter(|&(binding, _)| offer.has_binding(binding));
        Self::Bound(
            usable
                .map(|(binding, data)| (binding, data.to_vec()))
                .collect(),
        )
    }

    /// For any other mechanism.
    pub(crate) fn unbound(offer: &Offer) -> Self {
        if offer.has_plus() {
            Self::Declined
        } else {
            Self::NotOffered
        }
    }

    /// The binding data that belongs to the client's flag.
    fn data(&self, flag: &Flag<'_>) -> Result<&[u8], BindingFault> {
        match (self, flag) {
            (Self::Bound(usable), Flag::Used(name)) => usable
                .iter()
                .find_map(|(binding, data)| (binding.name() == *name).then_some(data.as_slice()))
                .ok_or(BindingFault::UnsupportedType),
            (Self::Bound(_), Flag::Unsupported | Flag::NotOffered) => Err(BindingFault::NotUsed),
            (Self::Declined | Self::NotOffered, Flag::Used(_)) => Err(BindingFault::NotNegotiated),
            (Self::Declined, Flag::NotOffered) => Err(BindingFault::Downgrade),
            (Self::Declined, Flag::Unsupported) => Ok(&[]),
            (Self::NotOffered, Flag::Unsupported | Flag::NotOffered) => Ok(&[]),
        }
    }
}

/// Waits for the client's first message.
#[derive(Debug)]
pub(crate) struct Start {
    hash: Hash,
    policy: Policy,
    downgrade_hash: String,
    nonce: Nonce,
}

/// Who the client says it is, prepared; and who it wants to act as.
pub(crate) struct Claim {
    pub(crate) username: String,
    pub(crate) authzid: Option<String>,
}

impl Start {
    pub(crate) fn new(hash: Hash, policy: Policy, offer: &Offer, nonce: Nonce) -> Self {
        Self {
            hash,
            policy,
            downgrade_hash: offer.downgrade_hash(hash),
            nonce,
        }
    }

    pub(crate) fn read(self, input: &[u8]) -> Result<(Claim, Claimed), SaslFault> {
        let first = ClientFirst::parse(input)?;
        let binding = self.policy.data(&first.flag)?;
        let at_username = MessageFault::Malformed {
            at: first.header.len(),
        };
        let username = prepare::username(&first.username)
            .ok_or(at_username)?
            .into_owned();
        let claimed = Claimed {
            hash: self.hash,
            downgrade_hash: self.downgrade_hash,
            client_first_bare: first.bare.to_owned(),
            binding_input: [first.header.as_bytes(), binding].concat(),
            nonce: format!("{}{}", first.nonce, self.nonce.as_str()),
        };
        Ok((
            Claim {
                username,
                authzid: first.authzid,
            },
            claimed,
        ))
    }
}

/// Waits for the verifier of the account.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) hash: Hash,
    downgrade_hash: String,
    client_first_bare: String,
    /// What the client must send back in its attribute `c`.
    binding_input: Vec<u8>,
    nonce: String,
}

impl Claimed {
    /// Makes the challenge, `server-first-message`.
    pub(crate) fn challenge(self, verifier: Verifier) -> Challenged {
        let server_first = format!(
            "r={},s={},i={},h={}",
            self.nonce,
            BASE64.encode(&verifier.salt),
            verifier.iterations.get(),
            self.downgrade_hash,
        );
        Challenged {
            verifier,
            client_first_bare: self.client_first_bare,
            server_first,
            binding_input: self.binding_input,
            nonce: self.nonce,
        }
    }
}

/// Waits for the client's proof.
#[derive(Debug)]
pub(crate) struct Challenged {
    verifier: Verifier,
    client_first_bare: String,
    pub(crate) server_first: String,
    binding_input: Vec<u8>,
    nonce: String,
}

impl Challenged {
    /// Checks the proof and makes the success data, `server-final-message`.
    pub(crate) fn finish(&self, input: &[u8]) -> Result<Vec<u8>, SaslFault> {
        let last = ClientFinal::parse(input)?;
        let auth_message: [&[u8]; 5] = [
            self.client_first_bare.as_bytes(),
            b",",
            self.server_first.as_bytes(),
            b",",
            last.without_proof.as_bytes(),
        ];
        if !crypto::is_equal(&last.binding, &self.binding_input) {
            return Err(BindingFault::Mismatch.into());
        }
        if last.nonce != self.nonce || !self.verifier.verify_proof(&last.proof, &auth_message) {
            return Err(SaslFault::NotAuthorized);
        }
        let signature = BASE64.encode(self.verifier.sign(&auth_message));
        Ok(format!("v={signature}").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifier::Iterations;

    fn challenged(
        hash: Hash,
        (client_first_bare, server_first): (&str, &str),
        (salt, nonce): (&str, &str),
        binding_input: &[u8],
    ) -> Challenged {
        let salt = BASE64.decode(salt).unwrap();
        let iterations = Iterations::new(4096).unwrap();
        Challenged {
            verifier: Verifier::derive(hash, "pencil", &salt, iterations).unwrap(),
            client_first_bare: client_first_bare.to_owned(),
            server_first: server_first.to_owned(),
            binding_input: binding_input.to_vec(),
            nonce: nonce.to_owned(),
        }
    }

    /// RFC 5802 §5
    #[test]
    fn the_example_with_sha_1_succeeds() {
        let challenged = challenged(
            Hash::Sha1,
            (
                "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            ),
            (
                "QSXCR+Q6sek8bf92",
                "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
            ),
            b"n,,",
        );
        let last = b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
            p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        let success = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";
        assert_eq!(challenged.finish(last).as_deref(), Ok(success.as_slice()));
    }

    /// RFC 7677 §3
    #[test]
    fn the_example_with_sha_256_succeeds() {
        let challenged = challenged(
            Hash::Sha256,
            (
                "n=user,r=rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            ),
            (
                "W22ZaJ0SNY7soEsUEjb6gQ==",
                "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            ),
            b"n,,",
        );
        let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let success = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(challenged.finish(last).as_deref(), Ok(success.as_slice()));
    }

    /// XEP-0474 §6.3, with an extension in the client's last message
    #[test]
    fn the_example_with_channel_binding_and_the_hash_of_the_offer_succeeds() {
        const NONCE: &str = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6\
            a09117a6-ac50-4f2f-93f1-93799c2bddf6";
        let challenged = challenged(
            Hash::Sha1,
            (
                "n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6",
                &format!("r={NONCE},s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="),
            ),
            ("QSXCR+Q6sek8bf92", NONCE),
            b"p=tls-exporter,,THIS IS FAKE CB DATA",
        );
        let last = format!(
            "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r={NONCE},\
                x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4="
        );
        let success = b"v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=";
        assert_eq!(
            challenged.finish(last.as_bytes()).as_deref(),
            Ok(success.as_slice())
        );
    }
}
