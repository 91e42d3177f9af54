//! Debian's Prosody, as far as the ledgers are compared with it. `make test` needs none.

use super::lab::{DOMAIN, ROOMS};
use crate::process::Process;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const CONFIGURATION: &str = include_str!("../../conformance/prosody.cfg.lua");

/// It runs as long as this value lives.
#[derive(Debug)]
pub(super) struct Prosody {
    process: Process,
    folder: TempDir,
}

impl Prosody {
    pub(super) fn start(address: IpAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        certify(&folder);
        let text = CONFIGURATION
            .replace("@DIR@", folder.path().to_str().unwrap())
            .replace("@ADDRESS@", &address.to_string())
            .replace("@ROOMS@", ROOMS);
        fs::write(folder.path().join("prosody.cfg.lua"), text).unwrap();
        let mut command = Command::new("prosody");
        command.args(["-F", "--config"]).arg(configuration(&folder));
        let process = Process::start(&mut command);
        process.output.wait_for("Activated service");
        Self { process, folder }
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(super) fn add_user(&self, name: &str, password: &str) {
        let words = self.add_user_command(name, password);
        let mut register = Process::start(Command::new(&words[0]).args(&words[1..]));
        let _ = register.end().succeeded();
    }

    pub(super) fn add_user_command(&self, name: &str, password: &str) -> Vec<String> {
        let configuration = configuration(&self.folder).display().to_string();
        let words = ["register", name, DOMAIN, password];
        ["prosodyctl", "--config", &configuration]
            .into_iter()
            .chain(words)
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn log(&self) -> String {
        self.process.output.text()
    }
}

fn configuration(folder: &TempDir) -> PathBuf {
    folder.path().join("prosody.cfg.lua")
}

/// A certificate that is its own authority.
fn certify(folder: &TempDir) {
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,DNS:*.localhost"])
        .arg("-keyout")
        .arg(folder.path().join("key.pem"))
        .arg("-out")
        .arg(folder.path().join("certificate.pem"));
    let _ = Process::start(&mut openssl).end().succeeded();
}
