//! Messages of a room that are taken back, and messages of its archive
//! (XEP-0313 §6.1.2, XEP-0424, XEP-0425).

use crate::front::Xmpp;
use anser_hub::{
    Archived, Draft, Message, MessageKind, Remains, Retraction, Retractor, Room, RoomError,
    SessionHandle, Sight, Traits,
};
use anser_jid::Jid;
use anser_store::{MessageId, Timestamp};
use anser_xml::Writer;
use anser_xmpp_proto::ns;
use anser_xmpp_proto::payload::moderation::Moderation;
use anser_xmpp_proto::payload::muc;
use bytes::BytesMut;
use std::sync::Arc;

/// A moderator takes a message back (XEP-0425 §4).
pub(crate) async fn moderate(
    front: &Xmpp,
    session: &SessionHandle,
    room: &Arc<Room>,
    place: MessageId,
    moderation: &Moderation,
    now: Timestamp,
) -> Result<(), RoomError> {
    let id = front.new_id();
    let retraction = Retraction {
        place,
        retractor: Retractor::Moderator,
        bytes: moderation.reason.as_deref().map_or(0, str::len),
    };
    let taken_back = front
        .hub()
        .take_back(session, room, retraction, now, |_, speaker| {
            let (by, occupant_id) = (speaker.occupant.as_str(), speaker.id.to_string());
            let tombstone = written(|writer| {
                moderation.write_tombstone(writer, by, &occupant_id, now.millis());
            });
            let payload = written(|writer| moderation.write(writer, by, &occupant_id));
            let address = Jid::from(room.address().clone());
            let news = Message::new(&Draft {
                from: &address,
                to: &address,
                kind: MessageKind::Groupchat,
                traits: Traits::CONTENT.with(Traits::AMENDS),
                id: Some(&id),
                lang: None,
                text: None,
                mentions: &[],
                payload: &payload,
            });
            Remains { tombstone, news }
        });
    taken_back.await
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut output = BytesMut::new();
    write(&mut Writer::new(&mut output));
    output.to_vec()
}

/// A message of a room's archive as its reader is to see it: with what names its
/// author through all visits, and with their address for those who may know it
/// (XEP-0313 §6.1.2, XEP-0421 §4).
pub(crate) fn write_archived(
    front: &Xmpp,
    room: &Room,
    sight: Sight,
    archived: &Archived,
) -> Message {
    let message = &archived.message;
    let mut payload = BytesMut::from(&message.payload()[..]);
    let mut writer = Writer::new(&mut payload);
    // What the room itself says has nobody for its author.
    if !message.from().is_bare() {
        let (affiliation, _) = front.hub().registration(room, &archived.author);
        if sight.has(Sight::ADDRESSES) {
            let item = muc::Item {
                affiliation: affiliation.name(),
                role: "none",
                address: Some(archived.author.as_str()),
                ..muc::Item::default()
            };
            item.write(&mut writer.open("x").namespace(ns::MUC_USER));
        }
        let id = front.hub().occupant_id(room, &archived.author);
        muc::write_occupant_id(&mut writer, id);
    }
    drop(writer);
    Message::new(&Draft {
        from: message.from(),
        to: message.to(),
        kind: message.kind(),
        traits: message.traits(),
        id: message.id(),
        lang: message.lang(),
        text: None,
        mentions: &[],
        payload: &payload,
    })
}
