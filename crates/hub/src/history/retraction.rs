//! Messages that are taken back: a tombstone stands in their place, in every
//! log that has them.

use super::read_message;
use crate::{Hub, Message, NotKept};
use anser_jid::BareJid;
use anser_store::{Change, MessageId, Page, Timestamp, View};

/// Messages are looked into so many at a time.
const CHUNK: usize = 200;
/// Whoever takes a message back has to do so before so many others follow it in
/// its conversation.
const MOST_LOOKED_INTO: usize = 2000;

impl Hub {
    /// Finds the newest message with an id that `author` has sent to `other`, by
    /// its sender's own name for it (XEP-0424 §5), among the last 2,000 between
    /// them. One that has become a tombstone already is none.
    ///
    /// # Errors
    /// [`NotKept`] if the log cannot be read.
    pub async fn find_own_message(
        &self,
        author: &BareJid,
        other: &BareJid,
        id: &str,
    ) -> Result<Option<MessageId>, NotKept> {
        let (by, id) = (author.clone(), id.to_owned());
        let is_meant = move |message: &Message| {
            message.id() == Some(&id) && message.from().bare_str() == by.as_str()
        };
        self.find_message(other, author, is_meant).await
    }

    /// Finds the newest message of a log with a counterpart that is meant, in the
    /// same way.
    pub(crate) async fn find_message(
        &self,
        owner: &BareJid,
        counterpart: &BareJid,
        is_meant: impl Fn(&Message) -> bool + Clone + Send + 'static,
    ) -> Result<Option<MessageId>, NotKept> {
        let mut page = Page {
            counterpart: Some(counterpart.clone()),
            ..Page::newest(CHUNK)
        };
        for _ in 0..MOST_LOOKED_INTO / CHUNK {
            let (owner, chunk, is_meant) = (owner.clone(), page.clone(), is_meant.clone());
            let read = move |view: &View<'_>| {
                let places = view.places(&owner, &chunk)?;
                // One by one: they may be large.
                for place in places.iter().rev() {
                    let message = read_message(view, *place)?.filter(&is_meant);
                    if let Some(message) = message {
                        return Ok((Some((*place, message.is_tombstone())), None));
                    }
                }
                Ok((None, places.first().copied()))
            };
            match self.store().read(read).await? {
                (Some((_, true)), _) | (None, None) => return Ok(None),
                (Some((place, false)), _) => return Ok(Some(place)),
                (None, Some(oldest)) => page.before = oldest,
            }
        }
        Ok(None)
    }

    /// Puts a tombstone in the place of each of these messages, in every log that
    /// has it, and waits for the disk. `payload` is what it says instead: XML
    /// children. Sender, recipient, kind and id remain. What is not there, or is
    /// one already, stays as it is.
    ///
    /// # Errors
    /// [`NotKept`]; the messages are as they were.
    pub async fn bury_messages(
        &self,
        places: &[MessageId],
        payload: &[u8],
        now: Timestamp,
    ) -> Result<(), NotKept> {
        let found = self.messages(places).await?.into_iter();
        let found = found.filter(|(_, message)| !message.is_tombstone());
        let replace = |(id, message): (MessageId, Message)| Change::Replace {
            id,
            body: message.tombstone(payload).encoded().clone(),
        };
        Ok(self.commit(found.map(replace).collect(), now).await?)
    }
}
