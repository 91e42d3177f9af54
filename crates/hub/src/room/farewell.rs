//! What rooms forget of an account that is no more, so that it does not pass to
//! whoever gets the name next. A ban stays: making the account anew is no way
//! around it.

use super::record::{AFFILIATION, save_standing};
use super::state::Standing;
use super::{Affiliation, Room};
use crate::{Hub, NotKept};
use anser_jid::BareJid;
use anser_store::{Change, StoreError, Timestamp, View};
use std::iter::once;
use std::sync::Arc;

impl Hub {
    /// The rooms in which an account is something that should end with it. What
    /// it is given from now on counts as given to a name without an account.
    pub(crate) async fn rooms_of(&self, account: &BareJid) -> Result<Vec<BareJid>, NotKept> {
        let account = account.clone();
        let read = move |view: &View<'_>| rooms_of(view, &account);
        Ok(self.store().read(read).await?)
    }

    /// Has a room forget an account in memory that it has forgotten on disk.
    pub(crate) async fn forget_in_room(&self, room: &BareJid, account: &BareJid, now: Timestamp) {
        let Some(room) = self.room_in_memory(room).await else {
            return;
        };
        let _alone = room.changes.lock().await;
        let standing = room.state().affiliations.get(account).cloned();
        if room.is_gone() || !standing.is_some_and(|standing| ends_with_account(&standing)) {
            return;
        }
        // Once more on disk too, in case it was given anew meanwhile.
        let forget = forget_standing(room.address(), account);
        if let Err(refusal) = self.commit(vec![forget], now).await {
            let (room, error) = (room.address(), NotKept::from(refusal));
            tracing::warn!(%room, %account, %error, "what a removed account got last may stay");
        }
        room.state().set_standing(account, Standing::default());
    }

    /// A room that is in memory, or gets there right now with what was on disk
    /// before.
    async fn room_in_memory(&self, address: &BareJid) -> Option<Arc<Room>> {
        let _held = self.rooms.hold(once(address)).await;
        self.rooms.resident(address)
    }
}

/// Rooms whose record of the account is not a ban.
fn rooms_of(view: &View<'_>, account: &BareJid) -> Result<Vec<BareJid>, StoreError> {
    let mut rooms = Vec::new();
    for room in view.owners_by_key(AFFILIATION, account.as_str())? {
        let record = view.record(&room, AFFILIATION, account.as_str())?;
        let standing = record.and_then(|record| serde_json::from_slice(&record.value).ok());
        if standing.is_some_and(|standing| ends_with_account(&standing)) {
            rooms.push(room);
        }
    }
    Ok(rooms)
}

fn ends_with_account(standing: &Standing) -> bool {
    standing.affiliation != Affiliation::Outcast
}

/// What removes from disk what an account is in a room.
pub(crate) fn forget_standing(room: &BareJid, account: &BareJid) -> Change {
    save_standing(room, account, &Standing::default())
}
