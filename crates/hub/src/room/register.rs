//! Becoming a member with a nickname to keep (XEP-0045 §7.10).

use super::budget::Cost;
use super::state::RoomState;
use super::{Actor, Affiliation, AffiliationChange, Room, RoomError};
use crate::{Hub, SessionHandle};
use anser_jid::BareJid;
use anser_store::Timestamp;
use std::sync::Arc;

impl RoomState {
    /// Whether an account may become a member by registering
    /// (XEP-0045 §7.10).
    ///
    /// # Errors
    /// [`RoomError::NoRegistration`]
    pub(crate) fn check_registration(&self, account: &BareJid) -> Result<(), RoomError> {
        match self.affiliation(account) {
            Affiliation::Member | Affiliation::Admin | Affiliation::Owner => Ok(()),
            Affiliation::None if self.config.registration && !self.config.members_only => Ok(()),
            Affiliation::None | Affiliation::Outcast => Err(RoomError::NoRegistration),
        }
    }
}

impl Hub {
    /// Whether an account may become a member by registering.
    ///
    /// # Errors
    /// [`RoomError::NoRegistration`]
    pub fn check_registration(&self, room: &Room, account: &BareJid) -> Result<(), RoomError> {
        room.state().check_registration(account)
    }

    /// The nickname that an account keeps in a room, and whether it is a member
    /// or more.
    #[must_use]
    pub fn registration(&self, room: &Room, account: &BareJid) -> (Affiliation, Option<String>) {
        let state = room.state();
        let standing = state.affiliations.get(account);
        let nick = standing.and_then(|standing| standing.nick.clone());
        (state.affiliation(account), nick)
    }

    /// Makes whoever asks a member with a nickname to keep, where that is
    /// allowed (XEP-0045 §7.10).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn register_in_room(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        nick: &str,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge(session, Cost::ONE, now)?;
        let account = session.address().to_bare();
        let decide = |state: &RoomState| {
            state.check_registration(&account)?;
            // What somebody is because of their server, they do not stay without
            // it.
            let is_member = state.affiliation(&account) >= Affiliation::Member;
            let affiliation = match is_member {
                true => state.own_affiliation(&account),
                false => Affiliation::Member,
            };
            Ok(vec![AffiliationChange {
                account: account.clone(),
                affiliation,
                nick: Some(nick.to_owned()),
                reason: None,
            }])
        };
        self.decide_affiliations(room, Actor::Operator, now, decide)
            .await?;
        Ok(())
    }

    /// Takes back the nickname that whoever asks keeps in a room, and with it
    /// their membership.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn unregister_in_room(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge(session, Cost::ONE, now)?;
        let account = session.address().to_bare();
        let decide = |state: &RoomState| {
            if state.affiliation(&account) < Affiliation::Member {
                return Err(RoomError::NoRegistration);
            }
            let affiliation = match state.own_affiliation(&account) {
                Affiliation::Member => Affiliation::None,
                other => other,
            };
            Ok(vec![AffiliationChange {
                account: account.clone(),
                affiliation,
                nick: Some(String::new()),
                reason: None,
            }])
        };
        self.decide_affiliations(room, Actor::Operator, now, decide)
            .await?;
        Ok(())
    }
}
