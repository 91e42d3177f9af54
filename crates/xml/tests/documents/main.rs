//! Many documents, read by this crate and by rxml, an independent parser.
//!
//! Both must accept the same documents and find the same in them, and what this crate writes of
//! them must be read as the same again. Where the two differ on purpose, `differences` says so.

mod arbitrary;
mod differences;
mod generator;
mod ours;
mod random;
mod reference;

use std::collections::BTreeMap;
use std::io::Write;

use ours::Refused;
use random::Random;
use reference::Tree;

const DOCUMENTS: usize = 120_000;

/// How documents were judged, for the record of a run.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    differences: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn differs(&mut self, difference: &'static str) {
        *self.differences.entry(difference).or_default() += 1;
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
    let mut tally = Tally::default();
    for _ in 0..DOCUMENTS {
        let document = document(random, generator::stream);
        let _shown = Shown(&document);
        let ours = ours::stream(&document, || usize::MAX);
        let in_pieces = ours::stream(&document, || 1 + random.below(20));
        ours::assert_same_events(&ours, &in_pieces);
        let tree = ours.as_ref().map(ours::Stream::tree);
        let Some(theirs) = judge(&document, tree, reference::stream, &mut tally) else {
            continue;
        };
        let stanzas = ours.expect("otherwise there is nothing to compare").stanzas;
        for (stanza, tree) in stanzas.iter().zip(theirs.children()) {
            ours::assert_same(stanza, tree);
            ours::assert_survives(stanza, tree, random);
        }
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
        let ours = ours::element(&document);
        let tree = ours.as_ref().map(ours::tree);
        let Some(theirs) = judge(&document, tree, reference::element, &mut tally) else {
            continue;
        };
        let element = ours.expect("otherwise there is nothing to compare");
        ours::assert_same(&element, &theirs);
        ours::assert_survives(&element, &theirs, random);
    }
    tally.print("elements");
}

/// Asserts that both parsers find the same in a document, and returns it if they accept it.
fn judge(
    document: &[u8],
    ours: Result<Tree, &Refused>,
    read: reference::Read,
    tally: &mut Tally,
) -> Option<Tree> {
    match (ours, read(document)) {
        (Ok(ours), Ok(theirs)) if ours == theirs.flat() => {
            tally.accepted += 1;
            Some(theirs)
        }
        (Err(_), Err(_)) => {
            tally.refused += 1;
            None
        }
        (Ok(ours), theirs) => {
            let found = differences::shortcoming(document, &ours, read);
            let (difference, theirs) = found.unwrap_or_else(|| panic!("{ours:?}\n{theirs:?}"));
            tally.differs(difference);
            Some(theirs)
        }
        (Err(refused), Ok(_)) => {
            let difference = differences::strictness(document, refused, read);
            tally.differs(difference.unwrap_or_else(|| panic!("only refused here: {refused:?}")));
            None
        }
    }
}
