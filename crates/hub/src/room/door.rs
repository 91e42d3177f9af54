//! Sessions come to rooms, change in them and go.

use super::budget::Cost;
use super::state::RoomState;
use super::{Creation, Departure, Entrance, IsEnd, Look, Room, RoomError, RoomEvent, Sight};
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::sync::lock;
use crate::{Event, Hub, Session, SessionHandle};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::Timestamp;
use std::sync::Arc;

/// Rooms of the accounts of `example.org` are at `rooms.example.org`.
const SERVICE_LABEL: &str = "rooms.";

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
        let cost = Cost::of_bytes(entrance.look.payload.len());
        self.charge(session, cost, now)?;
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
            match self.sit_down(session, &room, entrance.clone(), newness) {
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
    ) -> Option<Result<(), RoomError>> {
        let session = session.session();
        let config = self.config();
        let mut wakes = Wakes::default();
        let mut visiting = session.visits().lock();
        // It has ended meanwhile, and nobody waits for an answer.
        let Some(rooms) = visiting.rooms() else {
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
        let entered = state.enter(session, entrance, newness, &config.rooms, &mut wakes);
        if entered.is_ok() && !is_known {
            rooms.push(Arc::clone(room));
        }
        Some(entered)
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
        self.charge(session, Cost::of_bytes(look.payload.len()), now)?;
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

    /// A session that is about to end says so: it leaves all rooms, and enters
    /// none any more.
    pub fn quit_rooms(&self, session: &Session) {
        self.leave_all(session, IsEnd::Yes, &Departure::Left, &Look::default());
    }

    /// A session leaves all rooms. From one that has ended they had no word
    /// (XEP-0045 §11.1).
    pub(crate) fn leave_rooms(&self, session: &Session, end: IsEnd, look: &Look) {
        let departure = match end {
            IsEnd::Yes => Departure::Lost,
            IsEnd::No => Departure::Left,
        };
        self.leave_all(session, end, &departure, look);
    }

    fn leave_all(&self, session: &Session, end: IsEnd, departure: &Departure, look: &Look) {
        let mut wakes = Wakes::default();
        for room in session.visits().take(end) {
            let mut state = room.state();
            state.leave(session, departure.clone(), look, &mut wakes);
            let is_over = state.is_over();
            drop(state);
            if is_over {
                lock(&self.emptied).push(room);
            }
        }
    }

    /// Everybody leaves all rooms, as the server stops (XEP-0045 §11.2). What is
    /// said in them from now on is in their logs.
    pub(crate) fn vacate_rooms(&self, wakes: &mut Wakes) {
        for room in self.rooms.all() {
            room.state().dismiss(&Departure::Shutdown, wakes);
        }
    }

    /// A session leaves the rooms at some addresses.
    pub(crate) fn leave_rooms_at(&self, session: &Session, is_left: impl Fn(&Jid) -> bool) {
        let mut left = session.visits().rooms();
        left.retain(|room| is_left(&room.address));
        let mut wakes = Wakes::default();
        for room in left {
            let mut state = room.state();
            state.leave(session, Departure::Left, &Look::default(), &mut wakes);
            let is_over = state.is_over();
            drop(state);
            session.visits().forget(session, &room);
            if is_over {
                lock(&self.emptied).push(room);
            }
        }
    }
}
