//! What is expected of each test of a suite.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Pass,
    /// It failed.
    Fail,
    /// The suite says that it cannot be run against this server.
    Impossible,
    /// Of a ledger only: the test races with itself, and passes or fails.
    Varies,
}

impl Outcome {
    /// Whether a test that is expected to end like this may have ended like `other`.
    fn allows(self, other: Self) -> bool {
        match self {
            Self::Pass | Self::Fail | Self::Impossible => self == other,
            Self::Varies => matches!(other, Self::Pass | Self::Fail),
        }
    }

    const NAMES: [(Self, &'static str); 4] = [
        (Self::Pass, "pass"),
        (Self::Fail, "fail"),
        (Self::Impossible, "impossible"),
        (Self::Varies, "varies"),
    ];
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(_, known)| *known == name);
        let outcome = known.map(|(outcome, _)| *outcome);
        outcome.ok_or_else(|| format!("{name:?} is no outcome of a test"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().find(|(outcome, _)| outcome == self);
        f.pad(known.map_or("", |(_, name)| name))
    }
}

/// What became of the tests of a suite, by their names.
pub type Outcomes = BTreeMap<String, Outcome>;

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is expected of Anser.
    pub anser: Outcome,
    /// What became of it with Debian's Prosody.
    pub prosody: Outcome,
    /// Why Anser does not pass it; empty if it does.
    pub reason: String,
}

/// A plain file: comments, and a line for each test, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    comments: String,
    rows: BTreeMap<String, Row>,
}

/// In place of a reason that is still to be found out.
const UNKNOWN: &str = "?";

