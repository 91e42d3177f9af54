//! The built program, started as its users start it.

use crate::client::Way;
use crate::process::{Ended, Process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The program, which has to be built before the tests run.
///
/// # Panics
/// It is not there.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let binary = target.join("anser");
    assert!(
        binary.exists(),
        "{} is not built: cargo build -p anser-server",
        binary.display()
    );
    binary
}

/// A server that runs as long as this value lives.
#[derive(Debug)]
pub struct Anser {
    process: Process,
    doors: Value,
    data: TempDir,
    arguments: Vec<String>,
}

/// Free ports of the loopback interface.
const FREE_PORTS: [&str; 4] = [
    "--listen",
    "xmpp=127.0.0.1:0",
    "--listen",
    "xmpps=127.0.0.1:0",
];

impl Anser {
    /// On free ports of the loopback interface, with a data folder of its own.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments to `anser serve`.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    /// The same in a data folder that is there already.
    #[must_use]
    pub fn start_in(data: TempDir, arguments: &[&str]) -> Self {
        let arguments = if arguments.contains(&"--listen") {
            arguments.to_vec()
        } else {
            [arguments, &FREE_PORTS].concat()
        };
        Self::serve(data, &arguments)
    }

    /// With these arguments to `anser serve` and no others.
    #[must_use]
    pub fn serve(data: TempDir, arguments: &[&str]) -> Self {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let (process, doors) = launch(data.path(), &arguments);
        Self {
            process,
            doors,
            data,
            arguments,
        }
    }

    /// Where a door is.
    #[must_use]
    pub fn door(&self, name: &str) -> SocketAddr {
        self.doors[name].as_str().unwrap().parse().unwrap()
    }

    /// In without TLS; for a server that permits it.
    #[must_use]
    pub fn plain(&self) -> Way {
        Way::Plain(self.door("xmpp"))
    }

    /// In over STARTTLS, trusting this server's authority.
    #[must_use]
    pub fn starttls(&self) -> Way {
        Way::StartTls(self.door("xmpp"), self.authority())
    }

    /// In over TLS from the first byte, trusting this server's authority.
    #[must_use]
    pub fn direct_tls(&self) -> Way {
        Way::DirectTls(self.door("xmpps"), self.authority())
    }

    /// The certificate of the authority that the server has made for itself.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.data().join("tls").join("ca.pem")
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Runs another `anser` command on the same data folder.
    #[must_use]
    pub fn command(&self, arguments: &[&str], input: &str) -> Ended {
        let mut arguments = arguments.to_vec();
        let data = self.data().to_str().unwrap();
        arguments.extend(["--data", data]);
        run(&arguments, input)
    }

    /// Makes an account.
    pub fn add_user(&self, address: &str, password: &str) {
        self.command(&["user", "add", address, "--password-stdin"], password)
            .succeeded();
    }

    /// Ends the process at once, as a crash does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same data, at other ports if they were free ones.
    pub fn restart(&mut self) {
        self.kill();
        (self.process, self.doors) = launch(self.data.path(), &self.arguments);
    }

    /// Has the process stop as an administrator does, and gives its data back.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn stop(self) -> TempDir {
        self.process.signal("TERM");
        self.stopped()
    }

    /// Waits for the process to end, and gives its data back.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn stopped(self) -> TempDir {
        let (ended, data) = self.ended();
        assert!(ended.status.success(), "{ended:?}");
        data
    }

    /// Waits for the process to end, however that may be.
    #[must_use]
    pub fn ended(mut self) -> (Ended, TempDir) {
        (self.process.end(), self.data)
    }
}

/// Starts the server and waits until it says that it is ready.
fn launch(data: &Path, arguments: &[String]) -> (Process, Value) {
    let mut command = Command::new(binary());
    command.args(["serve", "--json", "--data"]).arg(data);
    let process = Process::start(command.args(arguments));
    let (ready, _) = process
        .output
        .find("being ready", 0, |line| serde_json::from_str(line).ok());
    let ready: Value = ready;
    (process, ready["doors"].clone())
}

/// Runs the program to its end.
#[must_use]
pub fn run(arguments: &[&str], input: &str) -> Ended {
    let mut process = Process::start(Command::new(binary()).args(arguments));
    process.say(input);
    process.end()
}
