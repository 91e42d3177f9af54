//! The clients of a load: they come in together, and each says how it ended.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::ramp::ramp;
use crate::run::RunArgs;
use crate::xmpp::{Door, DoorError, Error, Session, log_in_device};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// There is no door to knock at.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// Not everyone came in.
    #[error("{failed} of {clients} clients could not log in; the first: {first}")]
    Login {
        /// Clients that failed.
        failed: usize,
        /// Clients that there should have been.
        clients: usize,
        /// Why the first one failed.
        first: String,
    },
    /// A client failed before there was anything to measure.
    #[error("{what}: {source}")]
    Client {
        /// What it was doing.
        what: String,
        /// Why it failed.
        source: Error,
    },
}

/// Says what a client was doing when it failed.
pub(crate) fn doing(what: impl FnOnce() -> String) -> impl FnOnce(Error) -> LoadError {
    |source| LoadError::Client {
        what: what(),
        source,
    }
}

/// Logs so many accounts in, each with so many devices. The devices of an account follow each other.
///
/// # Errors
/// If anyone fails.
pub(crate) async fn enter(
    run: &RunArgs,
    door: &Arc<Door>,
    accounts: usize,
    devices: usize,
) -> Result<Vec<Session>, LoadError> {
    let clients = accounts * devices;
    let log_in = |number| {
        let door = door.clone();
        async move { log_in_device(&door, number / devices, number % devices).await }
    };
    let ramp = ramp(0..clients, run.concurrency, log_in).await;
    let failed = ramp.failures.len();
    match ramp.failures.into_iter().next() {
        Some(first) => Err(LoadError::Login {
            failed,
            clients,
            first,
        }),
        None => Ok(ramp
            .clients
            .into_iter()
            .map(|(_, session)| session)
            .collect()),
    }
}

/// How the clients ended.
#[derive(Default)]
pub(crate) struct Ends {
    /// Stanzas that were never acknowledged.
    pub(crate) unacknowledged: u64,
    /// Why some ended before they should.
    pub(crate) failures: Vec<String>,
}

impl Ends {
    /// Waits for all of them; each gives the number of its stanzas that were not acknowledged.
    pub(crate) async fn of(mut clients: JoinSet<Result<u32, Error>>) -> Self {
        let mut ends = Self::default();
        while let Some(end) = clients.join_next().await {
            match end {
                Ok(Ok(unacknowledged)) => ends.unacknowledged += u64::from(unacknowledged),
                Ok(Err(error)) => ends.failures.push(error.to_string()),
                Err(panic) => ends.failures.push(panic.to_string()),
            }
        }
        ends
    }
}
