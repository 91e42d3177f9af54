//! What owners of logs can read of them again: accounts, and whoever else has
//! a log.

mod preferences;
mod retraction;

use crate::account::FOR_HISTORY;
use crate::{Hub, Message, NotKept};
use anser_jid::{BareJid, Jid};
use anser_store::{MessageId, Page, StoreError, Timestamp, View};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use preferences::read_preferences;
pub use preferences::{HistoryDefault, HistoryPreferences, PreferencesError};

/// Messages are looked into so many at a time.
const CHUNK: usize = 500;
/// No more are looked into for one question, if the index alone cannot say
/// which of them are meant.
const MOST_LOOKED_INTO: usize = 20_000;
/// Beyond so many nobody counts them.
const MOST_COUNTED: usize = 10_000;

/// What somebody wants to read again. All that is given has to hold.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// With whom.
    pub with: Option<With>,
    /// Not before this moment.
    pub start: Option<Timestamp>,
    /// Not after this moment.
    pub end: Option<Timestamp>,
    /// Only what follows this message.
    pub after: Option<MessageId>,
    /// Only what precedes this message.
    pub before: Option<MessageId>,
    /// Only these, if there are any.
    pub ids: Vec<MessageId>,
    /// Which page of that.
    pub paging: Paging,
    /// How large a page at most; `None` leaves it to the configuration, which
    /// has the last word anyway. Zero asks how many there are.
    pub most: Option<usize>,
}

/// Which messages are with somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// Those of the conversation with this address, whatever the resource.
    Conversation(BareJid),
    /// Those sent from or to just this address, in the conversation with
    /// `counterpart` if that is known.
    Exactly {
        /// The address.
        address: Jid,
        /// Whose entries have to be looked into.
        counterpart: Option<BareJid>,
    },
}

impl With {
    /// What an address means in an account's own log: one without a resource
    /// matches all of them (XEP-0313 §4.1.1).
    #[must_use]
    pub fn in_account(owner: &BareJid, address: Jid) -> Self {
        if address.is_bare() {
            return Self::Conversation(address.to_bare());
        }
        // A session of the account itself has written to everybody.
        let counterpart = Some(address.to_bare()).filter(|bare| bare != owner);
        Self::Exactly {
            address,
            counterpart,
        }
    }

    fn counterpart(&self) -> Option<&BareJid> {
        match self {
            Self::Conversation(counterpart) => Some(counterpart),
            Self::Exactly { counterpart, .. } => counterpart.as_ref(),
        }
    }
}

/// From where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// What follows a message, or the beginning.
    Forward {
        /// Which message; it has to be in the log.
        after: Option<MessageId>,
    },
    /// What precedes a message, or the end.
    Backward {
        /// Which message; it has to be in the log.
        before: Option<MessageId>,
    },
}

impl Default for Paging {
    fn default() -> Self {
        Self::Forward { after: None }
    }
}

/// Where the messages of a page are: to be read with [`Hub::messages`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// In the order of the log.
    pub places: Vec<MessageId>,
    /// There are no more in the direction in which it was read.
    pub is_complete: bool,
    /// How many there are on all pages, if that was cheap to find out.
    pub count: Option<usize>,
}

/// History cannot be told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HistoryError {
    /// A message that was named is not in the log, or not any more.
    #[error("a message that is named here is not in the archive")]
    NoMessage,
    /// More messages are named than fit on a page.
    #[error("{got} messages are asked for by their ids, and {limit} can be")]
    TooManyIds {
        /// How many.
        got: usize,
        /// How many can be.
        limit: usize,
    },
    /// So many messages would have to be looked into that it takes too long.
    #[error("none of {limit} messages fits; ask for a shorter time")]
    TooFar {
        /// How many were looked into.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl From<StoreError> for HistoryError {
    fn from(error: StoreError) -> Self {
        Self::NotKept(error.into())
    }
}

