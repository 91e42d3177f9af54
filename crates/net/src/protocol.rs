//! What a front end puts behind a connection.

use crate::Secured;
use anser_store::Timestamp;
use bytes::BytesMut;
use std::future::Future;
use std::task::{Context, Poll};

/// One connection's side of a protocol: bytes, mail and time in, bytes out.
///
/// It does no I/O. The driver calls one method at a time and writes what that
/// left in `output` before it calls the next.
pub trait Protocol: Send {
    /// Whether [`Protocol::receive`] may be called. Until it may, what arrives
    /// stays where it is, and everything else goes on.
    fn poll_receivable(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Handles what has arrived. What is not complete yet stays in `input` and
    /// is there again, with more behind it, the next time.
    fn receive(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> impl Future<Output = Next> + Send;

    /// Whether [`Protocol::mail`] has something to do.
    fn poll_mail(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Handles what others have for this connection, a good bite at a time.
    fn mail(&mut self, output: &mut BytesMut, now: Timestamp) -> impl Future<Output = Next> + Send;

    /// Ready when somebody else goes on with what this connection was for: it
    /// is then lost, even in the middle of writing.
    fn poll_abandoned(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// When [`Protocol::time_out`] is to be called, if nothing happens before.
    fn deadline(&self) -> Option<Timestamp>;

    /// When the connection is given up if its peer does not take what it is sent:
    /// [`Protocol::time_out`] is not called while something waits to be written.
    fn ends_at(&self) -> Option<Timestamp>;

    /// Handles that the deadline has passed.
    fn time_out(&mut self, output: &mut BytesMut, now: Timestamp) -> Next;

    /// The connection is encrypted from now on.
    fn secured(&mut self, secured: Secured);

    /// Nothing more will arrive: the peer has closed, the connection broke or
    /// was abandoned. What is left in `output` is written if that is still
    /// possible.
    fn lost(&mut self, output: &mut BytesMut, now: Timestamp) -> impl Future<Output = ()> + Send;
}

/// How a connection goes on after its output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// As before.
    Continue,
    /// There is more to handle in the input, once the output is written.
    More,
    /// The client is about to begin with TLS. What it sent before that is
    /// thrown away: it was not protected.
    Secure,
    /// Not at all.
    Close,
}
