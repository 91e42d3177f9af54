//! What its reader has not seen of a conversation.
//!
//! Nothing is counted in advance: the log is read backwards from its end, down
//! to what the reader has seen, and no further than a badge can show. That is
//! what came before anything that they wrote themselves, and what one of their
//! devices has said that it was shown: by a marker (XEP-0333), or by a place in
//! the log, as XEP-0490 has it, which no front end feeds yet.

use crate::account::FOR_HISTORY;
use crate::directory::Resident;
use crate::history::only;
use crate::{Hub, Message, NotKept, SessionHandle};
use anser_jid::{BareJid, Jid};
use anser_store::{Change, EntryFlags, Expect, MessageId, Page, StoreError, Timestamp, View};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Up to where an account has seen its conversations, by their addresses.
const DISPLAYED: &str = "displayed";

/// No more unread messages than this are counted.
pub const MOST_UNREAD: u32 = 99;
/// So much of a log is read for that at most: markers and receipts are in there
/// too.
const MOST_READ: usize = 500;
/// So far back is the message looked for that a marker names.
const MOST_SEARCHED: usize = 100;
/// Messages are in memory so many at a time.
const PAGE: usize = 20;
/// A name counts as mentioned if it is in so much of a text.
const MOST_TEXT_BYTES: usize = 8 << 10;

/// How much of a conversation its reader has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unread {
    /// Messages by others, at most [`MOST_UNREAD`]. Receipts, reactions,
    /// corrections and the like do not count.
    pub messages: u32,
    /// How many of these mention the reader.
    pub mentions: u32,
    /// There are more than these, or may be.
    pub has_more: bool,
}

/// Which message somebody says that they have seen.
#[derive(Debug, Clone, Copy)]
pub enum Marked<'a> {
    /// The one that its sender has given this name (XEP-0333 §4.2).
    Id(&'a str),
    /// The one at this place in the log (XEP-0490 §4.2, and in rooms XEP-0333
    /// §4.3).
    Place(MessageId),
}

/// Whose conversation it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    account: &'a BareJid,
    /// Under which address the log has what they write: that of the account, or
    /// of an occupant of a room.
    own: &'a Jid,
    /// What others call them.
    name: &'a str,
}

/// What a message is to somebody who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// They have said it themselves.
    Own,
    /// There is something to read.
    Text,
    /// There is, and they are mentioned.
    Mention,
    /// There is nothing to read.
    None,
}

impl<'a> Reader<'a> {
    /// Somebody in a conversation of two.
    pub(crate) fn of_account(account: &'a BareJid) -> Self {
        Self {
            account,
            own: account,
            name: account.local().unwrap_or(""),
        }
    }

    /// Somebody in a room.
    pub(crate) fn in_room(account: &'a BareJid, occupant: &'a Jid) -> Self {
        Self {
            account,
            own: occupant,
            name: occupant.resource().unwrap_or(""),
        }
    }

    fn hear(&self, message: &Message) -> News {
        let is_own = match self.own.resource() {
            Some(_) => message.from() == self.own,
            None => message.from().bare_str() == self.own.as_str(),
        };
        if !message.is_news() {
            News::None
        } else if is_own {
            News::Own
        } else if self.is_mentioned(message) {
            News::Mention
        } else {
            News::Text
        }
    }

    fn is_mentioned(&self, message: &Message) -> bool {
        let mut marked = message.mentions();
        marked.any(|account| account == self.account.as_str())
            || message.text().is_some_and(|text| has_word(text, self.name))
    }
}

/// Whether a name stands in a text as a word of its own, in whatever case.
fn has_word(text: &str, name: &str) -> bool {
    let mut end = text.len().min(MOST_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (text, name) = (text[..end].to_lowercase(), name.to_lowercase());
    let is_outside = |char: Option<char>| char.is_none_or(|char| !char.is_alphanumeric());
    let mut found = text.match_indices(&name);
    !name.is_empty()
        && found.any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            is_outside(before.chars().next_back()) && is_outside(after.chars().next())
        })
}

