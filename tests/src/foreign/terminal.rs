//! A terminal for a client that wants one.

use crate::process::{Ended, Lines, Process};
use std::path::Path;
use std::process::Command;

/// A client at a terminal of 50 rows and 200 columns: `tests/foreign/terminal.py`.
#[derive(Debug)]
pub(super) struct Terminal {
    process: Process,
}

impl Terminal {
    /// Starts a client, with these variables in its environment.
    pub(super) fn start(command: &[&str], variables: &[(&str, &Path)]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut terminal = Command::new(super::python());
        terminal
            .arg(folder.join("foreign/terminal.py"))
            .args(command)
            .env("LC_ALL", "C.UTF-8")
            .envs(variables.iter().copied());
        Self {
            process: Process::start(&mut terminal),
        }
    }

    /// Types a line.
    pub(super) fn type_line(&mut self, line: &str) {
        self.type_text(&format!("{line}\r"));
    }

    /// Types this and nothing else.
    pub(super) fn type_text(&mut self, text: &str) {
        self.process.say(text);
    }

    /// Waits until a row of the screen has all these parts, or has had them.
    pub(super) fn shows(&self, parts: &[&str]) {
        let wanted = |row: &str| parts.iter().all(|part| row.contains(part));
        let screen = self.screen();
        screen.find(&format!("{parts:?}"), 0, |row| wanted(row).then_some(()));
    }

    /// What was in the rows of the screen so far, one after the other.
    pub(super) fn screen(&self) -> &Lines {
        &self.process.output
    }

    /// Waits until the client has ended.
    pub(super) fn end(&mut self) -> Ended {
        self.process.end()
    }
}
