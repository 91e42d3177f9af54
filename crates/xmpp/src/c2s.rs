//! One client's connection.

use crate::bound::{BITE_BYTES, Bound};
use crate::front::{Entry, Xmpp};
use crate::negotiation::{Negotiation, Progress};
use anser_net::{Next, Protocol, Secured};
use anser_store::{Room, Timestamp};
use anser_xml::{Event, Limits, Scanner};
use anser_xmpp_proto::{StreamCondition, StreamError};
use bytes::BytesMut;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One client's connection, from its first byte to its last.
#[derive(Debug)]
pub struct C2s {
    front: Arc<Xmpp>,
    scanner: Scanner,
    room: Room,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Finding out who it is.
    Negotiating(Box<Negotiation>),
    /// Exchanging stanzas.
    Bound(Box<Bound>),
    /// Nothing more to say.
    Over,
}

impl C2s {
    pub(crate) fn new(front: Arc<Xmpp>, entry: Entry, now: Timestamp) -> Self {
        let negotiation = Negotiation::new(entry, now);
        Self {
            front,
            scanner: Scanner::new(Limits::BEFORE_AUTHENTICATION),
            room: Room::default(),
            phase: Phase::Negotiating(Box::new(negotiation)),
        }
    }

    async fn handle(&mut self, event: Event, output: &mut BytesMut, now: Timestamp) -> Next {
        match &mut self.phase {
            Phase::Negotiating(negotiation) => {
                let progress = negotiation.handle(&self.front, event, output, now).await;
                self.proceed(progress, output)
            }
            Phase::Bound(bound) => {
                let step = match event {
                    Event::Element(element) => {
                        bound.handle(&self.front, &element, output, now).await
                    }
                    Event::Close => {
                        bound.close(&self.front, output, now).await;
                        Err(None)
                    }
                    Event::Open(_) => Err(Some(StreamCondition::InvalidNamespace.into())),
                };
                match step {
                    Ok(()) => Next::Continue,
                    Err(error) => self.finish(output, error),
                }
            }
            Phase::Over => Next::Close,
        }
    }

    fn proceed(&mut self, progress: Progress, output: &mut BytesMut) -> Next {
        match progress {
            Progress::Same => Next::Continue,
            Progress::Secure => {
                self.scanner.restart();
                Next::Secure
            }
            Progress::Authenticated => {
                self.scanner.restart();
                self.scanner.set_limits(self.front.config().limits());
                Next::Continue
            }
            Progress::Bound(bound) => {
                self.phase = Phase::Bound(bound);
                Next::Continue
            }
            Progress::Over(error) => self.finish(output, error),
        }
    }

    /// Ends the stream from our side, with an error if there is one.
    fn finish(&mut self, output: &mut BytesMut, error: Option<StreamError>) -> Next {
        if let Phase::Negotiating(negotiation) = &mut self.phase {
            // An error needs a stream to stand in (RFC 6120 §4.9.1.2).
            negotiation.write_header_if_missing(&self.front, output);
        }
        match error {
            Some(error) => error.write(output),
            None => output.extend_from_slice(b"</stream:stream>"),
        }
        if let Some(bound) = self.take_bound() {
            bound.end(&self.front);
        }
        self.phase = Phase::Over;
        Next::Close
    }

    /// The session, if there is one; nothing is left to say then.
    fn take_bound(&mut self) -> Option<Box<Bound>> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Bound(bound) => Some(bound),
            other @ (Phase::Negotiating(_) | Phase::Over) => {
                self.phase = other;
                None
            }
        }
    }
}

impl Protocol for C2s {
    /// A full journal stops the reading of sockets, and nothing else.
    fn poll_receivable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let journal = self.front.hub().journal();
        journal.poll_room(&mut self.room, context)
    }

    async fn receive(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Next {
        match &mut self.phase {
            Phase::Negotiating(negotiation) => {
                if let Err(error) = negotiation.count(&self.front, input.len()) {
                    return self.finish(output, Some(error));
                }
            }
            Phase::Bound(bound) => bound.heard(now),
            Phase::Over => {}
        }
        loop {
            let next = match self.scanner.next(input) {
                Ok(Some(event)) => self.handle(event, output, now).await,
                Ok(None) => break,
                Err(fault) => {
                    let condition = StreamCondition::from(fault.condition());
                    self.finish(output, Some(condition.because(fault)))
                }
            };
            if next != Next::Continue {
                return next;
            }
            if output.len() >= BITE_BYTES && matches!(self.phase, Phase::Bound(_)) {
                return Next::More;
            }
        }
        if let Phase::Negotiating(negotiation) = &mut self.phase {
            negotiation.left(input.len());
        }
        self.scanner.release();
        Next::Continue
    }

    fn poll_mail(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.phase {
            Phase::Bound(bound) => bound.poll_mail(&self.front, context),
            Phase::Negotiating(_) | Phase::Over => Poll::Pending,
        }
    }

    async fn mail(&mut self, output: &mut BytesMut, now: Timestamp) -> Next {
        let Phase::Bound(bound) = &mut self.phase else {
            return Next::Continue;
        };
        match bound.mail(&self.front, output, now).await {
            Ok(()) => Next::Continue,
            Err(error) => self.finish(output, Some(error)),
        }
    }

    fn poll_abandoned(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.phase {
            Phase::Bound(bound) => bound.poll_abandoned(context),
            Phase::Negotiating(_) | Phase::Over => Poll::Pending,
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Negotiating(negotiation) => Some(negotiation.deadline(&self.front)),
            Phase::Bound(bound) => Some(bound.deadline()),
            Phase::Over => None,
        }
    }

    fn ends_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Negotiating(negotiation) => Some(negotiation.deadline(&self.front)),
            // Slow readers cost themselves only, and the driver has its patience.
            Phase::Bound(_) | Phase::Over => None,
        }
    }

    fn time_out(&mut self, output: &mut BytesMut, now: Timestamp) -> Next {
        if let Phase::Bound(bound) = &mut self.phase
            && bound.time_out(&self.front, output, now)
        {
            return Next::Continue;
        }
        match self.take_bound() {
            // Silence is how a broken connection looks.
            Some(bound) => {
                self.front.park(bound, now);
                StreamError::from(StreamCondition::ConnectionTimeout).write(output);
                Next::Close
            }
            None => self.finish(output, Some(StreamCondition::ConnectionTimeout.into())),
        }
    }

    fn secured(&mut self, secured: Secured) {
        if let Phase::Negotiating(negotiation) = &mut self.phase {
            negotiation.secured(secured);
        }
    }

    async fn lost(&mut self, output: &mut BytesMut, now: Timestamp) {
        if let Some(bound) = self.take_bound() {
            if bound.is_wanted() {
                let reason = "the stream goes on in another connection";
                StreamCondition::Conflict.because(reason).write(output);
            }
            self.front.park(bound, now);
        }
    }
}

/// Nobody called an end: the task was torn down.
impl Drop for C2s {
    fn drop(&mut self) {
        if let Some(bound) = self.take_bound() {
            bound.end(&self.front);
        }
    }
}
