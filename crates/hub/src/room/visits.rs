//! What a session does in rooms.

use super::budget::{Budget, Cost};
use super::state::session_rate;
use super::{Room, RoomError, RoomsConfig};
use crate::Session;
use crate::sync::lock;
use anser_store::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a session does in rooms. Most are in none, which takes next to no
/// memory.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    state: Mutex<Visiting>,
}

#[derive(Debug, Default)]
pub(super) enum Visiting {
    /// It has had nothing to do with rooms.
    #[default]
    Never,
    Visited(Box<Visited>),
    /// It has ended, and enters none.
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Visited {
    /// Those it is in.
    rooms: Vec<Arc<Room>>,
    /// What it may still send to rooms.
    budget: Option<Budget>,
}

impl Visiting {
    fn visited(&mut self) -> Option<&mut Visited> {
        if matches!(self, Self::Never) {
            *self = Self::Visited(Box::default());
        }
        match self {
            Self::Visited(visited) => Some(visited),
            Self::Never | Self::Over => None,
        }
    }

    /// The rooms it is in; `None` when it has ended.
    pub(super) fn rooms(&mut self) -> Option<&mut Vec<Arc<Room>>> {
        self.visited().map(|visited| &mut visited.rooms)
    }
}

impl Visits {
    /// A room's state may be locked under this, and not the other way round.
    pub(super) fn lock(&self) -> MutexGuard<'_, Visiting> {
        lock(&self.state)
    }

    /// The rooms that the session is in.
    pub(super) fn rooms(&self) -> Vec<Arc<Room>> {
        match &*self.lock() {
            Visiting::Visited(visited) => visited.rooms.clone(),
            Visiting::Never | Visiting::Over => Vec::new(),
        }
    }

    /// Counts something that the session has a room do.
    ///
    /// # Errors
    /// [`RoomError::TooFast`]; [`RoomError::NotOccupant`] of a session that has
    /// ended, which is in no room and shall not make one either.
    pub(super) fn charge(
        &self,
        cost: Cost,
        config: &RoomsConfig,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let rate = session_rate(config);
        let mut state = self.lock();
        let visited = state.visited().ok_or(RoomError::NotOccupant)?;
        let budget = &mut visited.budget;
        let budget = budget.get_or_insert_with(|| Budget::full(rate, now));
        let taken = budget.take(cost, rate, now);
        taken.map_err(|wait| RoomError::TooFast { wait })
    }

    /// Takes all rooms out: for good if the session has ended.
    pub(super) fn take(&self, end: IsEnd) -> Vec<Arc<Room>> {
        let mut state = self.lock();
        let left = match &mut *state {
            Visiting::Visited(visited) => std::mem::take(&mut visited.rooms),
            Visiting::Never | Visiting::Over => Vec::new(),
        };
        if end == IsEnd::Yes {
            *state = Visiting::Over;
        }
        left
    }

    /// Forgets a room if the session is no longer in it.
    pub(super) fn forget(&self, session: &Session, room: &Arc<Room>) {
        let mut state = self.lock();
        let is_there = room.state().occupant_of(session).is_some();
        if let Visiting::Visited(visited) = &mut *state
            && !is_there
        {
            visited.rooms.retain(|other| !Arc::ptr_eq(other, room));
            if visited.rooms.is_empty() {
                visited.rooms = Vec::new();
            }
        }
    }
}

/// Whether a session leaves its rooms because it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsEnd {
    /// It has.
    Yes,
    /// It goes on.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_that_has_ended_still_sends_to_rooms_is_refused() {
        let (visits, config) = (Visits::default(), RoomsConfig::default());
        let now = Timestamp::from_millis(1_795_000_000_000);
        assert!(visits.charge(Cost::ONE, &config, now).is_ok());
        visits.take(IsEnd::No);
        assert!(visits.charge(Cost::ONE, &config, now).is_ok());
        visits.take(IsEnd::Yes);
        let refused = visits.charge(Cost::ONE, &config, now);
        assert!(matches!(refused, Err(RoomError::NotOccupant)));
    }
}