impl Ledger {
    /// Reads one.
    ///
    /// # Errors
    /// The line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut ledger = Self {
            comments: String::new(),
            rows: BTreeMap::new(),
        };
        for line in text.lines() {
            if line.starts_with('#') {
                ledger.comments += line;
                ledger.comments += "\n";
            } else if !line.trim().is_empty() {
                let (test, row) = parse_row(line).map_err(|why| format!("{why}: {line}"))?;
                if ledger.rows.insert(test, row).is_some() {
                    return Err(format!("this test is there already: {line}"));
                }
            }
        }
        Ok(ledger)
    }

    /// Its tests.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<String, Row> {
        &self.rows
    }

    /// What is not as it should be with a run against Anser: a new failure, a new pass, a
    /// test that is missing or extra. Empty if there is nothing.
    #[must_use]
    pub fn surprises(&self, outcomes: &Outcomes) -> Vec<String> {
        let mut surprises = Vec::new();
        for (test, row) in &self.rows {
            let expected = row.anser;
            match outcomes.get(test) {
                None => surprises.push(format!("{test}: expected {expected}, was not run")),
                Some(outcome) if !expected.allows(*outcome) => {
                    surprises.push(format!("{test}: expected {expected}, was {outcome}"));
                }
                Some(_) => {}
            }
        }
        let extra = outcomes
            .iter()
            .filter(|(test, _)| !self.rows.contains_key(*test));
        surprises.extend(extra.map(|(test, outcome)| format!("{test}: {outcome}, is not listed")));
        surprises
    }

    /// What is not as it should be with the ledger itself: a test that Anser does not pass
    /// for no reason, or that Prosody passes and Anser fails for a reason that does not
    /// begin with one of `allowed`. Empty if there is nothing.
    #[must_use]
    pub fn faults(&self, allowed: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        for (test, row) in &self.rows {
            let passes = row.anser == Outcome::Pass;
            if passes != row.reason.is_empty() || row.reason == UNKNOWN {
                faults.push(format!("{test}: {} because of {:?}", row.anser, row.reason));
            }
            let is_allowed = allowed.iter().any(|reason| row.reason.starts_with(reason));
            let varies = row.anser == Outcome::Varies;
            if !passes && !varies && row.prosody == Outcome::Pass && !is_allowed {
                faults.push(format!("{test}: Prosody passes it; {:?}", row.reason));
            }
        }
        faults
    }

    /// Takes over what a run against Anser has shown. Reasons stay, except of what passes.
    pub fn take_anser(&mut self, outcomes: &Outcomes) {
        self.take(outcomes, |row, outcome| {
            if !row.anser.allows(outcome) {
                row.anser = outcome;
            }
        });
    }

    /// Takes over what a run against Prosody has shown.
    pub fn take_prosody(&mut self, outcomes: &Outcomes) {
        self.take(outcomes, |row, outcome| row.prosody = outcome);
    }

    fn take(&mut self, outcomes: &Outcomes, set: impl Fn(&mut Row, Outcome)) {
        self.rows.retain(|test, _| outcomes.contains_key(test));
        for (test, outcome) in outcomes {
            let row = self.rows.entry(test.clone()).or_insert_with(|| Row {
                anser: Outcome::Impossible,
                prosody: Outcome::Impossible,
                reason: String::new(),
            });
            set(row, *outcome);
            if row.anser == Outcome::Pass {
                row.reason.clear();
            } else if row.reason.is_empty() {
                UNKNOWN.clone_into(&mut row.reason);
            }
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.comments)?;
        let width = self.rows.keys().map(String::len).max().unwrap_or(0);
        for (test, row) in &self.rows {
            let mut line = String::new();
            let (anser, prosody, reason) = (row.anser, row.prosody, &row.reason);
            write!(line, "{anser:<11} {prosody:<11} {test:<width$}  {reason}")?;
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// `ANSER PROSODY TEST REASON`
fn parse_row(line: &str) -> Result<(String, Row), String> {
    let mut words = line.split_whitespace();
    let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
    let anser = word("what is expected of Anser")?.parse()?;
    let prosody = word("what Prosody does")?.parse()?;
    let test = word("the name of the test")?.to_owned();
    let reason = words.collect::<Vec<_>>().join(" ");
    let row = Row {
        anser,
        prosody,
        reason,
    };
    Ok((test, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# What is expected.
fail        pass        a.avatar  needs PEP
impossible  impossible  b.door    needs a door
pass        fail        c.ping
";

    fn ledger() -> Ledger {
        Ledger::parse(TEXT).unwrap()
    }

    fn outcomes(outcomes: &[(&str, Outcome)]) -> Outcomes {
        let outcomes = outcomes.iter();
        outcomes
            .map(|(test, outcome)| ((*test).to_owned(), *outcome))
            .collect()
    }

    #[test]
    fn a_ledger_that_is_read_and_written_is_the_same() {
        assert_eq!(ledger().to_string(), TEXT);
    }

    #[test]
    fn what_is_as_expected_is_no_surprise() {
        let run = [
            ("a.avatar", Outcome::Fail),
            ("b.door", Outcome::Impossible),
            ("c.ping", Outcome::Pass),
        ];
        assert_eq!(ledger().surprises(&outcomes(&run)), [""; 0]);
    }

    #[test]
    fn passes_failures_and_tests_that_nobody_expected_are_surprises() {
        let run = [
            ("a.avatar", Outcome::Pass),
            ("c.ping", Outcome::Fail),
            ("d.new", Outcome::Pass),
        ];
        let expected = [
            "a.avatar: expected fail, was pass",
            "b.door: expected impossible, was not run",
            "c.ping: expected pass, was fail",
            "d.new: pass, is not listed",
        ];
        assert_eq!(ledger().surprises(&outcomes(&run)), expected);
    }

    #[test]
    fn whatever_does_not_pass_needs_a_reason_and_a_good_one_if_prosody_passes() {
        assert_eq!(ledger().faults(&["needs PEP"]), [""; 0]);
        let expected = ["a.avatar: Prosody passes it; \"needs PEP\""];
        assert_eq!(ledger().faults(&["needs vCards"]), expected);
        let unexplained = Ledger::parse("fail fail a.avatar ?\nfail fail b.door").unwrap();
        let expected = [
            "a.avatar: fail because of \"?\"",
            "b.door: fail because of \"\"",
        ];
        assert_eq!(unexplained.faults(&[]), expected);
    }

    #[test]
    fn a_run_that_is_taken_over_keeps_the_reasons_that_still_hold() {
        let mut ledger = ledger();
        let run = [
            ("a.avatar", Outcome::Pass),
            ("b.door", Outcome::Impossible),
            ("d.new", Outcome::Fail),
        ];
        ledger.take_anser(&outcomes(&run));
        let expected = "\
# What is expected.
pass        pass        a.avatar
impossible  impossible  b.door    needs a door
fail        impossible  d.new     ?
";
        assert_eq!(ledger.to_string(), expected);
    }

    #[test]
    fn a_test_that_races_with_itself_may_pass_or_fail_and_needs_a_reason() {
        let mut ledger = Ledger::parse("varies pass a.race races").unwrap();
        for outcome in [Outcome::Pass, Outcome::Fail] {
            let run = outcomes(&[("a.race", outcome)]);
            assert_eq!(ledger.surprises(&run), [""; 0]);
            ledger.take_anser(&run);
            assert_eq!(ledger.rows()["a.race"].anser, Outcome::Varies);
        }
        assert_eq!(ledger.faults(&[]), [""; 0]);
        let run = outcomes(&[("a.race", Outcome::Impossible)]);
        let expected = ["a.race: expected varies, was impossible"];
        assert_eq!(ledger.surprises(&run), expected);
        let unexplained = Ledger::parse("varies pass a.race").unwrap();
        assert_eq!(unexplained.faults(&[]), ["a.race: varies because of \"\""]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = Ledger::parse("passed pass a.test").unwrap_err();
        assert_eq!(
            error,
            "\"passed\" is no outcome of a test: passed pass a.test"
        );
        let error = Ledger::parse("pass pass a.test\npass pass a.test").unwrap_err();
        assert_eq!(error, "this test is there already: pass pass a.test");
    }
}
