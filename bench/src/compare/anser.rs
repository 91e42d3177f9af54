//! How Anser is started: with its own defaults, so that history is on and durable, but for what
//! one occupant may send to a room, as the peers run without shapers.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use tokio::process::Command;

use super::server::Doors;
use super::{CompareError, trying};

/// What `anser serve --json` says when it listens, as far as it matters here.
#[derive(Deserialize)]
struct Ready {
    doors: ReadyDoors,
}

#[derive(Deserialize)]
struct ReadyDoors {
    xmpp: SocketAddr,
    xmpps: SocketAddr,
}

const CONFIGURATION: &str = include_str!("../../peers/anser.toml");

/// The server in the foreground, on ports of its choice.
pub(crate) fn serve(program: &Path, dir: &Path) -> Result<Command, CompareError> {
    let config = dir.join("anser.toml");
    fs::write(&config, CONFIGURATION).map_err(trying(|| "Anser's configuration".to_owned()))?;
    let mut command = Command::new(program);
    command.arg("serve").arg("--data").arg(dir.join("data"));
    command.arg("--config").arg(config);
    command.args(["--domain", "localhost", "--allow-plaintext-login", "--json"]);
    command.args([
        "--listen",
        "xmpp=127.0.0.1:0",
        "--listen",
        "xmpps=127.0.0.1:0",
    ]);
    Ok(command)
}

/// The addresses, once it has said them.
pub(crate) fn doors(output: &str) -> Option<Doors> {
    let ready = output
        .lines()
        .find_map(|line| serde_json::from_str::<Ready>(line).ok())?;
    Some(Doors {
        xmpp: ready.doors.xmpp,
        xmpps: ready.doors.xmpps,
    })
}

/// Adds the accounts of a list.
pub(crate) fn add_accounts(program: &Path, dir: &Path, list: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["user", "add", "--batch"])
        .arg(list)
        .arg("--data")
        .arg(dir.join("data"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doors_are_read_from_the_line_that_says_it_is_ready() {
        let ready = r#"{"doors":{"xmpp":"127.0.0.1:40001","xmpps":"127.0.0.1:40002"},"web":1}"#;
        let output = format!("starting\n{ready}\nmore");
        let expected = Doors {
            xmpp: SocketAddr::from(([127, 0, 0, 1], 40001)),
            xmpps: SocketAddr::from(([127, 0, 0, 1], 40002)),
        };
        assert_eq!(doors(&output), Some(expected));
        assert_eq!(doors(&ready[..40]), None);
    }
}
