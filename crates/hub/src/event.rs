//! What happens to a session.

use crate::{BlockPush, Direction, Message, Presence, RoomEvent, RosterPush, SendError};
use anser_jid::{FullJid, Jid};
use anser_store::MessageId;
use bytes::Bytes;
use std::sync::Arc;

/// Something for one session.
#[derive(Debug, Clone)]
pub enum Event {
    /// A message.
    Message {
        /// The message.
        message: Arc<Message>,
        /// Its place in the log of the session's account, if it is there: to
        /// be given back to [`Hub::taken`](crate::Hub::taken).
        place: Option<MessageId>,
    },
    /// A message that another device of the session's account has sent or got,
    /// for a session that wants copies.
    Copy {
        /// Which of the two.
        direction: Direction,
        /// The message.
        message: Arc<Message>,
        /// As with [`Event::Message`].
        place: Option<MessageId>,
    },
    /// Messages wait in the log, at these places and in this order: to be
    /// read with [`Hub::messages`](crate::Hub::messages) before anything that
    /// comes later.
    Waiting(Vec<MessageId>),
    /// A presence.
    Presence(Arc<Presence>),
    /// A question from another session, or the answer to one.
    Query(Arc<Query>),
    /// Nobody will answer the session's own question.
    Unanswered(Arc<Query>),
    /// Something happened in a room.
    Room(RoomEvent),
    /// The roster has changed.
    Roster(Arc<RosterPush>),
    /// The block list has changed.
    Blocks(Arc<BlockPush>),
    /// The session's own message was accepted, but could not be kept after all.
    Refused {
        /// The message.
        message: Arc<Message>,
        /// Why.
        error: SendError,
    },
}

/// Why the exchange ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// A newer session has taken the resource (RFC 6120 §7.7.2.2).
    Replaced,
    /// The account is gone or its password has changed.
    Revoked,
    /// The server stops.
    Shutdown,
    /// More was waiting for the session than a mailbox holds; of that, all is
    /// lost that is not in the log.
    Overfull,
}

/// A question from one session to another, or its answer: the exchange only
/// passes it on.
#[derive(Debug, Clone)]
pub struct Query {
    /// Who asks or answers.
    pub from: Jid,
    /// Whom.
    pub to: FullJid,
    /// Question or answer.
    pub kind: QueryKind,
    /// Tells which answer belongs to which question.
    pub id: Box<str>,
    /// The language of its texts.
    pub lang: Option<Box<str>>,
    /// XML children, self-contained as those of a message are.
    pub payload: Bytes,
    /// What stands behind a question that goes through a room.
    pub relay: Option<Box<Relay>>,
}

/// A question from one occupant of a room to another: neither learns who the
/// other is (XEP-0045 §17.4).
#[derive(Debug, Clone)]
pub struct Relay {
    /// The session that asks.
    pub asker: FullJid,
    /// Whom it has asked, as they are in the room.
    pub asked: FullJid,
    /// The question's own id.
    pub id: Box<str>,
}

/// What a query is (RFC 6120 §8.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// Asks for something.
    Get,
    /// Asks for something to be done.
    Set,
    /// Says that it went well.
    Result,
    /// Says that it did not.
    Error,
}

impl QueryKind {
    /// Whether somebody waits for an answer.
    #[must_use]
    pub fn is_question(self) -> bool {
        match self {
            Self::Get | Self::Set => true,
            Self::Result | Self::Error => false,
        }
    }
}

impl Query {
    /// About how much memory it holds beside its own.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.payload.len()
    }
}

impl Event {
    /// About how much memory the event holds while it waits.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        let payload = match self {
            Self::Message { message, .. }
            | Self::Copy { message, .. }
            | Self::Refused { message, .. } => message.encoded().len(),
            Self::Presence(presence) => presence.payload.len(),
            Self::Query(query) | Self::Unanswered(query) => query.weight_bytes(),
            Self::Waiting(places) => size_of_val(&places[..]),
            Self::Room(event) => event.weight_bytes(),
            Self::Roster(_) | Self::Blocks(_) => 0,
        };
        payload + size_of::<Self>()
    }
}
