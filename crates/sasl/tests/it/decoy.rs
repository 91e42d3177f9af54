//! Accounts that do not exist look like accounts that do (RFC 5802 §9).

use crate::common::{full_offer, iterations, server, tls};
use anser_sasl::{Decoys, Hash, Iterations, Mechanism, Verifier};

const UNBOUND: [Mechanism; 3] = [
    Mechanism::Scram(Hash::Sha1),
    Mechanism::Scram(Hash::Sha256),
    Mechanism::Scram(Hash::Sha512),
];

/// The fields of the challenge that a client without binding gets.
fn challenge(mechanism: Mechanism, username: &str) -> Vec<String> {
    let first = format!("n,,n={username},r=client-nonce");
    let exchange = server(mechanism, &full_offer(), &tls());
    let (challenge, _) = crate::common::challenge(exchange, first.as_bytes());
    challenge.split(',').map(ToOwned::to_owned).collect()
}

#[test]
fn the_challenge_for_an_unknown_account_has_the_shape_of_any_other() {
    for mechanism in UNBOUND {
        let known = challenge(mechanism, "juliet");
        let unknown = challenge(mechanism, "romeo");
        let shape = |fields: &[String]| {
            fields
                .iter()
                .map(|field| (field[..2].to_owned(), field.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&known), shape(&unknown));
        let same: Vec<bool> = known.iter().zip(&unknown).map(|(a, b)| a == b).collect();
        assert_eq!(same, [true, false, true, true], "only the salt differs");
    }
}

#[test]
fn the_salt_of_an_unknown_account_stays_the_same_for_all_hashes() {
    let salts = UNBOUND.map(|mechanism| challenge(mechanism, "romeo")[1].clone());
    assert!(salts.iter().all(|salt| *salt == salts[0]));
    let known = UNBOUND.map(|mechanism| challenge(mechanism, "juliet")[1].clone());
    assert!(known.iter().all(|salt| *salt == known[0]));
    assert_ne!(challenge(UNBOUND[0], "mercutio")[1], salts[0]);
}

#[test]
fn decoys_depend_on_the_account_the_hash_and_the_secret() {
    let decoys = Decoys::new(b"secret", iterations());
    let decoy = |decoys: &Decoys, account| decoys.verifier(Hash::Sha256, account).to_text();
    assert_eq!(decoy(&decoys, "a@b"), decoy(&decoys.clone(), "a@b"));
    assert_ne!(decoy(&decoys, "a@b"), decoy(&decoys, "a@c"));
    assert_ne!(
        decoy(&decoys, "a@b"),
        decoy(&Decoys::new(b"other", iterations()), "a@b")
    );
    for hash in Hash::ALL {
        let decoy = decoys.verifier(hash, "a@b");
        assert_eq!(decoy.hash(), hash);
        let iterations = Iterations::new(5000).unwrap();
        let real = Verifier::derive(hash, "password", &[0; 16], iterations).unwrap();
        assert_eq!(decoy.to_text().len(), real.to_text().len());
        assert!(!decoy.verify_password("password"));
    }
}

/// An account that has no verifier for the hash is as good as unknown
#[test]
fn a_verifier_of_another_hash_is_not_used() {
    let first = b"n,,n=juliet,r=client-nonce";
    let exchange = server(UNBOUND[0], &full_offer(), &tls());
    let Ok(anser_sasl::Step::Lookup(lookup)) = exchange.step(first) else {
        panic!()
    };
    let other = crate::common::stored("juliet", Hash::Sha256);
    let step = lookup.resume(
        other,
        &crate::common::decoys(),
        crate::common::ACCOUNT,
        |_| true,
    );
    let Ok(anser_sasl::Step::Challenge { data, .. }) = step else {
        panic!("{step:?}")
    };
    let salt = crate::common::decoys()
        .verifier(Hash::Sha1, crate::common::ACCOUNT)
        .to_text();
    let salt = salt.split([':', '$']).nth(2).unwrap();
    assert!(
        String::from_utf8(data)
            .unwrap()
            .contains(&format!("s={salt},"))
    );
}
