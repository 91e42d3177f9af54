//! How Prosody is started.

use std::fs;
use std::path::Path;

use tokio::process::Command;

use super::server::{Doors, fill, write_certificate};
use super::variant::History;
use super::{CompareError, trying};

const CONFIGURATION: &str = include_str!("../../peers/prosody.cfg.lua");

/// The server in the foreground.
pub(crate) fn serve(dir: &Path, doors: Doors, history: History) -> Result<Command, CompareError> {
    let configuration = dir.join("prosody.cfg.lua");
    let (module, room_module) = match history {
        History::Off => ("", ""),
        History::On => ("\"mam\"", "\"muc_mam\""),
    };
    let text = fill(CONFIGURATION, dir, doors)
        .replace("@HISTORY@", module)
        .replace("@ROOM_HISTORY@", room_module);
    let written =
        fs::write(&configuration, text).and_then(|()| fs::create_dir_all(dir.join("data")));
    written.map_err(trying(|| "Prosody's configuration".to_owned()))?;
    write_certificate(dir)?;
    let mut command = Command::new("prosody");
    command.args(["-F", "--config"]).arg(configuration);
    Ok(command)
}
