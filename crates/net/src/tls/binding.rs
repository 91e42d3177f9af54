//! What binds an authentication to the TLS connection that it goes through.

use ring::digest;
use ring::hkdf::{self, KeyType, Prk};
use rustls::{CipherSuite, KeyLog};
use std::cell::RefCell;

/// What is known of a connection once its handshake is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secured {
    /// `tls-exporter` (RFC 9266 §4.2), with TLS 1.3 only: an older one would
    /// need an extension of the handshake to make it unique.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4.1): the hash of our certificate.
    pub end_point: Option<Vec<u8>>,
}

/// rustls computes the secret that exported keys are derived from, but its
/// unbuffered connections have no way to ask for one. It does offer the secret
/// to a key log, during the call that finishes the handshake and on the same
/// thread. So the log of ours puts it down where that call's end picks it up.
/// No other secret is ever asked for.
#[derive(Debug)]
pub(super) struct HandshakeNotes;

const EXPORTER_SECRET: &str = "EXPORTER_SECRET";

thread_local! {
    static EXPORTER: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    static END_POINT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

impl KeyLog for HandshakeNotes {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if label == EXPORTER_SECRET {
            EXPORTER.set(Some(secret.to_owned()));
        }
    }

    fn will_log(&self, label: &str) -> bool {
        label == EXPORTER_SECRET
    }
}

/// Notes the certificate that the handshake under way on this thread uses.
pub(super) fn note_end_point(hash: Option<Vec<u8>>) {
    END_POINT.set(hash);
}

/// What one handshake has noted so far; it may take several calls, with those
/// of other connections in between.
#[derive(Debug, Default)]
pub(super) struct Notes {
    exporter_secret: Option<Vec<u8>>,
    end_point: Option<Vec<u8>>,
}

impl Notes {
    /// Picks up what the call that just returned has noted.
    pub(super) fn collect(&mut self) {
        if let Some(secret) = EXPORTER.take() {
            self.exporter_secret = Some(secret);
        }
        if let Some(hash) = END_POINT.take() {
            self.end_point = Some(hash);
        }
    }

    pub(super) fn finish(self, suite: Option<CipherSuite>) -> Secured {
        let secret = self.exporter_secret;
        Secured {
            exporter: secret.and_then(|secret| channel_binding(suite?, &secret)),
            end_point: self.end_point,
        }
    }
}

/// TLS-Exporter("EXPORTER-Channel-Binding", "", 32) (RFC 8446 §7.5).
fn channel_binding(suite: CipherSuite, secret: &[u8]) -> Option<[u8; 32]> {
    let (kdf, hash) = match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => (hkdf::HKDF_SHA384, &digest::SHA384),
        CipherSuite::TLS13_AES_128_GCM_SHA256 | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => {
            (hkdf::HKDF_SHA256, &digest::SHA256)
        }
        _ => return None,
    };
    let of_nothing = digest::digest(hash, b"");
    let mut derived = vec![0; hash.output_len()];
    expand_label(
        &Prk::new_less_safe(kdf, secret),
        b"EXPORTER-Channel-Binding",
        of_nothing.as_ref(),
        &mut derived,
    )?;
    let mut exported = [0; 32];
    expand_label(
        &Prk::new_less_safe(kdf, &derived),
        b"exporter",
        of_nothing.as_ref(),
        &mut exported,
    )?;
    Some(exported)
}

/// HKDF-Expand-Label (RFC 8446 §7.1).
fn expand_label(secret: &Prk, label: &[u8], context: &[u8], output: &mut [u8]) -> Option<()> {
    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    let length = u16::try_from(output.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(label.len()).ok()? + 6];
    let context_length = [u8::try_from(context.len()).ok()?];
    let info = [
        &length[..],
        &label_length,
        b"tls13 ",
        label,
        &context_length,
        context,
    ];
    let okm = secret.expand(&info, Length(output.len())).ok()?;
    okm.fill(output).ok()
}
