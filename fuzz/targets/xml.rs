//! Documents for the parser and the writer, held against another parser.
//!
//! The first bytes of an input say where the rest, the document, is cut. It has to be read in
//! pieces as it is in one, and as rxml reads it; what is written of it has to be read as the same
//! again; and no limit may be passed.

#![no_main]

#[allow(dead_code, reason = "the tests beside it also count verdicts")]
#[path = "../../crates/xml/tests/documents/oracle/mod.rs"]
mod oracle;

use anser_xml::Limits;
use libfuzzer_sys::{Corpus, fuzz_target};

/// How many bytes say where the document is cut.
const CUTS: usize = 4;
const MOST_PIECE_BYTES: usize = 32;

/// Small enough that every limit is met.
const LIMITS: Limits = Limits {
    stanza_bytes: 300,
    depth: 4,
    elements: 10,
    attributes: 5,
    namespaces: 4,
    namespace_bytes: 40,
};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((cuts, document)) = input.split_at_checked(CUTS) else {
        return Corpus::Reject;
    };
    let mut numbers = cuts.iter().copied().map(usize::from).cycle();
    let mut number = || numbers.next().unwrap_or_default();
    let mut sizes = cuts
        .iter()
        .cycle()
        .map(|&cut| 1 + usize::from(cut) % MOST_PIECE_BYTES);
    let mut next_size = || sizes.next().unwrap_or(1);

    oracle::check_stream(document, &mut next_size, |count| number() % count);
    oracle::check_element(document, |count| number() % count);
    let whole = oracle::bounds::check(document, LIMITS, || usize::MAX);
    assert_eq!(whole, oracle::bounds::check(document, LIMITS, next_size));
    Corpus::Keep
});
