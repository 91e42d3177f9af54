//! One client of a load with messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::select;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ledger::{Arrival, Ledger};
use crate::pace::Pacer;
use crate::xmpp::{Element, Error, Incoming, Session};

/// What a client is in a load: where it writes, and what it should get.
pub(crate) trait Seat: Send + 'static {
    /// The flow that it writes; nothing if it only reads.
    fn flow(&self) -> Option<usize>;
    /// The stanza with its message of this number.
    fn message(&self, number: usize, body: &str) -> String;
    /// What an arriving message with a body is here; nothing if it should not have come.
    fn place(&self, message: &Element) -> Option<Place>;
    /// A message was taken, the first time that it came.
    fn taken(&self, place: Place, number: usize);
}

/// A flow, and which of its receivers, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// Of the ledger.
    pub(crate) flow: usize,
    /// Of the flow.
    pub(crate) receiver: usize,
}

/// One client, writing if its seat says so, and counting what comes.
pub(crate) struct Talker<S> {
    /// Logged in.
    pub(crate) session: Session,
    /// What it is.
    pub(crate) seat: S,
    /// Messages after which it asks for acknowledgement; 0: only at the end.
    pub(crate) ack_every: usize,
    /// How long the last acknowledgement may take.
    pub(crate) patience: Duration,
    /// The books of the run.
    pub(crate) ledger: Arc<Ledger>,
    /// What makes messages due.
    pub(crate) pacer: Arc<Pacer>,
}

impl<S: Seat> Talker<S> {
    /// Talks until told to stop; gives the number of stanzas that were never acknowledged.
    pub(crate) async fn talk(mut self, mut stopped: watch::Receiver<()>) -> Result<u32, Error> {
        let flow = self.seat.flow();
        let (mut next, mut has_more) = (0, flow.is_some());
        let flow = flow.unwrap_or_default();
        loop {
            // `next` stands first: it writes each message before there is a turn for another.
            select! {
                biased;
                incoming = self.session.next() => self.receive(&incoming?),
                turn = self.pacer.turn(flow, next), if has_more => match turn {
                    Some(due) => {
                        next += 1;
                        self.send(flow, due);
                    }
                    None => has_more = false,
                },
                _ = stopped.changed() => break,
            }
        }
        let unacknowledged = self.settle().await;
        self.session.close().await;
        unacknowledged
    }

    fn send(&mut self, flow: usize, due: Instant) {
        let (number, body) = self.ledger.send(flow, due, Instant::now());
        self.session.queue(&self.seat.message(number, &body));
        if self.ack_every > 0 && (number + 1) % self.ack_every == 0 {
            self.session.request_acknowledgement();
        }
    }

    fn receive(&self, incoming: &Incoming) {
        let Incoming::Stanza(stanza) = incoming else {
            return;
        };
        if stanza.name() != b"message" {
            return;
        }
        if stanza.attribute("type") == Some("error") {
            return self.ledger.refuse();
        }
        // Without a body: a room's subject, a chat state and the like. What lost its body is lost.
        let Some(body) = stanza.text_of("body") else {
            return;
        };
        let Some(place) = self.seat.place(stanza) else {
            return self.ledger.stray();
        };
        let now = Instant::now();
        match self.ledger.receive(place.flow, place.receiver, body, now) {
            Arrival::Complete(number) => {
                self.seat.taken(place, number);
                self.pacer.arrived(place.flow);
            }
            Arrival::New(number) => self.seat.taken(place, number),
            Arrival::Again | Arrival::Stray => {}
        }
    }

    async fn settle(&mut self) -> Result<u32, Error> {
        let patience = self.patience;
        self.session.request_acknowledgement();
        let acknowledged = async {
            while self.session.unacknowledged() > 0 {
                let incoming = self.session.next().await?;
                self.receive(&incoming);
            }
            Ok(())
        };
        match timeout(patience, acknowledged).await {
            Ok(result) => result.map(|()| 0),
            Err(_) => Ok(self.session.unacknowledged()),
        }
    }
}
