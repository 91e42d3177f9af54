//! Presence from the client (RFC 6121 §3 and §4).

use crate::bound::Bound;
use crate::content::content;
use crate::error;
use crate::front::Xmpp;
use crate::room;
use anser_hub::{Presence, PresenceKind, SubscriptionStep};
use anser_jid::Jid;
use anser_store::Timestamp;
use anser_xml::Element;
use anser_xmpp_proto::payload::muc::Join;
use anser_xmpp_proto::{DefinedCondition, Kind, PresenceType, StanzaError, StanzaHeader, ns};
use bytes::{Bytes, BytesMut};

pub(crate) async fn handle(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
    output: &mut BytesMut,
    now: Timestamp,
) {
    // Whoever gets it shall not see it before the messages that came first.
    bound.session().all_settled().await;
    let to = header.to.clone();
    let id = header.id.clone();
    let result = match (PresenceType::of(element), &to) {
        (Ok(kind), Some(to)) if room::is_room(front, Some(to)) => {
            room::take_presence(bound, front, element, &header, to, kind, now).await
        }
        (Ok(kind), _) => take(bound, front, element, header, kind, now).await,
        (Err(fault), _) => Err(fault.into()),
    };
    let is_error = element.attribute("type").as_deref() == Some("error");
    let Err(error) = result else { return };
    if is_error {
        return;
    }
    match to {
        Some(room) if room::is_room(front, Some(&room)) && Join::read(element).is_some() => {
            let own = Jid::from(bound.session().address().clone());
            bound.reply(output, now, |output| {
                room::refuse_entry(&error, &room, own.as_str(), id.as_deref(), output);
            });
        }
        to => bound.refuse(
            &error,
            Kind::Presence,
            to.as_ref(),
            id.as_deref(),
            output,
            now,
        ),
    }
}

async fn take(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
    kind: Option<PresenceType>,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let (hub, session) = (front.hub(), bound.session());
    let payload = content(front, element)?;
    let presence = |kind, to: &Jid| Presence {
        from: session.address().clone().into(),
        to: to.clone(),
        kind,
        id: header.id.as_deref().map(Into::into),
        lang: header.lang.as_deref().map(Into::into),
        payload: payload.clone(),
    };
    let own = Jid::from(session.address().to_bare());
    match (kind, &header.to) {
        (None, None) => {
            let priority = priority(element)?;
            hub.appear(
                session,
                presence(PresenceKind::Available { priority }, &own),
            );
        }
        (Some(PresenceType::Unavailable), None) => {
            hub.disappear(session, &presence(PresenceKind::Unavailable, &own));
        }
        (None, Some(to)) => {
            let priority = priority(element)?;
            direct(
                bound,
                front,
                &presence(PresenceKind::Available { priority }, to),
            )?;
        }
        (Some(PresenceType::Unavailable), Some(to)) => {
            direct(bound, front, &presence(PresenceKind::Unavailable, to))?;
        }
        (Some(PresenceType::Error), Some(to)) => {
            direct(bound, front, &presence(PresenceKind::Error, to))?;
        }
        (Some(PresenceType::Probe), Some(to)) => {
            let probed = hub.probe(session, to);
            probed.map_err(|error| error::stanza_error(&error))?;
        }
        (Some(kind), to) => {
            let step = step(kind).ok_or(DefinedCondition::BadRequest)?;
            let reason = "a subscription is somebody's: 'to' is missing";
            let to = to
                .as_ref()
                .ok_or_else(|| DefinedCondition::BadRequest.because(reason))?;
            subscribe(bound, front, to, step, payload, now).await?;
        }
    }
    Ok(())
}

fn step(kind: PresenceType) -> Option<SubscriptionStep> {
    match kind {
        PresenceType::Subscribe => Some(SubscriptionStep::Subscribe),
        PresenceType::Subscribed => Some(SubscriptionStep::Subscribed),
        PresenceType::Unsubscribe => Some(SubscriptionStep::Unsubscribe),
        PresenceType::Unsubscribed => Some(SubscriptionStep::Unsubscribed),
        PresenceType::Error | PresenceType::Probe | PresenceType::Unavailable => None,
    }
}

fn direct(bound: &Bound, front: &Xmpp, presence: &Presence) -> Result<(), StanzaError> {
    let directed = front.hub().direct(bound.session(), presence);
    directed.map_err(|error| error::stanza_error(&error))
}

async fn subscribe(
    bound: &Bound,
    front: &Xmpp,
    to: &Jid,
    step: SubscriptionStep,
    payload: Bytes,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let hub = front.hub();
    hub.has_route(bound.session(), to)
        .map_err(|error| error::stanza_error(&error))?;
    // A subscription is to an account, never to one of its sessions
    // (RFC 6121 §3.1.1).
    hub.take_step(bound.session(), &to.to_bare(), step, payload, now)
        .await
        .map_err(|error| error::roster_error(&error))
}

/// RFC 6121 §4.7.2.3
fn priority(element: &Element) -> Result<i8, StanzaError> {
    let Some(priority) = element.child(ns::CLIENT, "priority") else {
        return Ok(0);
    };
    let reason = "a priority is a number from -128 to 127";
    let text = priority.text();
    text.trim()
        .parse()
        .map_err(|_| DefinedCondition::BadRequest.because(reason))
}
