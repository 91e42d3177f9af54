//! slixmpp.

use super::Tls;
use crate::link::Link;
use crate::process::Process;
use crate::program::Anser;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

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

    /// Logs in over a link to the server's door, and waits until that is done.
    /// It connects again whenever the link is cut.
    #[must_use]
    pub fn log_in_over(link: &Link, anser: &Anser, account: &str, tls: Tls) -> (Self, Value) {
        let arguments = ["--management", "--persistent"];
        let mut client = Self::run(link.address(), anser, account, "secret", tls, &arguments);
        let session = client.wait_for("session_start", |_| true);
        (client, session)
    }

    /// Begins to log in.
    #[must_use]
    pub fn start(
        anser: &Anser,
        account: &str,
        password: &str,
        tls: Tls,
        arguments: &[&str],
    ) -> Self {
        let door = anser.door(tls.door());
        Self::run(door, anser, account, password, tls, arguments)
    }

    fn run(
        door: SocketAddr,
        anser: &Anser,
        account: &str,
        password: &str,
        tls: Tls,
        arguments: &[&str],
    ) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/slixmpp_client.py");
        let tls = match tls {
            Tls::Starttls => "starttls",
            Tls::Direct => "direct",
        };
        let mut command = Command::new(super::python());
        command
            .arg(script)
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

    /// Has it read its archive, what came after a message or all of it, and
    /// waits for that.
    pub fn history(&mut self, after: Option<&str>) -> Vec<Value> {
        self.tell("history", json!({ "after": after }));
        let history = self.wait_for("history", |_| true);
        history["messages"].as_array().unwrap().clone()
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
