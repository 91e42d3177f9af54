//! A server as a child process: started in a directory of its own, and stopped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::case::DoorName;
use super::variant::{Product, Variant};
use super::{CompareError, anser, ejabberd, prosody, trying};

/// The most that a server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a server does right after its start belongs to no figure.
const SETTLING: Duration = Duration::from_secs(3);

/// A server's listening addresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Doors {
    /// TCP, STARTTLS offered.
    pub(crate) xmpp: SocketAddr,
    /// Direct TLS.
    pub(crate) xmpps: SocketAddr,
}

/// A server that listens. Killed if dropped.
pub(crate) struct Server {
    child: Child,
    pid: Pid,
    doors: Doors,
}

impl Server {
    /// Starts a server whose files are all in `dir`, and waits until it listens and has settled.
    pub(crate) async fn start(
        variant: Variant,
        anser: &Path,
        dir: &Path,
    ) -> Result<Self, CompareError> {
        let server = Self::launch(variant, anser, dir).await?;
        sleep(SETTLING).await;
        Ok(server)
    }

    /// The same, without waiting longer than until it listens.
    pub(crate) async fn launch(
        variant: Variant,
        anser: &Path,
        dir: &Path,
    ) -> Result<Self, CompareError> {
        let free = Doors::free().map_err(trying(|| "a free port".to_owned()))?;
        let command = match variant.product {
            Product::Anser => anser::serve(anser, dir)?,
            Product::Ejabberd => ejabberd::serve(dir, free, variant.history).await?,
            Product::Prosody => prosody::serve(dir, free, variant.history)?,
        };
        let output = dir.join("output");
        let mut child =
            spawn(command, dir, &output).map_err(trying(|| format!("starting {variant}")))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&output).unwrap_or_default();
            let doors = match variant.product {
                Product::Anser => anser::doors(&said),
                Product::Ejabberd | Product::Prosody => Some(free),
            };
            if let Some((doors, pid)) = doors.zip(pid_of(&child))
                && doors.are_open().await
            {
                return Ok(Self { child, pid, doors });
            }
            let ended = child.try_wait().is_ok_and(|status| status.is_some());
            if ended || Instant::now() > deadline {
                return Err(CompareError::NotStarted {
                    variant,
                    output: tail(&said),
                });
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where it listens.
    pub(crate) fn doors(&self) -> Doors {
        self.doors
    }

    /// The root of its process tree.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Asks it to end, and waits until it has; kills it if that takes too long.
    pub(crate) async fn stop(mut self) {
        // It may have ended by itself, which the run before has noticed.
        let _ = kill_process(self.pid, Signal::TERM);
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

impl Doors {
    /// Where the clients of a case connect.
    pub(crate) fn named(self, name: DoorName) -> SocketAddr {
        match name {
            DoorName::Xmpp => self.xmpp,
            DoorName::Xmpps => self.xmpps,
        }
    }

    fn free() -> std::io::Result<Self> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        // Both are held until both are known: they must differ.
        let (xmpp, xmpps) = (listen()?, listen()?);
        Ok(Self {
            xmpp: xmpp.local_addr()?,
            xmpps: xmpps.local_addr()?,
        })
    }

    async fn are_open(self) -> bool {
        TcpStream::connect(self.xmpp).await.is_ok() && TcpStream::connect(self.xmpps).await.is_ok()
    }
}

/// A peer's configuration, from its template.
pub(crate) fn fill(template: &str, dir: &Path, doors: Doors) -> String {
    template
        .replace("@DIR@", &dir.to_string_lossy())
        .replace("@XMPP@", &doors.xmpp.port().to_string())
        .replace("@XMPPS@", &doors.xmpps.port().to_string())
}

/// A certificate of its own making for `localhost`, as two files and as one.
pub(crate) fn write_certificate(dir: &Path) -> Result<(), CompareError> {
    let (certificate, key) = certificate().expect("`localhost` is a valid name for a fresh key");
    let files = [
        ("both.pem", certificate.clone() + &key),
        ("certificate.pem", certificate),
        ("key.pem", key),
    ];
    for (name, text) in files {
        fs::write(dir.join(name), text).map_err(trying(|| format!("writing {name}")))?;
    }
    Ok(())
}

fn certificate() -> Result<(String, String), rcgen::Error> {
    let mut parameters = CertificateParams::new(["localhost".to_owned()])?;
    // The crate's default, the year 4096, is farther away than ejabberd's timers reach.
    parameters.not_after = date_time_ymd(2099, 1, 1);
    let key = KeyPair::generate()?;
    Ok((parameters.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// The end of what a program said, short enough for a message.
pub(crate) fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.trim().lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn spawn(mut command: Command, dir: &Path, output: &Path) -> std::io::Result<Child> {
    let output = fs::File::create(output)?;
    command
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    command.kill_on_drop(true).spawn()
}

fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id()?.try_into().ok()?)
}
