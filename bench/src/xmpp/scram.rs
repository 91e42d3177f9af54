//! SCRAM from the client's side (RFC 5802, RFC 7677), without channel binding.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::Error;

/// The hash function of the mechanism.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hash {
    /// SCRAM-SHA-1
    Sha1,
    /// SCRAM-SHA-256
    Sha256,
}

/// One password, and the keys already derived from it.
///
/// Deriving costs as much as dozens of messages, and a server's salt for an account stays the
/// same: it is done once for each, so that repeated logins measure the server.
pub(crate) struct Secret {
    hash: Hash,
    password: String,
    keys: Mutex<HashMap<Derivation, Arc<Keys>>>,
}

/// What the server says about an account: salt and iterations.
type Derivation = (Vec<u8>, u32);

struct Keys {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Secret {
    /// Nothing is derived before a server has named its salt.
    pub(crate) fn new(hash: Hash, password: &str) -> Self {
        Self {
            hash,
            password: password.to_owned(),
            keys: Mutex::default(),
        }
    }

    /// The name that SASL knows it by.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self.hash {
            Hash::Sha1 => "SCRAM-SHA-1",
            Hash::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn keys(&self, salt: Vec<u8>, iterations: u32) -> Arc<Keys> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let derive = |(salt, iterations): &Derivation| {
            let salted = self.hash.salted(&self.password, salt, *iterations);
            let client = self.hash.hmac(&salted, b"Client Key");
            Arc::new(Keys {
                client,
                server: self.hash.hmac(&salted, b"Server Key"),
            })
        };
        known
            .entry((salt, iterations))
            .or_insert_with_key(derive)
            .clone()
    }
}

/// One authentication, from the client's first message to the server's signature.
pub(crate) struct Exchange<'a> {
    secret: &'a Secret,
    nonce: &'a str,
    first_bare: String,
    signature: Option<Vec<u8>>,
}

impl<'a> Exchange<'a> {
    /// `user` and `nonce` hold neither `,` nor `=`.
    pub(crate) fn new(secret: &'a Secret, user: &str, nonce: &'a str) -> Self {
        Self {
            secret,
            nonce,
            first_bare: format!("n={user},r={nonce}"),
            signature: None,
        }
    }

    /// The client-first-message (RFC 5802 §7), in base64 like all others.
    pub(crate) fn first(&self) -> String {
        BASE64.encode(format!("n,,{}", self.first_bare))
    }

    /// The client-final-message for a server-first-message.
    pub(crate) fn answer(&mut self, challenge: &str) -> Result<String, Error> {
        let refused = || Error::Refused {
            step: "SCRAM",
            answer: challenge.to_owned(),
        };
        let server_first = BASE64
            .decode(challenge)
            .ok()
            .and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(refused)?;
        let field = |key| {
            server_first
                .split(',')
                .find_map(|field: &str| field.strip_prefix(key))
                .ok_or_else(refused)
        };
        let (nonce, salt, iterations) = (field("r=")?, field("s=")?, field("i=")?);
        if !nonce.starts_with(self.nonce) {
            return Err(refused());
        }
        let salt = BASE64.decode(salt).map_err(|_| refused())?;
        let keys = self
            .secret
            .keys(salt, iterations.parse().map_err(|_| refused())?);

        let hash = self.secret.hash;
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let mut proof = hash.hmac(&hash.digest(&keys.client), signed.as_bytes());
        proof
            .iter_mut()
            .zip(&keys.client)
            .for_each(|(byte, key)| *byte ^= key);
        self.signature = Some(hash.hmac(&keys.server, signed.as_bytes()));
        Ok(BASE64.encode(format!("{without_proof},p={}", BASE64.encode(proof))))
    }

    /// Whether the server-final-message proves that the server knows the password too.
    pub(crate) fn verify(&self, server_final: &str) -> Result<(), Error> {
        let expected = self
            .signature
            .as_ref()
            .map(|signature| format!("v={}", BASE64.encode(signature)));
        match (BASE64.decode(server_final), expected) {
            (Ok(got), Some(expected)) if got == expected.as_bytes() => Ok(()),
            _ => Err(Error::Imposter),
        }
    }
}

impl Hash {
    fn salted(self, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        let password = password.as_bytes();
        match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, salt, iterations).to_vec()
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, iterations).to_vec()
            }
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn with<D: EagerHash>(key: &[u8], data: &[u8]) -> Vec<u8> {
            let mac = Hmac::<D>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.chain_update(data).finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha1 => with::<Sha1>(key, data),
            Self::Sha256 => with::<Sha256>(key, data),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Example {
        hash: Hash,
        nonce: &'static str,
        server_first: &'static str,
        client_final: &'static str,
        server_final: &'static str,
    }

    const RFC_5802: Example = Example {
        hash: Hash::Sha1,
        nonce: "fyko+d2lbbFgONRv9qkxdawL",
        server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    };

    const RFC_7677: Example = Example {
        hash: Hash::Sha256,
        nonce: "rOprNGfwEbeRWgbNEkqO",
        server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    };

    /// RFC 5802 §5, RFC 7677 §3
    #[test]
    fn the_examples_of_the_specifications_come_out() {
        for example in [RFC_5802, RFC_7677] {
            let secret = Secret::new(example.hash, "pencil");
            let mut exchange = Exchange::new(&secret, "user", example.nonce);
            assert_eq!(
                exchange.first(),
                BASE64.encode(format!("n,,n=user,r={}", example.nonce))
            );
            let answer = exchange
                .answer(&BASE64.encode(example.server_first))
                .unwrap();
            assert_eq!(answer, BASE64.encode(example.client_final));
            exchange
                .verify(&BASE64.encode(example.server_final))
                .unwrap();
            let forged = exchange.verify(&BASE64.encode("v=AAAA"));
            assert!(matches!(forged, Err(Error::Imposter)));
        }
    }

    #[test]
    fn a_nonce_of_the_servers_own_is_refused() {
        let secret = Secret::new(Hash::Sha1, "pencil");
        let challenge = BASE64.encode("r=other,s=QSXCR+Q6sek8bf92,i=4096");
        assert!(
            Exchange::new(&secret, "user", "mine")
                .answer(&challenge)
                .is_err()
        );
    }
}
