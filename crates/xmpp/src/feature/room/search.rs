//! Searching for rooms (XEP-0433).

use super::super::Context;
use super::asked_service;
use super::page::{self, Wanted};
use crate::error;
use anser_hub::{FoundRooms, RoomError, RoomSearch, SearchMark, SearchOrder, SearchPlace, Whois};
use anser_jid::BareJid;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::channel_search::{self, Item, Place, Query, SearchFault, SortKey};
use anser_xmpp_proto::payload::form::{Filled, FormFault};
use anser_xmpp_proto::payload::rsm::PageRequest;
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};

/// The form, or what was found with it (XEP-0433 §4.2), a page at a time.
pub(super) async fn search(ctx: &mut Context<'_>, search: Child<'_>) -> Result<(), StanzaError> {
    let search = search.open();
    let Some(form) = search.child(ns::FORM, "x") else {
        channel_search::write_form(&mut Writer::new(&mut ctx.reply));
        return Ok(());
    };
    let query = match Filled::read(form, ns::CHANNEL_SEARCH_PARAMS)? {
        Filled::Submitted(form) => Query::read(&form)?,
        Filled::Cancelled => return Err(FormFault::Kind.into()),
    };
    let wanted = Wanted::read(&PageRequest::read(&search)?, read_mark)?;
    let found = if query.wants_rooms && wanted.most > 0 {
        find(ctx, query, wanted).await?
    } else {
        FoundRooms::default()
    };
    let items = found.rooms.iter().map(|found| {
        let (address, config) = (&found.room.address, &found.room.config);
        Item {
            address: address.as_str(),
            name: config.title(address),
            description: &config.description,
            language: &config.lang,
            users: found.occupants,
            is_open: config.is_open(),
            shows_addresses: config.whois == Whois::Anyone,
        }
    });
    let ends = [found.rooms.first(), found.rooms.last()];
    let [first, last] = ends.map(|end| end.map(|room| &room.reached));
    let reached = found.reached.as_ref().or(last);
    let page = page::answer(first.map(mark), reached.map(mark));
    channel_search::write_result(&mut Writer::new(&mut ctx.reply), items, &page);
    Ok(())
}

async fn find(
    ctx: &Context<'_>,
    query: Query,
    Wanted { after, most }: Wanted<SearchMark>,
) -> Result<FoundRooms, StanzaError> {
    let hub = ctx.front.hub();
    let places = query.places.iter().map(|place| match place {
        Place::Name => SearchPlace::Name,
        Place::Description => SearchPlace::Description,
        Place::Address => SearchPlace::Address,
    });
    let search = RoomSearch {
        service: asked_service(ctx)?.to_owned(),
        places: places.collect(),
        words: query.words,
        order: match query.key {
            SortKey::Users => SearchOrder::Occupants,
            SortKey::Address => SearchOrder::Address,
        },
    };
    let found = hub.search_rooms(&search, after, most).await;
    found.map_err(|error| match error {
        RoomError::TooManySearches { wait } => {
            let seconds = wait.as_secs();
            SearchFault::RateLimit { seconds }.into()
        }
        other => error::room_error(&other),
    })
}

/// No address has a space in it.
fn mark(mark: &SearchMark) -> String {
    match mark.occupants {
        Some(occupants) => format!("{occupants} {}", mark.address),
        None => mark.address.to_string(),
    }
}

/// # Errors
/// `item-not-found` (XEP-0059 §2.2).
fn read_mark(text: &str) -> Result<SearchMark, StanzaError> {
    let (occupants, address) = match text.split_once(' ') {
        Some((occupants, address)) => (Some(occupants), address),
        None => (None, text),
    };
    let occupants = occupants.map(str::parse).transpose();
    match (occupants, BareJid::parse(address)) {
        (Ok(occupants), Ok(address)) => Ok(SearchMark { occupants, address }),
        (Err(_), _) | (_, Err(_)) => Err(DefinedCondition::ItemNotFound.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let address = BareJid::parse("coven@rooms.example.org").unwrap();
        for occupants in [None, Some(0), Some(17)] {
            let address = address.clone();
            let before = SearchMark { occupants, address };
            assert_eq!(read_mark(&mark(&before)), Ok(before));
        }
        for text in [
            "",
            "@",
            "x a@b.example",
            "-1 a@b.example",
            "1 ",
            "1 2 a@b.example",
        ] {
            assert!(read_mark(text).is_err(), "{text}");
        }
    }
}
