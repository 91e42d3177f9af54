//! Saying something in a room: to all, or to one (XEP-0045 §7.4, §7.5, §8.1).

use super::budget::{Budget, Cost};
use super::enter::said;
use super::state::{Occupant, RoomState, room_rate};
use super::{OccupantId, Role, RoomError, RoomEvent, RoomMessage, RoomsConfig, VoiceRequest};
use crate::mailbox::Wakes;
use crate::{Event, Session};
use anser_jid::FullJid;
use anser_store::Timestamp;
use std::sync::Arc;

/// What somebody wants to say to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// Something to read.
    Message,
    /// Something else, like the news that somebody is typing, or a reaction.
    Signal,
    /// A new subject, of so many bytes.
    Subject {
        /// What it has.
        bytes: usize,
    },
}

/// Whoever may say something, as the room knows them.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Their address in the room.
    pub occupant: FullJid,
    /// Their name through all visits.
    pub id: OccupantId,
}

impl Speaker {
    pub(super) fn of(occupant: &Occupant) -> Self {
        Self {
            occupant: occupant.address.clone(),
            id: occupant.id,
        }
    }
}

impl RoomState {
    /// Whether somebody may say something now; it counts as said then.
    ///
    /// # Errors
    /// [`RoomError`]; it does not count.
    pub(crate) fn speaker(
        &mut self,
        session: &Session,
        speech: Speech,
        cost: Cost,
        server: &RoomsConfig,
        now: Timestamp,
    ) -> Result<Speaker, RoomError> {
        let speaker = self.check_speaker(session, speech, server, now)?;
        let rate = room_rate(server);
        let budget = self.budget.get_or_insert_with(|| Budget::full(rate, now));
        let taken = budget.take(cost, rate, now);
        taken.map_err(|wait| RoomError::TooFast { wait })?;
        // Last: whoever is refused has not spoken.
        if self.is_slowed_down(session, speech) {
            self.spoke.insert(session.address().to_bare(), now);
        }
        Ok(speaker)
    }

    /// Whether somebody may say something now, as far as it is up to them.
    ///
    /// # Errors
    /// [`RoomError`]
    pub(super) fn check_speaker(
        &mut self,
        session: &Session,
        speech: Speech,
        server: &RoomsConfig,
        now: Timestamp,
    ) -> Result<Speaker, RoomError> {
        if self.is_locked {
            return Err(RoomError::NoRoom);
        }
        let occupant = self.occupant(session)?;
        self.check_role(occupant.role, speech, server)?;
        let speaker = Speaker::of(occupant);
        if self.is_slowed_down(session, speech) {
            self.check_wait(session, now)?;
        }
        Ok(speaker)
    }

    /// XEP-0045 §7.4, §8.1
    fn check_role(
        &self,
        role: Role,
        speech: Speech,
        server: &RoomsConfig,
    ) -> Result<(), RoomError> {
        let limit = server.subject_bytes;
        match speech {
            Speech::Subject { bytes } if bytes > limit => {
                Err(RoomError::SubjectTooLarge { got: bytes, limit })
            }
            Speech::Subject { .. } => {
                let least = if self.config.participants_change_subject {
                    Role::Participant
                } else {
                    Role::Moderator
                };
                if role < least {
                    return Err(RoomError::Forbidden);
                }
                Ok(())
            }
            Speech::Message | Speech::Signal if role < Role::Participant => Err(RoomError::NoVoice),
            Speech::Message | Speech::Signal => Ok(()),
        }
    }

    /// Whether somebody may say something to one occupant alone, and to which
    /// sessions it goes.
    ///
    /// # Errors
    /// [`RoomError`]
    pub(crate) fn whisperer(
        &self,
        session: &Session,
        to: &str,
    ) -> Result<(Speaker, Vec<Arc<Session>>), RoomError> {
        let occupant = self.occupant(session)?;
        let listeners = self.named(to)?.seats.iter();
        let listeners = listeners.map(|seat| Arc::clone(&seat.session)).collect();
        if !self.config.private_messages.allow(occupant.role) {
            return Err(RoomError::Forbidden);
        }
        Ok((Speaker::of(occupant), listeners))
    }

    /// Gives everybody what was said.
    pub(crate) fn hear(&self, message: &Arc<RoomMessage>, wakes: &mut Wakes) {
        for occupant in self.occupants.values() {
            for seat in &occupant.seats {
                seat.session.mailbox().push(said(message, false), wakes);
            }
        }
    }

    /// A visitor asks to be allowed to speak: moderators are told
    /// (XEP-0045 §7.13, §8.6).
    ///
    /// # Errors
    /// [`RoomError`]; nobody was told.
    pub(crate) fn request_voice(
        &self,
        session: &Session,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        self.check_there(session.address())?;
        let occupant = self.occupant(session)?;
        if occupant.role != Role::Visitor {
            return Err(RoomError::BadRequest("you have a voice already"));
        }
        let request = Arc::new(VoiceRequest {
            occupant: occupant.address.clone(),
            address: session.address().clone(),
        });
        let moderators = self.occupants.values();
        let moderators = moderators.filter(|other| other.role == Role::Moderator);
        for seat in moderators.flat_map(|moderator| &moderator.seats) {
            let event = Event::Room(RoomEvent::VoiceRequest(Arc::clone(&request)));
            seat.session.mailbox().push(event, wakes);
        }
        Ok(())
    }
}
