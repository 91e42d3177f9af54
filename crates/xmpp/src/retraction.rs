//! Messages that their sender takes back (XEP-0424), in conversations of two.

use crate::bound::Bound;
use crate::front::Xmpp;
use anser_hub::{Message, MessageKind, NotKept};
use anser_jid::FullJid;
use anser_store::{MessageId, Timestamp};
use anser_xml::Writer;
use anser_xmpp_proto::payload::retract;
use bytes::BytesMut;

/// A message that is taken back.
#[derive(Debug)]
pub(crate) struct Retracted {
    /// Where it is: in the logs of both sides, or in each by itself.
    places: Vec<MessageId>,
    /// The id of the message that does so.
    by: String,
}

/// The message that `retraction` takes back: one of the same sender in the same
/// conversation (XEP-0424 §5). `None` if there is none, and for a retraction
/// that is not kept or has no id: nobody could make sense of the tombstone.
pub(crate) async fn find(
    bound: &Bound,
    front: &Xmpp,
    retraction: &Message,
    id: &str,
) -> Option<Retracted> {
    let is_between_two = match retraction.kind() {
        MessageKind::Normal | MessageKind::Chat => true,
        MessageKind::Groupchat | MessageKind::Headline | MessageKind::Error => false,
    };
    let by = retraction.id()?.to_owned();
    if !is_between_two || !retraction.is_logged() {
        return None;
    }
    // What it takes back may still be on its way to the disk.
    bound.session().all_settled().await;
    let author = bound.session().address().to_bare();
    let other = retraction.to().to_bare();
    let found = front.hub().find_own_message(&author, &other, id).await;
    retracted(found.map(|found| found.into_iter().collect()), by)
}

/// The same for what was said to one occupant of a room alone.
pub(crate) async fn find_whispered(
    bound: &Bound,
    front: &Xmpp,
    occupant: &FullJid,
    id: &str,
    by: Option<&str>,
) -> Option<Retracted> {
    let by = by?.to_owned();
    bound.session().all_settled().await;
    let found = front.hub().find_whisper(bound.session(), occupant, id);
    retracted(found.await, by)
}

fn retracted(found: Result<Vec<MessageId>, NotKept>, by: String) -> Option<Retracted> {
    match found {
        Ok(places) if places.is_empty() => None,
        Ok(places) => Some(Retracted { places, by }),
        Err(error) => {
            tracing::error!(%error, "a message that is to be taken back cannot be looked for");
            None
        }
    }
}

/// Puts a tombstone in the place of a message (XEP-0424 §4). Its recipient gets
/// the retraction in any case.
pub(crate) async fn carry_out(front: &Xmpp, retracted: Retracted, now: Timestamp) {
    let Retracted { places, by } = retracted;
    let mut tombstone = BytesMut::new();
    let mut writer = Writer::new(&mut tombstone);
    retract::write_tombstone(&mut writer, &by, now.millis());
    drop(writer);
    if let Err(error) = front.hub().bury_messages(&places, &tombstone, now).await {
        tracing::error!(%error, "a message that was taken back is still in the logs");
    }
}
