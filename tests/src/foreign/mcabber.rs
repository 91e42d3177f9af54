//! mcabber.

use super::terminal::Terminal;
use super::{Tls, write_secret};
use crate::program::Anser;
use std::fs;
use tempfile::TempDir;

/// `mcabber`, from Debian. It knows no SCRAM and logs in with PLAIN.
#[derive(Debug)]
pub struct Mcabber {
    terminal: Terminal,
    _folder: TempDir,
}

impl Mcabber {
    /// Logs in and waits until that is done.
    #[must_use]
    pub fn log_in(anser: &Anser, account: &str, tls: Tls) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let option = match tls {
            Tls::Starttls => "tls",
            Tls::Direct => "ssl",
        };
        // With TLS from the first byte it expects a certificate for the name
        // that it connects to.
        let config = format!(
            "set jid = {account}\nset password = secret\nset resource = mcabber\n\
             set server = localhost\nset port = {}\nset {option} = 1\nset ssl_ca = {}\n\
             set muc_print_status = 3\n",
            anser.door(tls.door()).port(),
            anser.authority().display(),
        );
        fs::create_dir(home.join(".mcabber")).unwrap();
        let path = home.join(".mcabber/mcabberrc");
        write_secret(&path, &config);
        let command = ["mcabber", "-f", path.to_str().unwrap()];
        let terminal = Terminal::start(&command, &[("HOME", home)]);
        terminal.shows(&["Your status has been set"]);
        Self {
            terminal,
            _folder: folder,
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.terminal.type_line(line);
    }

    /// Waits until a row of its screen has all these parts, or has had them.
    pub fn shows(&self, parts: &[&str]) {
        self.terminal.shows(parts);
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