impl Hub {
    /// A page of what is in an owner's log and meant to be seen again
    /// (XEP-0313 §4). Whether the asker may see it is theirs to ask who know
    /// the owner.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn history(
        &self,
        owner: &BareJid,
        query: HistoryQuery,
    ) -> Result<HistoryPage, HistoryError> {
        let config = self.config();
        let limit = config.accounts.history_page_most.max(1);
        let most = query.most.unwrap_or(config.accounts.history_page);
        if query.ids.len() > limit {
            let got = query.ids.len();
            return Err(HistoryError::TooManyIds { got, limit });
        }
        let search = Arc::new(Search {
            owner: owner.clone(),
            query,
            most: most.min(limit),
        });
        self.look_up(&search, Search::check).await??;
        match &search.query.with {
            Some(With::Exactly { address, .. }) if search.query.ids.is_empty() => {
                self.look_into(&search, address).await
            }
            Some(_) | None => self.look_up(&search, Search::page).await?,
        }
    }

    async fn look_up<R: Send + 'static>(
        &self,
        search: &Arc<Search>,
        read: impl FnOnce(&Search, &View<'_>) -> R + Send + 'static,
    ) -> Result<R, HistoryError> {
        let search = Arc::clone(search);
        let read = move |view: &View<'_>| Ok(read(&search, view));
        Ok(self.store().read(read).await?)
    }

    /// A page of what only the messages themselves can tell. Others get their
    /// turn at the store in between.
    async fn look_into(
        &self,
        search: &Arc<Search>,
        address: &Jid,
    ) -> Result<HistoryPage, HistoryError> {
        let wanted = search.most + 1;
        let (mut found, mut looked_into) = (Vec::new(), 0);
        let mut page = search.range(CHUNK);
        while found.len() < wanted && looked_into < MOST_LOOKED_INTO {
            let (chunk, address) = (page.clone(), address.clone());
            let read =
                move |search: &Search, view: &View<'_>| search.matching(view, &chunk, &address);
            let chunk = self.look_up(search, read).await??;
            looked_into += chunk.looked_into;
            found.extend(chunk.places);
            let Some(next) = chunk.next else {
                return Ok(search.cut(found));
            };
            match page.newest {
                true => page.before = next,
                false => page.after = next,
            }
        }
        if found.is_empty() {
            let limit = MOST_LOOKED_INTO;
            return Err(HistoryError::TooFar { limit });
        }
        let is_over = found.len() < wanted;
        let mut page = search.cut(found);
        if is_over {
            // There may be more, and from here the asker can go on.
            page.is_complete = false;
            page.count = None;
        }
        Ok(page)
    }

    /// The first and the last message that an owner can read again
    /// (XEP-0313 §5); `None` if there is none.
    ///
    /// # Errors
    /// [`NotKept`] if it cannot be read.
    pub async fn history_ends(
        &self,
        owner: &BareJid,
    ) -> Result<Option<(MessageId, MessageId)>, NotKept> {
        let owner = owner.clone();
        let read = move |view: &View<'_>| {
            let end = |page: Page| {
                let flags = FOR_HISTORY;
                let places = view.places(&owner, &Page { flags, ..page });
                places.map(|mut places| places.pop())
            };
            Ok((end(Page::oldest(1))?, end(Page::newest(1))?))
        };
        let (first, last) = self.store().read(read).await?;
        Ok(first.zip(last))
    }

    /// Messages by their places, in the same order; those that are gone are left
    /// out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn messages(
        &self,
        places: &[MessageId],
    ) -> Result<Vec<(MessageId, Message)>, StoreError> {
        let places = places.to_vec();
        let read = move |view: &View<'_>| view.messages(&places);
        let stored = self.store().read(read).await?;
        let decode = |(place, body)| match Message::decode(body) {
            Ok(message) => Some((place, message)),
            Err(error) => {
                tracing::error!(%place, %error, "a message is left out");
                None
            }
        };
        Ok(stored.into_iter().filter_map(decode).collect())
    }
}

/// A query as it is carried out.
#[derive(Debug)]
struct Search {
    owner: BareJid,
    query: HistoryQuery,
    /// The size of a page.
    most: usize,
}

/// What was found among some messages.
struct Chunk {
    places: Vec<MessageId>,
    looked_into: usize,
    /// From where to go on; `None` at the end.
    next: Option<MessageId>,
}

impl Search {
    /// Whether the messages are there that the query goes from. Any entry of the
    /// log is a place to go from, also one that is not shown: its id may have
    /// come with the message.
    fn check(&self, view: &View<'_>) -> Result<(), HistoryError> {
        let (HistoryQuery { after, before, .. }, paging) = (&self.query, &self.query.paging);
        let (Paging::Forward { after: page } | Paging::Backward { before: page }) = paging;
        for place in [after, before, page].into_iter().flatten() {
            let page = only(*place);
            if view.places(&self.owner, &page)?.is_empty() {
                return Err(HistoryError::NoMessage);
            }
        }
        Ok(())
    }

    /// What the store can be asked for a page.
    fn range(&self, limit: usize) -> Page {
        self.part(self.query.paging, limit)
    }

    /// The same for all pages together, which are what is counted
    /// (XEP-0059 §2.2).
    fn all(&self, limit: usize) -> Page {
        self.part(Paging::default(), limit)
    }

