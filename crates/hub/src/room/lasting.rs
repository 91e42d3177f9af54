//! What changes a room for good: written down first, told afterwards.

use super::budget::Cost;
use super::govern::Actor;
use super::record::{self, ROOM, RoomRecord, RoomSummary};
use super::state::{RoomState, Standing};
use super::{
    Affiliated, Affiliation, AffiliationChange, Deciders, Present, Role, RoleChange, Room,
    RoomConfig, RoomError,
};
use crate::mailbox::Wakes;
use crate::{Hub, Session};
use anser_jid::{BareJid, FullJid};
use anser_store::{Refusal, Timestamp, View};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Hub {
    /// Makes a room that its owner has yet to open; until then nothing of it is
    /// written down (XEP-0045 §10.1.1).
    ///
    /// # Errors
    /// [`RoomError::Exists`] if somebody else was faster.
    pub(super) async fn make_room(
        &self,
        address: &BareJid,
        owner: &BareJid,
        now: Timestamp,
    ) -> Result<Arc<Room>, RoomError> {
        let config = self.config();
        let own = RoomConfig::new(&config.rooms);
        let mut state = RoomState::new(address.clone(), &self.secret, own);
        state.is_locked = true;
        state.most_recent = config.rooms.history_messages as usize;
        let owns = Standing {
            affiliation: Affiliation::Owner,
            ..Standing::default()
        };
        state.set_standing(owner, owns);
        let of = address.clone();
        let is_kept = move |view: &View<'_>| Ok(view.record(&of, ROOM, "")?.is_some());
        let room = Room::new(state);
        let made = self.rooms.create(self.store(), room, now, is_kept).await;
        made.map_err(crate::NotKept::from)?.ok_or(RoomError::Exists)
    }

    /// Makes rooms that are open, as whoever runs the server wants them: all of
    /// them, or none. Each with what it is like and who owns it.
    ///
    /// # Errors
    /// The first that cannot be made, and why.
    pub async fn create_rooms(
        &self,
        rooms: &[(BareJid, RoomConfig, Vec<BareJid>)],
        now: Timestamp,
    ) -> Result<(), (BareJid, RoomError)> {
        // Nobody finds that there is none, and makes one, before these are there.
        let addresses = rooms.iter().map(|(address, ..)| address);
        let _alone = self.rooms.hold(addresses).await;
        let mut changes = Vec::new();
        // As with accounts: the second of one name would replace the first.
        let mut named = BTreeSet::new();
        for (address, config, owners) in rooms {
            self.check_room_address(address)
                .map_err(|error| (address.clone(), error))?;
            if !named.insert(address) {
                return Err((address.clone(), RoomError::Repeated));
            }
            if self.rooms.resident(address).is_some() {
                return Err((address.clone(), RoomError::Exists));
            }
            let record = RoomRecord::new(config.clone());
            let owner = Standing {
                affiliation: Affiliation::Owner,
                ..Standing::default()
            };
            let owners = owners
                .iter()
                .map(|account| (account.clone(), owner.clone()));
            let owners: Vec<_> = owners.collect();
            changes.extend(RoomState::creation(address, &record, &owners));
        }
        match self.commit(changes, now).await {
            Ok(()) => Ok(()),
            Err(Refusal::Conflict { owner, .. }) => Err((owner, RoomError::Exists)),
            Err(refusal) => {
                let first = rooms.first().map(|(address, ..)| address.clone());
                let error = crate::NotKept::from(refusal).into();
                Err((first.expect("an empty batch conflicts with nothing"), error))
            }
        }
    }

    fn check_room_address(&self, address: &BareJid) -> Result<(), RoomError> {
        if address.local().is_none() {
            return Err(RoomError::Unfit("it has no name before the @"));
        }
        if !self.hosts_rooms(address.domain()) {
            let reason = "its domain is not that of this server's rooms, \
                 which begins with rooms.";
            return Err(RoomError::Unfit(reason));
        }
        Ok(())
    }

    /// Gives occupants other roles: all of them, or none.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub fn change_roles(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        changes: &[RoleChange],
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge_actor(actor, Cost::of(changes.len()), now)?;
        let mut wakes = Wakes::default();
        let gone = room.state().change_roles(actor, changes, &mut wakes)?;
        forget_visits(room, gone);
        Ok(())
    }

    /// Changes affiliations: all of them, or none. Gives those who have become
    /// members of a room for members only, and are not in it: they are to be
    /// asked in (XEP-0045 §9.5).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn change_affiliations(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        changes: &[AffiliationChange],
        now: Timestamp,
    ) -> Result<Vec<BareJid>, RoomError> {
        self.charge_actor(actor, Cost::of(changes.len()), now)?;
        let decide = |_: &RoomState| Ok(changes.to_vec());
        self.decide_affiliations(room, actor, now, decide).await
    }

    /// The same with changes that depend on how the room is when nobody else
    /// can change it. Those that would leave everything as it is are neither
    /// written down nor told.
    pub(super) async fn decide_affiliations(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        now: Timestamp,
        decide: impl FnOnce(&RoomState) -> Result<Vec<AffiliationChange>, RoomError>,
    ) -> Result<Vec<BareJid>, RoomError> {
        let alone = room.changes.lock().await;
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let config = self.config();
        let (changes, writes, new_members) = {
            let state = room.state();
            let mut changes = decide(&state)?;
            state.check_affiliations(actor, &changes, &config.rooms)?;
            changes.retain(|change| state.is_news(change));
            let writes = state.save_affiliations(&changes);
            let new_members = state.new_members(&changes);
            (changes, writes, new_members)
        };
        if changes.is_empty() {
            return Ok(new_members);
        }
        self.commit(writes, now)
            .await
            .map_err(crate::NotKept::from)?;
        let gone = {
            let mut wakes = Wakes::default();
            let mut state = room.state();
            state.apply_affiliations(actor, &changes, &mut wakes)
        };
        drop(alone);
        forget_visits(room, gone);
        Ok(new_members)
    }

    /// Changes what a room is like and who decides in it, and opens it if it was
    /// not yet (XEP-0045 §10.1.2, §10.2): all of it, or nothing. `change` makes
    /// the new configuration of the old one.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn configure_room(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        now: Timestamp,
        change: impl FnOnce(&RoomConfig) -> Result<(RoomConfig, Deciders), RoomError>,
    ) -> Result<(), RoomError> {
        let alone = room.changes.lock().await;
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let server = self.config();
        let (config, affiliations, writes, cost) = {
            let state = room.state();
            state.check_owner(actor)?;
            let (mut config, deciders) = change(&state.config)?;
            check_config(&config)?;
            config.limit_history(state.most_recent);
            let affiliations = state.changes_for(&deciders)?;
            state.check_affiliations(actor, &affiliations, &server.rooms)?;
            if config == state.config && affiliations.is_empty() && !state.is_locked {
                return Ok(());
            }
            let writes = state.configuration(&config, &affiliations);
            let cost = state.cost_of(&config, affiliations.len());
            (config, affiliations, writes, cost)
        };
        self.charge_actor(actor, cost, now)?;
        self.commit(writes, now)
            .await
            .map_err(crate::NotKept::from)?;
        let gone = {
            let mut wakes = Wakes::default();
            let mut gone = Vec::new();
            let mut state = room.state();
            // First, so that whoever becomes an admin of a room for members only
            // does not have to leave it.
            gone.extend(state.apply_affiliations(actor, &affiliations, &mut wakes));
            gone.extend(state.apply_config(config, &mut wakes));
            gone
        };
        drop(alone);
        forget_visits(room, gone);
        self.end_if_empty(room, now).await;
        Ok(())
    }

    /// Whether somebody owns a room.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub fn check_room_owner(&self, room: &Room, actor: Actor<'_>) -> Result<(), RoomError> {
        room.state().check_owner(actor)
    }

    /// Whether a room is there for somebody: one that is not open yet is for its
    /// owner only (XEP-0045 §10.1.1).
    ///
    /// # Errors
    /// [`RoomError::NoRoom`]
    pub fn check_room_there(&self, room: &Room, session: &Session) -> Result<(), RoomError> {
        room.state().check_there(session.address())
    }

    /// Whether a room's owner has not said yet what it shall be like.
    #[must_use]
    pub fn is_locked(&self, room: &Room) -> bool {
        room.state().is_locked
    }

    /// What a room is like, for its owners.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub fn room_config(&self, room: &Room, actor: Actor<'_>) -> Result<RoomConfig, RoomError> {
        let state = room.state();
        state.check_owner(actor)?;
        Ok(state.config.clone())
    }

    /// The accounts with an affiliation, for whoever may see the list.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub fn affiliated(
        &self,
        room: &Room,
        actor: Actor<'_>,
        affiliation: Affiliation,
    ) -> Result<Vec<Affiliated>, RoomError> {
        room.state().affiliated(actor, affiliation)
    }

    /// The occupants with a role, for moderators.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub fn present(
        &self,
        room: &Room,
        actor: Actor<'_>,
        role: Role,
    ) -> Result<Vec<Present>, RoomError> {
        room.state().present(actor, role)
    }

    /// A visitor asks to be allowed to speak; moderators are told.
    ///
    /// # Errors
    /// [`RoomError`]; nobody was told.
    pub fn request_voice(
        &self,
        session: &Session,
        room: &Room,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge(session, Cost::ONE, now)?;
        let mut wakes = Wakes::default();
        room.state().request_voice(session, &mut wakes)
    }

    /// A moderator lets a visitor speak who has asked for that.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub fn approve_voice(
        &self,
        room: &Room,
        actor: Actor<'_>,
        address: Option<&FullJid>,
        nick: &str,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge_actor(actor, Cost::ONE, now)?;
        let mut wakes = Wakes::default();
        let mut state = room.state();
        state.approve_voice(actor, address, nick, &mut wakes)
    }

    /// Rooms of one service or of all in the order of their addresses, those
    /// after `after`: at most `limit` of those that are `wanted`, among at most
    /// `most_read`; and after which address the rest is, if there may be some.
    ///
    /// # Errors
    /// [`RoomError::NotKept`] if they could not be read.
    pub async fn list_rooms(
        &self,
        service: Option<&str>,
        after: Option<BareJid>,
        limit: usize,
        most_read: usize,
        wanted: impl Fn(&RoomSummary) -> bool + Send + 'static,
    ) -> Result<(Vec<RoomSummary>, Option<BareJid>), RoomError> {
        let service = service.map(str::to_owned);
        let is_meant = move |room: &RoomSummary| {
            let mut service = service.iter();
            service.all(|service| room.address.domain() == service) && wanted(room)
        };
        let read =
            move |view: &View<'_>| record::scan(view, after.as_ref(), limit, most_read, is_meant);
        let scan = self
            .store()
            .read(read)
            .await
            .map_err(crate::NotKept::from)?;
        Ok((scan.rooms, scan.reached))
    }

    /// How many are in a room that is in memory.
    #[must_use]
    pub fn occupants(&self, room: &BareJid) -> usize {
        let room = self.rooms.resident(room);
        room.map_or(0, |room| room.state().occupants.len())
    }
}

/// The sessions that are no longer in a room need not know of it.
pub(super) fn forget_visits(room: &Arc<Room>, gone: Vec<Arc<Session>>) {
    for session in gone {
        session.visits().forget(&session, room);
    }
}

/// XEP-0045 §10.1.3
fn check_config(config: &RoomConfig) -> Result<(), RoomError> {
    match &config.password {
        Some(password) if password.is_empty() => {
            Err(RoomError::UnfitConfig("its password is empty"))
        }
        Some(_) | None => Ok(()),
    }
}
