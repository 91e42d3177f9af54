//! What was said in a room: read again (XEP-0313 §6.1.2), and taken back by
//! moderators (XEP-0425).

use super::super::Context;
use super::super::history::{answer, tell_ends};
use super::asked;
use crate::error;
use crate::room::moderate;
use anser_hub::{Room, Sight, With};
use anser_store::MessageId;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::mam::{self, Query};
use anser_xmpp_proto::payload::moderation::Moderation;
use anser_xmpp_proto::{DefinedCondition, StanzaError};
use std::sync::Arc;

/// A page of a room's archive.
pub(super) async fn query(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let (room, sight) = readable(ctx).await?;
    let owner = room.address().clone();
    let query = Query::read_of_room(query)?;
    // By nickname everybody may ask, and by account whoever may know it
    // (XEP-0313 §4.1.1).
    let is_of_room = |with: &anser_jid::Jid| with.bare_str() == owner.as_str();
    let is_hidden = query.with.as_ref().is_some_and(|with| !is_of_room(with));
    if is_hidden && !sight.has(Sight::ADDRESSES) {
        return Err(DefinedCondition::Forbidden.into());
    }
    let with = |address: anser_jid::Jid| {
        if is_of_room(&address) {
            With::Exactly {
                address,
                counterpart: None,
            }
        } else {
            With::Conversation(address.to_bare())
        }
    };
    answer(ctx, &owner, Some((room, sight)), query, with).await
}

/// What can be asked for.
pub(super) async fn form(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    readable(ctx).await?;
    mam::write_form_of_room(&mut Writer::new(&mut ctx.reply));
    Ok(())
}

/// Where a room's archive begins and ends.
pub(super) async fn metadata(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let (room, _) = readable(ctx).await?;
    tell_ends(ctx, room.address()).await
}

/// A moderator takes back what somebody has said (XEP-0425 §4).
pub(super) async fn take_back(ctx: &mut Context<'_>, child: Child<'_>) -> Result<(), StanzaError> {
    let room = asked(ctx).await?;
    let moderation = Moderation::read(child)?;
    let place: MessageId = moderation
        .id
        .parse()
        .map_err(|_| DefinedCondition::ItemNotFound)?;
    let moderated = moderate(ctx.front, ctx.session, &room, place, &moderation, ctx.now);
    moderated.await.map_err(|error| error::room_error(&error))
}

/// The room that was asked, if whoever asks may read what was said there, and
/// what of it they may know.
async fn readable(ctx: &Context<'_>) -> Result<(Arc<Room>, Sight), StanzaError> {
    let room = asked(ctx).await?;
    let sight = ctx.front.hub().check_room_reader(ctx.session, &room);
    let sight = sight.map_err(|error| error::room_error(&error))?;
    Ok((room, sight))
}
