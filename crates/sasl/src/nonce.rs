//! The random text that makes every SCRAM exchange different.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What one end contributes to the nonce: printable ASCII without comma
/// (RFC 5802 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

/// The text is empty or has a byte that a nonce may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a nonce")]
pub struct InvalidNonce;

impl Nonce {
    /// Writes 144 random bits as text.
    pub fn from_random(bytes: [u8; 18]) -> Self {
        Self(BASE64.encode(bytes))
    }

    /// Takes text as it is.
    ///
    /// # Errors
    /// [`InvalidNonce`] if the grammar does not allow it.
    pub fn parse(text: &str) -> Result<Self, InvalidNonce> {
        if is_nonce(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidNonce)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a nonce may be this text (RFC 5802 §7, `printable`).
pub(crate) fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
}
