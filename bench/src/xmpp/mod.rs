//! The clients: just enough XMPP to log in, exchange messages and notice faults.
//!
//! Written for this tool alone: a measuring tool must not share the bugs of what it measures.

use std::time::Duration;

mod door;
mod element;
mod negotiation;
mod scram;
mod session;
mod splitter;
mod transport;

pub(crate) use door::{Accounts, Door, DoorArgs, DoorError, Setting};
pub(crate) use element::Element;
pub(crate) use negotiation::{Stream, log_in, log_in_device};
pub(crate) use session::{Incoming, Session};
#[cfg(test)]
pub(crate) use splitter::{Piece, Splitter};

/// Why a client failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The connection broke.
    #[error("connection: {0}")]
    Connection(#[from] std::io::Error),
    /// The server ended the stream.
    #[error("the server closed the stream")]
    Closed,
    /// What came is not a stream of elements.
    #[error("not well-formed: {0}")]
    Malformed(&'static str),
    /// An element longer than any that these loads cause.
    #[error("an element of more than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// The server said no, or something else than what the step needs.
    #[error("{step}: the server answered {answer}")]
    Refused {
        /// What was tried.
        step: &'static str,
        /// What came back.
        answer: String,
    },
    /// The server has not done what it was asked for.
    #[error("{step}: nothing for {patience:?}")]
    Silent {
        /// What was tried.
        step: &'static str,
        /// How long.
        patience: Duration,
    },
    /// The server could not prove that it knows the password.
    #[error("the server's SCRAM signature is wrong")]
    Imposter,
    /// `<a h=…/>` counts stanzas that were never sent (XEP-0198 §4).
    #[error("the server acknowledged {h} stanzas of {sent}")]
    AcknowledgedTooMuch {
        /// The server's count.
        h: u32,
        /// Our count.
        sent: u32,
    },
}
