//! profanity.

use super::Tls;
use super::terminal::Terminal;
use crate::process::{Lines, Process};
use crate::program::Anser;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// `profanity`, from Debian.
#[derive(Debug)]
pub struct Profanity {
    terminal: Terminal,
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
        let log_path = log.to_str().unwrap();
        let command = [
            "profanity",
            "--log",
            "DEBUG",
            "--logfile",
            log_path,
            "--account",
            account,
        ];
        let authority = anser.authority();
        let terminal = Terminal::start(
            &command,
            &[
                ("HOME", home),
                ("XDG_DATA_HOME", home),
                ("XDG_CONFIG_HOME", home),
                ("SSL_CERT_FILE", &authority),
            ],
        );
        let mut follow = Command::new("tail");
        let log_follower = Process::start(follow.args(["--lines", "+1", "--follow"]).arg(log));
        let client = Self {
            terminal,
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
        self.terminal.type_line(line);
    }

    /// Waits until a row of its screen has all these parts, or has had them.
    pub fn shows(&self, parts: &[&str]) {
        self.terminal.shows(parts);
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
        assert!(self.terminal.end().status.success());
    }
}
