//! What somebody learns who has no account here.

use anser_tests::client::Client;
use anser_tests::program::Anser;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::BTreeMap;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// What the server says to somebody who guesses a password.
struct Answers {
    /// The attributes of its challenge (RFC 5802 §5.1).
    challenge: BTreeMap<String, String>,
    failure: String,
}

/// Tries to log in with SCRAM-SHA-256 and a proof that is wrong.
fn guess(anser: &Anser, name: &str) -> Answers {
    let mut client = Client::connect(&anser.direct_tls(), "localhost").unwrap();
    let first = BASE64.encode(format!("n,,n={name},r=abc"));
    let auth = format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>");
    client.send(&auth).unwrap();
    let challenge = BASE64.decode(client.next().unwrap().text().as_bytes());
    let challenge = String::from_utf8(challenge.unwrap()).unwrap();
    let pair = |attribute: &str| {
        let (name, value) = attribute.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    let challenge: BTreeMap<_, _> = challenge.split(',').map(pair).collect();
    let proof = BASE64.encode([7; 32]);
    let last = BASE64.encode(format!("c=biws,r={},p={proof}", challenge["r"]));
    let response = format!("<response xmlns='{SASL}'>{last}</response>");
    client.send(&response).unwrap();
    let failure = client.next().unwrap();
    Answers {
        challenge,
        failure: String::from_utf8(failure.raw().to_vec()).unwrap(),
    }
}

/// RFC 6120 §6.5.10 and §13.11
#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_answers() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    let known = guess(&anser, "alice");
    let unknown = guess(&anser, "nobody");
    assert_eq!(known.failure, unknown.failure);
    assert!(
        known.failure.contains("not-authorized"),
        "{}",
        known.failure
    );
    assert!(known.challenge.keys().eq(unknown.challenge.keys()));
    assert_eq!(known.challenge["i"], unknown.challenge["i"]);
    for name in ["s", "r"] {
        let [known, unknown] = [&known, &unknown].map(|one| one.challenge[name].len());
        assert_eq!(known, unknown, "{name}");
    }
}

/// An account has one salt as long as it has one password; so do those that do
/// not exist, and a restart changes neither.
#[test]
fn the_salt_of_an_unknown_name_is_as_lasting_as_that_of_a_known_one() {
    let mut anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    let salts = |anser: &Anser| {
        ["alice", "nobody", "somebody"].map(|name| guess(anser, name).challenge["s"].clone())
    };
    let before = salts(&anser);
    assert_eq!(salts(&anser), before);
    anser.restart();
    assert_eq!(salts(&anser), before);
    let [alice, nobody, somebody] = before;
    assert!(alice != nobody && nobody != somebody);
}
