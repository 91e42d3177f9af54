//! Deciding over the room itself: what it is like, and its end (XEP-0045 §10.1,
//! §10.2, §10.9).

use super::budget::Cost;
use super::state::RoomState;
use super::{Actor, Affiliation, Departure, Destruction, Look, RoomConfig, RoomError, Whois};
use crate::Session;
use crate::mailbox::Wakes;
use anser_jid::Jid;
use std::sync::Arc;

/// So many occupants at most are told of each other all at once.
const MOST_REVEALED: usize = 500;

impl RoomState {
    /// Only owners may see and change what a room is like (XEP-0045 §10.2).
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub(crate) fn check_owner(&self, actor: Actor<'_>) -> Result<(), RoomError> {
        match self.standing(actor) {
            (Affiliation::Owner, _) => Ok(()),
            _ => Err(RoomError::Forbidden),
        }
    }

    /// A room that its owner has yet to open is there for nobody else
    /// (XEP-0045 §10.1.1).
    ///
    /// # Errors
    /// [`RoomError::NoRoom`]
    pub(crate) fn check_there(&self, for_whom: &Jid) -> Result<(), RoomError> {
        if self.is_locked && self.affiliation(for_whom) < Affiliation::Owner {
            return Err(RoomError::NoRoom);
        }
        Ok(())
    }

    /// What belongs to a room can be kept when the room is.
    ///
    /// # Errors
    /// [`RoomError::UnfitConfig`]
    pub(crate) fn check_open(&self) -> Result<(), RoomError> {
        if self.is_locked {
            return Err(RoomError::UnfitConfig("its configuration is not sent yet"));
        }
        Ok(())
    }

    /// The room is like this from now on; what that changes for occupants, they
    /// are told (XEP-0045 §10.2). Gives the sessions that are no longer in it.
    pub(crate) fn apply_config(
        &mut self,
        config: RoomConfig,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let news = config.news(&self.config);
        let is_closed = config.members_only && !self.config.members_only;
        let before = std::mem::replace(&mut self.config, config);
        self.is_locked = false;
        // First: nobody sees a real address before they know that theirs is
        // seen too.
        self.give_news(news, wakes);
        self.tell_who_is_shown(&before, wakes);
        let mut gone = Vec::new();
        if is_closed {
            let strangers = self.occupants.iter();
            let strangers: Vec<_> = strangers
                .filter(|(_, occupant)| occupant.affiliation < Affiliation::Member)
                .map(|(nick, _)| nick.clone())
                .collect();
            for nick in strangers {
                gone.extend(self.remove(&nick, Departure::MembersOnly, None, wakes));
            }
        }
        gone
    }

    /// As how many messages another configuration counts, with so many changes of
    /// affiliations. Each tells everybody something; and whoever changes who is
    /// shown has everybody told of everybody.
    pub(super) fn cost_of(&self, config: &RoomConfig, affiliations: usize) -> Cost {
        let is_shown_anew =
            (config.whois, config.presence_of) != (self.config.whois, self.config.presence_of);
        let is_told = is_shown_anew && self.occupants.len() <= MOST_REVEALED;
        let told = if is_told { self.occupants.len() } else { 0 };
        Cost::of(1 + affiliations + told)
    }

    /// Tells everybody of those whom they see now, or whose address they see, and
    /// did not before, and of those whom they do not see any more; not in a crowd,
    /// where everybody of everybody is too much at once. There, one is told of
    /// each when they change or leave.
    fn tell_who_is_shown(&self, before: &RoomConfig, wakes: &mut Wakes) {
        if self.occupants.len() > MOST_REVEALED {
            return;
        }
        let is_revealed = self.config.whois == Whois::Anyone && before.whois != Whois::Anyone;
        for occupant in self.occupants.values() {
            let was_shown = occupant.role >= before.presence_of;
            match (was_shown, self.is_shown(occupant.role)) {
                (true, false) => self.tell_others(&occupant.hidden(), wakes),
                (false, true) => self.tell_others(&occupant.shown, wakes),
                (true, true) if is_revealed => self.tell_others(&occupant.shown, wakes),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Ends the room for everybody in it (XEP-0045 §10.9). Each is told of
    /// themselves only.
    pub(crate) fn destroy(
        &mut self,
        destruction: &Destruction,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        for occupant in self.occupants.values_mut() {
            occupant.affiliation = Affiliation::None;
        }
        let departure = Departure::Destroyed(Box::new(destruction.clone()));
        self.dismiss(&departure, wakes)
    }

    /// Has everybody leave, as the server stops (XEP-0045 §11.2), or in another
    /// way. Each is told of themselves only.
    pub(crate) fn dismiss(
        &mut self,
        departure: &Departure,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let mut gone = Vec::new();
        for occupant in std::mem::take(&mut self.occupants).into_values() {
            let departure = departure.clone();
            let address = occupant.shown.address.clone();
            let presence = occupant.presence(&address, &Look::default(), Some(departure), None);
            self.tell_own(&occupant, &presence, wakes);
            gone.extend(occupant.seats.into_iter().map(|seat| seat.session));
        }
        self.seats.clear();
        gone
    }
}
