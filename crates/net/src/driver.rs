//! Runs one connection: socket, TLS, buffers, mailbox and timer.
//!
//! An idle connection keeps no buffer. When something arrives, a buffer is
//! borrowed from the thread; what cannot be used yet is all that the connection
//! keeps of it.

use crate::pool::{self, Buffer};
use crate::timer::Timer;
use crate::wire::{Got, Wire};
use crate::{Clock, Next, Protocol, TlsAcceptor};
use anser_store::Timestamp;
use bytes::BytesMut;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What the connections of a door have in common.
#[derive(Debug)]
pub struct Terms {
    /// The clock.
    pub clock: Arc<Clock>,
    /// How TLS is done, if it is.
    pub tls: Option<TlsAcceptor>,
    /// A peer that takes nothing for so long is given up.
    pub write_timeout: Duration,
}

/// Whether TLS comes before everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The protocol may ask for TLS later.
    Plain,
    /// TLS from the first byte.
    Secured,
}

/// Why a connection has come to its end without having broken.
enum Ending {
    Ours,
    Peers,
}

/// What there is to do.
enum Event {
    Readable,
    Mail,
    Deadline,
    Abandoned,
}

/// Runs a connection to its end; `guest` stays as long.
///
/// This is no `async fn`: that would keep its arguments a second time, for as
/// long as the connection lasts.
pub fn drive<P: Protocol, G: Send>(
    stream: TcpStream,
    opening: Opening,
    protocol: P,
    terms: Arc<Terms>,
    guest: G,
) -> impl Future<Output = ()> + Send {
    let mut connection = Connection {
        wire: Wire::new(stream, terms.write_timeout),
        protocol,
        rest: BytesMut::new(),
        terms,
        guest,
    };
    async move {
        let ended = connection.run(opening).await;
        Box::pin(connection.end(ended)).await;
    }
}

struct Connection<P, G> {
    wire: Wire,
    protocol: P,
    /// The beginning of something that has not arrived whole.
    rest: BytesMut,
    terms: Arc<Terms>,
    guest: G,
}

impl<P: Protocol, G: Send> Connection<P, G> {
    /// Until one side has had enough. An error means that the connection broke.
    async fn run(&mut self, opening: Opening) -> io::Result<Ending> {
        if opening == Opening::Secured {
            self.wire.begin_tls(self.terms.tls.as_ref())?;
        }
        let mut timer = pin!(Timer::new());
        let mut mail_first = true;
        loop {
            mail_first = !mail_first;
            let deadline = self.protocol.deadline();
            timer.as_mut().set(deadline, self.terms.clock.now());
            let event = poll_fn(|context| self.poll_event(mail_first, timer.as_mut(), context));
            let event = event.await;
            // Boxed: most connections wait most of the time, and need not keep
            // room for what they do when they do not.
            if let Some(ending) = Box::pin(self.act(event)).await? {
                return Ok(ending);
            }
        }
    }

    fn poll_event(
        &mut self,
        mail_first: bool,
        timer: Pin<&mut Timer>,
        context: &mut Context<'_>,
    ) -> Poll<Event> {
        if self.protocol.poll_abandoned(context).is_ready() {
            return Poll::Ready(Event::Abandoned);
        }
        if mail_first && self.protocol.poll_mail(context).is_ready() {
            return Poll::Ready(Event::Mail);
        }
        let is_readable = self.wire.poll_readable(context).is_ready();
        if is_readable && self.protocol.poll_receivable(context).is_ready() {
            return Poll::Ready(Event::Readable);
        }
        if !mail_first && self.protocol.poll_mail(context).is_ready() {
            return Poll::Ready(Event::Mail);
        }
        timer.poll(context).map(|()| Event::Deadline)
    }

    /// Does what there is to do, and says when the connection is over.
    async fn act(&mut self, event: Event) -> io::Result<Option<Ending>> {
        let now = self.terms.clock.now();
        let mut output = Buffer::borrow();
        let next = match event {
            Event::Abandoned => return Ok(Some(Ending::Peers)),
            Event::Mail => self.protocol.mail(output.bytes(), now).await,
            Event::Deadline => self.time_out(output.bytes(), now),
            Event::Readable => {
                let mut input = pool::input(&mut self.rest);
                match self.wire.read(&mut input).await? {
                    Got::Nothing | Got::Bytes => {}
                    Got::Secured(secured) => self.protocol.secured(secured),
                    Got::End => return Ok(Some(Ending::Peers)),
                }
                let mut next = Next::Continue;
                while !input.is_empty() {
                    let received = self.protocol.receive(&mut input, output.bytes(), now);
                    next = received.await;
                    if next != Next::More {
                        break;
                    }
                    if !self.send(output.bytes()).await? {
                        return Ok(Some(Ending::Peers));
                    }
                }
                if next == Next::Continue {
                    pool::take_back(input, &mut self.rest);
                }
                next
            }
        };
        let is_sent = self.send(output.bytes()).await?;
        drop(output);
        if !is_sent {
            return Ok(Some(Ending::Peers));
        }
        match next {
            Next::Continue | Next::More => Ok(None),
            Next::Secure => {
                self.wire.begin_tls(self.terms.tls.as_ref())?;
                Ok(None)
            }
            Next::Close => Ok(Some(Ending::Ours)),
        }
    }

    /// Sends what is in `output`, and empties it. Says whether the peer has
    /// taken it all.
    async fn send(&mut self, output: &mut BytesMut) -> io::Result<bool> {
        self.wire.send(output)?;
        output.clear();
        if self.wire.is_flushed() {
            return Ok(true);
        }
        self.flush().await
    }

    /// The timer may have been early: it is the protocol that knows when.
    fn time_out(&mut self, output: &mut BytesMut, now: Timestamp) -> Next {
        match self.protocol.deadline() {
            Some(deadline) if deadline <= now => self.protocol.time_out(output, now),
            _ => Next::Continue,
        }
    }

    /// Waits until the peer has taken everything, as long as the protocol has
    /// time for that. Says whether the peer has.
    async fn flush(&mut self) -> io::Result<bool> {
        let Some(end) = self.protocol.ends_at() else {
            return self.flush_all().await;
        };
        let left = end.since(self.terms.clock.now());
        let flushed = timeout(left, self.flush_all()).await;
        flushed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Waits until the peer has taken everything, unless somebody else goes on
    /// with what the connection was for. Says whether the peer has.
    async fn flush_all(&mut self) -> io::Result<bool> {
        let mut flush = pin!(self.wire.flush());
        poll_fn(|context| {
            if let Poll::Ready(flushed) = flush.as_mut().poll(context) {
                return Poll::Ready(flushed.map(|()| true));
            }
            self.protocol.poll_abandoned(context).map(|()| Ok(false))
        })
        .await
    }

    async fn end(mut self, ended: io::Result<Ending>) {
        let mut last = BytesMut::new();
        match ended {
            Ok(Ending::Ours) => {}
            Ok(Ending::Peers) => self.lose(&mut last).await,
            Err(error) => {
                tracing::debug!(%error, "connection broken");
                self.lose(&mut last).await;
                return;
            }
        }
        // What the protocol holds is free while the goodbye is on its way.
        drop(self.protocol);
        self.wire.close(&last).await;
        drop(self.guest);
    }

    async fn lose(&mut self, last: &mut BytesMut) {
        self.protocol.lost(last, self.terms.clock.now()).await;
    }
}
