//! A socket, and TLS on it if there is.

use crate::Secured;
use crate::pool::{self, Buffer};
use crate::tls::{Received, TlsAcceptor, TlsSession};
use bytes::{Buf, BytesMut};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One connection's way to its peer.
pub(crate) struct Wire {
    stream: TcpStream,
    tls: Option<TlsSession>,
    /// The beginning of a TLS record.
    early: BytesMut,
    /// What the socket did not take yet.
    unsent: BytesMut,
    /// The peer has said that it will send nothing more.
    is_ended: bool,
    write_timeout: Duration,
}

/// What reading brought.
pub(crate) enum Got {
    /// Nothing yet.
    Nothing,
    /// Something for the protocol.
    Bytes,
    /// The handshake is done; there may be something for the protocol too.
    Secured(Secured),
    /// There will be nothing more.
    End,
}

/// A peer that was told goodbye has so long to close too. Closing a socket
/// with something unread in it resets the connection, and the peer might lose
/// the last that was sent.
const LINGER: Duration = Duration::from_secs(2);

impl Wire {
    pub(crate) fn new(stream: TcpStream, write_timeout: Duration) -> Self {
        Self {
            stream,
            tls: None,
            early: BytesMut::new(),
            unsent: BytesMut::new(),
            is_ended: false,
            write_timeout,
        }
    }

    pub(crate) fn begin_tls(&mut self, acceptor: Option<&TlsAcceptor>) -> io::Result<()> {
        let acceptor = acceptor.ok_or_else(|| io::Error::other("there is no certificate"))?;
        self.tls = Some(acceptor.accept().map_err(io::Error::other)?);
        Ok(())
    }

    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_ended {
            return Poll::Ready(());
        }
        // An error is found by reading.
        self.stream.poll_read_ready(context).map(|_| ())
    }

    /// Appends what has arrived to `input`, without waiting for it.
    pub(crate) async fn read(&mut self, input: &mut BytesMut) -> io::Result<Got> {
        if self.is_ended {
            return Ok(Got::End);
        }
        let Some(tls) = &mut self.tls else {
            return match read_now(&mut self.stream, input).await? {
                None => Ok(Got::Nothing),
                Some(0) => Ok(Got::End),
                Some(_) => Ok(Got::Bytes),
            };
        };
        let mut records = pool::input(&mut self.early);
        let is_end = match read_now(&mut self.stream, &mut records).await? {
            None => {
                pool::take_back(records, &mut self.early);
                return Ok(Got::Nothing);
            }
            Some(bytes) => bytes == 0,
        };
        let mut answer = Buffer::borrow();
        let received = tls.receive(&mut records, input, answer.bytes());
        if received.is_err() {
            tls.alert(answer.bytes());
        }
        pool::take_back(records, &mut self.early);
        self.write(answer.bytes())?;
        let Received { secured, is_closed } = received.map_err(io::Error::other)?;
        self.is_ended = is_end || is_closed;
        Ok(match secured {
            Some(secured) => Got::Secured(secured),
            None if input.is_empty() && self.is_ended => Got::End,
            None => Got::Bytes,
        })
    }

    /// Sends `plain`, encrypted if there is TLS, as far as the socket takes it
    /// at once, which is nearly always the whole.
    pub(crate) fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        if plain.is_empty() {
            return Ok(());
        }
        let Some(tls) = &mut self.tls else {
            return self.write(plain);
        };
        let mut records = Buffer::borrow();
        tls.send(plain, records.bytes()).map_err(io::Error::other)?;
        self.write(records.bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.unsent.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            }
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Whether everything is sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends what the socket did not take. Gives up when the peer has taken
    /// nothing for a while.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let written = timeout(self.write_timeout, self.stream.write(&self.unsent))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            self.unsent.advance(written);
        }
        self.unsent = BytesMut::new();
        Ok(())
    }

    /// Sends the last, says goodbye, and waits a moment for the peer to do the
    /// same.
    pub(crate) async fn close(mut self, last: &[u8]) {
        let goodbye = async {
            self.send(last)?;
            if let Some(tls) = &mut self.tls {
                let mut notify = Buffer::borrow();
                tls.close(notify.bytes());
                self.write(notify.bytes())?;
            }
            self.flush().await?;
            self.stream.shutdown().await?;
            let mut unread = Buffer::borrow();
            while self.stream.read_buf(unread.bytes()).await? > 0 {
                unread.bytes().clear();
            }
            io::Result::Ok(())
        };
        // The connection ends in any case; this was a courtesy.
        let _ = timeout(LINGER, goodbye).await;
    }
}

/// Reads once if something is there; `None` if nothing is.
async fn read_now(stream: &mut TcpStream, into: &mut BytesMut) -> io::Result<Option<usize>> {
    let mut read = pin!(stream.read_buf(into));
    poll_fn(|context| match read.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result.map(Some)),
        Poll::Pending => Poll::Ready(Ok(None)),
    })
    .await
}
