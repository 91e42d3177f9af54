//! Rooms end: because an owner wants that (XEP-0045 §10.9), or because nobody
//! needs them any more (§7.14, §10.1.2).

use super::lasting::forget_visits;
use super::record::TEMPORARY;
use super::state::RoomState;
use super::{Actor, Destruction, Room, RoomError};
use crate::mailbox::Wakes;
use crate::sync::lock;
use crate::{Hub, NotKept};
use anser_store::{Change, Refusal, Timestamp, View};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::MutexGuard;

/// After a start of the server, occupants of rooms that end with their last one
/// have so long to come back.
const TIME_TO_COME_BACK: Duration = Duration::from_secs(600);

/// So many rooms end with one commit.
const MOST_AT_ONCE: usize = 256;

/// A room that nobody else can change.
type Held<'a> = (&'a Arc<Room>, MutexGuard<'a, ()>);

impl RoomState {
    /// Nobody is in it, and nobody wants to keep it.
    pub(super) fn is_over(&self) -> bool {
        self.occupants.is_empty() && (self.is_locked || !self.config.persistent)
    }
}

impl Room {
    /// Lets nobody in any more, and nothing into the journal behind what this
    /// gives: what removes what is kept of the room. To be called under its
    /// `changes`.
    fn close(&self, state: &RoomState) -> Option<Change> {
        self.is_gone.store(true, Ordering::Release);
        // Of a room that was never open nothing is kept.
        (!state.is_locked).then(|| Change::Forget {
            owner: self.address.clone(),
        })
    }
}

impl Hub {
    /// Ends a room for good, with its log (XEP-0045 §10.9).
    ///
    /// # Errors
    /// [`RoomError`]; the room is as it was.
    pub async fn destroy_room(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        destruction: &Destruction,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let _alone = room.changes.lock().await;
        let forget = {
            let state = room.state();
            if room.is_gone() {
                return Err(RoomError::NoRoom);
            }
            state.check_owner(actor)?;
            room.close(&state)
        };
        if let Err(refusal) = self.forget(forget.into_iter().collect(), now).await {
            room.set_gone(false);
            return Err(NotKept::from(refusal).into());
        }
        self.dismiss(room, destruction);
        Ok(())
    }

    /// Ends a room if nobody is in it and nobody wants to keep it.
    pub(super) async fn end_if_empty(&self, room: &Arc<Room>, now: Timestamp) {
        if !room.state().is_over() {
            return;
        }
        let alone = room.changes.lock().await;
        self.end_held(vec![(room, alone)], now).await;
    }

    /// Ends the rooms that nobody wants to keep and whose last occupants have
    /// gone without saying so.
    pub(crate) async fn end_emptied_rooms(&self, now: Timestamp) {
        let emptied = std::mem::take(&mut *lock(&self.emptied));
        self.end_empty_rooms(&emptied, now).await;
    }

    /// Ends the rooms that should have ended with their last occupants, had the
    /// server not ended first. Those who were in them have some time to come
    /// back.
    pub(crate) async fn end_leftover_rooms(&self, now: Timestamp) {
        let begun = *lock(&self.leftovers_since).get_or_insert(now);
        let is_early = now.since(begun) < TIME_TO_COME_BACK;
        if is_early || self.leftovers_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let read = |view: &View<'_>| view.owners(TEMPORARY, None, usize::MAX >> 1);
        let leftovers = match self.store().read(read).await {
            Ok(leftovers) => leftovers,
            Err(error) => {
                tracing::warn!(%error, "rooms that nobody keeps stay until the next start");
                return;
            }
        };
        for some in leftovers.chunks(MOST_AT_ONCE) {
            let mut rooms = Vec::with_capacity(some.len());
            for address in some {
                rooms.extend(self.room(address, now).await);
            }
            self.end_empty_rooms(&rooms, now).await;
        }
    }

    /// Ends those of some rooms that nobody is in and nobody wants to keep. One
    /// that is being changed is looked at the next time.
    async fn end_empty_rooms(&self, rooms: &[Arc<Room>], now: Timestamp) {
        for some in rooms.chunks(MOST_AT_ONCE) {
            let mut held = Vec::with_capacity(some.len());
            for room in some {
                // Whoever has one must not wait for another.
                match room.changes.try_lock() {
                    Ok(alone) => held.push((room, alone)),
                    Err(_) => lock(&self.emptied).push(Arc::clone(room)),
                }
            }
            self.end_held(held, now).await;
        }
    }

    async fn end_held(&self, mut held: Vec<Held<'_>>, now: Timestamp) {
        let mut changes = Vec::with_capacity(held.len());
        held.retain(|(room, _)| {
            let state = room.state();
            let ends = !room.is_gone() && state.is_over();
            if ends {
                changes.extend(room.close(&state));
            }
            ends
        });
        let ended = self.forget(changes, now).await;
        if let Err(error) = &ended {
            tracing::warn!(rooms = held.len(), %error, "empty rooms stay for now");
        }
        for (room, alone) in held {
            if ended.is_ok() {
                self.dismiss(room, &Destruction::default());
            } else {
                room.set_gone(false);
                lock(&self.emptied).push(Arc::clone(room));
            }
            drop(alone);
        }
    }

    async fn forget(&self, changes: Vec<Change>, now: Timestamp) -> Result<(), Refusal> {
        if changes.is_empty() {
            return Ok(());
        }
        self.commit(changes, now).await
    }

    /// Tells those who are in a room that has ended, and forgets it.
    fn dismiss(&self, room: &Arc<Room>, destruction: &Destruction) {
        let mut wakes = Wakes::default();
        let gone = room.state().destroy(destruction, &mut wakes);
        // Not before: whoever makes a new room of this name has been told that
        // the old one is no more.
        self.rooms.remove(room);
        drop(wakes);
        forget_visits(room, gone);
    }
}
