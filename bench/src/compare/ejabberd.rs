//! How ejabberd is started: by `erl` itself, so that the child is the server, and without
//! distribution, so that no other daemon is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::lab::succeed;
use super::server::{Doors, fill, write_certificate};
use super::variant::History;
use super::{CompareError, trying};

const CONFIGURATION: &str = include_str!("../../peers/ejabberd.yml");
const WITH_HISTORY: &str = include_str!("../../peers/ejabberd-history.yml");

/// Where the package has put what is needed.
struct Installation {
    libraries: PathBuf,
    schema: PathBuf,
}

/// The server in the foreground.
pub(crate) async fn serve(
    dir: &Path,
    doors: Doors,
    history: History,
) -> Result<Command, CompareError> {
    let installation = Installation::find().await?;
    let configuration = dir.join("ejabberd.yml");
    let template = match history {
        History::Off => CONFIGURATION.replace("@HISTORY@", "false"),
        History::On => CONFIGURATION.replace("@HISTORY@", "true") + WITH_HISTORY,
    };
    fs::write(&configuration, fill(&template, dir, doors))
        .map_err(trying(|| "ejabberd's configuration".to_owned()))?;
    write_certificate(dir)?;
    if history == History::On {
        create_database(&dir.join("history.sqlite"), &installation.schema).await?;
    }
    let data = format!("\"{}\"", dir.join("data").display()); // an Erlang term
    let mut command = Command::new("erl");
    command.args(["-noinput", "-mnesia", "dir", &data, "-s", "ejabberd"]);
    command
        .env("ERL_LIBS", &installation.libraries)
        .env("ERL_CRASH_DUMP_BYTES", "0");
    command.env("EJABBERD_CONFIG_PATH", configuration);
    command.env("EJABBERD_LOG_PATH", dir.join("ejabberd.log"));
    Ok(command)
}

impl Installation {
    async fn find() -> Result<Self, CompareError> {
        let listing = Command::new("dpkg").args(["-L", "ejabberd"]).output().await;
        let listing = listing
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let file = |end: &str| {
            listing
                .lines()
                .find(|line| line.ends_with(end))
                .map(Path::new)
        };
        // LIBRARIES/ejabberd-VERSION/ebin/ejabberd.app
        let libraries = file("/ebin/ejabberd.app").and_then(|file| file.ancestors().nth(3));
        match libraries.zip(file("/sql/lite.sql")) {
            Some((libraries, schema)) => Ok(Self {
                libraries: libraries.into(),
                schema: schema.into(),
            }),
            None => Err(CompareError::NotInstalled("ejabberd")),
        }
    }
}

async fn create_database(database: &Path, schema: &Path) -> Result<(), CompareError> {
    if database.exists() {
        return Ok(());
    }
    let schema = fs::File::open(schema).map_err(trying(|| "ejabberd's SQL schema".to_owned()))?;
    let mut command = Command::new("sqlite3");
    command.arg(database).stdin(Stdio::from(schema));
    succeed(command).await.map(drop)
}
