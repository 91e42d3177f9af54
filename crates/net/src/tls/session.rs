//! One connection's TLS.

use super::binding::Notes;
use crate::Secured;
use bytes::{Buf, BytesMut};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{Error, ServerConfig};
use std::sync::Arc;

/// TLS over buffers that belong to whoever calls.
pub(crate) struct TlsSession {
    connection: Box<UnbufferedServerConnection>,
    /// Only until the handshake is done.
    notes: Option<Box<Notes>>,
}

/// What decrypting found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// The handshake was finished by this.
    pub(crate) secured: Option<Secured>,
    /// The peer will send nothing more.
    pub(crate) is_closed: bool,
}

/// What a record adds to its content, generously.
const RECORD_OVERHEAD: usize = 64;
/// The largest content of a record.
const RECORD_CONTENT: usize = 16_384;

impl TlsSession {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self {
            connection: Box::new(UnbufferedServerConnection::new(config)?),
            notes: Some(Box::default()),
        })
    }

    /// Takes complete records off the front of `wire`, puts what they hold into
    /// `plain` and what is to be sent because of them into `output`.
    pub(crate) fn receive(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<Received, Error> {
        let mut received = Received::default();
        loop {
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(wire);
            if let Some(notes) = &mut self.notes {
                notes.collect();
            }
            let is_done = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        plain.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                    false
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    append(output, 0, |room| data.encode(room))?;
                    false
                }
                // It is in `output`, and that is sent before anything else.
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    false
                }
                ConnectionState::PeerClosed => {
                    received.is_closed = true;
                    false
                }
                _ => true,
            };
            wire.advance(discard);
            if is_done {
                break;
            }
        }
        if !self.connection.is_handshaking()
            && let Some(notes) = self.notes.take()
        {
            let suite = self.connection.negotiated_cipher_suite();
            received.secured = Some(notes.finish(suite.map(|suite| suite.suite())));
        }
        Ok(received)
    }

    /// Takes out what is to be told to the peer after `receive` has failed.
    pub(crate) fn alert(&mut self, output: &mut BytesMut) {
        loop {
            let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
            match state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    // A peer that broke the protocol may miss the reason.
                    let _ = append(output, 0, |room| data.encode(room));
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Encrypts `plain` to the end of `output`.
    pub(crate) fn send(&mut self, plain: &[u8], output: &mut BytesMut) -> Result<(), Error> {
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
        let ConnectionState::WriteTraffic(mut traffic) = state? else {
            return Err(Error::HandshakeNotComplete);
        };
        let records = plain.len() / RECORD_CONTENT + 1;
        append(output, plain.len() + records * RECORD_OVERHEAD, |room| {
            traffic.encrypt(plain, room)
        })
    }

    /// Says that nothing more will be sent.
    pub(crate) fn close(&mut self, output: &mut BytesMut) {
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state {
            // The connection ends either way.
            let _ = append(output, RECORD_OVERHEAD, |room| {
                traffic.queue_close_notify(room)
            });
        }
    }
}

/// Something that rustls could not write.
enum WriteFault {
    TooSmall(InsufficientSizeError),
    Other(Error),
}

impl From<EncodeError> for WriteFault {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(error) => Self::TooSmall(error),
            EncodeError::AlreadyEncoded => Self::Other(Error::General("encoded twice".into())),
        }
    }
}

impl From<EncryptError> for WriteFault {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(error) => Self::TooSmall(error),
            EncryptError::EncryptExhausted => Self::Other(Error::EncryptError),
        }
    }
}

/// Has `write` write behind the end of `output`: into `guess` bytes at first,
/// and if that is too little, into as much as it asks for.
fn append<E: Into<WriteFault>>(
    output: &mut BytesMut,
    guess: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<(), Error> {
    let end = output.len();
    output.resize(end + guess, 0);
    let mut written = write(&mut output[end..]).map_err(Into::into);
    if let Err(WriteFault::TooSmall(InsufficientSizeError { required_size })) = written {
        output.resize(end + required_size, 0);
        written = write(&mut output[end..]).map_err(Into::into);
    }
    match written {
        Ok(written) => {
            output.truncate(end + written);
            Ok(())
        }
        Err(WriteFault::TooSmall(_)) => Err(Error::EncryptError),
        Err(WriteFault::Other(error)) => Err(error),
    }
}
