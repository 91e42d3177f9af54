//! What reading an address costs: `cargo bench -p anser-jid`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use anser_jid::Jid;

const ROUNDS: u32 = 1_000_000;

fn main() {
    for text in [
        "example.com",
        "juliet@example.com",
        "juliet.capulet@example.com/balcony.3fa85f64",
        "Juliet@Example.com/balcony",
        "juliet@xn--bcher-kva.example/balcony",
        "юлия@пример.example/балкон",
    ] {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(Jid::parse(black_box(text)).is_ok());
        }
        println!(
            "{:>6} ns  {text}",
            start.elapsed().as_nanos() / u128::from(ROUNDS)
        );
    }
}
