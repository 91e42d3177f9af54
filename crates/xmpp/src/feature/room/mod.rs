//! What rooms and their service can do, one row each.

mod admin;
mod archive;
mod card;
mod command;
mod hats;
mod info;
mod owner;
mod page;
mod register;
mod search;

use super::{Context, Handler, IqKind, Scope, Specification};
use crate::error;
use anser_hub::Room;
use anser_jid::BareJid;
use anser_xml::Child;
use anser_xmpp_proto::{DefinedCondition, StanzaError, ns};
use std::sync::Arc;

/// A specification and what of it rooms and their service do.
struct RoomFeature {
    specification: Specification,
    /// What the service says that it can do.
    service: &'static [&'static str],
    /// What every room says that it can do.
    room: &'static [&'static str],
    /// What they answer: kind, namespace, name, where, handler.
    iq: &'static [(IqKind, &'static str, &'static str, At, Handler)],
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The service.
    Service,
    /// A room.
    Room,
    /// Both.
    Both,
}

impl At {
    fn covers(self, scope: &Scope) -> bool {
        match (self, scope) {
            (Self::Service | Self::Both, Scope::Rooms(_))
            | (Self::Room | Self::Both, Scope::Room(_)) => true,
            (Self::Service, Scope::Room(_))
            | (Self::Room, Scope::Rooms(_))
            | (_, Scope::Server(_) | Scope::Own | Scope::Account(_)) => false,
        }
    }
}

use IqKind::{Get, Set};
use Specification::Xep;

