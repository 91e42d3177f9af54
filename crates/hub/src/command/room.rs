//! Administration of rooms.

use super::{CommandError, address, read};
use crate::room::{Actor, Affiliation, AffiliationChange, Destruction, RoomConfig, RoomError};
use crate::{Hub, Room};
use anser_jid::BareJid;
use anser_store::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// A room to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewRoom {
    /// Its address.
    pub address: String,
    /// Its name for people.
    pub name: Option<String>,
    /// The accounts that own it; without any, whoever runs the server does.
    pub owners: Vec<String>,
    /// Whether only members may enter; if not given, everybody may.
    pub members_only: Option<bool>,
    /// Whether it is in lists; if not given, as the configuration has it.
    pub public: Option<bool>,
}

/// Arguments of `room create`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomCreate {
    /// The rooms.
    pub rooms: Vec<NewRoom>,
}

/// Arguments of `room list`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomList {
    /// Begin after this address.
    pub after: Option<String>,
    /// At most so many; 1000 if not given.
    pub limit: Option<usize>,
}

/// Arguments of `room show`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomShow {
    /// Which room.
    pub address: String,
}

/// Arguments of `room destroy`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomDestroy {
    /// Which room.
    pub address: String,
    /// Why, for those who are in it.
    pub reason: Option<String>,
    /// Where to go instead.
    pub venue: Option<String>,
}

/// Arguments of `room affiliation`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomAffiliation {
    /// Which room.
    pub room: String,
    /// Which account.
    pub account: String,
    /// `owner`, `admin`, `member`, `none` or `outcast`.
    pub affiliation: String,
    /// Why, for those who are in the room.
    pub reason: Option<String>,
}

fn refused(room: &BareJid) -> impl FnOnce(RoomError) -> CommandError {
    let room = room.to_string();
    move |error| CommandError::Room { room, error }
}

async fn find(hub: &Hub, text: &str, now: Timestamp) -> Result<Arc<Room>, CommandError> {
    let room = address(text)?;
    hub.room(&room, now).await.map_err(refused(&room))
}

pub(super) async fn create(
    hub: &Hub,
    arguments: Value,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let arguments: RoomCreate = read(arguments)?;
    let server = hub.config();
    let mut rooms = Vec::with_capacity(arguments.rooms.len());
    for room in arguments.rooms {
        let owners: Result<Vec<_>, _> = room.owners.iter().map(|owner| address(owner)).collect();
        let usual = RoomConfig::new(&server.rooms);
        let config = RoomConfig {
            name: room.name.unwrap_or_default(),
            members_only: room.members_only.unwrap_or(usual.members_only),
            public: room.public.unwrap_or(usual.public),
            ..usual
        };
        rooms.push((address(&room.address)?, config, owners?));
    }
    let created = hub.create_rooms(&rooms, now).await;
    created.map_err(|(room, error)| refused(&room)(error))?;
    Ok(json!({ "created": rooms.len() }))
}

pub(super) async fn list(hub: &Hub, arguments: Value) -> Result<Value, CommandError> {
    let arguments: RoomList = read(arguments)?;
    let after = arguments.after.as_deref().map(address).transpose()?;
    let limit = arguments.limit.unwrap_or(1000);
    let listed = hub.list_rooms(None, after, limit, usize::MAX, |_| true);
    let (listed, _) = listed.await.map_err(|error| CommandError::Room {
        room: "the list of rooms".to_owned(),
        error,
    })?;
    let rooms: Vec<_> = listed
        .iter()
        .map(|room| {
            json!({
                "address": room.address.as_str(),
                "name": room.config.name,
                "public": room.config.public,
                "occupants": hub.occupants(&room.address),
            })
        })
        .collect();
    Ok(json!({ "rooms": rooms }))
}

pub(super) async fn show(
    hub: &Hub,
    arguments: Value,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let arguments: RoomShow = read(arguments)?;
    let room = find(hub, &arguments.address, now).await?;
    let info = hub.room_info(&room);
    let mut affiliated = Vec::new();
    for affiliation in Affiliation::ALL {
        let listed = hub.affiliated(&room, Actor::Operator, affiliation);
        affiliated.extend(listed.map_err(refused(room.address()))?);
    }
    affiliated.sort_by_key(|one| std::cmp::Reverse(one.affiliation));
    let affiliated: Vec<_> = affiliated
        .iter()
        .map(|one| {
            json!({
                "account": one.account.as_str(),
                "affiliation": one.affiliation.name(),
                "nick": one.nick,
                "reason": one.reason,
            })
        })
        .collect();
    Ok(json!({
        "address": room.address().as_str(),
        "occupants": info.occupants,
        "config": info.config,
        "affiliations": affiliated,
    }))
}

pub(super) async fn destroy(
    hub: &Hub,
    arguments: Value,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let arguments: RoomDestroy = read(arguments)?;
    let room = find(hub, &arguments.address, now).await?;
    let destruction = Destruction {
        venue: arguments.venue.as_deref().map(address).transpose()?,
        password: None,
        reason: arguments.reason,
    };
    let destroyed = hub.destroy_room(&room, Actor::Operator, &destruction, now);
    destroyed.await.map_err(refused(room.address()))?;
    Ok(json!({ "destroyed": room.address().as_str() }))
}

pub(super) async fn affiliation(
    hub: &Hub,
    arguments: Value,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let arguments: RoomAffiliation = read(arguments)?;
    let room = find(hub, &arguments.room, now).await?;
    let affiliation = Affiliation::named(&arguments.affiliation);
    let affiliation = affiliation.ok_or_else(|| CommandError::Room {
        room: arguments.room,
        error: RoomError::BadRequest("there is no such affiliation"),
    })?;
    let change = AffiliationChange {
        account: address(&arguments.account)?,
        affiliation,
        nick: None,
        reason: arguments.reason,
    };
    hub.change_affiliations(&room, Actor::Operator, &[change], now)
        .await
        .map_err(refused(room.address()))?;
    Ok(json!({ "changed": room.address().as_str() }))
}
