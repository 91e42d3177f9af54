//! poezio.

use super::terminal::Terminal;
use super::write_secret;
use crate::program::Anser;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use tempfile::TempDir;

/// Whom a superuser runs it as, since it refuses to be run by one.
const NOBODY: u32 = 65534;

/// `poezio`, from Debian.
#[derive(Debug)]
pub struct Poezio {
    terminal: Terminal,
    _folder: TempDir,
}

impl Poezio {
    /// Logs in over STARTTLS and waits until that is done. It enters a room then,
    /// with a nickname.
    #[must_use]
    pub fn log_in(anser: &Anser, account: &str, occupant: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let authority = home.join("ca.pem");
        fs::copy(anser.authority(), &authority).unwrap();
        let door = anser.door("xmpp");
        let config = format!(
            "[Poezio]\njid = {account}\npassword = secret\ncustom_host = {}\ncustom_port = {}\n\
             ca_cert_path = {}\nuse_remote_bookmarks = false\nrooms = {occupant}\n",
            door.ip(),
            door.port(),
            authority.display(),
        );
        let path = home.join("poezio.cfg");
        write_secret(&path, &config);
        let mut command = vec!["poezio", "--file", path.to_str().unwrap()];
        if home.metadata().unwrap().uid() == 0 {
            give_away(home);
            let nobody = ["setpriv", "--reuid=65534", "--clear-groups"];
            command.splice(0..0, nobody);
        }
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"];
        let terminal = Terminal::start(&command, &folders.map(|name| (name, home)));
        terminal.shows(&["Authentication success."]);
        Self {
            terminal,
            _folder: folder,
        }
    }

    /// Looks at the next tab and waits until it has all these parts.
    pub fn next_tab(&mut self, parts: &[&str]) {
        self.terminal.type_text("\u{e}");
        self.terminal.shows(parts);
    }

    /// Types a line. What comes together with its end it takes for a paste, and
    /// does not send.
    pub fn type_line(&mut self, line: &str) {
        self.terminal.type_text(line);
        self.terminal.shows(&[line]);
        self.terminal.type_text("\r");
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

/// Makes a folder and the files in it nobody's.
fn give_away(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), None).unwrap();
    }
    chown(folder, Some(NOBODY), None).unwrap();
}
