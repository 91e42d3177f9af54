//! What is stored.

use anser_sasl::{Hash, Iterations, IterationsFault, PasswordFault, StoredFault, Verifier};

fn iterations() -> Iterations {
    Iterations::new(4096).unwrap()
}

/// RFC 5803 §2, with the keys of the example of RFC 5802 §5
#[test]
fn a_verifier_is_stored_in_the_form_that_others_use() {
    let salt = [65, 37, 194, 71, 228, 58, 177, 233, 60, 109, 255, 118];
    let verifier = Verifier::derive(Hash::Sha1, "pencil", &salt, iterations()).unwrap();
    let text = "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$\
        6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=";
    assert_eq!(verifier.to_text(), text);
    assert_eq!(Verifier::parse(text), Ok(verifier));
}

#[test]
fn a_damaged_verifier_is_refused() {
    let key = "6dlGYMOdZcOPutkcNY8U2g7vK9Y=";
    let iterations_fault = |got| StoredFault::Iterations(IterationsFault { got });
    for (text, fault) in [
        (String::new(), StoredFault::Form),
        ("SCRAM-SHA-1$4096:QQ==".to_owned(), StoredFault::Form),
        (format!("SCRAM-SHA-1$4096${key}:{key}"), StoredFault::Form),
        (format!("SCRAM-SHA-1$x:QQ==${key}:{key}"), StoredFault::Form),
        (format!("SCRAM-SHA-1$4096:QQ==${key}"), StoredFault::Form),
        (
            format!("SCRAM-MD5$4096:QQ==${key}:{key}"),
            StoredFault::Mechanism,
        ),
        (
            format!("SCRAM-SHA-1-PLUS$4096:QQ==${key}:{key}"),
            StoredFault::Mechanism,
        ),
        (
            format!("PLAIN$4096:QQ==${key}:{key}"),
            StoredFault::Mechanism,
        ),
        (
            format!("SCRAM-SHA-1$4095:QQ==${key}:{key}"),
            iterations_fault(4095),
        ),
        (
            format!("SCRAM-SHA-1$4096:QQ${key}:{key}"),
            StoredFault::Encoding,
        ),
        (
            format!("SCRAM-SHA-1$4096:QQ==${key}:{key}$"),
            StoredFault::Encoding,
        ),
        (
            format!("SCRAM-SHA-256$4096:QQ==${key}:{key}"),
            StoredFault::KeyLength {
                got: 20,
                expected: 32,
            },
        ),
    ] {
        assert_eq!(Verifier::parse(&text), Err(fault), "{text}");
    }
}

#[test]
fn a_password_is_recognised_and_others_are_not() {
    for verifier in Verifier::derive_all("pencil", [1; 16], iterations()).unwrap() {
        assert!(verifier.verify_password("pencil"));
        assert!(
            verifier.verify_password("pen\u{ad}cil"),
            "the same once prepared"
        );
        for wrong in ["", "Pencil", "pencil ", "penci", "pencil\0"] {
            assert!(!verifier.verify_password(wrong), "{wrong:?}");
        }
    }
}

#[test]
fn all_hashes_are_derived_at_once_with_one_salt() {
    let verifiers = Verifier::derive_all("pencil", [1; 16], iterations()).unwrap();
    assert_eq!(verifiers.clone().map(|verifier| verifier.hash()), Hash::ALL);
    for verifier in verifiers {
        let alone = Verifier::derive(verifier.hash(), "pencil", &[1; 16], iterations());
        assert_eq!(alone, Ok(verifier));
    }
    let empty = Verifier::derive_all("", [1; 16], iterations());
    assert_eq!(empty, Err(PasswordFault::Empty));
}

#[test]
fn what_is_shown_of_a_verifier_is_no_secret() {
    let verifier = Verifier::derive(Hash::Sha1, "pencil", &[1; 16], iterations()).unwrap();
    assert_eq!(format!("{verifier:?}"), "Verifier(Sha1, 4096)");
}

/// RFC 5802 §5.1
#[test]
fn there_are_at_least_4096_iterations() {
    for (count, is_allowed) in [
        (0, false),
        (4095, false),
        (4096, true),
        (10_000_000, true),
        (10_000_001, false),
    ] {
        assert_eq!(Iterations::new(count).is_ok(), is_allowed, "{count}");
    }
    let text = "4095 iterations are not between 4096 and 10000000";
    assert_eq!(IterationsFault { got: 4095 }.to_string(), text);
}