#[rustfmt::skip] // a table reads as a table
const ROOM_FEATURES: &[RoomFeature] = &[
    RoomFeature { specification: Xep(4, "2.13.2"), service: &[], room: &[ns::FORM], iq: &[] },
    RoomFeature { specification: Xep(30, "2.5.0"), service: &[ns::DISCO_INFO, ns::DISCO_ITEMS], room: &[ns::DISCO_INFO, ns::DISCO_ITEMS], iq: &[
        (Get, ns::DISCO_INFO, "query", At::Service, |ctx, iq| Box::pin(info::service(ctx, iq))),
        (Get, ns::DISCO_INFO, "query", At::Room, |ctx, iq| Box::pin(info::room(ctx, iq))),
        (Get, ns::DISCO_ITEMS, "query", At::Service, |ctx, iq| Box::pin(info::rooms(ctx, iq))),
        (Get, ns::DISCO_ITEMS, "query", At::Room, |ctx, iq| Box::pin(info::occupants(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(45, "1.35.5"), service: &[ns::MUC, ns::MUC_STABLE_ID], room: &[ns::MUC, ns::MUC_STABLE_ID, ns::MUC_REQUEST], iq: &[
        (Get, ns::MUC_ADMIN, "query", At::Room, |ctx, iq| Box::pin(admin::list(ctx, iq))),
        (Set, ns::MUC_ADMIN, "query", At::Room, |ctx, iq| Box::pin(admin::change(ctx, iq))),
        (Get, ns::MUC_OWNER, "query", At::Room, |ctx, iq| Box::pin(owner::form(ctx, iq))),
        (Set, ns::MUC_OWNER, "query", At::Room, |ctx, iq| Box::pin(owner::submit(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(50, "1.3.0"), service: &[], room: &[ns::COMMANDS], iq: &[
        (Set, ns::COMMANDS, "command", At::Room, |ctx, iq| Box::pin(command::execute(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(54, "1.2"), service: &[ns::VCARD], room: &[ns::VCARD], iq: &[
        (Get, ns::VCARD, "vCard", At::Both, |ctx, iq| Box::pin(card::get(ctx, iq))),
        (Set, ns::VCARD, "vCard", At::Both, |ctx, iq| Box::pin(card::set(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(59, "1.0"), service: &[ns::RSM], room: &[ns::RSM], iq: &[] },
    RoomFeature { specification: Xep(77, "2.4"), service: &[], room: &[ns::REGISTER], iq: &[
        (Get, ns::REGISTER, "query", At::Room, |ctx, iq| Box::pin(register::form(ctx, iq))),
        (Set, ns::REGISTER, "query", At::Room, |ctx, iq| Box::pin(register::submit(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(199, "2.0.1"), service: &[ns::PING], room: &[ns::PING], iq: &[
        (Get, ns::PING, "ping", At::Both, |ctx, iq| Box::pin(super::ping::reply(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(249, "1.2"), service: &[], room: &[], iq: &[] },
    RoomFeature { specification: Xep(313, "1.1.3"), service: &[], room: &[ns::MAM, ns::MAM_EXTENDED, ns::STANZA_ID], iq: &[
        (Set, ns::MAM, "query", At::Room, |ctx, iq| Box::pin(archive::query(ctx, iq))),
        (Get, ns::MAM, "query", At::Room, |ctx, iq| Box::pin(archive::form(ctx, iq))),
        (Get, ns::MAM, "metadata", At::Room, |ctx, iq| Box::pin(archive::metadata(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(317, "0.3.1"), service: &[], room: &[ns::HATS], iq: &[] },
    RoomFeature { specification: Xep(410, "1.1.0"), service: &[], room: &[ns::MUC_SELF_PING], iq: &[] },
    RoomFeature { specification: Xep(421, "1.0.1"), service: &[ns::OCCUPANT_ID], room: &[ns::OCCUPANT_ID], iq: &[] },
    RoomFeature { specification: Xep(424, "0.4.2"), service: &[], room: &[ns::RETRACT, ns::RETRACT_TOMBSTONE], iq: &[] },
    RoomFeature { specification: Xep(425, "0.3.0"), service: &[], room: &[ns::MODERATE], iq: &[
        (Set, ns::MODERATE, "moderate", At::Room, |ctx, iq| Box::pin(archive::take_back(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(433, "0.1.0"), service: &[ns::CHANNEL_SEARCH], room: &[], iq: &[
        (Get, ns::CHANNEL_SEARCH, "search", At::Service, |ctx, iq| Box::pin(search::search(ctx, iq))),
    ] },
    RoomFeature { specification: Xep(486, "0.1.0"), service: &[], room: &[], iq: &[] },
    RoomFeature { specification: Xep(500, "0.1.1"), service: &[], room: &[], iq: &[] },
    RoomFeature { specification: Xep(502, "0.1.0"), service: &[], room: &[], iq: &[] },
];

pub(super) fn specifications() -> impl Iterator<Item = Specification> {
    ROOM_FEATURES.iter().map(|row| row.specification)
}

/// Who answers a question to a room or the service, if anybody does.
pub(super) fn handler(kind: IqKind, child: Child<'_>, scope: &Scope) -> Option<Handler> {
    let rows = ROOM_FEATURES.iter().flat_map(|feature| feature.iq);
    let mut fitting = rows.filter(|(of_kind, namespace, name, at, _)| {
        *of_kind == kind && child.is(namespace, name) && at.covers(scope)
    });
    fitting.next().map(|(_, _, _, _, handler)| *handler)
}

/// What every room can do.
fn room_features() -> impl Iterator<Item = &'static str> {
    ROOM_FEATURES.iter().flat_map(|row| row.room).copied()
}

/// What the service can do.
fn service_features() -> impl Iterator<Item = &'static str> {
    ROOM_FEATURES.iter().flat_map(|row| row.service).copied()
}

/// The room that was asked.
async fn asked(ctx: &Context<'_>) -> Result<Arc<Room>, StanzaError> {
    let hub = ctx.front.hub();
    let found = hub.room(address(ctx)?, ctx.now).await;
    let room = found.and_then(|room| hub.check_room_there(&room, ctx.session).map(|()| room));
    room.map_err(|error| error::room_error(&error))
}

fn address<'a>(ctx: &'a Context<'_>) -> Result<&'a BareJid, StanzaError> {
    match &ctx.scope {
        Scope::Room(address) => Ok(address),
        Scope::Server(_) | Scope::Own | Scope::Account(_) | Scope::Rooms(_) => {
            Err(DefinedCondition::ServiceUnavailable.into())
        }
    }
}

/// The domain of the service that was asked, which need not be that of the
/// asker's own server.
fn asked_service<'a>(ctx: &'a Context<'_>) -> Result<&'a str, StanzaError> {
    match &ctx.scope {
        Scope::Rooms(service) => Ok(service.domain()),
        Scope::Server(_) | Scope::Own | Scope::Account(_) | Scope::Room(_) => {
            Err(DefinedCondition::ServiceUnavailable.into())
        }
    }
}
