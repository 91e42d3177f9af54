//! From somebody who is known to a session: one of its own, or one of an earlier
//! stream.

use super::Progress::{self, Over, Same};
use crate::bound::Bound;
use crate::front::Xmpp;
use anser_hub::{Login, OpenError, SessionHandle};
use anser_jid::BareJid;
use anser_store::Timestamp;
use anser_xml::{Element, Writer};
use anser_xmpp_proto::payload::stream_management::Request;
use anser_xmpp_proto::payload::{bind, stream_management as sm};
use anser_xmpp_proto::{DefinedCondition, Iq, IqKind, Kind, StreamCondition, ns};
use bytes::BytesMut;

/// Resource binding (RFC 6120 §7), or going on with an earlier stream
/// (XEP-0198 §5). Nothing else may happen before (RFC 6120 §7.1).
pub(super) async fn bind(
    front: &Xmpp,
    login: Login,
    element: &Element,
    output: &mut BytesMut,
    now: Timestamp,
) -> Progress {
    if front.is_stopping() {
        return Over(Some(StreamCondition::SystemShutdown.into()));
    }
    match Request::read(element) {
        Some(Request::Resume { previous, h }) => {
            return resume(front, login.account(), &previous, h, output, now).await;
        }
        Some(_) => {
            sm::write_failed(output, DefinedCondition::UnexpectedRequest, None);
            return Same;
        }
        None => {}
    }
    let Some((id, wanted)) = requested(element) else {
        return Over(Some(StreamCondition::NotAuthorized.into()));
    };
    let resource = wanted.unwrap_or_else(|| front.new_id());
    match front.hub().open_session(login, &resource, now).await {
        // It may have come behind the back of whoever ends all sessions.
        Ok(session) if front.is_stopping() => {
            Bound::new(session, front.config(), now).end(front);
            Over(Some(StreamCondition::SystemShutdown.into()))
        }
        Ok(session) => {
            write_result(&session, &id, output);
            Progress::Bound(Box::new(Bound::new(session, front.config(), now)))
        }
        Err(error) => refuse(error, &id, output),
    }
}

/// The id of a request for a resource, and which one if the client has a wish.
fn requested(element: &Element) -> Option<(String, Option<String>)> {
    let iq = Kind::of(element).filter(|kind| *kind == Kind::Iq);
    let iq = iq.and_then(|_| Iq::read(element).ok())?;
    let request = element.child(ns::BIND, "bind")?;
    (iq.kind == IqKind::Set).then(|| (iq.id, bind::requested_resource(request)))
}

fn write_result(session: &SessionHandle, id: &str, output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut result = writer
        .open("iq")
        .attribute("type", "result")
        .attribute("id", id);
    bind::write_result(&mut result, session.address());
}

/// There is no session (RFC 6120 §7.6.2, §7.7.2).
fn refuse(error: OpenError, id: &str, output: &mut BytesMut) -> Progress {
    let condition = match &error {
        OpenError::Resource(_) => DefinedCondition::BadRequest,
        OpenError::TooManySessions { .. } | OpenError::NotKept(_) => {
            DefinedCondition::ResourceConstraint
        }
        // As for the sessions that there were.
        OpenError::NoAccount | OpenError::Revoked => {
            return Over(Some(StreamCondition::NotAuthorized.because(error)));
        }
    };
    let refusal = condition.because(error);
    refusal.write_reply(output, Kind::Iq, None, None, Some(id));
    Same
}

async fn resume(
    front: &Xmpp,
    account: &BareJid,
    previous: &str,
    h: u32,
    output: &mut BytesMut,
    now: Timestamp,
) -> Progress {
    let claimed = front.resumptions().claim(previous, account).await;
    let mut bound = match claimed {
        Some(bound) if !bound.is_over() => bound,
        ended => {
            if let Some(bound) = ended {
                bound.end(front);
            }
            sm::write_failed(output, DefinedCondition::ItemNotFound, None);
            return Same;
        }
    };
    match bound.resume(front, previous, h, output, now).await {
        Ok(()) if front.is_stopping() => {
            bound.end(front);
            Over(Some(StreamCondition::SystemShutdown.into()))
        }
        Ok(()) => Progress::Bound(bound),
        Err(error) => {
            bound.end(front);
            Over(Some(error))
        }
    }
}
