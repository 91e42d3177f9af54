//! One client of `chat`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::select;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ledger::{Arrival, Ledger};
use crate::pace::Pacer;
use crate::xmpp::{Error, Incoming, Session};

/// One client, writing to its partner and counting what the partner writes.
pub(crate) struct Talker {
    /// Logged in.
    pub(crate) session: Session,
    /// The client's number; the partner's differs in the last bit.
    pub(crate) me: usize,
    /// The partner's bare address.
    pub(crate) partner: String,
    /// Messages after which it asks for acknowledgement; 0: only at the end.
    pub(crate) ack_every: usize,
    /// How long the last acknowledgement may take.
    pub(crate) patience: Duration,
    /// The books of the run.
    pub(crate) ledger: Arc<Ledger>,
    /// What makes messages due.
    pub(crate) pacer: Arc<Pacer>,
}

impl Talker {
    /// Talks until told to stop; gives the number of stanzas that were never acknowledged.
    pub(crate) async fn talk(mut self, mut stopped: watch::Receiver<()>) -> Result<u32, Error> {
        let (mut next, mut has_more) = (0, true);
        loop {
            // `next` stands first: it writes each message before there is a turn for another.
            select! {
                biased;
                incoming = self.session.next() => self.receive(&incoming?),
                turn = self.pacer.turn(self.me, next), if has_more => match turn {
                    Some(due) => {
                        next += 1;
                        self.send(due);
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

    fn send(&mut self, due: Instant) {
        let (number, body) = self.ledger.send(self.me, due, Instant::now());
        let (me, to) = (self.me, &self.partner);
        self.session.queue(&format!(
            "<message to='{to}' type='chat' id='m{me}-{number}'><body>{body}</body></message>"
        ));
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
        // Messages without a body are chat states and the like, which nobody sends here.
        let body = stanza.text_of("body").unwrap_or_default();
        let partner = self.me ^ 1;
        if self.ledger.receive(partner, body, Instant::now()) == Arrival::New {
            self.pacer.arrived(partner);
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
