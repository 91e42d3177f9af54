//! The cards of rooms, with their pictures (XEP-0054, XEP-0486).

use super::super::{Context, Scope};
use super::asked;
use crate::error;
use anser_hub::{Actor, RoomCard};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::vcard::{self, Card};
use anser_xmpp_proto::{DefinedCondition, StanzaError};

/// The card of a room, for everybody (XEP-0486 §4.4). The service has none.
pub(super) async fn get(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let card = if matches!(ctx.scope, Scope::Rooms(_)) {
        None
    } else {
        let room = asked(ctx).await?;
        let card = ctx.front.hub().room_card(&room).await;
        card.map_err(|error| error::room_error(&error))?
    };
    match card {
        Some(card) => ctx.reply.extend_from_slice(&card),
        None => vcard::write_empty(&mut Writer::new(&mut ctx.reply)),
    }
    Ok(())
}

/// Gives a room another card, or none (XEP-0486 §4.2).
pub(super) async fn set(ctx: &mut Context<'_>, card: Child<'_>) -> Result<(), StanzaError> {
    if matches!(ctx.scope, Scope::Rooms(_)) {
        return Err(DefinedCondition::Forbidden.into());
    }
    let room = asked(ctx).await?;
    let (hub, actor) = (ctx.front.hub(), Actor::Session(ctx.session));
    // Before looking at what others send.
    let allowed = hub.check_room_owner(&room, actor);
    allowed.map_err(|error| error::room_error(&error))?;
    let card = Card::read(card)?.map(|card| RoomCard {
        content: card.content,
        hashes: card.hashes,
    });
    let set = hub.set_room_card(&room, actor, card, ctx.now).await;
    set.map_err(|error| error::room_error(&error))
}