    fn part(&self, paging: Paging, limit: usize) -> Page {
        let query = &self.query;
        let start = query.start.map(|start| MessageId::at(start).previous());
        let end = query
            .end
            .map(|end| MessageId::at(end.after(Duration::from_millis(1))));
        let (after, before, newest) = match paging {
            Paging::Forward { after } => (after, None, false),
            Paging::Backward { before } => (None, before, true),
        };
        let after = [start, query.after, after].into_iter().flatten().max();
        let before = [end, query.before, before].into_iter().flatten().min();
        let counterpart = query.with.as_ref().and_then(With::counterpart);
        Page {
            after: after.unwrap_or(MessageId::FIRST),
            before: before.unwrap_or(MessageId::LAST),
            counterpart: counterpart.cloned(),
            flags: FOR_HISTORY,
            limit,
            newest,
        }
    }

    /// A page of what the index can tell.
    fn page(&self, view: &View<'_>) -> Result<HistoryPage, HistoryError> {
        if !self.query.ids.is_empty() {
            return self.page_of_ids(view);
        }
        let mut places = view.places(&self.owner, &self.range(self.most + 1))?;
        if self.most > 0 {
            self.face(&mut places);
            return Ok(self.cut(places));
        }
        let counted = view.places(&self.owner, &self.all(MOST_COUNTED + 1))?;
        Ok(HistoryPage {
            is_complete: places.is_empty(),
            places: Vec::new(),
            count: Some(counted.len()).filter(|count| *count <= MOST_COUNTED),
        })
    }

    /// A page of those that are named: each of them has to be there
    /// (XEP-0313 §4.1.3), and the rest of the query has to hold.
    fn page_of_ids(&self, view: &View<'_>) -> Result<HistoryPage, HistoryError> {
        let mut ids = self.query.ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let range = self.range(1);
        let mut places = Vec::new();
        for id in ids {
            let shown = Page {
                flags: FOR_HISTORY,
                ..only(id)
            };
            if view.places(&self.owner, &shown)?.is_empty() {
                return Err(HistoryError::NoMessage);
            }
            if id <= range.after || id >= range.before {
                continue;
            }
            let counterpart = range.counterpart.clone();
            let shown = Page {
                counterpart,
                ..shown
            };
            match &self.query.with {
                Some(With::Exactly { address, .. }) => {
                    places.append(&mut self.matching(view, &shown, address)?.places);
                }
                Some(With::Conversation(_)) | None => {
                    places.append(&mut view.places(&self.owner, &shown)?);
                }
            }
        }
        self.face(&mut places);
        Ok(self.cut(places))
    }

    /// Those of a page whose sender or recipient is just this address. They are
    /// in the direction of reading.
    fn matching(&self, view: &View<'_>, page: &Page, address: &Jid) -> Result<Chunk, HistoryError> {
        let mut candidates = view.places(&self.owner, page)?;
        self.face(&mut candidates);
        let mut places = Vec::new();
        // One by one: they may be large.
        for place in &candidates {
            let is_with = |message: Message| message.from() == address || message.to() == address;
            if read_message(view, *place)?.is_some_and(is_with) {
                places.push(*place);
            }
        }
        let looked_into = candidates.len();
        let next = candidates.pop().filter(|_| looked_into >= page.limit);
        Ok(Chunk {
            places,
            looked_into,
            next,
        })
    }

    /// Turns what is in the order of the log into the direction of reading.
    fn face(&self, places: &mut [MessageId]) {
        match self.query.paging {
            Paging::Forward { .. } => {}
            Paging::Backward { .. } => places.reverse(),
        }
    }

    /// A page of what was found in the direction of reading: all there is, or
    /// more than fits.
    fn cut(&self, mut found: Vec<MessageId>) -> HistoryPage {
        let is_complete = found.len() <= self.most;
        let is_whole = is_complete
            && match self.query.paging {
                Paging::Forward { after } => after.is_none(),
                Paging::Backward { before } => before.is_none(),
            };
        found.truncate(self.most);
        self.face(&mut found);
        HistoryPage {
            count: is_whole.then_some(found.len()),
            places: found,
            is_complete,
        }
    }
}

/// A message; `None` if it is gone, or cannot be read.
fn read_message(view: &View<'_>, place: MessageId) -> Result<Option<Message>, StoreError> {
    let stored = view.messages(&[place])?.pop();
    Ok(stored.and_then(|(_, body)| Message::decode(body).ok()))
}

/// One entry of a log.
pub(crate) fn only(place: MessageId) -> Page {
    Page {
        after: place.previous(),
        before: place.next(),
        ..Page::oldest(1)
    }
}

#[cfg(test)]
mod tests;
