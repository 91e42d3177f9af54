//! Asking others in (XEP-0045 §7.8.2, §9.5).

use super::budget::Cost;
use super::state::RoomState;
use super::{Actor, Affiliation, AffiliationChange, Role, Room, RoomError};
use crate::{Hub, Recipient, SendError, Session, SessionHandle};
use anser_jid::{BareJid, Jid};
use anser_store::Timestamp;
use std::sync::Arc;

/// Somebody may be asked into a room.
#[derive(Debug)]
pub struct Invitation {
    /// Who.
    pub invitee: Recipient,
    /// What one has to know to enter.
    pub password: Option<String>,
}

/// Whether an invitation makes whoever is invited a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MakesMember {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl RoomState {
    /// Whether somebody may ask others in, and whether those become members by
    /// it: unless an owner wants it otherwise everybody may, visitors too
    /// (XEP-0045 §5.1.1), but only members where only members may enter.
    fn check_inviter(&self, session: &Session) -> Result<MakesMember, RoomError> {
        let occupant = self.occupant(session)?;
        let may_always = occupant.affiliation >= Affiliation::Admin;
        match (self.config.members_only, self.config.members_invite) {
            (false, true) => Ok(MakesMember::No),
            (false, false) if may_always || occupant.role == Role::Moderator => Ok(MakesMember::No),
            (true, _) if may_always => Ok(MakesMember::Yes),
            (true, true) if occupant.affiliation >= Affiliation::Member => Ok(MakesMember::Yes),
            (_, _) => Err(RoomError::Forbidden),
        }
    }

    /// What has to be changed for somebody to ask an account in.
    fn membership(
        &self,
        session: &Session,
        invitee: &BareJid,
    ) -> Result<Option<AffiliationChange>, RoomError> {
        let makes_member = self.check_inviter(session)?;
        match (makes_member, self.affiliation(invitee)) {
            (_, Affiliation::Outcast) => Err(RoomError::InviteeBanned),
            (MakesMember::Yes, Affiliation::None) => Ok(Some(AffiliationChange {
                account: invitee.clone(),
                affiliation: Affiliation::Member,
                nick: None,
                reason: None,
            })),
            (MakesMember::Yes | MakesMember::No, _) => Ok(None),
        }
    }
}

impl Hub {
    /// Whether somebody may ask the account of an address into a room, with so
    /// many bytes beside; makes it a member if that is what an invitation does
    /// there. Nobody is asked in who blocks the room, or whoever asks.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn invite(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        invitee: &Jid,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Invitation, RoomError> {
        let invitee = self.addressee(session, room, invitee, bytes, now).await?;
        if invitee.blocks(session.address()) || invitee.blocks(&room.address) {
            return Err(SendError::Unavailable.into());
        }
        let membership = |state: &RoomState| state.membership(session, invitee.address());
        let (is_to_be_member, password) = {
            let state = room.state();
            let is_to_be_member = membership(&state)?.is_some();
            (is_to_be_member, state.config.password.clone())
        };
        if is_to_be_member {
            let decide = |state: &RoomState| Ok(membership(state)?.into_iter().collect());
            self.decide_affiliations(room, Actor::Operator, now, decide)
                .await?;
        }
        Ok(Invitation { invitee, password })
    }

    /// Whom somebody tells, with so many bytes, that they do not come. Anybody
    /// may: the room does not know whom it has asked in, and who is in it or
    /// belongs to it is not for strangers to find out.
    ///
    /// # Errors
    /// [`RoomError`]; nobody is told.
    pub async fn decline(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        inviter: &Jid,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Recipient, RoomError> {
        self.addressee(session, room, inviter, bytes, now).await
    }

    /// To whom a room passes something on.
    async fn addressee(
        &self,
        session: &SessionHandle,
        room: &Arc<Room>,
        to: &Jid,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Recipient, RoomError> {
        session.check_addressee(&room.address)?;
        self.charge(session, Cost::of_bytes(bytes), now)?;
        room.state().check_there(session.address())?;
        let found = self.find_recipient(to, now).await;
        found.map_err(|_| RoomError::NoAccount)
    }
}
