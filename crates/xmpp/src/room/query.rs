//! Questions from one occupant to another: the room stands in between, and
//! tells neither who the other is (XEP-0045 §17.4).

use crate::bound::Bound;
use crate::content::content;
use crate::error;
use crate::front::Xmpp;
use anser_hub::{Query, QueryKind, Relay, RoomError};
use anser_jid::FullJid;
use anser_store::Timestamp;
use anser_xml::Element;
use anser_xmpp_proto::{DefinedCondition, Iq, StanzaError, StanzaHeader, ns};

/// Passes a question on to the occupant it is for, or answers it where it is a
/// ping to oneself (XEP-0410 §3.2). Says whether there is an empty answer to
/// give at once.
///
/// # Errors
/// `not-acceptable` to whoever is not in the room, `item-not-found` if nobody
/// has the nickname.
pub(crate) fn pass_on(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    iq: &Iq,
    occupant: &FullJid,
    now: Timestamp,
) -> Result<IsAnswered, StanzaError> {
    let (hub, session) = (front.hub(), bound.session());
    let child = element.children().next();
    let is_disco =
        child.is_some_and(|child| [ns::DISCO_INFO, ns::DISCO_ITEMS].contains(&child.namespace()));
    let resolved = hub.resolve_occupant(session, occupant);
    let (asked, own) = resolved.map_err(|error| match error {
        // XEP-0045 §6.6
        RoomError::NotOccupant if is_disco => DefinedCondition::BadRequest.into(),
        error => error::room_error(&error),
    })?;
    let is_ping = child.is_some_and(|child| child.is(ns::PING, "ping"));
    if own == *occupant && is_ping {
        return Ok(IsAnswered::Yes);
    }
    let kind = match iq.kind {
        anser_xmpp_proto::IqKind::Get => QueryKind::Get,
        anser_xmpp_proto::IqKind::Set => QueryKind::Set,
        anser_xmpp_proto::IqKind::Result | anser_xmpp_proto::IqKind::Error => {
            return Ok(IsAnswered::No);
        }
    };
    let id = hub.pseudonym(occupant, session.address(), &iq.id);
    let query = Query {
        from: own.into(),
        to: asked,
        kind,
        id: id.into(),
        lang: header.lang.as_deref().map(Into::into),
        payload: content(front, element)?,
        relay: Some(Box::new(Relay {
            asker: session.address().clone(),
            asked: occupant.clone(),
            id: iq.id.as_str().into(),
        })),
    };
    let passed = hub.send_query(session, query, now);
    passed.map_err(|error| error::stanza_error(&error))?;
    Ok(IsAnswered::No)
}

/// Whether there is nothing more to do but to say that all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsAnswered {
    /// There is not.
    Yes,
    /// Somebody else answers, or nobody has to.
    No,
}

/// Passes an answer on to the session that has asked. What answers nothing goes
/// nowhere.
///
/// # Errors
/// It is more than a stanza may be.
pub(crate) fn resolve_answer(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    iq: &Iq,
    occupant: &FullJid,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let (hub, session) = (front.hub(), bound.session());
    let Some((asker, own, id)) = hub.resolve_asker(session, occupant, &iq.id) else {
        return Ok(());
    };
    let query = Query {
        from: own.into(),
        to: asker,
        kind: match iq.kind {
            anser_xmpp_proto::IqKind::Error => QueryKind::Error,
            _ => QueryKind::Result,
        },
        id: id.into(),
        lang: header.lang.as_deref().map(Into::into),
        payload: content(front, element)?,
        relay: None,
    };
    // Whoever has asked may be gone, and then nobody waits.
    let _ = hub.send_query(session, query, now);
    Ok(())
}
