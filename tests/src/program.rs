//! The built program, started as its users start it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
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
    child: Child,
    doors: Value,
    data: TempDir,
    arguments: Vec<String>,
}

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
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let (child, doors) = launch(data.path(), &arguments);
        Self {
            child,
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

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs another `anser` command on the same data folder.
    #[must_use]
    pub fn command(&self, arguments: &[&str], input: &str) -> Output {
        let mut arguments = arguments.to_vec();
        let data = self.data().to_str().unwrap();
        arguments.extend(["--data", data]);
        run(&arguments, input)
    }

    /// Makes an account.
    pub fn add_user(&self, address: &str, password: &str) {
        let output = self.command(&["user", "add", address, "--password-stdin"], password);
        assert!(output.status.success(), "{output:?}");
    }

    /// Ends the process at once, as a crash does, and starts it again on the
    /// same data, at other ports.
    pub fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (child, doors) = launch(self.data.path(), &self.arguments);
        self.child = child;
        self.doors = doors;
    }

    /// Has the process stop as an administrator does, and gives its data back.
    #[must_use]
    pub fn stop(mut self) -> TempDir {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        let empty = tempfile::tempdir().unwrap();
        std::mem::replace(&mut self.data, empty)
    }

    /// Sends the process a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Anser {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server and waits until it says that it is ready.
fn launch(data: &Path, arguments: &[String]) -> (Child, Value) {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--json", "--data"])
        .arg(data)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if !arguments.iter().any(|argument| argument == "--listen") {
        let doors = ["xmpp=127.0.0.1:0", "xmpps=127.0.0.1:0"];
        command.args(doors.iter().flat_map(|door| ["--listen", door]));
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let ready: Value =
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("anser did not start: {line:?}"));
    (child, ready["doors"].clone())
}

/// Runs the program to its end.
#[must_use]
pub fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read its input closes it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}
