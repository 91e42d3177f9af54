//! Stream management of one stream (XEP-0198).

use crate::XmppConfig;
use crate::outbound::Sent;
use crate::resumption::TicketHolder;
use anser_hub::{Session, Taken};
use anser_store::Timestamp;
use anser_xmpp_proto::{AckError, Outbox};
use std::collections::VecDeque;
use std::time::Duration;

/// A client is asked for an acknowledgement when something has been waiting for
/// one so long…
const ASK_AFTER: Duration = Duration::from_secs(1);
/// …or so long, if all that waits is news of what others are doing: in a large room
/// there is no end of that, and an answer to each would cost as much as the news…
const ASK_AFTER_NEWS: Duration = Duration::from_secs(30);
/// …or when so many stanzas have.
const ASK_STANZAS: u32 = 20;

/// What acknowledging takes, once the client has enabled it.
#[derive(Debug)]
pub(crate) struct Management {
    /// Stanzas received and handled so far; wraps around at 2^32.
    handled: u32,
    /// Messages that are handled but not settled: their numbers among what the
    /// session has submitted, and how many stanzas were handled before each.
    unsettled: VecDeque<(u32, u32)>,
    /// What the session had submitted when it was looked at last.
    submitted: u32,
    /// The client waits for acknowledgements.
    owed: Option<Owed>,
    /// So many messages were settled when the mailbox was looked into last, and
    /// what it had was sent since: with it, the refusals of these.
    pub(crate) told: u32,
    pub(crate) outbox: Outbox<Sent>,
    /// About how much memory that holds.
    outbox_bytes: u32,
    /// Stanzas sent since the client was asked last.
    sent_since_asked: u32,
    /// When the client is to be asked.
    ask_at: Option<Timestamp>,
    pub(crate) ticket: Option<TicketHolder>,
}

/// Acknowledgements that were asked for: at how many settled messages the first
/// and the last of them can be given. One is given for those in between.
#[derive(Debug, Clone, Copy)]
struct Owed {
    first: u32,
    last: u32,
}

impl Management {
    pub(crate) fn new(session: &Session, ticket: Option<TicketHolder>) -> Self {
        Self {
            handled: 0,
            unsettled: VecDeque::new(),
            submitted: session.submitted(),
            owed: None,
            told: session.settled(),
            outbox: Outbox::default(),
            outbox_bytes: 0,
            sent_since_asked: 0,
            ask_at: None,
            ticket,
        }
    }

    /// A stanza was handled; what it has put into the journal is remembered.
    pub(crate) fn handled(&mut self, session: &Session) {
        let submitted = session.submitted();
        while self.submitted != submitted {
            self.submitted = self.submitted.wrapping_add(1);
            self.unsettled.push_back((self.submitted, self.handled));
        }
        self.handled = self.handled.wrapping_add(1);
    }

    /// How many stanzas are handled for good when so many messages are settled:
    /// up to the first message that is not (XEP-0198 §4).
    pub(crate) fn acknowledgement(&mut self, settled: u32) -> u32 {
        while let Some((number, handled_before)) = self.unsettled.front() {
            if !has_reached(settled, *number) {
                return *handled_before;
            }
            self.unsettled.pop_front();
        }
        // An idle stream keeps nothing.
        self.unsettled = VecDeque::new();
        self.handled
    }

    /// The client asks for an acknowledgement. It gets one when all that it has
    /// sent so far is settled.
    pub(crate) fn owe(&mut self, session: &Session) {
        let last = session.submitted();
        let first = self.owed.map_or(last, |owed| owed.first);
        self.owed = Some(Owed { first, last });
    }

    /// What has to be settled for the next acknowledgement that is owed.
    pub(crate) fn owed(&self) -> Option<u32> {
        self.owed.map(|owed| owed.first)
    }

    /// The acknowledgement that is owed, if it can be given when so many
    /// messages are settled.
    pub(crate) fn pay(&mut self, settled: u32) -> Option<u32> {
        let owed = self.owed.filter(|owed| has_reached(settled, owed.first))?;
        let first = owed.last;
        let is_paid = has_reached(settled, owed.last);
        self.owed = (!is_paid).then_some(Owed { first, ..owed });
        Some(self.acknowledgement(settled))
    }

    pub(crate) fn paid(&mut self) {
        self.owed = None;
    }

    /// The client has handled `h` stanzas: gives the messages among those that
    /// it had not acknowledged before.
    ///
    /// # Errors
    /// It counts what it was never sent.
    pub(crate) fn acknowledged(&mut self, h: u32) -> Result<Vec<Taken>, AckError> {
        let acknowledged = self.outbox.acknowledge(h)?;
        let outbox_bytes = &mut self.outbox_bytes;
        let taken = acknowledged.filter_map(|stanza| {
            *outbox_bytes = outbox_bytes.saturating_sub(stanza.weight_bytes());
            stanza.taken()
        });
        let taken = taken.collect();
        if self.outbox.is_empty() {
            // There is nothing left to ask for.
            self.asked();
        }
        Ok(taken)
    }

    /// Whether so much is under way to the client that the rest has to wait.
    pub(crate) fn is_full(&self, config: &XmppConfig) -> bool {
        self.outbox.len() >= config.unacknowledged_stanzas
            || self.outbox_bytes >= config.unacknowledged_bytes
    }

    /// Whether the client has the server keep more than it can ask of it: mail
    /// waits, but not the answers to its own questions.
    pub(crate) fn is_overfull(&self, config: &XmppConfig) -> bool {
        self.outbox.len() >= 2 * config.unacknowledged_stanzas
            || self.outbox_bytes / 2 >= config.unacknowledged_bytes
    }

    /// A stanza was sent.
    pub(crate) fn sent(&mut self, stanza: Sent, now: Timestamp) {
        let patience = match stanza.is_fleeting() {
            true => ASK_AFTER_NEWS,
            false => ASK_AFTER,
        };
        let ask_at = now.after(patience);
        self.ask_at = Some(self.ask_at.map_or(ask_at, |at| at.min(ask_at)));
        self.outbox_bytes = self.outbox_bytes.saturating_add(stanza.weight_bytes());
        self.outbox.sent(stanza);
        self.sent_since_asked = self.sent_since_asked.saturating_add(1);
    }

    /// Everything that was sent is sent again in another connection.
    pub(crate) fn sent_again(&mut self, now: Timestamp) {
        self.sent_since_asked = u32::try_from(self.outbox.len()).unwrap_or(u32::MAX);
        self.ask_at = (!self.outbox.is_empty()).then_some(now);
    }

    pub(crate) fn ask_at(&self) -> Option<Timestamp> {
        self.ask_at
    }

    /// Whether it is time to ask; if so, the client counts as asked. Nobody
    /// waits for an answer more than mail that is held back for want of it.
    pub(crate) fn shall_ask(&mut self, is_held_back: bool, now: Timestamp) -> bool {
        let is_time = self.ask_at.is_some_and(|at| at <= now);
        let enough = if is_held_back { 1 } else { ASK_STANZAS };
        let shall = !self.outbox.is_empty() && (is_time || self.sent_since_asked >= enough);
        if shall {
            self.asked();
        }
        shall
    }

    /// The client was asked, for whatever reason.
    pub(crate) fn asked(&mut self) {
        self.sent_since_asked = 0;
        self.ask_at = None;
    }
}

/// Whether a counter that wraps around has come to `number`.
fn has_reached(counter: u32, number: u32) -> bool {
    counter.wrapping_sub(number) < u32::MAX / 2
}
