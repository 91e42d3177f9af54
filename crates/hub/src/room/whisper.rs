//! What is said to one occupant alone (XEP-0045 §7.5).
//!
//! It is a message from one account to another, and kept in both of their logs
//! like any other (XEP-0313 §6.1.1); but neither side may learn from the room who
//! the other is. So it is two messages: what its sender has written to an
//! occupant, and what an occupant has written to its recipient.

use super::budget::Cost;
use super::{Room, RoomError, Speaker};
use crate::account::{Account, AccountState};
use crate::copies::Copied;
use crate::directory::Resident;
use crate::keeping::{in_history, received, sent};
use crate::mailbox::Wakes;
use crate::pipeline::{Content, deliver_later, give};
use crate::policy::check_room;
use crate::{Direction, Hub, Message, NotKept, SendError, Session, SessionHandle};
use anser_jid::{BareJid, FullJid};
use anser_store::{Change, MessageId, NewEntry, Page, Timestamp, View};
use std::sync::Arc;

/// The two sides of something said to one occupant alone.
#[derive(Debug, Clone)]
pub struct Whispered {
    /// As its sender has written it: from the session, to the occupant.
    pub said: Message,
    /// As its recipient gets it: from an occupant, to the account.
    pub heard: Message,
}

/// Something said to one occupant alone, on its way there.
#[derive(Debug)]
pub(crate) struct Whisper {
    room: Arc<Room>,
    recipient: Arc<Account>,
    /// The recipient's sessions that were in the room.
    listeners: Vec<Arc<Session>>,
    pub(crate) said: Arc<Message>,
    heard: Arc<Message>,
    /// Where it is in the log of its recipient, if it is there.
    place: Option<MessageId>,
    /// Where it is in the log of its sender, if it is there.
    pub(crate) place_of_sender: Option<MessageId>,
}

impl Hub {
    /// Says something to one occupant alone. `make` gets whoever speaks, and the
    /// account that it is for.
    ///
    /// It is refused for somebody who blocks the speaker's address in the room.
    /// That they block the account behind it makes no difference: whoever could
    /// find that out would know who is there.
    ///
    /// # Errors
    /// [`RoomError`]; nobody hears it.
    pub fn whisper(
        &self,
        session: &SessionHandle,
        occupant: &FullJid,
        bytes: usize,
        now: Timestamp,
        make: impl FnOnce(&Speaker, &BareJid) -> Whispered,
    ) -> Result<(), RoomError> {
        session.check_addressee(occupant)?;
        let room = self
            .rooms
            .resident(occupant)
            .ok_or(RoomError::NotOccupant)?;
        let config = self.config();
        self.charge(session, Cost::of_bytes(bytes), now)?;
        let (speaker, listeners) = room.state().whisperer(session, occupant.resource())?;
        let Some(listener) = listeners.first() else {
            return Err(RoomError::NoSuchOccupant);
        };
        // They are all of one account.
        let recipient = Arc::clone(listener.account());
        let Whispered { said, heard } = make(&speaker, recipient.address());
        {
            let state = recipient.state();
            if state.blocked.covers(&speaker.occupant) {
                return Err(SendError::Unavailable.into());
            }
            check_room(&heard, &state, config.accounts.waiting_messages)?;
        }
        let whisper = Whisper {
            room,
            recipient,
            listeners,
            said: Arc::new(said),
            heard: Arc::new(heard),
            place: None,
            place_of_sender: None,
        };
        if whisper.heard.is_logged() {
            self.append_whisper(session.session(), whisper, now);
        } else {
            self.pass(session.session(), Content::Whisper(whisper), now);
        }
        Ok(())
    }

    /// Finds the newest message that a session's account has said to an occupant
    /// alone, by its sender's own name for it (XEP-0424 §5): its place in the
    /// account's own log, and that in the log of whoever the occupant is if they
    /// were told under the name that the session has now.
    ///
    /// # Errors
    /// [`NotKept`] if the logs cannot be read.
    pub async fn find_whisper(
        &self,
        session: &SessionHandle,
        occupant: &FullJid,
        id: &str,
    ) -> Result<Vec<MessageId>, NotKept> {
        let own = session.address().to_bare();
        let is_said = {
            let (own, to, id) = (own.clone(), occupant.clone(), id.to_owned());
            move |message: &Message| {
                let is_own = message.from().bare_str() == own.as_str();
                is_own && *message.to() == *to && message.id() == Some(&id)
            }
        };
        let said = self
            .find_message(&own, &occupant.to_bare(), is_said)
            .await?;
        let Some(said) = said else {
            return Ok(Vec::new());
        };
        let mut places = vec![said];
        if let Some((speaker, listener)) = self.whispering(session, occupant) {
            places.extend(self.find_heard(said, &speaker, listener, id).await?);
        }
        Ok(places)
    }

