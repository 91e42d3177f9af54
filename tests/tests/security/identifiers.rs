//! Names that can be guessed let strangers take over what they name (the weak
//! random numbers of ejabberd before 26.07): every name that gives a right or
//! must be nobody else's has 128 bits from the system's generator.
//!
//! Not among them: the ids of messages in logs (XEP-0359), which say when a
//! message came and give no right to anything, and those of roster pushes.

use anser_tests::client::Client;
use anser_tests::program::Anser;
use std::collections::{BTreeMap, BTreeSet};

/// So many logins; each gives names of every kind.
const LOGINS: usize = 128;

/// What the server makes up while somebody logs in, by kind.
fn collect(anser: &Anser, names: &mut BTreeMap<&'static str, Vec<String>>) {
    let mut add = |kind, name: &str| names.entry(kind).or_default().push(name.to_owned());
    let mut alice = Client::connect(&anser.plain(), "localhost").unwrap();
    add("stream", alice.stream_id());
    alice.authenticate("alice", "secret", None).unwrap();
    add("stream", alice.stream_id());
    alice.bind(None).unwrap();
    let (_, resource) = alice.address().split_once('/').unwrap();
    add("resource", resource);
    let ticket = alice.enable_management(true).unwrap().unwrap();
    add("ticket", &ticket);
    alice.close().unwrap();
}

/// The bits of a name in hexadecimal digits.
fn bits(name: &str) -> u128 {
    assert_eq!(name.len(), 32, "{name}");
    u128::from_str_radix(name, 16).unwrap()
}

/// Every bit is set about half of the time, and changes about half of the time
/// from one name to the next: within six standard deviations, which chance
/// leaves once in a million runs.
fn assert_balanced(kind: &str, names: &[u128]) {
    let changes: Vec<_> = names.windows(2).map(|pair| pair[0] ^ pair[1]).collect();
    for (what, samples) in [("set", names), ("changed", &changes)] {
        let count = samples.len() as f64;
        let allowed = 6.0 * (count / 4.0).sqrt();
        for bit in 0..128 {
            let set = samples.iter().filter(|name| *name >> bit & 1 == 1).count() as f64;
            let off = (set - count / 2.0).abs();
            assert!(
                off <= allowed,
                "bit {bit} of {kind} {what} {set} times in {count}"
            );
        }
    }
}

/// CVEs of ejabberd 26.07: RFC 6120 §4.7.3, §7.6.1, XEP-0198 §5
#[test]
fn streams_resources_and_tickets_have_names_that_nobody_can_guess() {
    let anser = Anser::start_with(&["--allow-plaintext-login"]);
    anser.add_user("alice@localhost", "secret");
    let mut names = BTreeMap::new();
    for _ in 0..LOGINS {
        collect(&anser, &mut names);
    }
    assert_eq!(names["stream"].len(), 2 * LOGINS);
    for (kind, names) in &names {
        let names: Vec<_> = names.iter().map(|name| bits(name)).collect();
        assert_balanced(kind, &names);
    }
    let all: BTreeSet<_> = names.values().flatten().collect();
    assert_eq!(all.len(), 4 * LOGINS, "no name comes twice");
}

/// The names of one process say nothing about those of the next.
#[test]
fn two_servers_never_make_the_same_names() {
    let mut names = BTreeMap::new();
    for _ in 0..2 {
        let anser = Anser::start_with(&["--allow-plaintext-login"]);
        anser.add_user("alice@localhost", "secret");
        for _ in 0..10 {
            collect(&anser, &mut names);
        }
    }
    let all: BTreeSet<_> = names.values().flatten().collect();
    let count: usize = names.values().map(Vec::len).sum();
    assert_eq!(all.len(), count);
}
