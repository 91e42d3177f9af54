//! Sessions and rooms: coming, going, and what is said on its way.

use super::govern::{Actor, MakesMember};
use super::record::{SAID, TEMPORARY, save_subject};
use super::state::RoomState;
use super::{
    Affiliation, AffiliationChange, Creation, Departure, Destruction, Entrance, IsEnd, Look,
    OccupantId, Role, Room, RoomConfig, RoomError, RoomEvent, RoomMessage, Sight, Speaker, Speech,
};
use crate::account::FOR_HISTORY;
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::pipeline::Content;
use crate::sync::lock;
use crate::{Event, Hub, Message, Recipient, SendError, Session, SessionHandle, Traits};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::{Change, EntryFlags, MessageId, NewEntry, Timestamp};
use ring::hmac;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// After a start of the server, occupants of rooms that end with their last one
/// have so long to come back.
const TIME_TO_COME_BACK: Duration = Duration::from_secs(600);

/// So many bytes stand for a session that has asked something through a room.
const PSEUDONYM_BYTES: usize = 8;

/// Rooms of the accounts of `example.org` are at `rooms.example.org`.
const SERVICE_LABEL: &str = "rooms.";

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

/// Something said to one session in a room, on its way there.
#[derive(Debug)]
pub(crate) struct Whisper {
    room: Arc<Room>,
    listener: Arc<Session>,
    pub(crate) message: Arc<Message>,
    /// The same as its sender wrote it, for copies; with one of those that it
    /// goes to.
    pub(crate) sent: Option<Arc<Message>>,
}

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

/// Somebody is asked into a room.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Whoever asks, as they are in the room.
    pub inviter: FullJid,
    /// What one has to know to enter.
    pub password: Option<String>,
}

impl Hub {
    /// Whether rooms are at this domain.
    #[must_use]
    pub fn hosts_rooms(&self, domain: &str) -> bool {
        let of = domain.strip_prefix(SERVICE_LABEL);
        of.is_some_and(|of| self.serves(of)) && !self.serves_by_name(domain)
    }

    /// Where the rooms of a domain's accounts are.
    #[must_use]
    pub fn room_service(&self, domain: &str) -> String {
        format!("{SERVICE_LABEL}{domain}")
    }

    /// The room at an address, read if need be.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`], or [`RoomError::NotKept`] if it could not be read.
    pub async fn room(&self, address: &Jid, now: Timestamp) -> Result<Arc<Room>, RoomError> {
        if let Some(room) = self.rooms.resident(address) {
            room.touch(now);
            return Ok(room);
        }
        let room = self.find_room(&address.to_bare(), now).await?;
        room.ok_or(RoomError::NoRoom)
    }

    async fn find_room(
        &self,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Option<Arc<Room>>, RoomError> {
        if address.local().is_none() || !self.hosts_rooms(address.domain()) {
            return Ok(None);
        }
        let (of, secret) = (address.clone(), self.secret);
        let most_recent = self.config().rooms.history_messages as usize;
        let read = move |view: &anser_store::View<'_>| {
            let state = RoomState::load(view, &of, &secret, most_recent)?;
            Ok(state.map(Room::new))
        };
        let room = self.rooms.load(self.store(), address, now, read).await;
        Ok(room.map_err(crate::NotKept::from)?)
    }

