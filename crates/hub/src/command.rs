//! Administration: one table of commands for every way to give them.

mod room;

pub use room::{NewRoom, RoomAffiliation, RoomCreate, RoomDestroy, RoomList, RoomShow};

use crate::{AccountError, Credentials, Hub, NotKept, RoomError};
use anser_jid::BareJid;
use anser_store::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;

/// Something that an administrator can have done.
pub struct Command {
    /// Its words.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    run: Run,
}

type Run = for<'a> fn(&'a Hub, Value, Timestamp) -> Answer<'a>;
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, CommandError>> + Send + 'a>>;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such command.
    #[error("there is no command {0:?}")]
    Unknown(String),
    /// The arguments are not those of the command.
    #[error("wrong arguments: {0}")]
    Arguments(#[from] serde_json::Error),
    /// An address is not one.
    #[error("{text:?} is not an address: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The exchange refused.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A room, or the exchange for it, refused.
    #[error("{room}: {error}")]
    Room {
        /// Which room.
        room: String,
        /// Why.
        error: RoomError,
    },
    /// The store failed.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// All commands.
#[rustfmt::skip] // a table reads as a table
pub const COMMANDS: &[Command] = &[
    Command { name: "user add", about: "make accounts, all or none", run: |hub, arguments, now| Box::pin(user_add(hub, arguments, now)) },
    Command { name: "user list", about: "list accounts in the order of their addresses", run: |hub, arguments, _| Box::pin(user_list(hub, arguments)) },
    Command { name: "user passwd", about: "replace a password and end the account's sessions", run: |hub, arguments, now| Box::pin(user_passwd(hub, arguments, now)) },
    Command { name: "user delete", about: "remove an account with all that it has", run: |hub, arguments, now| Box::pin(user_delete(hub, arguments, now)) },
    Command { name: "room create", about: "make rooms, all or none", run: |hub, arguments, now| Box::pin(room::create(hub, arguments, now)) },
    Command { name: "room list", about: "list rooms in the order of their addresses", run: |hub, arguments, _| Box::pin(room::list(hub, arguments)) },
    Command { name: "room show", about: "tell what a room is like and who is what in it", run: |hub, arguments, now| Box::pin(room::show(hub, arguments, now)) },
    Command { name: "room destroy", about: "end a room with all that was said in it", run: |hub, arguments, now| Box::pin(room::destroy(hub, arguments, now)) },
    Command { name: "room affiliation", about: "make an account owner, admin, member, outcast or none in a room", run: |hub, arguments, now| Box::pin(room::affiliation(hub, arguments, now)) },
    Command { name: "status", about: "tell how the server is", run: |hub, _, _| Box::pin(status(hub)) },
];

/// Carries out a command.
///
/// # Errors
/// [`CommandError`]; nothing was changed. What a command does after its one
/// change, such as telling the contacts of an account that is gone, may fail in
/// part, and that is no error.
pub async fn run_command(
    hub: &Hub,
    name: &str,
    arguments: Value,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let command = COMMANDS.iter().find(|command| command.name == name);
    let command = command.ok_or_else(|| CommandError::Unknown(name.to_owned()))?;
    (command.run)(hub, arguments, now).await
}

/// An account to be made, or to get another password.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its address.
    pub address: String,
    /// How its owner proves who they are.
    pub credentials: Credentials,
}

/// Arguments of `user add`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserAdd {
    /// The accounts.
    pub accounts: Vec<NewAccount>,
}

/// Arguments of `user list`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserList {
    /// Begin after this address.
    pub after: Option<String>,
    /// At most so many; 1000 if not given.
    pub limit: Option<usize>,
}

/// Arguments of `user delete`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDelete {
    /// Which account.
    pub address: String,
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, CommandError> {
    Ok(serde_json::from_value(arguments)?)
}

fn address(text: &str) -> Result<BareJid, CommandError> {
    BareJid::parse(text).map_err(|error| CommandError::Address {
        text: text.to_owned(),
        reason: error.to_string(),
    })
}

async fn user_add(hub: &Hub, arguments: Value, now: Timestamp) -> Result<Value, CommandError> {
    let arguments: UserAdd = read(arguments)?;
    let accounts = arguments
        .accounts
        .into_iter()
        .map(|account| Ok((address(&account.address)?, account.credentials)))
        .collect::<Result<Vec<_>, CommandError>>()?;
    hub.create_accounts(&accounts, now).await?;
    Ok(json!({ "added": accounts.len() }))
}

async fn user_list(hub: &Hub, arguments: Value) -> Result<Value, CommandError> {
    let arguments: UserList = read(arguments)?;
    let after = arguments.after.as_deref().map(address).transpose()?;
    let limit = arguments.limit.unwrap_or(1000);
    let accounts = hub.list_accounts(after, limit).await?;
    let accounts: Vec<_> = accounts.iter().map(ToString::to_string).collect();
    Ok(json!({ "accounts": accounts }))
}

async fn user_passwd(hub: &Hub, arguments: Value, now: Timestamp) -> Result<Value, CommandError> {
    let account: NewAccount = read(arguments)?;
    let address = address(&account.address)?;
    hub.set_credentials(&address, &account.credentials, now)
        .await?;
    Ok(json!({ "changed": address.to_string() }))
}

async fn user_delete(hub: &Hub, arguments: Value, now: Timestamp) -> Result<Value, CommandError> {
    let arguments: UserDelete = read(arguments)?;
    let address = address(&arguments.address)?;
    hub.delete_account(&address, now).await?;
    Ok(json!({ "deleted": address.to_string() }))
}

#[expect(clippy::unused_async, reason = "the form of a command")]
async fn status(hub: &Hub) -> Result<Value, CommandError> {
    Ok(json!({
        "sessions": hub.session_count(),
        "rooms_in_memory": hub.room_count(),
        "renderings": hub.counters().renderings(),
    }))
}