impl Unread {
    /// Counts what comes before in the log; breaks if nothing before that counts.
    fn add(&mut self, news: News) -> ControlFlow<()> {
        if news == News::Own {
            return ControlFlow::Break(());
        }
        if news == News::None {
            return ControlFlow::Continue(());
        }
        if self.messages == MOST_UNREAD {
            self.has_more = true;
            return ControlFlow::Break(());
        }
        self.messages += 1;
        self.mentions += u32::from(news == News::Mention);
        ControlFlow::Continue(())
    }

    /// Counts what is in a log after what was seen, and `is_meant`.
    fn count(
        view: &View<'_>,
        owner: &BareJid,
        log: Page,
        reader: &Reader<'_>,
        is_meant: impl Fn(&Message) -> bool,
    ) -> Result<Self, StoreError> {
        let mut unread = Self::default();
        let end = read_back(view, owner, log, MOST_READ, |_, message| {
            match is_meant(message) {
                true => unread.add(reader.hear(message)),
                false => ControlFlow::Continue(()),
            }
        })?;
        unread.has_more |= end == End::Limit;
        Ok(unread)
    }
}

/// Whether a message of an account's log is with just this address: with an
/// account it is, whichever of its devices has sent it, but every occupant of a
/// room is somebody else.
fn is_with(message: &Message, with: &Jid) -> bool {
    with.is_bare() || message.from() == with || message.to() == with
}

/// Where reading backwards has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Where it was told to, or there was no more.
    Enough,
    /// It has read as many as it may.
    Limit,
}

