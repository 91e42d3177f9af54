//! Searching for rooms (XEP-0433), at a price that does not depend on how many
//! there are: a page is found by reading so many records and no more, and the
//! next one goes on where that stopped.

use super::record::{self, RoomSummary};
use super::{RoomConfig, RoomError};
use crate::{Hub, NotKept};
use anser_jid::BareJid;
use std::cmp::Reverse;
use std::time::Duration;

/// So many records are read for one page.
const MOST_READ: usize = 4096;
/// So many of them at a time; others read in between.
const READ_AT_ONCE: usize = 512;
/// So many search at the same time.
pub(crate) const MOST_SEARCHES: usize = 4;
/// Others try again after this time.
const TURN: Duration = Duration::from_secs(1);

/// What is searched for among the rooms that are no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSearch {
    /// Where.
    pub service: String,
    /// Each of these, in lower case, has to be in one of the `places`; `None`
    /// for all rooms.
    pub words: Option<Vec<String>>,
    /// Where in what everybody may know of a room.
    pub places: Vec<SearchPlace>,
    /// What comes first.
    pub order: SearchOrder,
}

/// Where words are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchPlace {
    /// In the name.
    Name,
    /// In the description.
    Description,
    /// In the address.
    Address,
}

/// In which order rooms are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchOrder {
    /// By address.
    Address,
    /// Those first in which most are; those in which nobody is by address.
    Occupants,
}

/// How far somebody has come: what follows is on the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchMark {
    /// Among the rooms with so many in them; `None` where that does not count.
    pub occupants: Option<usize>,
    /// Behind this address, whether or not there is such a room.
    pub address: BareJid,
}

/// A room that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRoom {
    /// Which.
    pub room: RoomSummary,
    /// How many are in it.
    pub occupants: usize,
    /// Where the search goes on behind it.
    pub reached: SearchMark,
}

/// A page of what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundRooms {
    /// In their order; there may be none although others follow.
    pub rooms: Vec<FoundRoom>,
    /// Where the search goes on; `None` at its end.
    pub reached: Option<SearchMark>,
}

impl RoomSearch {
    /// Whether a room is one of those that are searched for.
    fn finds(&self, address: &BareJid, config: &RoomConfig) -> bool {
        if !config.public || address.domain() != self.service {
            return false;
        }
        let Some(words) = &self.words else {
            return true;
        };
        let texts = self.places.iter().map(|place| match place {
            SearchPlace::Name => config.title(address),
            SearchPlace::Description => &config.description,
            SearchPlace::Address => address.as_str(),
        });
        let texts: Vec<_> = texts.map(str::to_lowercase).collect();
        let is_there = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        words.iter().all(is_there)
    }
}

impl Hub {
    /// Looks for rooms, from the beginning or from where an earlier page
    /// stopped: at most `limit`, and as many as are among the records that are
    /// read for a page.
    ///
    /// # Errors
    /// [`RoomError::TooManySearches`], or [`RoomError::NotKept`] if they could
    /// not be read.
    pub async fn search_rooms(
        &self,
        search: &RoomSearch,
        after: Option<SearchMark>,
        limit: usize,
    ) -> Result<FoundRooms, RoomError> {
        let turn = self.searches.try_acquire();
        let _turn = turn.map_err(|_| RoomError::TooManySearches { wait: TURN })?;
        let mut found = FoundRooms::default();
        let begins_with_occupied = match (search.order, &after) {
            (SearchOrder::Address, _) => false,
            (SearchOrder::Occupants, None) => true,
            (SearchOrder::Occupants, Some(reached)) => reached.occupants.is_some(),
        };
        let mut reached = after;
        if begins_with_occupied {
            found.rooms = self.search_occupied(search, reached.as_ref(), limit);
            if found.rooms.len() >= limit {
                found.reached = found.rooms.last().map(|last| last.reached.clone());
                return Ok(found);
            }
            reached = None;
        }
        let after = reached.map(|reached| reached.address);
        self.search_kept(search, after, limit, &mut found).await?;
        Ok(found)
    }

