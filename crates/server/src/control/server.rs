//! The server's end of the socket.

use super::{Request, Response};
use anser_hub::{Hub, run_command};
use anser_net::Clock;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// After a failure, the next command waits so long.
const PAUSE: Duration = Duration::from_millis(100);

/// Carries out commands until it is dropped.
///
/// # Errors
/// The socket cannot be made.
pub(crate) fn serve(
    path: &Path,
    hub: Arc<Hub>,
    clock: Arc<Clock>,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let listener = listen(path)?;
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
                Err(error) => {
                    // Out of descriptors, most likely: some will be free soon.
                    tracing::warn!(%error, "no command can be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

/// Makes the socket for its owner only, in the place of one that a server left
/// behind: the data folder is locked, so that server is gone.
///
/// A socket that is made has the permissions that the process gives to all its
/// files, and may be connected to before these are taken away. So it is made
/// where nobody else comes.
fn listen(path: &Path) -> io::Result<UnixListener> {
    // Short: the path of a socket has a hundred bytes.
    let folder = path.with_file_name(".new");
    let unfinished = folder.join("s");
    let _ = fs::remove_file(&unfinished);
    let _ = fs::remove_dir(&folder);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let listener = UnixListener::bind(&unfinished)?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o600))?;
    fs::rename(&unfinished, path)?;
    fs::remove_dir(&folder)?;
    Ok(listener)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileTypeExt;

    #[tokio::test]
    async fn the_socket_is_for_its_owner_only_and_all_that_there_is() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("control.sock");
        // The second time there is one already; the third, one half made too.
        for round in 0..3 {
            if round == 2 {
                fs::create_dir(data.path().join(".new")).unwrap();
                fs::write(data.path().join(".new").join("s"), "").unwrap();
            }
            let listener = listen(&path).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            assert!(metadata.file_type().is_socket());
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
            let (connected, accepted) = tokio::join!(UnixStream::connect(&path), listener.accept());
            connected.unwrap();
            accepted.unwrap();
        }
    }
}
