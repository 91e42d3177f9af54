//! Which certificate a client gets to see.

use super::binding::note_end_point;
use ring::digest;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// A certificate chain with its key.
#[derive(Debug, Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    /// `tls-server-end-point` of the certificate (RFC 5929 §4.1).
    end_point: Option<Vec<u8>>,
}

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read as PEM.
    #[error("{path}: {reason}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key does not fit the certificate, or is of an unknown sort.
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
}

impl Identity {
    /// From the DER forms; the chain begins with our own certificate.
    ///
    /// # Errors
    /// [`CertificateError::Unusable`]
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, CertificateError> {
        let unusable = |error: rustls::Error| CertificateError::Unusable(error.to_string());
        let key = any_supported_type(key).map_err(unusable)?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            // "Unknown" is what a key says that cannot tell.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(error) => return Err(unusable(error)),
        }
        let leaf = key.end_entity_cert().map_err(unusable)?;
        let end_point = end_point(leaf);
        Ok(Self {
            key: Arc::new(key),
            end_point,
        })
    }

    /// From PEM files: the chain, our own certificate first, and the key.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read_error = |path: &Path, reason: String| CertificateError::Read {
            path: path.to_owned(),
            reason,
        };
        let certificates = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| read_error(chain, error.to_string()))?;
        if certificates.is_empty() {
            return Err(read_error(chain, "no certificate in it".into()));
        }
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| read_error(key, error.to_string()))?;
        Self::new(certificates, &key)
    }
}

/// The certificates in use, by the name that a client asks for. Replacing one
/// concerns connections from then on.
#[derive(Debug)]
pub struct Certificates {
    identities: RwLock<Identities>,
}

#[derive(Debug)]
struct Identities {
    by_name: HashMap<String, Identity>,
    /// For clients that ask for no name, or for one that we do not know.
    default: Identity,
}

impl Certificates {
    /// One identity for every name.
    #[must_use]
    pub fn new(default: Identity) -> Self {
        Self {
            identities: RwLock::new(Identities {
                by_name: HashMap::new(),
                default,
            }),
        }
    }

    /// Puts others in the place of all that there are.
    pub fn replace(&self, default: Identity, by_name: HashMap<String, Identity>) {
        let mut identities = self
            .identities
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *identities = Identities { by_name, default };
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identities = self
            .identities
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let named = hello
            .server_name()
            .and_then(|name| identities.by_name.get(name));
        let identity = named.unwrap_or(&identities.default);
        note_end_point(identity.end_point.clone());
        Some(Arc::clone(&identity.key))
    }
}

/// The hash of a certificate, by the function that its signature uses, but
/// SHA-256 at least. `None` if the signature uses none or is not known
/// (RFC 5929 §4.1).
fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let algorithm = signature_algorithm(certificate)?;
    let hash = match algorithm {
        // ecdsa-with-SHA256, sha256WithRSAEncryption
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]
        | [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11] => &digest::SHA256,
        // md5WithRSAEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => &digest::SHA256,
        // ecdsa-with-SHA384, sha384WithRSAEncryption
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]
        | [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => &digest::SHA384,
        // ecdsa-with-SHA512, sha512WithRSAEncryption
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]
        | [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// The object identifier in `signatureAlgorithm`, the second part of a
/// certificate (RFC 5280 §4.1).
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    let (certificate, _) = der_value(certificate, SEQUENCE)?;
    let (_to_be_signed, rest) = der_value(certificate, SEQUENCE)?;
    let (algorithm, _) = der_value(rest, SEQUENCE)?;
    Some(der_value(algorithm, OBJECT_IDENTIFIER)?.0)
}

/// The content of the DER value that `bytes` begin with, and what follows it.
fn der_value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = bytes.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
