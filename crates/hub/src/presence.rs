//! Who is there (RFC 6121 §4).

use anser_jid::Jid;
use bytes::Bytes;

/// What a presence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceKind {
    /// The sender is there. The priority decides who gets messages for the
    /// account; below zero nobody does (RFC 6121 §4.7.2.3).
    Available {
        /// From -128 to 127.
        priority: i8,
    },
    /// The sender is no longer there.
    Unavailable,
    /// A step of a subscription.
    Subscription(crate::SubscriptionStep),
    /// A question after somebody's presence (RFC 6121 §4.3).
    Probe,
    /// An earlier presence could not be handled.
    Error,
}

/// A presence on its way.
#[derive(Debug, Clone)]
pub struct Presence {
    /// Who it is about.
    pub from: Jid,
    /// Who it is for.
    pub to: Jid,
    /// What it says.
    pub kind: PresenceKind,
    /// The sender's own name for the stanza.
    pub id: Option<Box<str>>,
    /// The language of its texts.
    pub lang: Option<Box<str>>,
    /// XML children, self-contained as those of a message are.
    pub payload: Bytes,
}

impl Presence {
    /// "Not there", with nothing else to say.
    #[must_use]
    pub fn unavailable(from: Jid, to: Jid) -> Self {
        Self {
            from,
            to,
            kind: PresenceKind::Unavailable,
            id: None,
            lang: None,
            payload: Bytes::new(),
        }
    }

    /// The same for somebody else; shares the payload.
    #[must_use]
    pub fn readdressed(&self, to: Jid) -> Self {
        Self { to, ..self.clone() }
    }
}
