//! Test suites nobody here wrote, compared with ledgers of what is expected: see
//! `tests/conformance/README.md`.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::conformance::{Ledger, Subject, Suite};
use std::path::Path;

/// Why Anser may not pass what Debian's Prosody passes.
const ALLOWED: &[&str] = &[
    "needs PEP:",
    "needs PubSub:",
    "needs vCards:",
    "needs uploads:",
];

/// Some of their tests race with themselves, so only what surprises as often as this, in the
/// same way, has been found. What is known of these is in the README.
const ATTEMPTS: usize = 3;

/// Runs a suite and compares. `ANSER_LEDGER=write` takes the results over into the ledger
/// instead, and `ANSER_LEDGER=write-prosody` those of Debian's Prosody.
fn check(suite: Suite) {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let mut ledger = suite.read_ledger();
    match std::env::var("ANSER_LEDGER").as_deref() {
        Err(_) => {}
        Ok("write") => {
            ledger.take_anser(&suite.run(Subject::Anser, &logs));
            return suite.write_ledger(&ledger);
        }
        Ok("write-prosody") => {
            ledger.take_prosody(&suite.run(Subject::Prosody, &logs));
            return suite.write_ledger(&ledger);
        }
        Ok(other) => panic!("ANSER_LEDGER={other}: it can be write or write-prosody"),
    }
    let mut surprises = surprises(suite, &ledger, &logs);
    for _ in 1..ATTEMPTS {
        if surprises.is_empty() {
            break;
        }
        eprintln!(
            "{suite:?} is run again because of\n{}",
            surprises.join("\n")
        );
        let again = self::surprises(suite, &ledger, &logs);
        surprises.retain(|surprise| again.contains(surprise));
    }
    let mut faults = ledger.faults(ALLOWED);
    faults.extend(surprises);
    assert!(
        faults.is_empty(),
        "{}\n{}\nLogs: {}",
        suite.ledger().display(),
        faults.join("\n"),
        logs.display(),
    );
}

fn surprises(suite: Suite, ledger: &Ledger, logs: &Path) -> Vec<String> {
    ledger.surprises(&suite.run(Subject::Anser, logs))
}

#[test]
fn slixmpp_finds_what_its_ledger_says() {
    check(Suite::Slixmpp);
}

#[test]
fn smack_finds_what_its_ledger_says() {
    check(Suite::Smack);
}
