//! go-sendxmpp.

use super::{Tls, write_secret};
use crate::process::{Ended, Lines, Process};
use crate::program::Anser;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

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
