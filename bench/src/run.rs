//! What all loads have in common: options, and the line of JSON that each ends with.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::process::ProcessTree;
use crate::xmpp::{Door, DoorArgs, DoorError};

/// How a load is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// The root of the server's process tree, for what the load costs it
    #[arg(long)]
    server_pid: Option<u32>,
    /// Clients that are set up at the same time
    #[arg(long, default_value = "64")]
    pub(crate) concurrency: NonZeroUsize,
    /// Threads of the load generator
    #[arg(long, default_value = "1")]
    pub(crate) threads: NonZeroUsize,
    #[command(flatten)]
    door: DoorArgs,
}

impl RunArgs {
    /// The processes whose cost counts.
    pub(crate) fn server(&self) -> Option<ProcessTree> {
        self.server_pid.map(ProcessTree::new)
    }

    /// The server as the clients see it.
    pub(crate) fn door(&self) -> Result<Door, DoorError> {
        Door::new(self.door.clone())
    }
}

/// Reads a number of seconds, for options.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

/// What a load ends with.
pub(crate) trait Report: Serialize {
    /// Whether all went as it should; figures of a faulty run are worth little.
    fn is_sound(&self) -> bool;
}
