//! The world left to chance, seed by seed. `ANSER_SEEDS=10000` runs more of
//! them, `ANSER_SEED=7` one of them alone.

use anser_tests::simulation::{Figures, Simulation};

const STEPS: usize = 1200;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// XEP-0198 §4, RFC 6120 §10.1
#[test]
fn nothing_acknowledged_is_lost_doubled_or_out_of_order_whatever_breaks() {
    let seeds = match number("ANSER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ANSER_SEEDS").unwrap_or(300),
    };
    let count = seeds.end - seeds.start;
    let mut total = Figures::default();
    for seed in seeds {
        let run = std::panic::catch_unwind(|| Simulation::new(seed).run(STEPS));
        match run {
            Ok((figures, _)) => total += figures,
            Err(_) => panic!("seed {seed}"),
        }
    }
    println!("{count} seeds: {total:?}");
    assert!(total.acknowledged > 0 && total.resumed > 0 && total.refused > 0);
    assert!(total.followed > 0);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        let (_, once) = Simulation::new(seed).run(STEPS);
        let (_, again) = Simulation::new(seed).run(STEPS);
        assert!(once == again, "seed {seed}");
    }
}
