//! Commands about titles of occupants (XEP-0317 §3.2 to §3.7).

use super::super::Context;
use crate::error;
use anser_hub::{Actor, Hat, HatChange, Room, RoomError};
use anser_jid::BareJid;
use anser_xmpp_proto::payload::command::CommandFault;
use anser_xmpp_proto::payload::form::{
    Field, FieldType, Form, FormFault, FormKind, Submission, required,
};
use anser_xmpp_proto::{StanzaError, ns};
use std::sync::Arc;

const JID: &str = "hats#jid";
const TITLE: &str = "hats#title";
const URI: &str = "hats#uri";
const HUE: &str = "hats#hue";

fn form(title: &str, instructions: &str, fields: impl IntoIterator<Item = Field>) -> Form {
    let mut form = Form::new(FormKind::Form, ns::HATS_COMMANDS).with(fields);
    form.title = Some(title.to_owned());
    form.instructions = vec![instructions.to_owned()];
    form
}

/// One of the hats that there are.
fn which(ctx: &Context<'_>, room: &Room) -> Field {
    let field = Field::new(FieldType::ListSingle, URI).label("The hat");
    let hats = ctx.front.hub().hats(room);
    let hats = hats.iter();
    hats.fold(field.required(), |field, hat| {
        field.option(hat.uri(), hat.title())
    })
}

fn whom() -> Field {
    let field = Field::new(FieldType::JidSingle, JID);
    field.label("User address").required()
}

pub(super) fn ask_for_new(_: &Context<'_>, _: &Room) -> Form {
    let text = |var, label| Field::new(FieldType::TextSingle, var).label(label);
    let fields = [
        text(TITLE, "Hat title").required(),
        text(URI, "Hat URI").required(),
        text(HUE, "Hat hue"),
    ];
    let instructions = "Fill out this form to create a hat, or to change the one with this URI.";
    form("Creating a hat", instructions, fields)
}

pub(super) fn ask_which(ctx: &Context<'_>, room: &Room) -> Form {
    let instructions = "Fill out this form to destroy a hat.";
    form("Destroying a hat", instructions, [which(ctx, room)])
}

pub(super) fn ask_for_whom(ctx: &Context<'_>, room: &Room) -> Form {
    let instructions = "Fill out this form to assign a hat.";
    form("Assigning a hat", instructions, [whom(), which(ctx, room)])
}

pub(super) fn ask_from_whom(ctx: &Context<'_>, room: &Room) -> Form {
    let instructions = "Fill out this form to remove a hat.";
    form("Removing a hat", instructions, [whom(), which(ctx, room)])
}

pub(super) async fn define(
    ctx: &Context<'_>,
    room: &Arc<Room>,
    form: Submission,
) -> Result<(), StanzaError> {
    check_about(&form)?;
    let title = text(&form, TITLE)?;
    let hue = form.text(HUE).map_err(CommandFault::from)?;
    let hat = Hat::new(text(&form, URI)?, title, hue);
    let hat = hat.map_err(|error| refusal(&error))?;
    change(ctx, room, HatChange::Define(hat)).await
}

pub(super) async fn destroy(
    ctx: &Context<'_>,
    room: &Arc<Room>,
    form: Submission,
) -> Result<(), StanzaError> {
    check_about(&form)?;
    let uri = text(&form, URI)?.to_owned();
    change(ctx, room, HatChange::Destroy { uri }).await
}

pub(super) async fn assign(
    ctx: &Context<'_>,
    room: &Arc<Room>,
    form: Submission,
) -> Result<(), StanzaError> {
    check_about(&form)?;
    let (account, uri) = (account(&form)?, text(&form, URI)?.to_owned());
    change(ctx, room, HatChange::Assign { account, uri }).await
}

pub(super) async fn unassign(
    ctx: &Context<'_>,
    room: &Arc<Room>,
    form: Submission,
) -> Result<(), StanzaError> {
    check_about(&form)?;
    let (account, uri) = (account(&form)?, text(&form, URI)?.to_owned());
    change(ctx, room, HatChange::Unassign { account, uri }).await
}

async fn change(ctx: &Context<'_>, room: &Arc<Room>, change: HatChange) -> Result<(), StanzaError> {
    let actor = Actor::Session(ctx.session);
    let changed = ctx.front.hub().change_hats(room, actor, &change, ctx.now);
    changed.await.map_err(|error| refusal(&error))
}

/// What cannot be a hat is a payload that cannot be used (XEP-0050 §5.4).
fn refusal(error: &RoomError) -> StanzaError {
    match error {
        RoomError::UnfitHat(_) => {
            let reason = error.to_string().into();
            CommandFault::BadPayload { reason }.into()
        }
        other => error::room_error(other),
    }
}

fn check_about(form: &Submission) -> Result<(), CommandFault> {
    match form.form_type() {
        None => Ok(()),
        Some(about) if about == ns::HATS_COMMANDS => Ok(()),
        Some(_) => Err(CommandFault::from(FormFault::About {
            expected: ns::HATS_COMMANDS,
        })),
    }
}

fn text<'a>(form: &'a Submission, var: &'static str) -> Result<&'a str, CommandFault> {
    Ok(required(var, form.text(var)?)?)
}

fn account(form: &Submission) -> Result<BareJid, CommandFault> {
    Ok(required(JID, form.jid(JID)?)?.to_bare())
}

/// The hats that there are (XEP-0317 §3.4).
#[expect(clippy::unnecessary_wraps, reason = "the form of such commands")]
pub(super) fn list(ctx: &Context<'_>, room: &Room) -> Result<Form, StanzaError> {
    let hats = ctx.front.hub().hats(room);
    let rows = hats.iter().map(|hat| {
        let texts = [Some((TITLE, hat.title())), Some((URI, hat.uri()))];
        row(texts.into_iter().chain([hat.hue().map(|hue| (HUE, hue))]))
    });
    Ok(table("Hats", &[TITLE, URI, HUE], rows.collect()))
}

/// Who wears them (XEP-0317 §3.7).
pub(super) fn list_worn(ctx: &Context<'_>, room: &Room) -> Result<Form, StanzaError> {
    let actor = Actor::Session(ctx.session);
    let worn = ctx.front.hub().worn_hats(room, actor);
    let worn = worn.map_err(|error| error::room_error(&error))?;
    let rows = worn.iter().map(|(account, hat)| {
        let texts = [
            (JID, account.as_str()),
            (URI, hat.uri()),
            (TITLE, hat.title()),
        ];
        let hue = hat.hue().map(|hue| (HUE, hue));
        row(texts.map(Some).into_iter().chain([hue]))
    });
    Ok(table(
        "Assigned hats",
        &[JID, URI, TITLE, HUE],
        rows.collect(),
    ))
}

fn table(title: &str, columns: &[&str], rows: Vec<Vec<Field>>) -> Form {
    let columns = columns
        .iter()
        .map(|column| Field::new(FieldType::TextSingle, *column));
    Form {
        title: Some(title.to_owned()),
        reported: columns.collect(),
        items: rows,
        ..Form::empty(FormKind::Result)
    }
}

fn row<'a>(texts: impl Iterator<Item = Option<(&'static str, &'a str)>>) -> Vec<Field> {
    let field = |(var, value): (&str, &str)| Field {
        var: Some(var.to_owned()),
        ..Field::default().value(value)
    };
    texts.flatten().map(field).collect()
}
