//! The server's end of the socket.

use super::{Request, Response};
use anser_hub::{Hub, run_command};
use anser_net::Clock;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Carries out commands until it is dropped.
///
/// # Errors
/// The socket cannot be made.
pub(crate) fn serve(
    path: &Path,
    hub: Arc<Hub>,
    clock: Arc<Clock>,
) -> io::Result<impl Future<Output = ()> + use<>> {
    // Whoever left it there is gone: the data folder is locked.
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (hub, clock) = (Arc::clone(&hub), Arc::clone(&clock));
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &hub, &clock).await {
                            tracing::debug!(%error, "control connection broken");
                        }
                    });
                }
                Err(error) => tracing::warn!(%error, "no command can be taken"),
            }
        }
    })
}

async fn converse(mut stream: UnixStream, hub: &Hub, clock: &Clock) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let response = match serde_json::from_str::<Request>(&line) {
            Ok(request) => answer(hub, request, clock).await,
            Err(error) => Response::Error(format!("not a request: {error}")),
        };
        let mut line = serde_json::to_string(&response)?;
        line.push('\n');
        write.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

async fn answer(hub: &Hub, request: Request, clock: &Clock) -> Response {
    let Request { command, arguments } = request;
    match run_command(hub, &command, arguments, clock.now()).await {
        Ok(value) => Response::Ok(value),
        Err(error) => Response::Error(error.to_string()),
    }
}