/// Reads at most so many messages of a log backwards from its end.
fn read_back(
    view: &View<'_>,
    owner: &BareJid,
    log: Page,
    most: usize,
    mut visit: impl FnMut(MessageId, &Message) -> ControlFlow<()>,
) -> Result<End, StoreError> {
    let mut page = log;
    for _ in 0..most / PAGE {
        let entries = view.page(owner, &page)?;
        for entry in entries.iter().rev() {
            let message = Message::decode(entry.body.clone());
            if message.is_ok_and(|message| visit(entry.id, &message).is_break()) {
                return Ok(End::Enough);
            }
        }
        match entries.first() {
            Some(first) if entries.len() == PAGE => page.before = first.id,
            Some(_) | None => return Ok(End::Enough),
        }
    }
    Ok(End::Limit)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisplayedRecord {
    /// Everything up to here was seen.
    through: String,
}

impl Hub {
    /// How much an account has not seen of a conversation, with an account or with
    /// an occupant of a room alone. Reads some pages of the account's log.
    ///
    /// # Errors
    /// [`StoreError`] if the log could not be read.
    pub async fn unread(&self, account: &BareJid, with: &Jid) -> Result<Unread, StoreError> {
        let (account, with) = (account.clone(), with.clone());
        let read = move |view: &View<'_>| {
            let log = Page {
                after: displayed(view, &account, &with)?,
                counterpart: Some(with.to_bare()),
                flags: FOR_HISTORY,
                ..Page::newest(PAGE)
            };
            let reader = Reader::of_account(&account);
            Unread::count(view, &account, log, &reader, |message| {
                is_with(message, &with)
            })
        };
        self.store().read(read).await
    }

    /// How much an account has not seen of what was said in a room, in which it
    /// is `occupant`. Reads some pages of the room's log.
    ///
    /// # Errors
    /// [`StoreError`] if the log could not be read.
    pub async fn unread_in_room(
        &self,
        account: &BareJid,
        occupant: &Jid,
    ) -> Result<Unread, StoreError> {
        let (account, occupant) = (account.clone(), occupant.clone());
        let read = move |view: &View<'_>| {
            let room = occupant.to_bare();
            let log = Page {
                after: displayed(view, &account, &room)?,
                flags: EntryFlags::NONE,
                ..Page::newest(PAGE)
            };
            let reader = Reader::in_room(&account, &occupant);
            Unread::count(view, &room, log, &reader, |_| true)
        };
        self.store().read(read).await
    }

    /// Up to where an account has seen a conversation: with an account, in a room,
    /// or with an occupant of a room alone.
    ///
    /// # Errors
    /// [`StoreError`] if that could not be read.
    pub async fn displayed(
        &self,
        account: &BareJid,
        conversation: &Jid,
    ) -> Result<MessageId, StoreError> {
        let (account, conversation) = (account.clone(), conversation.clone());
        let read = move |view: &View<'_>| displayed(view, &account, &conversation);
        self.store().read(read).await
    }

    /// Notes that a device was shown a conversation up to a message. What was
    /// seen stays seen: an earlier message changes nothing, nor does one that is
    /// not in the conversation, or so far back that nobody looks for it.
    ///
    /// Returns when it is on disk whether there was something to note.
    ///
    /// # Errors
    /// [`NotKept`]; nothing was noted.
    pub async fn mark_displayed(
        &self,
        session: &SessionHandle,
        conversation: &Jid,
        marked: Marked<'_>,
        now: Timestamp,
    ) -> Result<bool, NotKept> {
        let account = session.session().account();
        let owner = account.address();
        let _turn = account.changes.lock().await;
        if account.is_gone() {
            return Ok(false);
        }
        let Some(place) = self.find_marked(owner, conversation, marked).await? else {
            return Ok(false);
        };
        if place <= self.displayed(owner, conversation).await? {
            return Ok(false);
        }
        let record = DisplayedRecord {
            through: place.to_string(),
        };
        let value = serde_json::to_vec(&record).expect("a plain struct has a JSON form");
        let put = Change::Put {
            owner: owner.clone(),
            kind: DISPLAYED,
            key: conversation.to_string(),
            value: value.into(),
            expect: Expect::Anything,
        };
        self.commit(vec![put], now).await?;
        Ok(true)
    }

    /// Where a message is that somebody says they have seen; `None` if it is not
    /// in the conversation.
    async fn find_marked(
        &self,
        owner: &BareJid,
        conversation: &Jid,
        marked: Marked<'_>,
    ) -> Result<Option<MessageId>, StoreError> {
        let (owner, conversation) = (owner.clone(), conversation.clone());
        let with = conversation.to_bare();
        match marked {
            Marked::Place(place) => {
                // What was said in a room is in the log of that.
                let is_room = conversation.is_bare() && self.hosts_rooms(conversation.domain());
                let (owner, counterpart) = match is_room {
                    true => (with, None),
                    false => (owner, Some(with)),
                };
                let page = Page {
                    counterpart,
                    ..only(place)
                };
                let is_it = move |message: &Message| is_with(message, &conversation);
                let read = move |view: &View<'_>| find(view, &owner, page, &is_it);
                self.store().read(read).await
            }
            Marked::Id(id) => {
                let id = id.to_owned();
                let page = Page {
                    counterpart: Some(with),
                    flags: FOR_HISTORY,
                    ..Page::newest(PAGE)
                };
                let own = owner.clone();
                let is_it = move |message: &Message| {
                    message.id() == Some(&id)
                        && message.from().bare_str() != own.as_str()
                        && is_with(message, &conversation)
                };
                let read = move |view: &View<'_>| find(view, &owner, page, &is_it);
                self.store().read(read).await
            }
        }
    }
}

