//! Runs one connection: socket, TLS, buffers, mailbox and timer.
//!
//! An idle connection keeps no buffer. When something arrives, a buffer is
//! borrowed from the thread; what cannot be used yet is all that the connection
//! keeps of it.

use crate::pool::{self, Buffer};
use crate::timer::Timer;
use crate::wire::{Got, Wire};
use crate::{Clock, Next, Protocol, TlsAcceptor};
use bytes::BytesMut;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;

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

/// Runs a connection to its end.
pub async fn drive<P: Protocol>(
    stream: TcpStream,
    opening: Opening,
    mut protocol: P,
    terms: &Terms,
) {
    let mut wire = Wire::new(stream, terms.write_timeout);
    let ended = run(&mut wire, opening, &mut protocol, terms).await;
    let mut last = BytesMut::new();
    match ended {
        Ok(Ending::Ours) => {}
        Ok(Ending::Peers) => protocol.lost(&mut last, terms.clock.now()).await,
        Err(error) => {
            tracing::debug!(%error, "connection broken");
            protocol.lost(&mut last, terms.clock.now()).await;
            return;
        }
    }
    // What the protocol holds is free while the goodbye is on its way.
    drop(protocol);
    Box::pin(wire.close(&last)).await;
}

/// Until one side has had enough. An error means that the connection broke.
async fn run<P: Protocol>(
    wire: &mut Wire,
    opening: Opening,
    protocol: &mut P,
    terms: &Terms,
) -> io::Result<Ending> {
    if opening == Opening::Secured {
        wire.begin_tls(terms.tls.as_ref())?;
    }
    let mut timer = pin!(Timer::new());
    // The beginning of something that has not arrived whole.
    let mut rest = BytesMut::new();
    let mut mail_first = true;
    loop {
        mail_first = !mail_first;
        let deadline = protocol.deadline();
        timer.as_mut().set(deadline, terms.clock.now());
        let event = poll_fn(|context| {
            if protocol.poll_abandoned(context).is_ready() {
                return Poll::Ready(Event::Abandoned);
            }
            if mail_first && protocol.poll_mail(context).is_ready() {
                return Poll::Ready(Event::Mail);
            }
            if wire.poll_readable(context).is_ready() {
                return Poll::Ready(Event::Readable);
            }
            if !mail_first && protocol.poll_mail(context).is_ready() {
                return Poll::Ready(Event::Mail);
            }
            timer.as_mut().poll(context).map(|()| Event::Deadline)
        })
        .await;
        let now = terms.clock.now();
        let mut output = Buffer::borrow();
        let next = match event {
            Event::Abandoned => return Ok(Ending::Peers),
            Event::Mail => protocol.mail(output.bytes(), now).await,
            Event::Deadline if deadline.is_some_and(|deadline| deadline > now) => Next::Continue,
            Event::Deadline => protocol.time_out(output.bytes(), now),
            Event::Readable => {
                let mut input = pool::input(&mut rest);
                match wire.read(&mut input).await? {
                    Got::Nothing | Got::Bytes => {}
                    Got::Secured(secured) => protocol.secured(secured),
                    Got::End => return Ok(Ending::Peers),
                }
                let next = if input.is_empty() {
                    Next::Continue
                } else {
                    protocol.receive(&mut input, output.bytes(), now).await
                };
                if next == Next::Continue {
                    pool::take_back(input, &mut rest);
                }
                next
            }
        };
        wire.send(output.bytes())?;
        drop(output);
        if !wire.is_flushed() {
            let flushed = Box::pin(flush(wire, protocol)).await?;
            if !flushed {
                return Ok(Ending::Peers);
            }
        }
        match next {
            Next::Continue => {}
            Next::Secure => wire.begin_tls(terms.tls.as_ref())?,
            Next::Close => return Ok(Ending::Ours),
        }
    }
}

/// Waits until the peer has taken everything, unless somebody else goes on with
/// what the connection was for. Says whether the peer has.
async fn flush<P: Protocol>(wire: &mut Wire, protocol: &mut P) -> io::Result<bool> {
    let mut flush = pin!(wire.flush());
    poll_fn(|context| {
        if let Poll::Ready(flushed) = flush.as_mut().poll(context) {
            return Poll::Ready(flushed.map(|()| true));
        }
        protocol.poll_abandoned(context).map(|()| Ok(false))
    })
    .await
}