    /// Lets a session into a room, which is made if there is none
    /// (XEP-0045 §7.2, §10.1). What follows comes as
    /// [`RoomEvent`](super::RoomEvent)s.
    ///
    /// # Errors
    /// [`RoomError`]; nobody was told anything.
    pub async fn enter_room(
        &self,
        session: &SessionHandle,
        entrance: Entrance,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let address = entrance.occupant.to_bare();
        session.check_addressee(&entrance.occupant)?;
        let config = self.config();
        let bytes = entrance.look.payload.len();
        session
            .session()
            .visits()
            .charge(bytes, &config.rooms, now)?;
        loop {
            let (room, newness) = match self.find_room(&address, now).await? {
                Some(room) => (room, Sight::default()),
                None => match self.found_room(session, &address, now).await {
                    Ok(room) => (room, Sight::CREATED),
                    // Somebody else was faster.
                    Err(RoomError::Exists) => continue,
                    Err(error) => return Err(error),
                },
            };
            match self.sit_down(session, &room, entrance.clone(), newness, now) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => {
                    // Nobody opens a room that its owner did not get into.
                    self.end_if_empty(&room, now).await;
                    return Err(error);
                }
                // Somebody destroys it: a new one can be made when that is done.
                None => drop(room.changes.lock().await),
            }
        }
    }

    /// Makes a room for whoever wants to enter it.
    async fn found_room(
        &self,
        session: &SessionHandle,
        address: &BareJid,
        now: Timestamp,
    ) -> Result<Arc<Room>, RoomError> {
        if !self.hosts_rooms(address.domain()) || address.local().is_none() {
            return Err(RoomError::NoRoom);
        }
        match self.config().rooms.creation {
            Creation::Everyone => {}
            Creation::Nobody => return Err(RoomError::NoCreation),
        }
        let owner = session.address().to_bare();
        self.make_room(address, &owner, now).await
    }

    /// `None` if the room is gone.
    fn sit_down(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        entrance: Entrance,
        newness: Sight,
        now: Timestamp,
    ) -> Option<Result<(), RoomError>> {
        let session = session.session();
        let config = self.config();
        let mut wakes = Wakes::default();
        let mut visited = session.visits().rooms();
        // It has ended meanwhile, and nobody waits for an answer.
        let Some(rooms) = visited.as_mut() else {
            return Some(Ok(()));
        };
        // Under the lock: either this sees that the room is blocked by now, or
        // whoever blocks it sees the session in it.
        if let Err(blocked) = session.check_addressee(&room.address) {
            return Some(Err(blocked.into()));
        }
        let is_known = rooms.iter().any(|other| Arc::ptr_eq(other, room));
        let limit = config.rooms.per_session;
        if !is_known && rooms.len() >= limit {
            return Some(Err(RoomError::TooManyRooms { limit }));
        }
        let mut state = room.state();
        if room.is_gone() {
            return None;
        }
        let entered = state.enter(session, entrance, newness, &config.rooms, now, &mut wakes);
        if entered.is_ok() && !is_known {
            rooms.push(Arc::clone(room));
        }
        Some(entered)
    }

    /// Whether a session is in a room.
    #[must_use]
    pub fn is_in_room(&self, session: &Session, room: &Jid) -> bool {
        let room = self.rooms.resident(room);
        room.is_some_and(|room| room.state().occupant_of(session).is_some())
    }

    /// A session in a room looks otherwise now, or takes another nickname
    /// (XEP-0045 §7.6, §7.7).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub fn change_in_room(
        &self,
        session: &SessionHandle,
        occupant: &FullJid,
        look: &Look,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let session = session.session();
        session.check_addressee(occupant)?;
        let config = self.config();
        let bytes = look.payload.len();
        session.visits().charge(bytes, &config.rooms, now)?;
        let mut wakes = Wakes::default();
        let room = self
            .rooms
            .resident(occupant)
            .ok_or(RoomError::NotOccupant)?;
        let mut state = room.state();
        let current = state.occupant(session)?;
        if current.address == *occupant {
            state.change_look(session, look, &mut wakes)
        } else {
            state.rename(session, occupant, look, &mut wakes)
        }
    }

    /// Tells a session that it is not in a room that it believes to be in, once
    /// it has been told what happened there before.
    pub fn tell_not_here(&self, session: &SessionHandle, occupant: FullJid) {
        let event = Event::Room(RoomEvent::NotHere { occupant });
        session.mailbox().push(event, &mut Wakes::default());
    }

    /// A session leaves a room (XEP-0045 §7.14). Leaving one that it is not in
    /// does nothing. A room that nobody wants to keep ends with the last
    /// occupant.
    pub async fn leave_room(
        &self,
        session: &SessionHandle,
        room: &Jid,
        look: &Look,
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.resident(room) else {
            return;
        };
        let session = session.session();
        let mut wakes = Wakes::default();
        room.state()
            .leave(session, Departure::Left, look, &mut wakes);
        drop(wakes);
        session.visits().forget(session, &room);
        self.end_if_empty(&room, now).await;
    }

    /// A session leaves all rooms.
    pub(crate) fn leave_rooms(&self, session: &Session, end: IsEnd, look: &Look) {
        let mut wakes = Wakes::default();
        for room in session.visits().take(end) {
            let mut state = room.state();
            state.leave(session, Departure::Left, look, &mut wakes);
            let is_over = is_over(&state);
            drop(state);
            if is_over {
                lock(&self.emptied).push(room);
            }
        }
    }

    /// A session leaves the rooms at some addresses.
    pub(crate) fn leave_rooms_at(&self, session: &Session, is_left: impl Fn(&Jid) -> bool) {
        let mut left = session.visits().rooms().clone().unwrap_or_default();
        left.retain(|room| is_left(&room.address));
        let mut wakes = Wakes::default();
        for room in left {
            let mut state = room.state();
            state.leave(session, Departure::Left, &Look::default(), &mut wakes);
            let is_over = is_over(&state);
            drop(state);
            session.visits().forget(session, &room);
            if is_over {
                lock(&self.emptied).push(room);
            }
        }
    }

    /// Ends the rooms that nobody wants to keep and whose last occupants have
    /// gone without saying so.
    pub(crate) async fn end_emptied_rooms(&self, now: Timestamp) {
        let emptied = std::mem::take(&mut *lock(&self.emptied));
        for room in emptied {
            self.end_if_empty(&room, now).await;
        }
    }

    /// Ends the rooms that should have ended with their last occupants, had the
    /// server not ended first. Those who were in them have some time to come
    /// back.
    pub(crate) async fn end_leftover_rooms(&self, now: Timestamp) {
        let begun = *lock(&self.leftovers_since).get_or_insert(now);
        if now.since(begun) < TIME_TO_COME_BACK || self.leftovers_ended.swap(true, Relaxed) {
            return;
        }
        let read = |view: &anser_store::View<'_>| view.owners(TEMPORARY, None, usize::MAX >> 1);
        let leftovers = match self.store().read(read).await {
            Ok(leftovers) => leftovers,
            Err(error) => {
                tracing::warn!(%error, "rooms that nobody keeps stay until the next start");
                return;
            }
        };
        for address in leftovers {
            if let Ok(Some(room)) = self.find_room(&address, now).await {
                self.end_if_empty(&room, now).await;
            }
        }
    }

    pub(super) async fn end_if_empty(&self, room: &Arc<Room>, now: Timestamp) {
        if !is_over(&room.state()) {
            return;
        }
        let end = Destruction::default();
        if let Err(error) = self.forget_room(room, is_over, &end, now).await {
            tracing::warn!(room = %room.address, %error, "an empty room stays for now");
            lock(&self.emptied).push(Arc::clone(room));
        }
    }

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

    /// Says something to one occupant alone (XEP-0045 §7.5). `make` gets where
    /// it comes from and where it goes: once as its sender sees it, for the
    /// sender's other devices, and once for every session that gets it. It is
    /// not kept: whom it is for is there.
    ///
    /// It is refused for somebody who blocks the occupant's address in the room.
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
        make: impl Fn(&FullJid, &FullJid) -> Message,
    ) -> Result<(), RoomError> {
        session.check_addressee(occupant)?;
        let room = self
            .rooms
            .resident(occupant)
            .ok_or(RoomError::NotOccupant)?;
        let config = self.config();
        let visits = session.session().visits();
        visits.charge(bytes, &config.rooms, now)?;
        let state = room.state();
        let (speaker, listeners) = state.whisperer(session, occupant.resource())?;
        drop(state);
        // They are all of one account.
        let blocks = |listener: &Arc<Session>| listener.check_addressee(&speaker.occupant).is_err();
        if listeners.first().is_some_and(blocks) {
            return Err(SendError::Unavailable.into());
        }
        let mut sent = Some(Arc::new(make(session.address(), occupant)));
        for listener in listeners {
            let message = Arc::new(make(&speaker.occupant, listener.address()));
            let whisper = Whisper {
                room: Arc::clone(&room),
                listener,
                message,
                sent: sent.take(),
            };
            self.pass(session.session(), Content::Whisper(whisper), now);
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
    /// has asked, and nobody else.
    #[must_use]
    pub fn pseudonym(&self, asker: &FullJid, id: &str) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret));
        context.update(b"asker");
        context.update(asker.as_str().as_bytes());
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
        let asker = seats.find(|asker| self.pseudonym(asker, own_id) == id)?;
        Some((asker.clone(), own, own_id.to_owned()))
    }

    /// How many rooms are in memory.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.all().len()
    }
}

/// Nobody is in it, and nobody wants to keep it.
fn is_over(state: &RoomState) -> bool {
    state.occupants.is_empty() && (state.is_locked || !state.config.persistent)
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

/// Gives a private message to the session it is for.
///
/// # Errors
/// It has left meanwhile.
pub(crate) fn deliver_whisper(whisper: &Whisper, wakes: &mut Wakes) -> Result<(), SendError> {
    let Whisper { room, listener, .. } = whisper;
    let state = room.state();
    if state.occupant_of(listener).is_none() {
        return Err(SendError::Unavailable);
    }
    let event = Event::Message {
        message: Arc::clone(&whisper.message),
        place: None,
    };
    let offered = listener.mailbox().offer(event, wakes);
    offered.map_err(|_| SendError::Unavailable)
}
