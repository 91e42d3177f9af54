//! Rooms left to chance, seed by seed. `ANSER_SEEDS=10000` runs more of them,
//! `ANSER_SEED=7` one of them alone.

use anser_tests::simulation::rooms::{Figures, RoomsSimulation};

const STEPS: usize = 2500;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// XEP-0045 §5.1, §7.2 to §7.14, §8, §9, §10.9; XEP-0198 §4
#[test]
fn all_see_the_same_room_and_the_same_log_whatever_breaks() {
    let seeds = match number("ANSER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ANSER_SEEDS").unwrap_or(120),
    };
    let count = seeds.end - seeds.start;
    let mut total = Figures::default();
    for seed in seeds {
        let run = std::panic::catch_unwind(|| RoomsSimulation::new(seed).run(STEPS));
        match run {
            Ok((figures, _)) => total += figures,
            Err(_) => panic!("seed {seed}"),
        }
    }
    println!("{count} seeds: {total:?}");
    if count > 1 {
        let happened = [
            total.visits,
            total.acknowledged,
            total.heard,
            total.whispered,
            total.refused,
            total.compared,
            total.ended,
            total.unloaded,
            total.resumed,
        ];
        assert!(!happened.contains(&0), "{total:?}");
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..10 {
        let (_, once) = RoomsSimulation::new(seed).run(STEPS);
        let (_, again) = RoomsSimulation::new(seed).run(STEPS);
        assert!(once == again, "seed {seed}");
    }
}
