//! What was said in a room, read again and taken back (XEP-0313 §6.1.2,
//! XEP-0424, XEP-0425).

use super::budget::Cost;
use super::exchange::RoomDelivery;
use super::state::RoomState;
use super::{
    Affiliation, OccupantId, Role, Room, RoomError, RoomMessage, RoomsConfig, Sight, Speaker,
    Speech,
};
use crate::account::FOR_HISTORY;
use crate::directory::Resident;
use crate::pipeline::{Content, deliver_later};
use crate::{Hub, Message, NotKept, Session, SessionHandle, Then};
use anser_jid::{BareJid, Jid};
use anser_store::{
    Change, LogEntry, MessageId, NewEntry, Page, Refusal, StoreError, Timestamp, View,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A message in a room's log, and who has sent it.
#[derive(Debug, Clone)]
pub struct Archived {
    /// Where it is.
    pub place: MessageId,
    /// What it is.
    pub message: Message,
    /// Whose account has sent it.
    pub author: BareJid,
}

/// Who takes a message back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retractor {
    /// Whoever has sent it (XEP-0424).
    Author {
        /// What they say by that: something to read if there is a text for those
        /// who do not know better.
        speech: Speech,
    },
    /// A moderator (XEP-0425).
    Moderator,
}

/// What is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retraction {
    /// Where it is.
    pub place: MessageId,
    /// By whom.
    pub retractor: Retractor,
    /// So much is said with it.
    pub bytes: usize,
}

/// What a message that is taken back leaves: what stands in its place, as XML
/// children, and the message that tells of it.
#[derive(Debug, Clone)]
pub struct Remains {
    /// In the place of the message.
    pub tombstone: Vec<u8>,
    /// For all who are in the room, and those who read the log.
    pub news: Message,
}

impl RoomState {
    /// Whether somebody may read what was said: whoever may enter
    /// (XEP-0313 §6.1.2). Says whether they may know who has said it.
    ///
    /// # Errors
    /// [`RoomError`]
    fn check_reader(&self, session: &Session) -> Result<Sight, RoomError> {
        let affiliation = self.affiliation(session.address());
        let occupant = self.occupant_of(session);
        if affiliation == Affiliation::Outcast {
            return Err(RoomError::Banned);
        }
        let is_closed = !self.config.is_open();
        if occupant.is_none() && affiliation < Affiliation::Member && is_closed {
            return Err(RoomError::Forbidden);
        }
        if self.is_locked {
            return Err(RoomError::NoRoom);
        }
        let role = occupant.map_or(Role::None, |occupant| occupant.role);
        let is_admin = affiliation >= Affiliation::Admin;
        Ok(self.sight_of(if is_admin { Role::Moderator } else { role }))
    }

    /// Whether somebody may take messages back in this way, and as whom they are
    /// known.
    ///
    /// # Errors
    /// [`RoomError`]
    fn check_retractor(
        &mut self,
        session: &Session,
        retractor: Retractor,
        server: &RoomsConfig,
        now: Timestamp,
    ) -> Result<Speaker, RoomError> {
        match retractor {
            Retractor::Author { speech } => self.check_speaker(session, speech, server, now),
            Retractor::Moderator => {
                let occupant = self.occupant(session)?;
                if occupant.role < Role::Moderator {
                    return Err(RoomError::Forbidden);
                }
                Ok(Speaker::of(occupant))
            }
        }
    }

    /// Puts a tombstone into what whoever enters is told.
    pub(super) fn bury(&mut self, place: MessageId, tombstone: &Message) {
        let mut recent = self.recent.iter_mut();
        if let Some(message) = recent.find(|message| message.place == Some(place)) {
            let id = message.occupant_id;
            let buried = RoomMessage::new(tombstone.clone(), id, Some(place), message.at);
            *message = Arc::new(buried);
        }
        // Without one, whoever enters is told that there is none.
        self.subject.take_if(|subject| subject.place == Some(place));
    }
}

impl Hub {
    /// Whether a session may read a room's log, and whether it may know who has
    /// said what in it.
    ///
    /// # Errors
    /// [`RoomError`]
    pub fn check_room_reader(&self, session: &Session, room: &Room) -> Result<Sight, RoomError> {
        room.state().check_reader(session)
    }

    /// Names an account as a room does (XEP-0421).
    #[must_use]
    pub fn occupant_id(&self, room: &Room, account: &Jid) -> OccupantId {
        room.state().occupant_id(account)
    }

