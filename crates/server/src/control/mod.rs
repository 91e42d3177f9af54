//! Commands for a running server, over a socket in its data folder: one JSON
//! object a line each way. Whoever may open the socket may give commands.

mod client;
mod server;

pub(crate) use client::Connection;
pub(crate) use server::serve;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A command of the exchange's table.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    command: String,
    arguments: Value,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Response {
    Ok(Value),
    Error(String),
}
