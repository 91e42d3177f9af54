//! Texts as addresses: whatever is accepted stays what it is.

#![no_main]

#[path = "../../crates/jid/tests/invariants/mod.rs"]
mod invariants;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(input) else {
        return Corpus::Reject;
    };
    invariants::check(text);
    Corpus::Keep
});
