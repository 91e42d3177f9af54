//! Clients nobody here wrote, as their users run them.
//!
//! Each trusts the server's own authority and nobody else.

use crate::process::{Ended, Lines, Process};
use crate::program::Anser;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// How a client makes its connection secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Once it is open (RFC 6120 §5).
    Starttls,
    /// From the first byte (XEP-0368).
    Direct,
}

impl Tls {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Starttls, Self::Direct];

    fn door(self) -> &'static str {
        match self {
            Self::Starttls => "xmpp",
            Self::Direct => "xmpps",
        }
    }
}

/// A client on slixmpp, from PyPI: `tests/foreign/slixmpp_client.py`.
#[derive(Debug)]
pub struct Slixmpp {
    process: Process,
    /// The numbers of the events that were waited for already.
    taken: BTreeSet<usize>,
}

impl Slixmpp {
    /// Logs in, with more arguments to the script, and waits until that is done.
    #[must_use]
    pub fn log_in(anser: &Anser, account: &str, tls: Tls, arguments: &[&str]) -> (Self, Value) {
        let mut client = Self::start(anser, account, "secret", tls, arguments);
        let session = client.wait_for("session_start", |_| true);
        (client, session)
    }

    /// Begins to log in.
    ///
    /// # Panics
    /// It is not installed.
    #[must_use]
    pub fn start(
        anser: &Anser,
        account: &str,
        password: &str,
        tls: Tls,
        arguments: &[&str],
    ) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = folder.join(".venv/bin/python");
        assert!(python.exists(), "slixmpp is not installed: make tools");
        let door = anser.door(tls.door());
        let tls = match tls {
            Tls::Starttls => "starttls",
            Tls::Direct => "direct",
        };
        let mut command = Command::new(python);
        command
            .arg(folder.join("foreign/slixmpp_client.py"))
            .args(["--account", account, "--password", password, "--tls", tls])
            .args(["--host", &door.ip().to_string()])
            .args(["--port", &door.port().to_string()])
            .arg("--authority")
            .arg(anser.authority())
            .args(arguments);
        Self {
            process: Process::start(&mut command),
            taken: BTreeSet::new(),
        }
    }

    /// Has it do something: see the methods `do_…` of the script.
    pub fn tell(&mut self, what: &str, mut details: Value) {
        details["do"] = what.into();
        self.process.say(&format!("{details}\n"));
    }

    /// Has it send a message.
    pub fn message(&mut self, to: &str, text: &str) {
        self.tell("message", json!({ "to": to, "text": text }));
    }

    /// Waits for an event that was not waited for before.
    pub fn wait_for(&mut self, name: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut number = 0;
        let (event, next) = self.process.output.find(name, 0, |line| {
            number += 1;
            let event: Value = serde_json::from_str(line).unwrap();
            let is_new = !self.taken.contains(&(number - 1));
            (is_new && event["event"] == name && is_wanted(&event)).then_some(event)
        });
        self.taken.insert(next - 1);
        event
    }

    /// Has it ask somebody something, and waits for the answer.
    pub fn ask(&mut self, what: &str, to: &str) -> Value {
        self.tell("ask", json!({ "what": what, "to": to }));
        self.wait_for("answer", |answer| answer["to"] == what)
    }

    /// All messages so far, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let events = self.process.output.text();
        let events = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(|event: &Value| event["event"] == "message")
            .collect()
    }

    /// Has it log out, and waits until it has ended.
    pub fn quit(mut self) {
        self.tell("quit", json!({}));
        self.wait_for("disconnected", |_| true);
        self.process.end();
    }
}

/// `go-sendxmpp`, from Debian. It knows no SCRAM and logs in with PLAIN.
#[derive(Debug)]
pub struct GoSendxmpp {
    process: Process,
    _folder: TempDir,
}

impl GoSendxmpp {
    /// Sends a message and ends.
    #[must_use]
    pub fn send(anser: &Anser, account: &str, tls: Tls, to: &str, text: &str) -> Ended {
        Self::send_trusting(&anser.authority(), anser, account, tls, to, text)
    }

