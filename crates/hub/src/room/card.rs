//! A room's card, with its picture (XEP-0486): a record that is read when
//! somebody asks for it. In memory is only what the picture is known by.

use super::budget::Cost;
use super::record::save_room;
use super::{Actor, Room, RoomError};
use crate::mailbox::Wakes;
use crate::{Hub, NotKept};
use anser_store::{Change, Expect, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

/// The record of a room's card.
const CARD: &str = "room-card";

/// A card, in the form of whoever has set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCard {
    /// All of it.
    pub content: Bytes,
    /// What each of its pictures is known by.
    pub hashes: Vec<String>,
}

impl Hub {
    /// Gives a room another card, or none; occupants are told that there is news
    /// (XEP-0486 §4.2).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn set_room_card(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        card: Option<RoomCard>,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let got = card.as_ref().map_or(0, |card| card.content.len());
        self.charge_actor(actor, Cost::of_bytes(got), now)?;
        let limit = self.config().rooms.card_bytes;
        let alone = room.changes.lock().await;
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let (content, hashes) = match card {
            Some(card) => (Some(card.content), card.hashes),
            None => (None, Vec::new()),
        };
        let record = {
            let state = room.state();
            state.check_owner(actor)?;
            state.check_open()?;
            if got > limit {
                return Err(RoomError::CardTooLarge { got, limit });
            }
            let mut record = state.record(&state.config);
            record.avatar.clone_from(&hashes);
            record
        };
        let (owner, key) = (room.address.clone(), String::new());
        let write = match content {
            Some(value) => Change::Put {
                owner,
                kind: CARD,
                key,
                value,
                expect: Expect::Anything,
            },
            None => Change::Delete {
                owner,
                kind: CARD,
                key,
            },
        };
        let mut writes = vec![write];
        writes.extend(save_room(&room.address, &record, Expect::Anything));
        self.commit(writes, now).await.map_err(NotKept::from)?;
        let mut wakes = Wakes::default();
        let mut state = room.state();
        state.avatar = hashes;
        state.tell_of_change(&mut wakes);
        drop(state);
        drop(alone);
        Ok(())
    }

    /// A room's card, if it has one.
    ///
    /// # Errors
    /// [`RoomError::NotKept`] if it could not be read.
    pub async fn room_card(&self, room: &Room) -> Result<Option<Bytes>, RoomError> {
        let address = room.address.clone();
        let read = move |view: &anser_store::View<'_>| view.record(&address, CARD, "");
        let record = self.store().read(read).await.map_err(NotKept::from)?;
        Ok(record.map(|record| record.value))
    }
}
