//! Questions and answers (RFC 6120 §8.2.3): for the server, for accounts that it
//! answers for, or for other sessions.

use crate::bound::Bound;
use crate::content::content;
use crate::error;
use crate::feature::{Context, Scope, Turn};
use crate::front::Xmpp;
use crate::room::{self, IsAnswered};
use anser_hub::{Query, QueryKind};
use anser_jid::{FullJid, Jid};
use anser_store::Timestamp;
use anser_xml::{Element, Writer};
use anser_xmpp_proto::{DefinedCondition, Iq, IqKind, Kind, StanzaError, StanzaHeader};
use bytes::BytesMut;

pub(crate) async fn handle(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
    output: &mut BytesMut,
    now: Timestamp,
) {
    let to = header.to.clone();
    let iq = match Iq::read(element) {
        Ok(iq) => iq,
        Err(fault) => {
            let kind = element.attribute("type");
            let is_answer = matches!(kind.as_deref(), Some("result" | "error"));
            if !is_answer {
                let id = header.id.as_deref();
                bound.refuse(&fault.into(), Kind::Iq, to.as_ref(), id, output, now);
            }
            return;
        }
    };
    let answered = match to.clone().map(FullJid::try_from) {
        Some(Ok(occupant)) if room::is_room(front, Some(&occupant)) => {
            through_room(bound, front, element, &header, &iq, &occupant, output, now)
        }
        Some(Ok(session)) => pass_on(bound, front, element, header, &iq, session, now),
        Some(Err(address)) => {
            answer(
                bound,
                front,
                element,
                &iq,
                Some(address.into()),
                output,
                now,
            )
            .await
        }
        None => answer(bound, front, element, &iq, None, output, now).await,
    };
    if let Err(error) = answered
        && iq.kind.is_request()
    {
        bound.refuse(&error, Kind::Iq, to.as_ref(), Some(&iq.id), output, now);
    }
}

/// Passes it on to an occupant of a room, or to one who has asked through it.
#[expect(clippy::too_many_arguments, reason = "all that belongs to a stanza")]
fn through_room(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    iq: &Iq,
    occupant: &FullJid,
    output: &mut BytesMut,
    now: Timestamp,
) -> Result<(), StanzaError> {
    if !iq.kind.is_request() {
        return room::resolve_answer(bound, front, element, header, iq, occupant, now);
    }
    match room::pass_on(bound, front, element, header, iq, occupant, now)? {
        IsAnswered::Yes => write_result(bound, &iq.id, Some(occupant), &[], output, now),
        IsAnswered::No => {}
    }
    Ok(())
}

/// Passes it on to another session (RFC 6121 §8.5.3.1).
fn pass_on(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: StanzaHeader,
    iq: &Iq,
    to: FullJid,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let query = Query {
        from: bound.session().address().clone().into(),
        to,
        kind: match iq.kind {
            IqKind::Get => QueryKind::Get,
            IqKind::Set => QueryKind::Set,
            IqKind::Result => QueryKind::Result,
            IqKind::Error => QueryKind::Error,
        },
        id: iq.id.as_str().into(),
        lang: header.lang.map(Into::into),
        payload: content(front, element)?,
        relay: None,
    };
    let passed = front.hub().send_query(bound.session(), query, now);
    passed.map_err(|error| error::stanza_error(&error))
}

/// Answers it for the server, or on behalf of an account
/// (RFC 6121 §8.5.2.1.3).
async fn answer(
    bound: &mut Bound,
    front: &Xmpp,
    element: &Element,
    iq: &Iq,
    to: Option<Jid>,
    output: &mut BytesMut,
    now: Timestamp,
) -> Result<(), StanzaError> {
    // Answers to questions of ours need no answer.
    let (true, Some(child)) = (iq.kind.is_request(), element.children().next()) else {
        return Ok(());
    };
    if let Some(to) = &to {
        let checked = front.hub().check_question(bound.session(), to, now);
        let checked = checked.await;
        checked.map_err(|error| error::stanza_error(&error))?;
    }
    let scope = scope(bound, front, to.as_ref())?;
    let handler = front.catalogue().handler(iq.kind, child, &scope);
    let handler = handler.ok_or(DefinedCondition::ServiceUnavailable)?;
    bound.session().all_settled().await;
    let mut context = Context {
        front,
        session: bound.session(),
        scope,
        now,
        reply: BytesMut::new(),
        archive: None,
        turn: Turn::Answer,
    };
    handler(&mut context, child).await?;
    let Context {
        reply,
        archive,
        turn,
        ..
    } = context;
    match turn {
        Turn::Answer => bound.send_held(output, now),
        // If the stream is to end, it does so when it is asked for mail next.
        Turn::Mail => drop(bound.mail(front, output, now).await),
    }
    let Some(page) = archive else {
        write_result(bound, &iq.id, to.as_ref(), &reply, output, now);
        return Ok(());
    };
    let mut end = BytesMut::new();
    let own = bound.session().address().as_str();
    write_answer(own, &iq.id, to.as_ref(), &reply, &mut end);
    bound
        .answer_from_archive(front, page, &iq.id, end.freeze(), output, now)
        .await
}

fn write_result(
    bound: &mut Bound,
    id: &str,
    from: Option<&Jid>,
    payload: &[u8],
    output: &mut BytesMut,
    now: Timestamp,
) {
    let own = Jid::from(bound.session().address().clone());
    bound.reply(output, now, |output| {
        write_answer(own.as_str(), id, from, payload, output);
    });
}

fn write_answer(own: &str, id: &str, from: Option<&Jid>, payload: &[u8], output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut result = writer
        .open("iq")
        .attribute("type", "result")
        .attribute("id", id)
        .attribute_opt("from", from.map(Jid::as_str))
        .attribute("to", own);
    result.raw(payload);
}

/// For whom the question is.
fn scope(bound: &Bound, front: &Xmpp, to: Option<&Jid>) -> Result<Scope, StanzaError> {
    let own = bound.session().address();
    match to {
        None => Ok(Scope::Own),
        Some(to) if to.as_str() == own.bare_str() => Ok(Scope::Own),
        Some(to) if room::is_room(front, Some(to)) => Ok(match to.local() {
            None => Scope::Rooms(to.to_domain()),
            Some(_) => Scope::Room(to.to_bare()),
        }),
        Some(to) if !front.hub().serves(to.domain()) => {
            Err(DefinedCondition::RemoteServerNotFound.into())
        }
        Some(to) if to.is_domain() => Ok(Scope::Server(to.to_domain())),
        Some(to) => Ok(Scope::Account(to.to_bare())),
    }
}
