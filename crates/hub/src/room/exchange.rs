//! What is said in rooms, on its way.

use super::budget::Cost;
use super::record::{SAID, save_subject};
use super::{OccupantId, Room, RoomError, RoomMessage, Speaker, Speech};
use crate::account::FOR_HISTORY;
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::pipeline::Content;
use crate::{Hub, Message, SendError, Session, SessionHandle, Traits};
use anser_jid::BareJid;
use anser_store::{Change, EntryFlags, MessageId, NewEntry, Timestamp};
use std::sync::Arc;

/// Something said on its way to everybody in a room.
#[derive(Debug)]
pub struct RoomDelivery {
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
        let cost = Cost::of_bytes(bytes);
        self.charge(session, cost, now)?;
        let mut state = room.state();
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let speaker = state.speaker(session, speech, cost, &config.rooms, now)?;
        let is_archived = state.config.archived;
        drop(state);
        let message = make(&speaker);
        let in_log = is_archived && may_be_in_log(&message);
        let kept = match speech {
            Speech::Message | Speech::Signal if in_log && message.is_worth_keeping() => {
                Some(Kept::InLog)
            }
            Speech::Message | Speech::Signal => None,
            Speech::Subject { .. } if in_log => Some(Kept::InLog),
            Speech::Subject { .. } => Some(Kept::AsSubject),
        };
        let delivery = RoomDelivery {
            room: Arc::clone(room),
            message: Arc::new(message),
            speaker: Some(speaker.id),
            at: now,
            place: None,
            buried: None,
        };
        match kept {
            Some(kept) => self.append_to_room(session.session(), delivery, kept, now),
            None => self.pass(session.session(), Content::Room(delivery), now),
        }
        Ok(())
    }

    fn append_to_room(
        &self,
        sender: &Arc<Session>,
        delivery: RoomDelivery,
        kept: Kept,
        now: Timestamp,
    ) {
        sender.on_submitted();
        self.journal().append(now, |id| {
            // As with accounts: nothing is written behind what removes a room.
            let changes = if delivery.room.is_gone() {
                Vec::new()
            } else {
                entries(&delivery, sender.account().address(), kept, id)
            };
            let in_log = kept == Kept::InLog && !changes.is_empty();
            let place = in_log.then_some(id);
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
        let said_at = place.map_or(at, MessageId::timestamp);
        let message = RoomMessage::new((*message).clone(), speaker, place, said_at);
        let message = Arc::new(message);
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
}

/// Where something said is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// In the room's log, for all who may read that.
    InLog,
    /// Nowhere but as the subject that the room has.
    AsSubject,
}

/// Whether its sender lets others read it again. Whoever enters later is told
/// what the log has, and nothing else: "permanent or semi-permanent" is what
/// they would find after a restart too (XEP-0334 §4.1, §4.2).
fn may_be_in_log(message: &Message) -> bool {
    let traits = message.traits();
    !traits.contains(Traits::NO_PERMANENT_STORE) && !traits.contains(Traits::NO_STORE)
}

/// What writes down something said.
fn entries(delivery: &RoomDelivery, speaker: &BareJid, kept: Kept, id: MessageId) -> Vec<Change> {
    let RoomDelivery { room, message, .. } = delivery;
    let is_subject = message.traits().contains(Traits::SUBJECT);
    let mut changes = Vec::new();
    if kept == Kept::InLog {
        let kind = if is_subject { EntryFlags::NONE } else { SAID };
        changes.push(Change::Append {
            id,
            body: message.encoded().clone(),
            entries: vec![NewEntry {
                owner: room.address.clone(),
                counterpart: speaker.clone(),
                flags: FOR_HISTORY.with(kind),
            }],
        });
    }
    if is_subject {
        room.note_subject(Some(id).filter(|_| kept == Kept::InLog));
        changes.push(save_subject(&room.address, id, speaker, message));
    }
    changes
}
