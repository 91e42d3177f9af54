//! What a room refuses, and why.

use super::standing::Denied;
use crate::{NotKept, SendError};
use anser_jid::JidError;
use std::time::Duration;

/// Why a room did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoomError {
    /// There is no such room, or it is not open yet (XEP-0045 §7.2.10,
    /// §7.2.11).
    #[error("there is no such room")]
    NoRoom,
    /// Nobody may make rooms (XEP-0045 §10.1.1).
    #[error("rooms are made by whoever runs the server")]
    NoCreation,
    /// A room of this name exists.
    #[error("there is such a room already")]
    Exists,
    /// Rooms were to be made, and two of them have this name.
    #[error("it is to be made twice")]
    Repeated,
    /// The name is not one that a room can have.
    #[error("this cannot be a room: {0}")]
    Unfit(&'static str),
    /// A nickname is missing (XEP-0045 §7.2.1).
    #[error("a nickname is missing")]
    NoNick,
    /// The nickname is none (XEP-0045 §17.1).
    #[error("this cannot be a nickname")]
    UnfitNick,
    /// The nickname is no part of an address.
    #[error(transparent)]
    Nick(#[from] JidError),
    /// Somebody else has the nickname, now or for good (XEP-0045 §7.2.8).
    #[error("somebody else has this nickname")]
    NickTaken,
    /// Whoever asks is not in the room (XEP-0045 §7.4).
    #[error("you are not in this room")]
    NotOccupant,
    /// Nobody in the room has the nickname (XEP-0045 §7.5).
    #[error("nobody in this room has this nickname")]
    NoSuchOccupant,
    /// Whoever is to be asked in does not exist (XEP-0045 §7.8.2).
    #[error("there is no such account")]
    NoAccount,
    /// There is no such message, or none that whoever asks may take back.
    #[error("there is no such message")]
    NoSuchMessage,
    /// Whoever asks is banned (XEP-0045 §7.2.7).
    #[error("you are banned from this room")]
    Banned,
    /// Only members may enter (XEP-0045 §7.2.6).
    #[error("this room is for members only")]
    MembersOnly,
    /// The password is missing or wrong (XEP-0045 §7.2.5).
    #[error("this room has a password, and it is another")]
    Password,
    /// The room has as many occupants as it may have (XEP-0045 §7.2.9).
    #[error("the room has {limit} occupants already")]
    Full {
        /// How many it may have.
        limit: u32,
    },
    /// The session is in as many rooms as it may be.
    #[error("this session is in {limit} rooms already")]
    TooManyRooms {
        /// How many it may be in.
        limit: usize,
    },
    /// The room keeps as many affiliations as it may.
    #[error("the room keeps {limit} affiliations already")]
    TooManyAffiliations {
        /// How many it may keep.
        limit: usize,
    },
    /// Whoever asks may not speak (XEP-0045 §7.4).
    #[error("you have no voice in this room")]
    NoVoice,
    /// Whoever asks has no say in this.
    #[error("this is not yours to decide in this room")]
    Forbidden,
    /// Nobody may do this to such an occupant, or not whoever asks.
    #[error("this cannot be done to somebody who stands so high")]
    NotAllowed,
    /// Whoever asks does not become a member by registering, or is none
    /// (XEP-0045 §7.10).
    #[error("you cannot register in this room")]
    NoRegistration,
    /// Whoever is to be asked in is banned (XEP-0045 §9.5).
    #[error("whoever you invite is banned from this room")]
    InviteeBanned,
    /// A room needs an owner, and nobody bans themselves (XEP-0045 §9.1,
    /// §10.4).
    #[error("a room keeps an owner, and nobody bans themselves")]
    Conflict,
    /// What was asked for makes no sense.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The room cannot be as was asked (XEP-0045 §10.1.3).
    #[error("the room cannot be like this: {0}")]
    UnfitConfig(&'static str),
    /// More came than the room takes at a time.
    #[error("too much at a time: try again in {} seconds", seconds(wait))]
    TooFast {
        /// How long to wait.
        wait: Duration,
    },
    /// The subject is too large.
    #[error("a subject of {got} bytes exceeds the limit of {limit}")]
    SubjectTooLarge {
        /// What it has.
        got: usize,
        /// What it may have.
        limit: usize,
    },
    /// The card is too large.
    #[error("a card of {got} bytes exceeds the limit of {limit}")]
    CardTooLarge {
        /// What it has.
        got: usize,
        /// What it may have.
        limit: usize,
    },
    /// There is no such hat (XEP-0317 §3).
    #[error("there is no such hat in this room")]
    NoHat,
    /// A hat cannot be as was asked, or not on this head.
    #[error("the hat cannot be like this: {0}")]
    UnfitHat(&'static str),
    /// There are as many hats as there may be.
    #[error("there are {limit} hats already")]
    TooManyHats {
        /// How many there may be.
        limit: usize,
    },
    /// Others are searching for rooms.
    #[error("others are searching: try again in {} seconds", seconds(wait))]
    TooManySearches {
        /// How long to wait.
        wait: Duration,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
    /// It could not be passed on.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Whole seconds after which a wait is over.
fn seconds(wait: &Duration) -> u128 {
    wait.as_millis().div_ceil(1000).max(1)
}

impl From<Denied> for RoomError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Forbidden => Self::Forbidden,
            Denied::NotAllowed => Self::NotAllowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_as_long_as_they_are_told_has_waited_long_enough() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (19_999, 20)] {
            let wait = Duration::from_millis(millis);
            let text = RoomError::TooFast { wait }.to_string();
            let end = format!(" {seconds} seconds");
            assert!(text.ends_with(&end), "{millis}: {text}");
        }
    }
}
