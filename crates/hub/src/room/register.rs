//! Becoming a member with a nickname to keep (XEP-0045 §7.10).

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
    /// [`RoomError::NotAllowed`]
    pub(crate) fn check_registration(&self, account: &BareJid) -> Result<(), RoomError> {
        match self.affiliation(account) {
            Affiliation::Member | Affiliation::Admin | Affiliation::Owner => Ok(()),
            Affiliation::None if self.config.registration && !self.config.members_only => Ok(()),
            Affiliation::None | Affiliation::Outcast => Err(RoomError::NotAllowed),
        }
    }
}

impl Hub {
    /// Whether an account may become a member by registering.
    ///
    /// # Errors
    /// [`RoomError::NotAllowed`]
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
        let account = session.address().to_bare();
        let affiliation = {
            let state = room.state();
            state.check_registration(&account)?;
            state.affiliation(&account).max(Affiliation::Member)
        };
        let change = AffiliationChange {
            account,
            affiliation,
            nick: Some(nick.to_owned()),
            reason: None,
        };
        self.change_affiliations(room, Actor::Operator, &[change], now)
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
        let account = session.address().to_bare();
        let affiliation = match room.state().affiliation(&account) {
            Affiliation::Member => Affiliation::None,
            Affiliation::None | Affiliation::Outcast => return Err(RoomError::NotAllowed),
            higher @ (Affiliation::Admin | Affiliation::Owner) => higher,
        };
        let change = AffiliationChange {
            account,
            affiliation,
            nick: Some(String::new()),
            reason: None,
        };
        self.change_affiliations(room, Actor::Operator, &[change], now)
            .await?;
        Ok(())
    }
}
