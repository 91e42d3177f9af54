//! What there is to know of a room and of who is in it.

use super::{Role, Room, RoomConfig, RoomError};
use crate::{Hub, Session};
use anser_jid::{FullJid, Jid};
use ring::hmac;

/// So many bytes stand for a session that has asked something through a room.
const PSEUDONYM_BYTES: usize = 8;

/// What everybody may know of a room.
#[derive(Debug, Clone)]
pub struct RoomInfo {
    /// What it is like.
    pub config: RoomConfig,
    /// How many are in it.
    pub occupants: usize,
    /// Its subject, as XML children.
    pub subject: Option<bytes::Bytes>,
    /// What the pictures on its card are known by (XEP-0486 §4.3).
    pub avatar: Vec<String>,
    /// What tells its list of hats from others (XEP-0317 §2); `None` without
    /// hats.
    pub hats: Option<String>,
}

impl Hub {
    /// What there is to know of a room for everybody.
    #[must_use]
    pub fn room_info(&self, room: &Room) -> RoomInfo {
        let state = room.state();
        let subject = state.subject.as_ref();
        RoomInfo {
            config: state.config.clone(),
            occupants: state.occupants.len(),
            subject: subject.map(|subject| subject.message.payload()),
            avatar: state.avatar.clone(),
            hats: state.hats_hash(),
        }
    }

    /// Whether a session is in a room.
    #[must_use]
    pub fn is_in_room(&self, session: &Session, room: &Jid) -> bool {
        let room = self.rooms.resident(room);
        room.is_some_and(|room| room.state().occupant_of(session).is_some())
    }

    /// The session's own address in a room, if it is in it, and what it may do.
    #[must_use]
    pub fn own_occupant(&self, session: &Session, room: &Room) -> Option<(FullJid, Role)> {
        let state = room.state();
        let occupant = state.occupant_of(session)?;
        Some((occupant.address.clone(), occupant.role))
    }

    /// Who an occupant is, for passing on a question: the session whose presence
    /// others see, and the asker's own address in the room.
    ///
    /// # Errors
    /// [`RoomError`] if one of them is not there.
    pub fn resolve_occupant(
        &self,
        session: &Session,
        occupant: &FullJid,
    ) -> Result<(FullJid, FullJid), RoomError> {
        let room = self
            .rooms
            .resident(occupant)
            .ok_or(RoomError::NotOccupant)?;
        let state = room.state();
        let own = state.occupant(session)?.address.clone();
        let asked = state.named(occupant.resource())?;
        Ok((asked.shown.address.clone(), own))
    }

    /// A question's id on its way through a room: tells the room which session
    /// has asked, and nobody else. It is another one in every room, or whoever is
    /// asked in two of them learns who in one is who in the other
    /// (XEP-0045 §17.4).
    #[must_use]
    pub fn pseudonym(&self, room: &Jid, asker: &FullJid, id: &str) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret));
        context.update(b"asker");
        for part in [room.bare_str(), asker.as_str()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let hex = tag.as_ref().iter().take(PSEUDONYM_BYTES);
        let hex: String = hex.map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}-{id}")
    }

    /// Who has asked what somebody answers: the session, whoever answers as they
    /// are in the room, and the question's own id.
    #[must_use]
    pub fn resolve_asker(
        &self,
        session: &Session,
        occupant: &FullJid,
        id: &str,
    ) -> Option<(FullJid, FullJid, String)> {
        let (_, own_id) = id.split_at_checked(2 * PSEUDONYM_BYTES + 1)?;
        let room = self.rooms.resident(occupant)?;
        let state = room.state();
        let own = state.occupant_of(session)?.address.clone();
        let asker = state.named(occupant.resource()).ok()?;
        let mut seats = asker.seats.iter().map(|seat| seat.session.address());
        let asker = seats.find(|asker| self.pseudonym(occupant, asker, own_id) == id)?;
        Some((asker.clone(), own, own_id.to_owned()))
    }

    /// How many rooms are in memory.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.all().len()
    }
}
