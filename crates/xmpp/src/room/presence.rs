//! Presence to rooms: entering, being seen, another nickname, leaving
//! (XEP-0045 §7.2, §7.6, §7.7, §7.14).

use crate::bound::Bound;
use crate::content::content_without;
use crate::error;
use crate::front::Xmpp;
use anser_hub::{Entrance, Look, PastWanted, RoomError};
use anser_jid::{FullJid, Jid};
use anser_store::Timestamp;
use anser_xml::{Element, Writer};
use anser_xmpp_proto::payload::muc::{self, History, Join};
use anser_xmpp_proto::{PresenceType, StanzaError, StanzaHeader, ns};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Takes a presence to a room.
///
/// # Errors
/// The error of XEP-0045 §7.2.
pub(crate) async fn take(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    to: &Jid,
    kind: Option<PresenceType>,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let (hub, session) = (front.hub(), bound.session());
    match kind {
        None => {}
        Some(PresenceType::Unavailable) => {
            let look = look(front, element, header)?;
            hub.leave_room(session, to, &look, now).await;
            return Ok(());
        }
        // None of these is a wish to come or to go (XEP-0045 §17.3).
        Some(
            PresenceType::Error
            | PresenceType::Probe
            | PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
        ) => return Ok(()),
    }
    let occupant = FullJid::try_from(to.clone());
    let occupant = occupant.map_err(|_| error::room_error(&RoomError::NoNick))?;
    let look = look(front, element, header)?;
    let done = match Join::read(element) {
        Some(join) => {
            let entrance = Entrance {
                occupant,
                password: join.password,
                past: past_wanted(join.history, now),
                look,
            };
            hub.enter_room(session, entrance, now).await
        }
        None if hub.is_in_room(session, to) => hub.change_in_room(session, &occupant, &look, now),
        // Treating it as a wish to enter would leave them with half of what they
        // need (XEP-0045 §7.2.18).
        None => {
            hub.tell_not_here(session, occupant);
            Ok(())
        }
    };
    done.map_err(|error| error::room_error(&error))
}

/// What a session says of itself, without what only rooms say.
fn look(front: &Xmpp, element: &Element, header: &StanzaHeader) -> Result<Look, StanzaError> {
    let payload = content_without(front, element, muc::is_the_rooms_own)?;
    Ok(Look {
        id: header.id.as_deref().map(Into::into),
        lang: header.lang.as_deref().map(Into::into),
        payload: Bytes::copy_from_slice(&payload),
    })
}

fn past_wanted(history: History, now: Timestamp) -> PastWanted {
    let by_seconds = history.seconds.map(|seconds| {
        let millis = u64::try_from(Duration::from_secs(seconds).as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(now.millis().saturating_sub(millis))
    });
    let since = history.since_millis.map(Timestamp::from_millis);
    PastWanted {
        messages: history.most_messages,
        characters: history.most_characters,
        since: by_seconds.max(since),
    }
}

/// Tells whoever wanted to enter why they may not. By the `x`, clients know
/// that it is this that was refused (XEP-0045 §7.2.5 to §7.2.10).
pub(crate) fn refuse_entry(
    error: &StanzaError,
    occupant: &Jid,
    to: &str,
    id: Option<&str>,
    output: &mut BytesMut,
) {
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("presence")
        .attribute("type", PresenceType::Error.name())
        .attribute("from", occupant.as_str())
        .attribute("to", to)
        .attribute_opt("id", id);
    stanza.open("x").namespace(ns::MUC).close();
    error.write(&mut stanza);
}
