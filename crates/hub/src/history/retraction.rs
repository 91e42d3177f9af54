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
        let is_meant = {
            let (author, id) = (author.clone(), id.to_owned());
            move |message: &Message| {
                message.id() == Some(&id) && message.from().bare_str() == author.as_str()
            }
        };
        let mut page = Page {
            counterpart: Some(author.clone()),
            ..Page::newest(CHUNK)
        };
        for _ in 0..MOST_LOOKED_INTO / CHUNK {
            let (owner, chunk, is_meant) = (other.clone(), page.clone(), is_meant.clone());
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

    /// Puts a tombstone in the place of a message, in every log that has it, and
    /// waits for the disk. `payload` is what it says instead: XML children. Its
    /// sender, recipient, kind and id remain. Says whether the message was there
    /// and none yet.
    ///
    /// # Errors
    /// [`NotKept`]; the message is as it was.
    pub async fn bury_message(
        &self,
        place: MessageId,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<bool, NotKept> {
        let found = self.messages(&[place]).await?.pop();
        let Some((_, message)) = found.filter(|(_, message)| !message.is_tombstone()) else {
            return Ok(false);
        };
        let replace = Change::Replace {
            id: place,
            body: message.tombstone(payload).encoded().clone(),
        };
        self.commit(vec![replace], now).await?;
        Ok(true)
    }
}
