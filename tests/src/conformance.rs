//! Test suites nobody here wrote, run against the built program, and the ledgers of what
//! is expected of each of their tests: see `tests/conformance/README.md`.

mod lab;
mod ledger;
mod prosody;
mod suite;

pub use lab::{Lab, Subject};
pub use ledger::{Ledger, Outcome, Outcomes, Row};
pub use suite::Suite;
