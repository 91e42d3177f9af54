//! Becoming a member with a nickname to keep (XEP-0045 §7.10, XEP-0077).

use super::super::Context;
use super::asked;
use crate::error;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::form::{Field, FieldType, Filled, Form, FormKind};
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};

const NICK: &str = "muc#register_roomnick";

/// What is needed, or what is known already.
pub(super) async fn form(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let room = asked(ctx).await?;
    let hub = ctx.front.hub();
    let account = ctx.session.address().to_bare();
    let allowed = hub.check_registration(&room, &account);
    allowed.map_err(|error| error::room_error(&error))?;
    let (_, nick) = hub.registration(&room, &account);
    let mut writer = Writer::new(&mut ctx.reply);
    let mut query = writer.open("query").namespace(ns::REGISTER);
    if let Some(nick) = nick {
        query.open("registered").close();
        query.open("username").text(&nick);
        return Ok(());
    }
    let nick = Field::new(FieldType::TextSingle, NICK)
        .label("Nickname")
        .required();
    let mut form = Form::new(FormKind::Form, ns::MUC_REGISTER).with([nick]);
    form.title = Some(format!("Membership of {}", room.address()));
    form.instructions = vec!["Choose the nickname that you want to keep.".to_owned()];
    form.write(&mut query);
    Ok(())
}

/// Becomes a member, or is one no longer.
pub(super) async fn submit(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let room = asked(ctx).await?;
    let hub = ctx.front.hub();
    let query = query.open();
    if query.child(ns::REGISTER, "remove").is_some() {
        let done = hub.unregister_in_room(ctx.session, &room, ctx.now).await;
        return done.map_err(|error| error::room_error(&error));
    }
    let form = query.child(ns::FORM, "x");
    let form = form.ok_or_else(|| DefinedCondition::BadRequest.because("a form is missing"))?;
    let form = match Filled::read(form, ns::MUC_REGISTER)? {
        Filled::Submitted(form) => form,
        Filled::Cancelled => return Ok(()),
    };
    let nick = form.text(NICK)?.filter(|nick| !nick.trim().is_empty());
    let reason = "a nickname is missing";
    let nick = nick.ok_or_else(|| DefinedCondition::BadRequest.because(reason))?;
    let done = hub
        .register_in_room(ctx.session, &room, nick, ctx.now)
        .await;
    done.map_err(|error| error::room_error(&error))
}
