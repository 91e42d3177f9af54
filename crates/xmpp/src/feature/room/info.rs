//! What rooms are and which there are (XEP-0045 §6, XEP-0030).

use super::super::Context;
use super::page::{self, Wanted};
use super::{asked, asked_service, command, room_features, service_features};
use crate::error;
use crate::room::info_form;
use anser_hub::{RoomConfig, RoomInfo, RoomSummary, Whois};
use anser_jid::BareJid;
use anser_xml::{Child, Element, Limits, Writer};
use anser_xmpp_proto::payload::disco::{self, Identity, Item};
use anser_xmpp_proto::payload::rsm::PageRequest;
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};

/// The node that tells somebody the nickname they keep (XEP-0045 §7.12).
const NICK_NODE: &str = "x-roomuser-item";
/// The node that tells what may be sent through a room (XEP-0045 §16.1.1).
const TRAFFIC_NODE: &str = "http://jabber.org/protocol/muc#traffic";

/// So many rooms are looked into for a page: most may be hidden.
const MOST_READ: usize = 4096;

/// What the service is and can do (XEP-0045 §6.2).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn service(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    if query.attribute("node").is_some() {
        return Err(DefinedCondition::ItemNotFound.into());
    }
    let identity = Identity {
        category: "conference",
        kind: "text",
        name: "Rooms",
    };
    let features: Vec<_> = service_features().collect();
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_info(&mut writer, None, &[identity], &features, None);
    Ok(())
}

/// What a room is and can do (XEP-0045 §6.4).
pub(super) async fn room(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let room = asked(ctx).await?;
    let hub = ctx.front.hub();
    let node = query.attribute("node");
    match node.as_deref() {
        None => {}
        Some(NICK_NODE) => return nick(ctx, &room),
        // Everything may (XEP-0045 §16.1.1).
        Some(TRAFFIC_NODE) => return Err(DefinedCondition::ServiceUnavailable.into()),
        Some(node) if command::info(ctx, &room, node)? => return Ok(()),
        Some(_) => return Err(DefinedCondition::ItemNotFound.into()),
    }
    let info = hub.room_info(&room);
    let is_in = hub.own_occupant(ctx.session, &room).is_some();
    let identity = Identity {
        category: "conference",
        kind: "text",
        name: info.config.title(room.address()),
    };
    let mut features: Vec<_> = room_features().collect();
    features.extend(traits(&info.config));
    // What a room talks about is for those who may come in
    // (XEP-0045 §14.4).
    let is_open = info.config.public && info.config.is_open();
    let subject = subject(&info).filter(|_| is_in || is_open);
    let activity = hub.room_activity(&room, ctx.now);
    let form = info_form(&info, subject.as_deref(), activity);
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_info(&mut writer, None, &[identity], &features, Some(&form));
    Ok(())
}

/// XEP-0045 §16.3
fn traits(config: &RoomConfig) -> [&'static str; 6] {
    let either = |is, one, other| if is { one } else { other };
    [
        either(config.public, "muc_public", "muc_hidden"),
        either(config.members_only, "muc_membersonly", "muc_open"),
        either(config.moderated, "muc_moderated", "muc_unmoderated"),
        either(
            config.whois == Whois::Anyone,
            "muc_nonanonymous",
            "muc_semianonymous",
        ),
        either(
            config.password.is_some(),
            "muc_passwordprotected",
            "muc_unsecured",
        ),
        either(config.persistent, "muc_persistent", "muc_temporary"),
    ]
}

/// The text of a room's subject.
fn subject(info: &RoomInfo) -> Option<String> {
    let payload = info.subject.as_ref()?;
    let message = [b"<message>", &payload[..], b"</message>"].concat();
    let message = Element::parse_in(message.into(), ns::CLIENT, &Limits::NONE).ok()?;
    let subject = message.child(ns::CLIENT, "subject")?;
    Some(subject.text().into_owned())
}

/// The nickname that whoever asks keeps (XEP-0045 §7.12).
fn nick(ctx: &mut Context<'_>, room: &anser_hub::Room) -> Result<(), StanzaError> {
    let account = ctx.session.address().to_bare();
    let (_, nick) = ctx.front.hub().registration(room, &account);
    let identity = nick.as_deref().map(|name| Identity {
        category: "conference",
        kind: "text",
        name,
    });
    let mut writer = Writer::new(&mut ctx.reply);
    let identities: Vec<_> = identity.into_iter().collect();
    disco::write_info(&mut writer, Some(NICK_NODE), &identities, &[], None);
    Ok(())
}

/// Which rooms there are that everybody may know of (XEP-0045 §6.3), a page at
/// a time (XEP-0059).
pub(super) async fn rooms(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    if query.attribute("node").is_some() {
        return Err(DefinedCondition::ItemNotFound.into());
    }
    let page = PageRequest::read(&query.open())?;
    let wanted = Wanted::read(&page, |after| {
        BareJid::parse(after).map_err(|_| DefinedCondition::ItemNotFound.into())
    })?;
    let is_first = wanted.after.is_none();
    let (found, rest) = find(ctx, wanted).await?;
    let is_whole = rest.is_none() && is_first;
    let last = rest.as_ref().or(found.last().map(|room| &room.address));
    let first = found.first().map(|room| room.address.to_string());
    let answer = page::answer(first, last.map(BareJid::to_string));
    let items = found.iter().map(|room| Item {
        address: room.address.as_str(),
        name: Some(room.config.title(&room.address)),
        node: None,
    });
    let answer = (!is_whole || page != PageRequest::default()).then_some(&answer);
    disco::write_items(&mut Writer::new(&mut ctx.reply), None, items, answer);
    Ok(())
}

/// Rooms that everybody may know of, and after which address the rest is, if
/// there may be some.
async fn find(
    ctx: &Context<'_>,
    Wanted { after, most }: Wanted<BareJid>,
) -> Result<(Vec<RoomSummary>, Option<BareJid>), StanzaError> {
    if most == 0 {
        return Ok((Vec::new(), None));
    }
    let hub = ctx.front.hub();
    let service = Some(asked_service(ctx)?);
    let is_public = |room: &RoomSummary| room.config.public;
    let found = hub.list_rooms(service, after, most, MOST_READ, is_public);
    found.await.map_err(|error| error::room_error(&error))
}

/// Who is in a room is told to those who are in it, by presence
/// (XEP-0045 §6.5).
pub(super) async fn occupants(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let room = asked(ctx).await?;
    match query.attribute("node").as_deref() {
        None => {}
        Some(ns::COMMANDS) => {
            command::list(ctx, &room);
            return Ok(());
        }
        Some(_) => return Err(DefinedCondition::ItemNotFound.into()),
    }
    disco::write_items(&mut Writer::new(&mut ctx.reply), None, [], None);
    Ok(())
}
