//! What happens in a room, as its occupants are told of it.

use super::{Affiliation, ConfigNews, Hat, Role};
use crate::{Message, Traits};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::{MessageId, Timestamp};
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Something that happened in a room, for one session in it.
#[derive(Debug, Clone)]
pub enum RoomEvent {
    /// An occupant has come, has changed, or has left.
    Presence {
        /// What there is to know of them.
        presence: Arc<RoomPresence>,
        /// What of it is for this session.
        sight: Sight,
    },
    /// Who is in a room that the session has entered, or sees with real addresses
    /// from now on: to be told one after the other, before anything that comes
    /// later.
    Others {
        /// All of them.
        presences: Arc<[Arc<RoomPresence>]>,
        /// What of it is for this session.
        sight: Sight,
        /// So many have been told already.
        told: u32,
    },
    /// Somebody has said something to all.
    Message {
        /// What.
        message: Arc<RoomMessage>,
        /// Whether it was said before the session came.
        is_past: bool,
    },
    /// The room has no subject.
    NoSubject {
        /// Which room.
        room: BareJid,
    },
    /// The room is not what it was.
    Config {
        /// Which room.
        room: BareJid,
        /// What has changed.
        news: Arc<[ConfigNews]>,
    },
    /// A visitor asks to be allowed to speak; for moderators.
    VoiceRequest(Arc<VoiceRequest>),
    /// The session believes to be in a room and is not (XEP-0045 §7.2.18).
    NotHere {
        /// Under this address.
        occupant: FullJid,
    },
}

impl RoomEvent {
    /// About how much memory it holds beside its own.
    pub(crate) fn weight_bytes(&self) -> usize {
        match self {
            Self::Presence { presence, .. } => presence.payload.len(),
            Self::Others { presences, .. } => size_of_val(&presences[..]),
            Self::Message { message, .. } => message.message.encoded().len(),
            Self::NoSubject { .. }
            | Self::Config { .. }
            | Self::VoiceRequest(_)
            | Self::NotHere { .. } => 0,
        }
    }
}

/// What of an event is for one session only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sight(u8);

impl Sight {
    /// It sees real addresses.
    pub const ADDRESSES: Self = Self(1);
    /// The event is about the session's own occupant.
    pub const OWN: Self = Self(1 << 1);
    /// The session has just entered.
    pub const ENTERED: Self = Self(1 << 2);
    /// The room did not exist before.
    pub const CREATED: Self = Self(1 << 3);
    /// Everybody sees real addresses in this room.
    pub const NOT_ANONYMOUS: Self = Self(1 << 4);
    /// The nickname is not quite the one that was asked for.
    pub const NICK_CHANGED: Self = Self(1 << 5);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` holds.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Names an occupant through all visits and under all nicknames, and tells
/// nobody who they are (XEP-0421 §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccupantId([u8; 16]);

impl OccupantId {
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for OccupantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OccupantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why an occupant is no longer there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// They left.
    Left,
    /// They have another nickname now (XEP-0045 §7.6).
    Renamed {
        /// Which.
        nick: Box<str>,
    },
    /// A moderator had them leave (XEP-0045 §8.2).
    Kicked,
    /// They may not come back (XEP-0045 §9.1).
    Banned,
    /// They are no longer a member of a room for members only
    /// (XEP-0045 §9.4).
    NoMember,
    /// The room is for members only now, and they are none
    /// (XEP-0045 §10.2).
    MembersOnly,
    /// Their session has ended, and they did not say that they go
    /// (XEP-0045 §11.1).
    Lost,
    /// The server stops (XEP-0045 §11.2).
    Shutdown,
    /// The room is no more (XEP-0045 §10.9).
    Destroyed(Box<Destruction>),
}

/// The end of a room (XEP-0045 §10.9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destruction {
    /// Where to go instead.
    pub venue: Option<BareJid>,
    /// What one has to know there.
    pub password: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Who did something to an occupant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Their nickname, if they are in the room.
    pub nick: Option<Box<str>>,
    /// What they say why.
    pub reason: Option<Box<str>>,
}

/// What there is to know of an occupant.
#[derive(Debug)]
pub struct RoomPresence {
    /// The occupant's address in the room.
    pub occupant: FullJid,
    /// Their name through all visits.
    pub occupant_id: OccupantId,
    /// The session whose presence this is.
    pub address: FullJid,
    /// What they may do for good.
    pub affiliation: Affiliation,
    /// What they may do in this visit.
    pub role: Role,
    /// What they wear.
    pub hats: Arc<[Hat]>,
    /// Why they are no longer there, if they are not.
    pub departure: Option<Departure>,
    /// Who brought it about.
    pub deed: Option<Deed>,
    /// What the session says of itself.
    pub look: Look,
    /// The same in the form of a protocol, without and with the real address.
    pub renderings: [OnceLock<Bytes>; 2],
}

/// What a session says of itself in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The session's name for the presence.
    pub id: Option<Box<str>>,
    /// The language of its texts.
    pub lang: Option<Box<str>>,
    /// XML children, self-contained as those of a message are.
    pub payload: Bytes,
}

impl std::ops::Deref for RoomPresence {
    type Target = Look;

    fn deref(&self) -> &Look {
        &self.look
    }
}

/// Something said in a room.
#[derive(Debug)]
pub struct RoomMessage {
    /// From the occupant's address in the room, to the room.
    pub message: Message,
    /// Whose it is; nobody's if the room itself says it.
    pub occupant_id: Option<OccupantId>,
    /// Where it is in the room's log, if it is there.
    pub place: Option<MessageId>,
    /// When it was said.
    pub at: Timestamp,
    /// The same in the form of a protocol.
    pub rendering: OnceLock<Bytes>,
}

impl RoomMessage {
    pub(crate) fn new(
        message: Message,
        occupant_id: Option<OccupantId>,
        place: Option<MessageId>,
        at: Timestamp,
    ) -> Self {
        Self {
            message,
            occupant_id,
            place,
            at,
            rendering: OnceLock::new(),
        }
    }

    /// Whether it is a new subject rather than something said.
    #[must_use]
    pub fn is_subject(&self) -> bool {
        self.message.traits().contains(Traits::SUBJECT)
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &Jid {
        self.message.to()
    }
}

/// A visitor asks to be allowed to speak (XEP-0045 §7.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceRequest {
    /// Under which address they are in the room.
    pub occupant: FullJid,
    /// Who they are.
    pub address: FullJid,
}
