//! What is said in rooms, on its way.

use super::govern::{Actor, MakesMember};
use super::record::{SAID, save_subject};
use super::{
    Affiliation, AffiliationChange, OccupantId, Room, RoomError, RoomMessage, Speaker, Speech,
};
use crate::account::FOR_HISTORY;
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::pipeline::Content;
use crate::{Hub, Message, Recipient, SendError, Session, SessionHandle, Traits};
use anser_jid::{BareJid, FullJid};
use anser_store::{Change, EntryFlags, MessageId, NewEntry, Timestamp};
use std::sync::Arc;

/// Something said on its way to everybody in a room.
#[derive(Debug)]
pub(crate) struct RoomDelivery {
    pub(super) room: Arc<Room>,
    pub(crate) message: Arc<Message>,
    /// Whose it is; nobody's if the room itself says it.
    pub(super) speaker: Option<OccupantId>,
    /// When it was said.
    pub(super) at: Timestamp,
    /// Where it is in the room's log, if it is there.
    pub(crate) place: Option<MessageId>,
    /// What it puts into the place of an earlier message.
    pub(super) buried: Option<(MessageId, Arc<Message>)>,
}

/// Somebody is asked into a room.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Whoever asks, as they are in the room.
    pub inviter: FullJid,
    /// What one has to know to enter.
    pub password: Option<String>,
}

impl Hub {
    /// Says something of so many bytes to everybody in a room (XEP-0045 §7.4,
    /// §8.1). `make` gets the address in the room that it comes from.
    ///
    /// When this returns, it is on its way, as with [`Hub::send`].
    ///
    /// # Errors
    /// [`RoomError`]; nobody hears it.
    pub fn say(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        speech: Speech,
        bytes: usize,
        now: Timestamp,
        make: impl FnOnce(&Speaker) -> Message,
    ) -> Result<(), RoomError> {
        session.check_addressee(&room.address)?;
        let config = self.config();
        room.touch(now);
        let visits = session.session().visits();
        visits.charge(bytes, &config.rooms, now)?;
        let mut state = room.state();
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let speaker = state.speaker(session, speech, &config.rooms, now)?;
        let is_archived = state.config.archived;
        drop(state);
        let message = make(&speaker);
        let is_kept = match speech {
            Speech::Message | Speech::Signal => is_archived && message.is_worth_keeping(),
            Speech::Subject { .. } => true,
        };
        let delivery = RoomDelivery {
            room: Arc::clone(room),
            message: Arc::new(message),
            speaker: Some(speaker.id),
            at: now,
            place: None,
            buried: None,
        };
        if is_kept {
            self.append_to_room(session.session(), delivery, now);
        } else {
            self.pass(session.session(), Content::Room(delivery), now);
        }
        Ok(())
    }

    fn append_to_room(&self, sender: &Arc<Session>, delivery: RoomDelivery, now: Timestamp) {
        sender.on_submitted();
        self.journal().append(now, |id| {
            // As with accounts: nothing is written behind what removes a room.
            let changes = if delivery.room.is_gone() {
                Vec::new()
            } else {
                entries(&delivery, sender.account().address(), id)
            };
            let place = (!changes.is_empty()).then_some(id);
            let content = Content::Room(RoomDelivery { place, ..delivery });
            (changes, crate::pipeline::deliver_later(sender, content))
        });
    }

    /// Gives everybody in a room what was said.
    ///
    /// # Errors
    /// The room is gone.
    pub(crate) fn deliver_to_room(
        &self,
        delivery: RoomDelivery,
        wakes: &mut Wakes,
    ) -> Result<(), SendError> {
        let RoomDelivery {
            room,
            message,
            speaker,
            at,
            place,
            buried,
        } = delivery;
        let mut state = room.state();
        // What got into the log came before the end of the room, and should the
        // room not end after all, it stays there.
        if place.is_none() && room.is_gone() {
            return Err(SendError::Unavailable);
        }
        let is_news = buried.is_none();
        if let Some((place, tombstone)) = buried {
            state.bury(place, &tombstone);
        }
        let message = Arc::new(RoomMessage::new((*message).clone(), speaker, place));
        let is_changed = is_news && state.note_activity(&message, at);
        state.hear(&message, wakes);
        if is_news {
            state.remember(message);
        }
        drop(state);
        if is_changed {
            self.activity_changed(&room);
        }
        Ok(())
    }

    /// Whether somebody may ask an account into a room; makes it a member if
    /// that is what an invitation does there (XEP-0045 §7.8.2, §9.5). Nobody is
    /// asked in who blocks the room, or whoever asks.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn invite(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        invitee: &Recipient,
        now: Timestamp,
    ) -> Result<Invitation, RoomError> {
        session.check_addressee(&room.address)?;
        let config = self.config();
        session.session().visits().charge(0, &config.rooms, now)?;
        if invitee.blocks(session.address()) || invitee.blocks(&room.address) {
            return Err(SendError::Unavailable.into());
        }
        let invitee = invitee.address();
        let (makes_member, invitation, affiliation) = {
            let state = room.state();
            let makes_member = state.check_invitation(session)?;
            let invitation = Invitation {
                inviter: state.occupant(session)?.address.clone(),
                password: state.config.password.clone(),
            };
            (makes_member, invitation, state.affiliation(invitee))
        };
        match (makes_member, affiliation) {
            (_, Affiliation::Outcast) => return Err(RoomError::NotAllowed),
            (MakesMember::Yes, Affiliation::None) => {
                let member = AffiliationChange {
                    account: invitee.clone(),
                    affiliation: Affiliation::Member,
                    nick: None,
                    reason: None,
                };
                self.change_affiliations(room, Actor::Operator, &[member], now)
                    .await?;
            }
            (MakesMember::Yes | MakesMember::No, _) => {}
        }
        Ok(invitation)
    }
}

/// What writes down something said.
fn entries(delivery: &RoomDelivery, speaker: &BareJid, id: MessageId) -> Vec<Change> {
    let message = &delivery.message;
    let is_subject = message.traits().contains(Traits::SUBJECT);
    let kind = if is_subject { EntryFlags::NONE } else { SAID };
    let mut changes = vec![Change::Append {
        id,
        body: message.encoded().clone(),
        entries: vec![NewEntry {
            owner: delivery.room.address.clone(),
            counterpart: speaker.clone(),
            flags: FOR_HISTORY.with(kind),
        }],
    }];
    if is_subject {
        changes.push(save_subject(&delivery.room.address, id, speaker, message));
    }
    changes
}