    /// Under which address a session speaks to an occupant, and whose that is.
    fn whispering(&self, session: &Session, occupant: &FullJid) -> Option<(FullJid, BareJid)> {
        let room = self.rooms.resident(occupant)?;
        let state = room.state();
        let speaker = state.occupant_of(session)?.address.clone();
        let listener = state.named(occupant.resource()).ok()?;
        Some((speaker, listener.account.clone()))
    }

    /// The other side of something said alone. No id is between theirs: a name
    /// alone could be that of a message of somebody who had the speaker's
    /// nickname before.
    async fn find_heard(
        &self,
        said: MessageId,
        speaker: &FullJid,
        listener: BareJid,
        id: &str,
    ) -> Result<Option<MessageId>, NotKept> {
        let next = Page {
            after: said,
            counterpart: Some(speaker.to_bare()),
            ..Page::oldest(1)
        };
        let read = move |view: &View<'_>| view.places(&listener, &next);
        let places = self.store().read(read).await?;
        let mut heard = self.messages(&places).await?;
        heard.retain(|(_, heard)| *heard.from() == **speaker && heard.id() == Some(id));
        Ok(heard.pop().map(|(place, _)| place))
    }

    /// Puts it into the logs of both sides.
    fn append_whisper(&self, sender: &Arc<Session>, whisper: Whisper, now: Timestamp) {
        let (recipient, own) = (Arc::clone(&whisper.recipient), sender.account());
        let (said, heard) = (Arc::clone(&whisper.said), Arc::clone(&whisper.heard));
        // Not under the journal's lock.
        let for_recipient = in_history(&recipient, &heard, heard.from());
        let for_sender = in_history(own, &said, said.to());
        sender.on_submitted();
        self.journal().append_two(now, |first, second| {
            // As with other messages: nothing is written behind what removes an
            // account.
            if recipient.is_gone() {
                return (Vec::new(), deliver_later(sender, Content::Whisper(whisper)));
            }
            let room = whisper.room.address();
            let mut changes = Vec::with_capacity(2);
            if !Arc::ptr_eq(own, &recipient) {
                let entry = sent(own, room, for_sender);
                changes.extend(entry.map(|entry| append(first, &said, entry)));
            }
            let place_of_sender = (!changes.is_empty()).then_some(first);
            let entry = received(&recipient, room, &heard, for_recipient);
            changes.push(append(second, &heard, entry));
            let whisper = Whisper {
                place: Some(second),
                place_of_sender,
                ..whisper
            };
            (changes, deliver_later(sender, Content::Whisper(whisper)))
        });
    }
}

fn append(id: MessageId, message: &Message, entry: NewEntry) -> Change {
    Change::Append {
        id,
        body: message.encoded().clone(),
        entries: vec![entry],
    }
}

impl Whisper {
    /// About how much memory it holds, without what is on its way into the logs.
    pub(crate) fn weight_bytes(&self) -> usize {
        match self.place {
            Some(_) => 0,
            None => self.said.encoded().len() + self.heard.encoded().len(),
        }
    }

    /// Gives it to those of the sessions it is for that are still in the room. What
    /// is kept and meets none of them goes to whoever takes the account's messages,
    /// now or later.
    ///
    /// # Errors
    /// It is not kept, and nobody is there any more.
    pub(crate) fn deliver(&self, wakes: &mut Wakes) -> Result<(), SendError> {
        let mut state = self.recipient.state();
        if let Some(place) = self.place {
            state.inbox.arrived(place, None);
        }
        // Since it was sent: it waits, and nobody is given it unless that changes.
        if state.blocked.covers(self.heard.from()) {
            return Ok(());
        }
        let room = self.room.state();
        let is_there = |listener: &&Arc<Session>| room.occupant_of(listener).is_some();
        let present: Vec<_> = self.listeners.iter().filter(is_there).collect();
        for listener in &present {
            if let Some(place) = self.place {
                state.inbox.reserve(place, listener.slot());
            }
            give(listener, &self.heard, self.place, wakes);
        }
        if !present.is_empty() {
            return Ok(());
        }
        let Some(place) = self.place else {
            return Err(SendError::Unavailable);
        };
        drop(room);
        let AccountState { devices, inbox, .. } = &mut *state;
        for device in devices.iter().filter(|device| device.takes_messages()) {
            inbox.give(place, device.session.slot());
            give(&device.session, &self.heard, self.place, wakes);
        }
        Ok(())
    }

    /// Gives copies to its sender's other devices (XEP-0280 §6.1), unless they have
    /// got it as those that it is for.
    pub(crate) fn copy_to_sender(&self, sender: &Session, wakes: &mut Wakes) {
        if Arc::ptr_eq(sender.account(), &self.recipient) {
            return;
        }
        let copied = Copied {
            message: &self.said,
            place: self.place_of_sender,
            direction: Direction::Sent,
            sender,
        };
        copied.give_all(&sender.account().state(), wakes);
    }
}
