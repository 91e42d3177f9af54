//! What the client and the server have said so far, and what proves something in it. Written from
//! RFC 5802, RFC 4616 and RFC 9266, and not from the code that it is held against.

use super::{ACCOUNT, BINDING, FOREIGN_BINDING, NONCE, PASSWORD, PROOF, SALT, Setting, USER};
use anser_sasl::{Hash, Iterations, Mechanism};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use std::sync::LazyLock;

pub(crate) struct Talk<'a> {
    setting: &'a Setting,
    /// The client's first message and the challenge that it got.
    so_far: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(setting: &'a Setting) -> Self {
        Self {
            setting,
            so_far: None,
        }
    }

    pub(crate) fn challenged(&mut self, message: Vec<u8>, challenge: &[u8]) {
        self.so_far = Some((message, challenge.to_vec()));
    }

    /// Puts into a message what its placeholders stand for.
    pub(crate) fn fill_in(&self, message: &[u8]) -> Vec<u8> {
        let mut filled = Vec::new();
        for &byte in message {
            match (byte, self.scram()) {
                (NONCE, Some(scram)) => filled.extend_from_slice(scram.nonce),
                (BINDING, Some(scram)) => {
                    let binding = scram.binding(self.setting);
                    filled.extend(binding.unwrap_or_default());
                }
                (FOREIGN_BINDING, Some(scram)) => {
                    let binding = scram.binding(&self.setting.elsewhere());
                    filled.extend(binding.unwrap_or_default());
                }
                (PROOF, Some(scram)) => {
                    let before = filled.strip_suffix(b",p=").unwrap_or(&filled);
                    let proof = scram.proof(before);
                    filled.extend_from_slice(proof.as_bytes());
                }
                (other, _) => filled.push(other),
            }
        }
        filled
    }

    /// Asserts that the message, and what came before it, shows that the client knows the
    /// password and is at the other end of the connection; and that the server answers likewise.
    pub(crate) fn assert_proved(&self, message: &[u8], answer: Option<&[u8]>) {
        assert!(self.is_proved(message), "{}", message.escape_ascii());
        let expected = self.scram().map(|scram| scram.signature(message));
        assert_eq!(answer, expected.as_deref().map(str::as_bytes));
    }

    pub(crate) fn is_proved(&self, message: &[u8]) -> bool {
        match (self.setting.mechanism, self.scram()) {
            (Mechanism::Plain, _) => is_password(message),
            (Mechanism::Scram(_) | Mechanism::ScramPlus(_), Some(scram)) => {
                scram.is_proof(message).unwrap_or(false)
            }
            (Mechanism::Scram(_) | Mechanism::ScramPlus(_), None) => false,
        }
    }

    fn scram(&self) -> Option<Scram<'_>> {
        let (first, challenge) = self.so_far.as_ref()?;
        let hash = self.setting.mechanism.hash()?;
        let bare = second_comma(first)? + 1;
        let nonce = challenge.strip_prefix(b"r=")?;
        let nonce = nonce.split(|&byte| byte == b',').next()?;
        let (header, bare) = first.split_at(bare);
        Some(Scram {
            setting: self.setting,
            keys: &KEYS[Hash::ALL.iter().position(|&one| one == hash)?],
            header,
            bare,
            challenge,
            nonce,
        })
    }
}

fn second_comma(message: &[u8]) -> Option<usize> {
    let mut commas = (0..message.len()).filter(|&at| message[at] == b',');
    commas.nth(1)
}

/// `[authzid] NUL authcid NUL passwd`, the latter two prepared (RFC 4616 §2).
fn is_password(message: &[u8]) -> bool {
    let Ok(message) = str::from_utf8(message) else {
        return false;
    };
    let prepares_to = |text, wanted| stringprep::saslprep(text).is_ok_and(|text| text == wanted);
    match message.split('\0').collect::<Vec<_>>()[..] {
        [authzid, user, password] => {
            ["", ACCOUNT].contains(&authzid)
                && prepares_to(user, USER)
                && prepares_to(password, PASSWORD)
        }
        _ => false,
    }
}

/// An exchange in which the challenge is out (RFC 5802 §3).
struct Scram<'a> {
    setting: &'a Setting,
    keys: &'a Keys,
    /// `gs2-header`
    header: &'a [u8],
    /// `client-first-message-bare`
    bare: &'a [u8],
    challenge: &'a [u8],
    nonce: &'a [u8],
}

