//! Many documents, read by this crate and by rxml, an independent parser.

mod arbitrary;
mod generator;
mod oracle;
mod random;

use std::collections::BTreeMap;
use std::io::Write;

use oracle::Verdict;
use random::Random;

const DOCUMENTS: usize = 120_000;

/// How documents were judged, for the record of a run.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    differences: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Accepted => self.accepted += 1,
            Verdict::Refused => self.refused += 1,
            Verdict::Differs(difference) => *self.differences.entry(difference).or_default() += 1,
        }
    }

    fn print(&self, what: &str) {
        let Self {
            accepted,
            refused,
            differences,
        } = self;
        record(&format!(
            "{what}: {accepted} accepted by both, {refused} refused by both, {differences:?}"
        ));
    }
}

/// Writes a line that is to be seen even if all is well.
fn record(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error can be written");
}

/// The document that is being judged, for whoever looks at a failure.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.0.escape_ascii());
        }
    }
}

fn document(random: &mut Random, generate: fn(&mut Random) -> Vec<u8>) -> Vec<u8> {
    let mut document = generate(random);
    if random.one_in(3) {
        generator::mutate(random, &mut document);
    }
    document
}

/// XML 1.0 §5.1, XML-NAMES §7: what is not (namespace-)well-formed is reported
#[test]
fn a_stream_is_read_as_rxml_reads_it() {
    let random = &mut Random::new(1);
    // Where a document is cut does not depend on what is done with it otherwise.
    let pieces = &mut Random::new(4);
    let mut tally = Tally::default();
    for _ in 0..DOCUMENTS {
        let document = document(random, generator::stream);
        let _shown = Shown(&document);
        let next_size = || 1 + pieces.below(20);
        tally.count(oracle::check_stream(&document, next_size, |count| {
            random.below(count)
        }));
    }
    tally.print("streams");
}

/// RFC 7395 §3.3.3: each message is one element on its own
#[test]
fn a_standalone_element_is_read_as_rxml_reads_it() {
    let random = &mut Random::new(2);
    let mut tally = Tally::default();
    for _ in 0..DOCUMENTS {
        let document = document(random, generator::element);
        let _shown = Shown(&document);
        tally.count(oracle::check_element(&document, |count| {
            random.below(count)
        }));
    }
    tally.print("elements");
}
