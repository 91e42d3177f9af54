//! A client that says anything to a whole server, in the world without sockets.
//!
//! Alice is driven by the input, on several connections if it likes; Bob has an account with a
//! password that it does not know, and says little. The first byte of an input chooses how far
//! Alice has come when it takes over ([`play::Opening`]). What follows she says as it is, but for
//! [`ESCAPE`], which no text has in it: with the byte behind it, it is a [`play::Command`].
//!
//! Everything that the server says is well-formed XML for us and for rxml, which find the same in
//! it; after a stream error it closes the stream and the connection; nobody is taken for somebody
//! else ([`rules`]); output is bounded by input; no session outlives its connections; and the same
//! input is answered with the same bytes when it comes again.

#![no_main]

mod device;
mod grammar;
mod login;
mod play;
mod rules;

#[allow(dead_code, reason = "documents are for the target `xml`")]
#[path = "../../../crates/xml/tests/documents/oracle/mod.rs"]
mod oracle;

use anser_tests::world::Dice;
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use play::Play;

/// Begins a command; twice, it is itself.
const ESCAPE: u8 = 0xFF;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&opening, script)) = input.split_first() else {
        return Corpus::Reject;
    };
    let once = Play::new(opening).run(script);
    let again = Play::new(opening).run(script);
    let is_same = once.transcript == again.transcript;
    assert!(is_same, "the server does not repeat itself");
    for stream in once.streams {
        stream.check();
    }
    Corpus::Keep
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice::new(seed.into());
    if dice.one_in(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    for _ in 0..=dice.below(3) {
        grammar::mutate(&mut input, &mut dice);
    }
    input.truncate(max_size);
    data[..input.len()].copy_from_slice(&input);
    input.len()
});
