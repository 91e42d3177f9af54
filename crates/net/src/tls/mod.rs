//! TLS without buffers of its own, so that an idle connection keeps none.

mod binding;
mod certificates;
mod local_ca;
mod session;

pub use binding::Secured;
pub use certificates::{CertificateError, Certificates, Identity};
pub use local_ca::local_identity;
pub(crate) use session::{Received, TlsSession};

use binding::HandshakeNotes;
use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use std::sync::Arc;

/// How a door does TLS.
#[derive(Debug, Clone)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
}

/// RFC 7590 §3.1 wants 1.2 and nothing older.
const VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

impl TlsAcceptor {
    /// For connections that speak one of `protocols` by ALPN, or say nothing;
    /// none for connections that begin with TLS in the middle.
    ///
    /// # Panics
    /// Never: the versions are ones that the provider has.
    #[must_use]
    pub fn new(certificates: Arc<Certificates>, protocols: &[&str]) -> Self {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(VERSIONS)
            .expect("the provider has both versions")
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = protocols.iter().map(|name| (*name).into()).collect();
        // A stored session would be memory for clients that are not there; a
        // ticket is the client's to keep.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        match ring::Ticketer::new() {
            Ok(ticketer) => config.ticketer = ticketer,
            Err(error) => tracing::warn!(%error, "no resumption of TLS sessions"),
        }
        config.send_tls13_tickets = 1;
        config.key_log = Arc::new(HandshakeNotes);
        Self {
            config: Arc::new(config),
        }
    }

    pub(crate) fn accept(&self) -> Result<TlsSession, rustls::Error> {
        TlsSession::new(Arc::clone(&self.config))
    }
}
