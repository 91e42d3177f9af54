//! A suite is run and compared with its ledger.

use super::lab::{DOMAIN, Lab, PASSWORD, ROOMS, Subject};
use super::ledger::{Ledger, Outcomes};
use crate::process::Process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A suite nobody here wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Integration tests of slixmpp, from its source archive on PyPI.
    Slixmpp,
    /// Integration tests of Smack, from Maven's central repository.
    Smack,
}

/// How long a suite may take. Smack's takes half a minute, slixmpp's more while
/// there are no rooms: each of its tests of them waits in vain for one.
const PATIENCE: Duration = Duration::from_secs(400);

/// How long Smack waits for an answer, in milliseconds. A machine that is busy needs some
/// time; a test that fails for want of an answer takes as long.
const REPLY_MILLISECONDS: &str = "10000";

impl Suite {
    /// Runs it against a server of its own, and says what became of each test. Logs go to a
    /// folder in this one.
    ///
    /// # Panics
    /// It is not installed, or does not come to its end.
    #[must_use]
    pub fn run(self, subject: Subject, logs: &Path) -> Outcomes {
        let lab = Lab::open(subject);
        let accounts = ["one", "two", "three"];
        accounts.iter().for_each(|name| lab.add_user(name));
        let folder = tempfile::tempdir().unwrap();
        let mut command = match self {
            Self::Slixmpp => slixmpp(&lab),
            Self::Smack => smack(&lab, folder.path()),
        };
        command.current_dir(folder.path());
        let ended = Process::start(&mut command).end_within(PATIENCE);

        let logs = logs.join(format!("{self:?}-{subject:?}").to_lowercase());
        fs::create_dir_all(&logs).unwrap();
        fs::write(logs.join("results.txt"), &ended.output).unwrap();
        fs::write(logs.join("suite.log"), &ended.errors).unwrap();
        fs::write(logs.join("server.log"), lab.log()).unwrap();
        let is_done = ended.status.success();
        assert!(is_done, "{self:?} came to no end: see {}", logs.display());
        read(&ended.output)
    }

    /// Where its ledger is.
    #[must_use]
    pub fn ledger(self) -> PathBuf {
        folder().join(match self {
            Self::Slixmpp => "conformance/slixmpp/ledger.txt",
            Self::Smack => "conformance/smack/ledger.txt",
        })
    }

    /// Reads its ledger.
    ///
    /// # Panics
    /// It cannot be read.
    #[must_use]
    pub fn read_ledger(self) -> Ledger {
        let path = self.ledger();
        let ledger = Ledger::parse(&fs::read_to_string(&path).unwrap());
        ledger.unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    /// Writes its ledger.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write_ledger(self, ledger: &Ledger) {
        fs::write(self.ledger(), ledger.to_string()).unwrap();
    }
}

/// The folder of this crate.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn slixmpp(lab: &Lab) -> Command {
    let python = folder().join(".venv/bin/python");
    let tests = folder().join(".venv/itests");
    assert!(
        tests.exists(),
        "slixmpp's tests are not installed: make tools"
    );
    let mut command = Command::new(python);
    command
        .arg("-B")
        .arg(folder().join("conformance/slixmpp/run.py"))
        .arg(tests)
        .arg(lab.address())
        .env("SSL_CERT_FILE", lab.authority())
        .env("CI_MUC_SERVER", ROOMS);
    for (number, name) in [(1, "one"), (2, "two")] {
        command.env(format!("CI_ACCOUNT{number}"), format!("{name}@{DOMAIN}"));
        command.env(format!("CI_ACCOUNT{number}_PASSWORD"), PASSWORD);
    }
    command
}

fn smack(lab: &Lab, scratch: &Path) -> Command {
    let jars = folder().join(".smack");
    assert!(jars.exists(), "Smack's tests are not installed: make tools");
    let trusted = scratch.join("trusted.p12");
    trust(&lab.authority(), &trusted);
    let own = folder().join("conformance/smack");
    let mut command = Command::new("java");
    let mut set = |name: &str, value: &str| {
        command.arg(format!("-D{name}={value}"));
    };
    set(
        "java.util.logging.config.file",
        own.join("logging.properties").to_str().unwrap(),
    );
    set("javax.net.ssl.trustStore", trusted.to_str().unwrap());
    set("javax.net.ssl.trustStorePassword", PASSWORD_OF_STORE);
    // It would look for settings there.
    set("user.home", scratch.to_str().unwrap());
    set("sinttest.service", DOMAIN);
    set("sinttest.host", &lab.address());
    set("sinttest.dnsResolver", "javax");
    set("sinttest.replyTimeout", REPLY_MILLISECONDS);
    set("sinttest.enabledConnections", "tcp");
    for (number, name) in [("One", "one"), ("Two", "two"), ("Three", "three")] {
        set(&format!("sinttest.account{number}Username"), name);
        set(&format!("sinttest.account{number}Password"), PASSWORD);
    }
    command
        .arg("-classpath")
        .arg(jars.join("*"))
        .arg(own.join("Runner.java"))
        .args(lab.add_user_command());
    command
}

/// A store of certificates wants one, however public they are.
const PASSWORD_OF_STORE: &str = "changeit";

/// Puts a certificate where Java looks for those that it trusts.
fn trust(authority: &Path, store: &Path) {
    let mut keytool = Command::new("keytool");
    keytool
        .args(["-importcert", "-noprompt", "-storetype", "PKCS12"])
        .args(["-storepass", PASSWORD_OF_STORE, "-file"])
        .arg(authority)
        .arg("-keystore")
        .arg(store);
    let _ = Process::start(&mut keytool).end().succeeded();
}

/// Reads lines like `RESULT pass TEST<TAB>WHY`, and passes over all others.
fn read(output: &str) -> Outcomes {
    let results = output
        .lines()
        .filter_map(|line| line.strip_prefix("RESULT "));
    let mut outcomes = Outcomes::new();
    for result in results {
        let mut words = result.split_whitespace();
        let outcome = words.next().unwrap().parse().unwrap();
        let test = words.next().unwrap().to_owned();
        let earlier = outcomes.insert(test, outcome);
        assert!(earlier.is_none(), "twice: {result}");
    }
    outcomes
}
