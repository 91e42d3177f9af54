//! A connection, and TLS on it if there is.

use super::{Fault, PATIENCE, Way, protocol};
use anser_sasl::ChannelBindings;
use bytes::BytesMut;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

pub(super) enum Wire {
    Plain(TcpStream),
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Wire {
    pub(super) fn connect(way: &Way) -> Result<Self, Fault> {
        let (Way::Plain(door) | Way::StartTls(door, _) | Way::DirectTls(door, _)) = way;
        let stream = TcpStream::connect(door)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::Plain(stream))
    }

    /// The same connection with TLS on it.
    pub(super) fn secure(
        &self,
        domain: &str,
        authority: &Path,
        alpn: &[&str],
    ) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(authority).map_err(protocol)?;
        roots.add(certificate).map_err(protocol)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(protocol)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| (*name).into()).collect();
        let name = ServerName::try_from(domain.to_owned()).map_err(protocol)?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(protocol)?;
        let mut stream = self.tcp().try_clone()?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        let stream = StreamOwned::new(connection, stream);
        Ok(Self::Secured(Box::new(stream)))
    }

    /// What ties an exchange to this connection (RFC 9266 §2).
    pub(super) fn bindings(&self) -> Result<ChannelBindings, Fault> {
        let mut bindings = ChannelBindings::default();
        if let Self::Secured(stream) = self {
            let label = b"EXPORTER-Channel-Binding";
            let data = stream
                .conn
                .export_keying_material([0; 32], label, None)
                .map_err(protocol)?;
            bindings.exporter = Some(data);
        }
        Ok(bindings)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let stream = self.stream();
        stream.write_all(bytes)?;
        Ok(stream.flush()?)
    }

    /// Appends what has arrived, or waits for it.
    pub(super) fn read(&mut self, input: &mut BytesMut, deadline: Instant) -> Result<(), Fault> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Fault::Silence);
        }
        self.tcp().set_read_timeout(Some(left))?;
        let mut bytes = [0; 16 << 10];
        match self.stream().read(&mut bytes) {
            Ok(0) => Err(Fault::Closed),
            Ok(count) => {
                input.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if is_silence(&error) => Err(Fault::Silence),
            Err(error) => Err(error.into()),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(stream) => stream.get_ref(),
        }
    }

    fn stream(&mut self) -> &mut dyn Stream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(stream) => stream,
        }
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
