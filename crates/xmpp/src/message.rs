//! Messages from the client (RFC 6121 §5).

use crate::bound::Bound;
use crate::content::content_without;
use crate::error;
use crate::forgery::is_forged;
use crate::front::Xmpp;
use crate::retraction;
use crate::room;
use crate::traits::{mentions, traits};
use anser_hub::{Draft, Marked, Message, MessageKind};
use anser_jid::Jid;
use anser_store::Timestamp;
use anser_xml::{Child, Element};
use anser_xmpp_proto::payload::retract;
use anser_xmpp_proto::{Kind, MessageType, StanzaError, StanzaHeader, ns};
use bytes::BytesMut;
use std::sync::Arc;

pub(crate) async fn handle(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
    output: &mut BytesMut,
    now: Timestamp,
) {
    let to = header.to.clone();
    if let Some(room) = to.as_ref().filter(|to| room::is_room(front, Some(to))) {
        to_room(bound, front, element, &header, room, output, now).await;
        return;
    }
    let id = header.id.clone();
    match read(bound, front, element, header) {
        Ok(message) => send(bound, front, element, message, output, now).await,
        Err(error) => {
            if MessageType::of(element) != MessageType::Error {
                let (to, id) = (to.as_ref(), id.as_deref());
                bound.refuse(&error, Kind::Message, to, id, output, now);
            }
        }
    }
}

async fn to_room(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    room: &Jid,
    output: &mut BytesMut,
    now: Timestamp,
) {
    let taken = room::take_message(bound, front, element, header, room, now).await;
    match taken {
        Ok(()) => note_displayed(bound, front, element, room, now).await,
        Err(error) => {
            let id = header.id.as_deref();
            bound.refuse(&error, Kind::Message, Some(room), id, output, now);
        }
    }
}

/// Sends it to an account (RFC 6121 §8.5).
async fn send(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    message: Message,
    output: &mut BytesMut,
    now: Timestamp,
) {
    let message = Arc::new(message);
    let recipient = match front.hub().recipient(message.to()) {
        Some(recipient) => Ok(recipient),
        None => {
            let (hub, session) = (front.hub(), bound.session());
            hub.find_addressee(session, message.to(), now).await
        }
    };
    let retracted = match retract::retracted_id(element) {
        Some(id) => retraction::find(bound, front, &message, &id).await,
        None => None,
    };
    let sent = recipient.and_then(|recipient| {
        front
            .hub()
            .send(bound.session(), recipient, Arc::clone(&message), now)
    });
    match sent {
        Ok(()) => {
            if let Some(retracted) = retracted {
                retraction::carry_out(front, retracted, now).await;
            }
            note_displayed(bound, front, element, message.to(), now).await;
        }
        Err(_) if message.kind() == MessageKind::Error => {}
        Err(error) => {
            let error = error::stanza_error(&error);
            let (to, id) = (Some(message.to()), message.id());
            bound.refuse(&error, Kind::Message, to, id, output, now);
        }
    }
}

/// What a device says that it was shown, its account has seen (XEP-0333 §4.2).
async fn note_displayed(bound: &Bound, front: &Xmpp, element: &Element, to: &Jid, now: Timestamp) {
    let displayed = element.child(ns::MARKERS, "displayed");
    let Some(id) = displayed.and_then(|displayed| displayed.attribute("id")) else {
        return;
    };
    let marked = match MessageType::of(element) {
        // In a room, messages go by the ids that the room has given them.
        MessageType::Groupchat => id.parse().ok().map(Marked::Place),
        MessageType::Normal | MessageType::Chat => Some(Marked::Id(&id)),
        MessageType::Headline | MessageType::Error => None,
    };
    let Some(marked) = marked else {
        return;
    };
    // Every occupant of a room is somebody else.
    let is_of_occupant = matches!(marked, Marked::Id(_)) && room::is_room(front, Some(to));
    let conversation = match is_of_occupant {
        true => to.clone(),
        false => to.to_bare().into(),
    };
    let hub = front.hub();
    let noted = hub.mark_displayed(bound.session(), &conversation, marked, now);
    if let Err(error) = noted.await {
        tracing::warn!(%error, "what was seen of a conversation is not written down");
    }
}

fn read(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
) -> Result<Message, StanzaError> {
    let own = bound.session().address();
    // Without an address it is for the client's own account
    // (RFC 6120 §10.3.1).
    let to = header.to.unwrap_or_else(|| own.to_bare().into());
    let kind = match MessageType::of(element) {
        MessageType::Chat => MessageKind::Chat,
        MessageType::Error => MessageKind::Error,
        MessageType::Groupchat => MessageKind::Groupchat,
        MessageType::Headline => MessageKind::Headline,
        MessageType::Normal => MessageKind::Normal,
    };
    let is_forged = |child: Child<'_>| is_forged(front.hub(), child, own, &to);
    let payload = content_without(front, element, is_forged)?;
    let body = element.child(ns::CLIENT, "body");
    Ok(Message::new(&Draft {
        from: &Jid::from(own.clone()),
        to: &to,
        kind,
        traits: traits(element),
        id: header.id.as_deref(),
        lang: header.lang.as_deref(),
        text: body.map(|body| body.text()).as_deref(),
        mentions: &mentions(element),
        payload: &payload,
    }))
}