    /// The same, trusting somebody of whom the certificate is in a file.
    #[must_use]
    pub fn send_trusting(
        authority: &Path,
        anser: &Anser,
        account: &str,
        tls: Tls,
        to: &str,
        text: &str,
    ) -> Ended {
        let mut client = Self::start(anser, account, tls, authority, &[to]);
        client.process.say(text);
        client.process.end()
    }

    /// Writes what it receives, line by line, until it is ended.
    #[must_use]
    pub fn listen(anser: &Anser, account: &str, tls: Tls) -> Self {
        Self::start(anser, account, tls, &anser.authority(), &["--listen"])
    }

    fn start(anser: &Anser, account: &str, tls: Tls, authority: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("sendxmpprc");
        let server = anser.door(tls.door());
        let text = format!("username: {account}\npassword: secret\njserver: {server}\n");
        write_secret(&config, &text);
        let mut command = Command::new("go-sendxmpp");
        command
            .env("HOME", folder.path())
            .env("SSL_CERT_FILE", authority)
            .args(["--debug", "--file"])
            .arg(config);
        if tls == Tls::Direct {
            command.arg("--tls");
        }
        Self {
            process: Process::start(command.args(arguments)),
            _folder: folder,
        }
    }

    /// What it receives.
    #[must_use]
    pub fn output(&self) -> &Lines {
        &self.process.output
    }

    /// What the server says to it.
    #[must_use]
    pub fn log(&self) -> &Lines {
        &self.process.log
    }
}

/// `profanity`, from Debian, at a terminal that is wide enough.
#[derive(Debug)]
pub struct Profanity {
    process: Process,
    /// Follows its log.
    log_follower: Process,
    _folder: TempDir,
}

impl Profanity {
    /// Logs in and waits until that is done.
    #[must_use]
    pub fn log_in(anser: &Anser, account: &str, tls: Tls) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let door = anser.door(tls.door());
        let policy = match tls {
            Tls::Starttls => "force",
            Tls::Direct => "legacy",
        };
        fs::create_dir(home.join("profanity")).unwrap();
        let accounts = format!(
            "[{account}]\nenabled=true\njid={account}\npassword=secret\nresource=profanity\n\
             server={}\nport={}\ntls.policy={policy}\n",
            door.ip(),
            door.port(),
        );
        fs::write(home.join("profanity/accounts"), accounts).unwrap();
        let log = home.join("log");
        fs::write(&log, "").unwrap();
        let command = format!(
            "stty rows 40 columns 160; exec profanity --log DEBUG --logfile {} --account {account}",
            log.display()
        );
        // `script` gives it the terminal that it wants, and ends when it does.
        let mut terminal = Command::new("script");
        terminal
            .args(["--quiet", "--flush", "--return", "--command", &command])
            .arg("/dev/null")
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8")
            .env("SSL_CERT_FILE", anser.authority());
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            terminal.env(variable, home);
        }
        let process = Process::start(&mut terminal);
        let mut follow = Command::new("tail");
        let log_follower = Process::start(follow.args(["--lines", "+1", "--follow"]).arg(log));
        let client = Self {
            process,
            log_follower,
            _folder: folder,
        };
        let presence = format!("Presence available handler fired for: {account}/profanity");
        client.log().wait_for(&presence);
        client
    }

    /// Its log, which has all that is sent and received.
    #[must_use]
    pub fn log(&self) -> &Lines {
        let Process { output, .. } = &self.log_follower;
        output
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.process.say(&format!("{line}\r"));
    }

    /// Waits until it has received a stanza with all these parts.
    pub fn wait_for(&self, parts: &[&str]) {
        self.log().find(&format!("{parts:?}"), 0, |line| {
            let is_wanted =
                line.contains(" RECV: <") && parts.iter().all(|part| line.contains(part));
            is_wanted.then_some(())
        });
    }

    /// Has it log out, and waits until it has ended.
    ///
    /// # Panics
    /// It fails.
    pub fn quit(mut self) {
        self.type_line("/quit");
        assert!(self.process.end().status.success());
    }
}

/// It refuses a configuration that others may read.
fn write_secret(path: &Path, text: &str) {
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}
