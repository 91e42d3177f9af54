//! Messages from the client (RFC 6121 §5).

use crate::bound::Bound;
use crate::content::content_without;
use crate::error;
use crate::front::Xmpp;
use anser_hub::{Draft, Message, MessageKind, Traits};
use anser_jid::Jid;
use anser_store::Timestamp;
use anser_xml::{Child, Element};
use anser_xmpp_proto::payload::stanza_id;
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
    let id = header.id.clone();
    let message = match read(bound, front, element, header) {
        Ok(message) => Arc::new(message),
        Err(error) => {
            if MessageType::of(element) != MessageType::Error {
                let (to, id) = (to.as_ref(), id.as_deref());
                bound.refuse(&error, Kind::Message, to, id, output, now);
            }
            return;
        }
    };
    let recipient = match front.hub().recipient(message.to()) {
        Some(recipient) => Ok(recipient),
        None => front.hub().find_recipient(message.to(), now).await,
    };
    let sent = recipient.and_then(|recipient| {
        front
            .hub()
            .send(bound.session(), recipient, Arc::clone(&message), now)
    });
    if let Err(error) = sent
        && message.kind() != MessageKind::Error
    {
        let error = error::stanza_error(&error);
        let (to, id) = (Some(message.to()), message.id());
        bound.refuse(&error, Kind::Message, to, id, output, now);
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
    let is_forged = |child: Child<'_>| {
        stanza_id::is_claim(child, to.bare_str())
            || stanza_id::is_claim(child, own.bare_str())
            || is_delay_of(child, own.domain())
    };
    Ok(Message::new(&Draft {
        from: &Jid::from(own.clone()),
        to: &to,
        kind,
        traits: traits(element),
        id: header.id.as_deref(),
        lang: header.lang.as_deref(),
        payload: &content_without(front, element, is_forged)?,
    }))
}

/// Whether a child claims in the server's name that the message is late; only
/// the server may (XEP-0203 §5).
fn is_delay_of(child: Child<'_>, domain: &str) -> bool {
    let is_ours = |text: &str| Jid::parse(text).is_ok_and(|claimed| claimed.as_str() == domain);
    child.is(ns::DELAY, "delay") && child.attribute("from").as_deref().is_some_and(is_ours)
}

/// What decides over keeping a message (XEP-0160 §3, XEP-0334 §4): news of
/// typing, hints and ids are no content.
fn traits(element: &Element) -> Traits {
    let of_child = |child: Child<'_>| match (child.namespace(), child.name()) {
        (ns::HINTS, "store") => Traits::STORE,
        (ns::HINTS, "no-store") => Traits::NO_STORE,
        (ns::HINTS, "no-permanent-store") => Traits::NO_PERMANENT_STORE,
        (ns::HINTS | ns::CHAT_STATES | ns::STANZA_ID | ns::DELAY, _) => Traits::NONE,
        (ns::CLIENT, "thread") => Traits::NONE,
        _ => Traits::CONTENT,
    };
    element
        .children()
        .map(of_child)
        .fold(Traits::NONE, Traits::with)
}