/// The last message that `is_it`.
fn find(
    view: &View<'_>,
    owner: &BareJid,
    log: Page,
    is_it: impl Fn(&Message) -> bool,
) -> Result<Option<MessageId>, StoreError> {
    let mut found = None;
    read_back(view, owner, log, MOST_SEARCHED, |place, message| {
        if !is_it(message) {
            return ControlFlow::Continue(());
        }
        found = Some(place);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

fn displayed(
    view: &View<'_>,
    account: &BareJid,
    conversation: &Jid,
) -> Result<MessageId, StoreError> {
    let Some(record) = view.record(account, DISPLAYED, conversation.as_str())? else {
        return Ok(MessageId::FIRST);
    };
    let read = serde_json::from_slice::<DisplayedRecord>(&record.value);
    let through = read.ok().and_then(|record| record.through.parse().ok());
    Ok(through.unwrap_or_else(|| {
        tracing::error!(%account, %conversation, "what was seen of it cannot be read");
        MessageId::FIRST
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, MessageKind, Traits};

    fn message(from: &str, traits: Traits, text: &str, mentions: &[&str]) -> Message {
        let mentions: Vec<_> = mentions.iter().map(|jid| jid.parse().unwrap()).collect();
        Message::new(&Draft {
            from: &from.parse().unwrap(),
            to: &"bob@example.org".parse().unwrap(),
            kind: MessageKind::Chat,
            traits: Traits::CONTENT.with(traits),
            id: None,
            lang: None,
            text: (!text.is_empty()).then_some(text),
            mentions: &mentions,
            payload: b"",
        })
    }

    #[test]
    fn a_name_is_mentioned_as_a_word_and_in_whatever_case() {
        for (text, name, expected) in [
            ("bob?", "bob", true),
            ("Hey BOB, look", "bob", true),
            ("@bob: yes", "Bob", true),
            ("bobsleigh and kebob", "bob", false),
            ("bobby bob", "bob", true),
            ("bob2", "bob", false),
            ("grüße an jürgen.", "JÜRGEN", true),
            ("fünf", "ü", false),
            ("anything", "", false),
            ("", "bob", false),
        ] {
            assert_eq!(has_word(text, name), expected, "{text} {name}");
        }
    }

    #[test]
    fn a_name_far_down_in_a_text_is_not_looked_for() {
        let text = |length| format!("{} bob", "ü".repeat(length));
        assert!(has_word(&text(4000), "bob"));
        assert!(!has_word(&text(5000), "bob"));
    }

    /// XEP-0372 §4.2
    #[test]
    fn what_others_say_is_news_and_a_mention_if_they_mean_the_reader() {
        let bob: BareJid = "bob@example.org".parse().unwrap();
        let occupant: Jid = "room@rooms.example.org/Builder".parse().unwrap();
        let alone = Reader::of_account(&bob);
        let in_room = Reader::in_room(&bob, &occupant);
        let (text, amends) = (Traits::TEXT, Traits::TEXT.with(Traits::AMENDS));
        let (alice, other) = ("alice@example.org/x", "room@rooms.example.org/Other");
        let own = "room@rooms.example.org/Builder";
        for (reader, from, traits, body, mentions, expected) in [
            (alone, alice, text, "hello", &[][..], News::Text),
            (alone, alice, text, "hello bob", &[][..], News::Mention),
            (
                alone,
                alice,
                text,
                "",
                &["bob@example.org"][..],
                News::Mention,
            ),
            (alone, alice, text, "", &["eve@example.org"][..], News::Text),
            (alone, alice, amends, "bob!", &[][..], News::None),
            (alone, alice, Traits::CONVERSATION, "", &[][..], News::None),
            (
                alone,
                "bob@example.org/x",
                text,
                "hello",
                &[][..],
                News::Own,
            ),
            (alone, "bob@example.org/x", amends, "x", &[][..], News::None),
            (in_room, other, text, "bob?", &[][..], News::Text),
            (in_room, other, text, "builder?", &[][..], News::Mention),
            (
                in_room,
                other,
                text,
                "",
                &["bob@example.org"][..],
                News::Mention,
            ),
            (in_room, own, text, "hello", &[][..], News::Own),
        ] {
            let message = message(from, traits, body, mentions);
            assert_eq!(
                reader.hear(&message),
                expected,
                "{from} {body} {mentions:?}"
            );
        }
    }

    /// What is counted of these, the newest first.
    fn count(news: impl IntoIterator<Item = News>) -> Unread {
        let mut unread = Unread::default();
        let _ = news.into_iter().try_for_each(|news| unread.add(news));
        unread
    }

    #[test]
    fn what_came_before_ones_own_words_is_seen() {
        let news = [News::Text, News::None, News::Mention, News::Own, News::Text];
        let expected = Unread {
            messages: 2,
            mentions: 1,
            has_more: false,
        };
        assert_eq!(count(news), expected);
        assert_eq!(count([]), Unread::default());
    }

    #[test]
    fn no_more_are_counted_than_a_badge_shows() {
        let some = |count| std::iter::repeat_n(News::Mention, count);
        for (many, has_more) in [(98, false), (99, false), (100, true), (1000, true)] {
            let most = many.min(99);
            let expected = Unread {
                messages: most,
                mentions: most,
                has_more,
            };
            assert_eq!(count(some(many as usize)), expected, "{many}");
        }
    }
}
