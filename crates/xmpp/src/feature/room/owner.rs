//! What a room is like, for its owners (XEP-0045 §10.1, §10.2, §10.9).

use super::super::{Context, Turn};
use super::asked;
use crate::error;
use crate::room::{config_form, read_config, read_deciders};
use anser_hub::{Actor, Affiliation, Destruction, Room, RoomError};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::form::{Form, FormKind, Submission};
use anser_xmpp_proto::payload::muc_admin::Destroy;
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};
use std::sync::Arc;

/// The form (XEP-0045 §10.1.3, §10.2).
pub(super) async fn form(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let room = asked_by_owner(ctx).await?;
    let (hub, actor) = (ctx.front.hub(), Actor::Session(ctx.session));
    let config = hub.room_config(&room, actor);
    let config = config.map_err(|error| error::room_error(&error))?;
    let list = |affiliation| {
        let listed = hub.affiliated(&room, actor, affiliation);
        listed.map_err(|error| error::room_error(&error))
    };
    let (owners, admins) = (list(Affiliation::Owner)?, list(Affiliation::Admin)?);
    let mut writer = Writer::new(&mut ctx.reply);
    let mut query = writer.open("query").namespace(ns::MUC_OWNER);
    config_form(&config, &owners, &admins, room.address().as_str()).write(&mut query);
    Ok(())
}

/// The form filled in, or not; or the wish to end the room.
pub(super) async fn submit(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let room = asked_by_owner(ctx).await?;
    let query = query.open();
    if let Some(destroy) = Destroy::read(&query)? {
        let destruction = Destruction {
            venue: destroy.venue,
            password: destroy.password,
            reason: destroy.reason,
        };
        return end(ctx, &room, &destruction).await;
    }
    let form = query.child(ns::FORM, "x").ok_or_else(|| {
        let reason = "a form is missing, or the wish to destroy the room";
        DefinedCondition::BadRequest.because(reason)
    })?;
    let form = Form::read(form)?;
    match form.kind {
        FormKind::Submit => configure(ctx, &room, form).await,
        // §10.1.3: a room that was never opened ends.
        FormKind::Cancel if ctx.front.hub().is_locked(&room) => {
            end(ctx, &room, &Destruction::default()).await
        }
        FormKind::Cancel => Ok(()),
        FormKind::Form | FormKind::Result => {
            Err(DefinedCondition::BadRequest.because("the form is not filled in"))
        }
    }
}

/// An empty form accepts the room as it is (XEP-0045 §10.1.2).
async fn configure(ctx: &Context<'_>, room: &Arc<Room>, form: Form) -> Result<(), StanzaError> {
    let submission = Submission::try_from(form)?;
    if submission
        .form_type()
        .is_some_and(|about| about != ns::MUC_ROOMCONFIG)
    {
        let reason = "the form is about something else";
        return Err(DefinedCondition::BadRequest.because(reason));
    }
    let hub = ctx.front.hub();
    let actor = Actor::Session(ctx.session);
    let mut fault = None;
    let configured = hub.configure_room(room, actor, ctx.now, |before| {
        let config = read_config(&submission, before);
        let read = config.and_then(|config| Ok((config, read_deciders(&submission)?)));
        read.map_err(|error| {
            fault = Some(error);
            RoomError::UnfitConfig("see there")
        })
    });
    let configured = configured.await;
    match (configured, fault) {
        (_, Some(fault)) => Err(fault),
        (configured, None) => configured.map_err(|error| error::room_error(&error)),
    }
}

/// What the owner is told of the end comes before the answer, as in the
/// examples of XEP-0045 §10.9: clients stop listening with that.
async fn end(
    ctx: &mut Context<'_>,
    room: &Arc<Room>,
    destruction: &Destruction,
) -> Result<(), StanzaError> {
    let (hub, actor) = (ctx.front.hub(), Actor::Session(ctx.session));
    let ended = hub.destroy_room(room, actor, destruction, ctx.now).await;
    ended.map_err(|error| error::room_error(&error))?;
    ctx.turn = Turn::Mail;
    Ok(())
}

/// The room that was asked, if whoever asks owns it.
async fn asked_by_owner(ctx: &Context<'_>) -> Result<Arc<Room>, StanzaError> {
    let room = asked(ctx).await?;
    let allowed = ctx
        .front
        .hub()
        .check_room_owner(&room, Actor::Session(ctx.session));
    allowed.map_err(|error| error::room_error(&error))?;
    Ok(room)
}
