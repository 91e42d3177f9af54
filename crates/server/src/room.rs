//! `anser room`: rooms.

use crate::cli::{Failure, Output};
use crate::reach::Server;
use crate::user::progress;
use anser_hub::{NewRoom, RoomAffiliation, RoomCreate, RoomDestroy, RoomList, RoomShow};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Rooms that are made together.
const CHUNK: usize = 500;

pub(crate) fn create(server: &Server, room: NewRoom, output: &Output) -> Result<(), Failure> {
    let text = format!("{} is there", room.address);
    let rooms = vec![room];
    let created = server.run("room create", &RoomCreate { rooms })?;
    output.done(&text, || created);
    Ok(())
}

/// Makes a room of every line: its address, and those of its owners.
pub(crate) fn create_batch(server: &Server, file: &Path, output: &Output) -> Result<(), Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rooms: Vec<_> = lines.map(read_line).collect();
    let progress = progress(rooms.len(), "rooms", output);
    let mut created = 0;
    for chunk in rooms.chunks(CHUNK) {
        let rooms = chunk.to_vec();
        server
            .run("room create", &RoomCreate { rooms })
            .map_err(|failure| partly(failure, created))?;
        created += chunk.len();
        progress.inc(chunk.len() as u64);
    }
    progress.finish_and_clear();
    output.done(
        &format!("{created} rooms are there"),
        || json!({ "created": created }),
    );
    Ok(())
}

fn read_line(line: &str) -> NewRoom {
    let mut words = line.split_whitespace().map(str::to_owned);
    NewRoom {
        address: words.next().unwrap_or_default(),
        owners: words.collect(),
        ..NewRoom::default()
    }
}

/// Says how far it went before it failed.
fn partly(failure: Failure, created: usize) -> Failure {
    match failure {
        Failure::Failed(text) if created > 0 => Failure::Failed(format!(
            "{text}\n{created} rooms were made before that; remove their lines to go on"
        )),
        other => other,
    }
}

pub(crate) fn list(server: &Server, output: &Output) -> Result<(), Failure> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let last = all.last().and_then(|room| room["address"].as_str());
        let page = RoomList {
            after: last.map(str::to_owned),
            limit: None,
        };
        let answer = server.run("room list", &page)?;
        let rooms = serde_json::from_value::<Vec<Value>>(answer["rooms"].clone())?;
        if rooms.is_empty() {
            break;
        }
        all.extend(rooms);
    }
    let line = |room: &Value| {
        let address = room["address"].as_str().unwrap_or_default();
        match room["name"].as_str() {
            Some(name) if !name.is_empty() => format!("{address}  {name}"),
            _ => address.to_owned(),
        }
    };
    let text = if all.is_empty() {
        "no rooms yet".to_owned()
    } else {
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    output.done(&text, || json!({ "rooms": all }));
    Ok(())
}

pub(crate) fn show(server: &Server, address: String, output: &Output) -> Result<(), Failure> {
    let room = server.run("room show", &RoomShow { address })?;
    let mut lines = Vec::new();
    for (key, value) in room.as_object().into_iter().flatten() {
        match value {
            Value::Array(rows) => lines.extend(rows.iter().map(|row| {
                let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                format!(
                    "{}  {}  {}",
                    word("affiliation"),
                    word("account"),
                    word("nick")
                )
            })),
            Value::Object(config) => {
                lines.extend(config.iter().map(|(key, value)| format!("{key}: {value}")));
            }
            other => lines.push(format!("{key}: {other}")),
        }
    }
    let text: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    output.done(&text.join("\n"), || room.clone());
    Ok(())
}

pub(crate) fn destroy(server: &Server, end: &RoomDestroy, output: &Output) -> Result<(), Failure> {
    let destroyed = server.run("room destroy", end)?;
    output.done(&format!("{} is gone", end.address), || destroyed);
    Ok(())
}

pub(crate) fn affiliation(
    server: &Server,
    change: &RoomAffiliation,
    output: &Output,
) -> Result<(), Failure> {
    let changed = server.run("room affiliation", change)?;
    let RoomAffiliation {
        room,
        account,
        affiliation,
        ..
    } = change;
    output.done(&format!("{account} is {affiliation} in {room}"), || changed);
    Ok(())
}
