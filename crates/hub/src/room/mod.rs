//! Rooms: group chat without a wire format (XEP-0045, and what IRC and others
//! make of the same).
//!
//! A room is records and a log under its address. It is in memory while
//! somebody needs it. What is decided is decided by plain functions over its
//! state, under one small lock; what has to last is written down first, and
//! nobody is told of anything that a crash could take back.

mod about;
mod activity;
mod archive;
mod budget;
mod card;
mod config;
mod door;
mod ending;
mod enter;
mod error;
mod event;
mod exchange;
mod farewell;
mod govern;
mod hats;
mod invite;
mod lasting;
mod lists;
mod owning;
mod record;
mod register;
mod search;
mod slow_mode;
mod speak;
mod standing;
mod state;
mod visits;
mod whisper;

pub use about::RoomInfo;
pub use archive::{Archived, Remains, Retraction, Retractor};
pub use card::RoomCard;
pub use config::{ConfigNews, Creation, PrivateMessages, RoomConfig, RoomsConfig, Whois};
pub use enter::{Entrance, PastWanted};
pub use error::RoomError;
pub use event::{
    Deed, Departure, Destruction, Look, OccupantId, RoomEvent, RoomMessage, RoomPresence, Sight,
    VoiceRequest,
};
pub use exchange::RoomDelivery;
pub use govern::{Actor, AffiliationChange, Deciders, RoleChange};
pub use hats::{Hat, HatChange, MOST_HATS, MOST_WORN};
pub use invite::Invitation;
pub use lists::{Affiliated, Present};
pub use record::RoomSummary;
pub use search::{FoundRoom, FoundRooms, RoomSearch, SearchMark, SearchOrder, SearchPlace};
pub use speak::{Speaker, Speech};
pub use standing::{Affiliation, IsModerated, Role};
pub use whisper::Whispered;

pub(crate) use farewell::forget_standing;
pub(crate) use search::MOST_SEARCHES;
pub(crate) use visits::{IsEnd, Visits};
pub(crate) use whisper::Whisper;

use crate::directory::Resident;
use crate::sync::lock;
use crate::{Hub, Session};
use anser_jid::BareJid;
use anser_store::{Change, MessageId, Timestamp};
use budget::Cost;
use state::RoomState;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A room in memory.
#[derive(Debug)]
pub struct Room {
    address: BareJid,
    state: Mutex<RoomState>,
    /// Where the subject is in the log that is written down, or on its way to
    /// that: of those that were said, the last in the journal.
    subject: Mutex<Option<MessageId>>,
    /// Held while a change is on its way to disk, so that the next one is
    /// decided on what that leaves.
    changes: tokio::sync::Mutex<()>,
    last_used: AtomicU64,
    /// It has been destroyed, or is about to be.
    is_gone: AtomicBool,
}

impl Room {
    fn new(state: RoomState) -> Self {
        let subject = state.subject.as_ref().and_then(|subject| subject.place);
        Self {
            address: state.address.clone(),
            subject: Mutex::new(subject),
            state: Mutex::new(state),
            changes: tokio::sync::Mutex::default(),
            last_used: AtomicU64::new(0),
            is_gone: AtomicBool::new(false),
        }
    }

    /// The room's address.
    #[must_use]
    pub fn address(&self) -> &BareJid {
        &self.address
    }

    fn state(&self) -> MutexGuard<'_, RoomState> {
        lock(&self.state)
    }

    /// Whether the room has been destroyed; asked under its state, the answer
    /// stays true for as long as that is held.
    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// Notes where a subject is that is to be written down. To be called as the
    /// journal puts it into its order.
    fn note_subject(&self, place: Option<MessageId>) {
        *lock(&self.subject) = place;
    }

    /// What removes the subject, if it is at this place. To be called in the
    /// same way: what was set behind it stays.
    fn take_back_subject(&self, place: MessageId) -> Option<Change> {
        let taken = lock(&self.subject).take_if(|subject| *subject == place);
        taken.map(|_| record::forget_subject(&self.address))
    }

    fn set_gone(&self, is_gone: bool) {
        let _state = self.state();
        self.is_gone.store(is_gone, Ordering::Release);
    }
}

impl Resident for Room {
    fn address(&self) -> &BareJid {
        &self.address
    }

    fn touch(&self, now: Timestamp) {
        self.last_used.store(now.millis(), Ordering::Relaxed);
    }

    fn last_used(&self) -> Timestamp {
        Timestamp::from_millis(self.last_used.load(Ordering::Relaxed))
    }

    fn is_needed(&self) -> bool {
        !self.state().occupants.is_empty()
    }
}

impl Hub {
    /// Counts something that a session has rooms do: before anything is read for
    /// it, or anybody is told.
    ///
    /// # Errors
    /// [`RoomError::TooFast`]
    fn charge(&self, session: &Session, cost: Cost, now: Timestamp) -> Result<(), RoomError> {
        session.visits().charge(cost, &self.config().rooms, now)
    }

    /// The same of whoever decides over a room: everybody may make one, and then
    /// has a say in it.
    fn charge_actor(&self, actor: Actor<'_>, cost: Cost, now: Timestamp) -> Result<(), RoomError> {
        match actor {
            Actor::Session(session) => self.charge(session, cost, now),
            Actor::Operator => Ok(()),
        }
    }
}