    /// Rooms with somebody in them, which are all in memory.
    fn search_occupied(
        &self,
        search: &RoomSearch,
        after: Option<&SearchMark>,
        limit: usize,
    ) -> Vec<FoundRoom> {
        let place = |occupants: usize, address: &BareJid| (Reverse(occupants), address.clone());
        let after = after.map(|after| place(after.occupants.unwrap_or(0), &after.address));
        let mut found = Vec::new();
        for room in self.rooms.all() {
            let occupants = {
                let state = room.state();
                let is_found = !state.is_locked && search.finds(&room.address, &state.config);
                if is_found { state.occupants.len() } else { 0 }
            };
            let at = place(occupants, &room.address);
            if occupants > 0 && after.as_ref().is_none_or(|after| at > *after) {
                found.push((at, room));
            }
        }
        if found.len() > limit {
            found.select_nth_unstable_by(limit, |(one, _), (other, _)| one.cmp(other));
            found.truncate(limit);
        }
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let found = found.into_iter();
        let found = found.map(|((Reverse(occupants), address), room)| FoundRoom {
            room: RoomSummary {
                address: address.clone(),
                config: room.state().config.clone(),
            },
            occupants,
            reached: SearchMark {
                occupants: Some(occupants),
                address,
            },
        });
        found.collect()
    }

    /// Rooms by address; if others come first, those in which nobody is.
    async fn search_kept(
        &self,
        search: &RoomSearch,
        mut after: Option<BareJid>,
        limit: usize,
        found: &mut FoundRooms,
    ) -> Result<(), RoomError> {
        let mut left = MOST_READ;
        while found.rooms.len() < limit && left > 0 {
            let most = left.min(READ_AT_ONCE);
            let (wanted, from) = (search.clone(), after.clone());
            let wants = limit - found.rooms.len();
            let read = move |view: &anser_store::View<'_>| {
                let finds = |room: &RoomSummary| wanted.finds(&room.address, &room.config);
                record::scan(view, from.as_ref(), wants, most, finds)
            };
            let scan = self.store().read(read).await.map_err(NotKept::from)?;
            for room in scan.rooms {
                let occupants = self.occupants(&room.address);
                if search.order == SearchOrder::Occupants && occupants > 0 {
                    continue;
                }
                let reached = SearchMark {
                    occupants: None,
                    address: room.address.clone(),
                };
                found.rooms.push(FoundRoom {
                    room,
                    occupants,
                    reached,
                });
            }
            after = scan.reached;
            left = left.saturating_sub(scan.read);
            if after.is_none() {
                break;
            }
        }
        found.reached = after.map(|address| SearchMark {
            occupants: None,
            address,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountsConfig, Domains, HubConfig, RoomsConfig};
    use anser_store::{Engine, Journal, JournalLimits, MessageId, NodeId};

    fn search(words: &[&str], places: &[SearchPlace]) -> RoomSearch {
        RoomSearch {
            service: "rooms.example.org".into(),
            words: Some(words.iter().map(|word| (*word).to_owned()).collect()),
            places: places.to_vec(),
            order: SearchOrder::Address,
        }
    }

    #[test]
    fn a_word_may_be_in_one_place_and_the_next_in_another() {
        use SearchPlace::{Address, Description, Name};
        let address = BareJid::parse("cave@rooms.example.org").unwrap();
        let config = RoomConfig {
            name: "A DARK place".into(),
            description: "For cats".into(),
            ..RoomConfig::default()
        };
        let finds =
            |words: &[&str], places: &[SearchPlace]| search(words, places).finds(&address, &config);
        assert!(finds(
            &["dark", "cat", "cave"],
            &[Name, Description, Address]
        ));
        assert!(!finds(&["dark", "cat"], &[Name]));
        assert!(!finds(&["cave"], &[Name]));
        let hidden = RoomConfig {
            public: false,
            ..config.clone()
        };
        assert!(!search(&["dark"], &[Name]).finds(&address, &hidden));
        let elsewhere = BareJid::parse("cave@rooms.example.net").unwrap();
        assert!(!search(&["dark"], &[Name]).finds(&elsewhere, &config));
        // A room without a name is called as its address begins.
        assert!(search(&["cave"], &[Name]).finds(&address, &RoomConfig::default()));
    }

    /// XEP-0433 §4.2.2.4
    #[tokio::test]
    async fn only_so_many_search_at_the_same_time() {
        let (_, store) = Engine::memory();
        let journal = Journal::new(
            NodeId::default(),
            MessageId::FIRST,
            JournalLimits::default(),
        );
        let config = HubConfig {
            domains: Domains::Any,
            accounts: AccountsConfig::default(),
            rooms: RoomsConfig::default(),
        };
        let hub = Hub::new(config, store, journal, [0; 32]);
        let search = search(&[], &[]);
        let most = u32::try_from(MOST_SEARCHES).unwrap();
        let others = hub.searches.try_acquire_many(most).unwrap();
        let refused = hub.search_rooms(&search, None, 10).await;
        assert!(matches!(refused, Err(RoomError::TooManySearches { .. })));
        drop(others);
        let found = hub.search_rooms(&search, None, 10).await.unwrap();
        assert_eq!(found, FoundRooms::default());
    }
}
