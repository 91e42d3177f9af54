//! What can be commanded in rooms (XEP-0050), one row each.

use super::super::Context;
use super::{asked, hats};
use anser_hub::{Actor, Affiliation, Role, Room};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::command::{self, CommandFault, Request, Response, Status, Step};
use anser_xmpp_proto::payload::disco::{self, Identity, Item};
use anser_xmpp_proto::payload::form::{Form, Submission};
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Something that can be commanded in a room.
struct RoomCommand {
    node: &'static str,
    name: &'static str,
    who: Who,
    act: Act,
}

/// Who may give a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Owners and admins.
    Admins,
    /// Whoever is in the room, or a member of it.
    Insiders,
}

/// What a command does.
enum Act {
    /// It tells something.
    Tell(fn(&Context<'_>, &Room) -> Result<Form, StanzaError>),
    /// It does something, once a form is filled in.
    Do {
        ask: fn(&Context<'_>, &Room) -> Form,
        run: Run,
    },
}

type Done<'a> = Pin<Box<dyn Future<Output = Result<(), StanzaError>> + Send + 'a>>;
type Run = for<'a> fn(&'a Context<'_>, &'a Arc<Room>, Submission) -> Done<'a>;

#[rustfmt::skip] // a table reads as a table
const COMMANDS: &[RoomCommand] = &[
    RoomCommand { node: "urn:xmpp:hats:commands:create", name: "Create or change a hat", who: Who::Admins, act: Act::Do { ask: hats::ask_for_new, run: |ctx, room, form| Box::pin(hats::define(ctx, room, form)) } },
    RoomCommand { node: "urn:xmpp:hats:commands:destroy", name: "Destroy a hat", who: Who::Admins, act: Act::Do { ask: hats::ask_which, run: |ctx, room, form| Box::pin(hats::destroy(ctx, room, form)) } },
    RoomCommand { node: "urn:xmpp:hats:commands:list", name: "List hats", who: Who::Insiders, act: Act::Tell(hats::list) },
    RoomCommand { node: "urn:xmpp:hats:commands:assign", name: "Assign a hat", who: Who::Admins, act: Act::Do { ask: hats::ask_for_whom, run: |ctx, room, form| Box::pin(hats::assign(ctx, room, form)) } },
    RoomCommand { node: "urn:xmpp:hats:commands:unassign", name: "Remove a hat", who: Who::Admins, act: Act::Do { ask: hats::ask_from_whom, run: |ctx, room, form| Box::pin(hats::unassign(ctx, room, form)) } },
    RoomCommand { node: "urn:xmpp:hats:commands:list-assigned", name: "List assigned hats", who: Who::Admins, act: Act::Tell(hats::list_worn) },
];

impl Who {
    fn has(self, (affiliation, role): (Affiliation, Role)) -> bool {
        match self {
            Self::Admins => affiliation >= Affiliation::Admin,
            Self::Insiders => affiliation >= Affiliation::Member || role != Role::None,
        }
    }
}

fn standing(ctx: &Context<'_>, room: &Room) -> (Affiliation, Role) {
    let actor = Actor::Session(ctx.session);
    ctx.front.hub().standing_in_room(room, actor)
}

/// Takes a stage of a command (XEP-0050 §3.4). Nothing is remembered between
/// two stages: which execution is whose can be told from its name.
pub(super) async fn execute(ctx: &mut Context<'_>, command: Child<'_>) -> Result<(), StanzaError> {
    let request = Request::read(command)?;
    let row = COMMANDS.iter().find(|row| row.node == request.node);
    let row = row.ok_or(DefinedCondition::ItemNotFound)?;
    let room = asked(ctx).await?;
    if !row.who.has(standing(ctx, &room)) {
        return Err(command::forbidden());
    }
    let asker = ctx.session.address();
    let session = (ctx.front.hub()).pseudonym(room.address(), asker, row.node);
    if request.session.as_ref().is_some_and(|of| *of != session) {
        return Err(CommandFault::BadSession.into());
    }
    let (status, form) = match &row.act {
        Act::Tell(_) if !request.is_go()? => (Status::Canceled, None),
        Act::Tell(tell) => (Status::Completed, Some(tell(ctx, &room)?)),
        Act::Do { ask, run } => match request.step()? {
            None => (Status::Canceled, None),
            Some(Step::Ask) => (Status::LAST_STAGE, Some(ask(ctx, &room))),
            Some(Step::Do(form)) => {
                run(ctx, &room, form).await?;
                (Status::Completed, None)
            }
        },
    };
    let response = Response {
        node: row.node,
        session: &session,
        status,
        form: form.as_ref(),
    };
    response.write(&mut Writer::new(&mut ctx.reply));
    Ok(())
}

/// Which commands whoever asks may give (XEP-0050 §3.2).
pub(super) fn list(ctx: &mut Context<'_>, room: &Room) {
    let standing = standing(ctx, room);
    let allowed = COMMANDS.iter().filter(|row| row.who.has(standing));
    let items = allowed.map(|row| Item {
        address: room.address().as_str(),
        name: Some(row.name),
        node: Some(row.node),
    });
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_items(&mut writer, Some(ns::COMMANDS), items, None);
}

/// What a node is, if it is a command or the list of them (XEP-0050 §3.2).
///
/// # Errors
/// Whoever asks may not give the command.
pub(super) fn info(ctx: &mut Context<'_>, room: &Room, node: &str) -> Result<bool, StanzaError> {
    let identity = |kind, name| Identity {
        category: "automation",
        kind,
        name,
    };
    let identity = if node == ns::COMMANDS {
        identity("command-list", "Commands")
    } else if let Some(row) = COMMANDS.iter().find(|row| row.node == node) {
        if !row.who.has(standing(ctx, room)) {
            return Err(DefinedCondition::Forbidden.into());
        }
        identity("command-node", row.name)
    } else {
        return Ok(false);
    };
    let features = [ns::COMMANDS, ns::FORM];
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_info(&mut writer, Some(node), &[identity], &features, None);
    Ok(true)
}