impl Scram<'_> {
    /// `cbind-input` in base64, if the client may bind in the way that it says.
    fn binding(&self, setting: &Setting) -> Option<Vec<u8>> {
        let bindings = &setting.bindings;
        let is_plus = setting.mechanism.is_plus();
        let flag = self.header.split(|&byte| byte == b',').next()?;
        let data: &[u8] = match flag {
            b"p=tls-exporter" if is_plus => bindings.exporter.as_ref()?,
            b"p=tls-server-end-point" if is_plus => bindings.end_point.as_ref()?,
            b"n" if !is_plus => &[],
            b"y" if !setting.offer.has_plus() => &[],
            _ => return None,
        };
        Some(BASE64.encode([self.header, data].concat()).into_bytes())
    }

    /// `ClientProof` in base64 for a message that goes so far.
    fn proof(&self, without_proof: &[u8]) -> String {
        let signature = self.sign(&self.keys.stored, without_proof);
        let signed = self.keys.client.iter().zip(signature.as_ref());
        BASE64.encode(signed.map(|(a, b)| a ^ b).collect::<Vec<_>>())
    }

    /// `server-final-message`
    fn signature(&self, message: &[u8]) -> String {
        let (without_proof, _) = split_at_proof(message).unwrap_or_default();
        let signature = self.sign(&self.keys.server, without_proof);
        format!("v={}", BASE64.encode(signature))
    }

    fn sign(&self, key: &[u8], without_proof: &[u8]) -> hmac::Tag {
        let message = [self.bare, self.challenge, without_proof].join(&b',');
        hmac::sign(&hmac::Key::new(self.keys.algorithm, key), &message)
    }

    fn is_proof(&self, message: &[u8]) -> Option<bool> {
        let (without_proof, proof) = split_at_proof(message)?;
        let mut fields = without_proof.split(|&byte| byte == b',');
        let binding = fields.next()?.strip_prefix(b"c=")?;
        let nonce = fields.next()?.strip_prefix(b"r=")?;
        Some(
            self.is_of_user()
                && binding == self.binding(self.setting)?
                && nonce == self.nonce
                && proof == self.proof(without_proof).as_bytes(),
        )
    }

    /// Whether the client says that it is the user, and wants to be nobody else.
    fn is_of_user(&self) -> bool {
        let authzid = self.header.split(|&byte| byte == b',').nth(1);
        let name = self.bare.split(|&byte| byte == b',').next();
        let name = name.and_then(|field| str::from_utf8(field.strip_prefix(b"n=")?).ok());
        let is_own = ["".to_owned(), format!("a={ACCOUNT}")]
            .iter()
            .any(|own| authzid == Some(own.as_bytes()));
        is_own && name.is_some_and(|name| stringprep::saslprep(name).is_ok_and(|name| name == USER))
    }
}

fn split_at_proof(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = message.windows(3).rposition(|bytes| bytes == b",p=")?;
    Some((&message[..at], &message[at + 3..]))
}

struct Keys {
    algorithm: hmac::Algorithm,
    client: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

static KEYS: LazyLock<[Keys; 3]> = LazyLock::new(|| Hash::ALL.map(Keys::of));

impl Keys {
    fn of(hash: Hash) -> Self {
        let (algorithm, salted, digest) = match hash {
            Hash::Sha1 => (
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                pbkdf2::PBKDF2_HMAC_SHA1,
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
            ),
            Hash::Sha256 => (
                hmac::HMAC_SHA256,
                pbkdf2::PBKDF2_HMAC_SHA256,
                &digest::SHA256,
            ),
            Hash::Sha512 => (
                hmac::HMAC_SHA512,
                pbkdf2::PBKDF2_HMAC_SHA512,
                &digest::SHA512,
            ),
        };
        let iterations = NonZeroU32::new(Iterations::MIN).expect("it is not zero");
        let mut key = vec![0; hash.len_bytes()];
        pbkdf2::derive(salted, iterations, &SALT, PASSWORD.as_bytes(), &mut key);
        let key = hmac::Key::new(algorithm, &key);
        let client = hmac::sign(&key, b"Client Key").as_ref().to_vec();
        Self {
            algorithm,
            stored: digest::digest(digest, &client).as_ref().to_vec(),
            client,
            server: hmac::sign(&key, b"Server Key").as_ref().to_vec(),
        }
    }
}