    /// Messages of a room's log by their places, in the same order; those that
    /// are gone are left out.
    ///
    /// # Errors
    /// [`NotKept`] if they cannot be read.
    pub async fn room_messages(
        &self,
        room: &BareJid,
        places: &[MessageId],
    ) -> Result<Vec<Archived>, NotKept> {
        let (room, places) = (room.clone(), places.to_vec());
        let read = move |view: &View<'_>| {
            let mut entries = Vec::with_capacity(places.len());
            for place in places {
                entries.extend(view.page(&room, &only(place))?);
            }
            Ok(entries)
        };
        let entries = self.store().read(read).await?;
        Ok(entries.into_iter().filter_map(decode).collect())
    }

    /// Takes a message back, in the place of which a tombstone stands from then
    /// on: by its author, or by a moderator (XEP-0424 §5, XEP-0425 §4). `make`
    /// gets the message and whoever takes it back.
    ///
    /// When this returns, an author's retraction is on its way, as with
    /// [`Hub::say`], and a moderator's is written down and told.
    ///
    /// # Errors
    /// [`RoomError::NoSuchMessage`] if there is none that they may take back in
    /// this way; others as with [`Hub::say`].
    pub async fn take_back(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        retraction: Retraction,
        now: Timestamp,
        make: impl FnOnce(&Archived, &Speaker) -> Remains,
    ) -> Result<(), RoomError> {
        let Retraction {
            place,
            retractor,
            bytes,
        } = retraction;
        let cost = Cost::of_bytes(bytes);
        self.charge(session, cost, now)?;
        // What it takes back may still be on its way to the disk.
        session.all_settled().await;
        let server = &self.config().rooms;
        room.state()
            .check_retractor(session, retractor, server, now)?;
        let found = self.retractable(session, room, place, retractor).await?;
        let speaker = match retractor {
            Retractor::Author { speech } => {
                room.state().speaker(session, speech, cost, server, now)?
            }
            Retractor::Moderator => room
                .state()
                .check_retractor(session, retractor, server, now)?,
        };
        let remains = make(&found, &speaker);
        let tombstone = Arc::new(found.message.tombstone(&remains.tombstone));
        let delivery = |speaker| RoomDelivery {
            room: Arc::clone(room),
            message: Arc::new(remains.news),
            speaker,
            at: now,
            place: None,
            buried: Some((place, tombstone)),
        };
        let sender = session.session();
        match retractor {
            Retractor::Author { .. } => {
                let delivery = delivery(Some(speaker.id));
                sender.on_submitted();
                let then = |delivery| deliver_later(sender, Content::Room(delivery));
                self.append_retraction(sender, delivery, now, then);
                Ok(())
            }
            Retractor::Moderator => self.moderate(sender, delivery(None), now).await,
        }
    }

    /// The message that is to be taken back, if it is one that may be.
    async fn retractable(
        &self,
        session: &Session,
        room: &Room,
        place: MessageId,
        retractor: Retractor,
    ) -> Result<Archived, RoomError> {
        let found = self.room_messages(&room.address, &[place]).await?.pop();
        let own = session.address().bare_str();
        let is_theirs = |found: &Archived| match retractor {
            Retractor::Author { .. } => found.author.as_str() == own,
            Retractor::Moderator => true,
        };
        found
            .filter(|found| !found.message.is_tombstone() && is_theirs(found))
            .ok_or(RoomError::NoSuchMessage)
    }

    /// Writes down what a moderator has taken back, has everybody told, and
    /// waits until that is done.
    async fn moderate(
        &self,
        moderator: &Session,
        delivery: RoomDelivery,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let room = Arc::clone(&delivery.room);
        let (answer, answered) = oneshot::channel();
        let then = |delivery| Then::Tell(Box::new(delivery), answer);
        self.append_retraction(moderator, delivery, now, then);
        let closed = || Err(Refusal::Store(Arc::new(StoreError::Closed)));
        let outcome = answered.await.unwrap_or_else(|_| closed());
        outcome.map_err(NotKept::from)?;
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        Ok(())
    }

    /// Writes a retraction down, and a tombstone into the place of what it takes
    /// back. `then` says what follows.
    fn append_retraction(
        &self,
        sender: &Session,
        delivery: RoomDelivery,
        now: Timestamp,
        then: impl FnOnce(RoomDelivery) -> Then,
    ) {
        self.journal().append(now, |id| {
            let mut changes = Vec::new();
            if let (false, Some((place, tombstone))) = (delivery.room.is_gone(), &delivery.buried) {
                changes.push(Change::Replace {
                    id: *place,
                    body: tombstone.encoded().clone(),
                });
                changes.extend(delivery.room.take_back_subject(*place));
                changes.push(Change::Append {
                    id,
                    body: delivery.message.encoded().clone(),
                    entries: vec![NewEntry {
                        owner: delivery.room.address.clone(),
                        counterpart: sender.account().address().clone(),
                        flags: FOR_HISTORY,
                    }],
                });
            }
            let place = (!changes.is_empty()).then_some(id);
            (changes, then(RoomDelivery { place, ..delivery }))
        });
    }
}

/// The one entry at a place, if it is one that history shows.
pub(super) fn only(place: MessageId) -> Page {
    Page {
        after: place.previous(),
        before: place.next(),
        flags: FOR_HISTORY,
        ..Page::oldest(1)
    }
}

fn decode(entry: LogEntry) -> Option<Archived> {
    match Message::decode(entry.body) {
        Ok(message) => Some(Archived {
            place: entry.id,
            message,
            author: entry.counterpart,
        }),
        Err(error) => {
            tracing::error!(place = %entry.id, %error, "a message is left out");
            None
        }
    }
}
