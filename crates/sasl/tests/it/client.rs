//! The client's side against vectors and against servers that cheat.

use crate::common::{JULIET, client_nonce, full_offer, start, tls};
use anser_sasl::client::{Client, ClientFault, Credentials};
use anser_sasl::{
    ChannelBindings, Hash, IterationsFault, Mechanism, MessageFault, Nonce, Offer, PasswordFault,
};

/// Runs a client through an example of a specification.
fn assert_example(mechanism: Mechanism, nonce: &str, added: &str, messages: [&str; 3]) {
    let [challenge, proof, signature] = messages;
    let credentials = Credentials {
        username: "user",
        password: "pencil",
        authzid: None,
    };
    let offer = Offer::new([mechanism.name()], []);
    let own = Nonce::parse(nonce).unwrap();
    let bindings = ChannelBindings::default();
    let (client, first) = Client::start(mechanism, credentials, &offer, &bindings, own).unwrap();
    assert_eq!(first, format!("n,,n=user,r={nonce}").into_bytes());
    let challenge = format!("r={nonce}{added},{challenge}");
    let (client, last) = client.challenge(challenge.as_bytes()).unwrap();
    assert_eq!(
        last,
        format!("c=biws,r={nonce}{added},p={proof}").into_bytes()
    );
    assert_eq!(
        client.success(Some(format!("v={signature}").as_bytes())),
        Ok(())
    );
}

/// RFC 5802 §5
#[test]
fn the_example_with_sha_1_comes_out_as_given() {
    assert_example(
        Mechanism::Scram(Hash::Sha1),
        "fyko+d2lbbFgONRv9qkxdawL",
        "3rfcNHYJY1ZVvWVs7j",
        [
            "s=QSXCR+Q6sek8bf92,i=4096",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ],
    );
}

/// RFC 7677 §3
#[test]
fn the_example_with_sha_256_comes_out_as_given() {
    assert_example(
        Mechanism::Scram(Hash::Sha256),
        "rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        [
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ],
    );
}

/// The example of RFC 7677 §3 with another hash; worked out with another
/// implementation of PBKDF2 and HMAC
#[test]
fn the_example_with_sha_512_comes_out_as_worked_out_elsewhere() {
    assert_example(
        Mechanism::Scram(Hash::Sha512),
        "rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        [
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
            "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
        ],
    );
}

/// A client of SCRAM-SHA-1 that has sent its first message.
fn started() -> Client {
    let mechanism = Mechanism::Scram(Hash::Sha1);
    start(
        mechanism,
        JULIET,
        &full_offer(),
        &ChannelBindings::default(),
    )
    .0
}

fn proved() -> Client {
    started()
        .challenge(b"r=client-nonceX,s=QQ==,i=4096")
        .unwrap()
        .0
}

/// RFC 5802 §5.1
#[test]
fn a_challenge_must_continue_this_exchange_and_demand_reasonable_work() {
    let malformed = |at| ClientFault::Message(MessageFault::Malformed { at });
    for (challenge, fault) in [
        ("r=client-nonce,s=QQ==,i=4096", ClientFault::Nonce),
        ("r=client-nonc,s=QQ==,i=4096", ClientFault::Nonce),
        ("r=Xclient-nonce,s=QQ==,i=4096", ClientFault::Nonce),
        (
            "r=client-nonceX,s=QQ==,i=4095",
            IterationsFault { got: 4095 }.into(),
        ),
        (
            "r=client-nonceX,s=QQ==,i=10000001",
            IterationsFault { got: 10_000_001 }.into(),
        ),
        (
            "r=client-nonceX,s=QQ==,i=4096,h=QQ==",
            ClientFault::Downgrade,
        ),
        ("r=client-nonceX,s=,i=4096", malformed(16)),
        ("r=client-nonceX,i=4096", malformed(16)),
        ("e=other-error", malformed(0)),
        ("", malformed(0)),
        (
            "m=x,r=client-nonceX,s=QQ==,i=4096",
            ClientFault::Message(MessageFault::MandatoryExtension { at: 0 }),
        ),
    ] {
        let result = started().challenge(challenge.as_bytes()).map(|_| ());
        assert_eq!(result, Err(fault), "{challenge}");
    }
}

/// RFC 5802 §3
#[test]
fn success_counts_only_if_the_server_knows_the_password() {
    let malformed = ClientFault::Message(MessageFault::Malformed { at: 0 });
    assert_eq!(started().success(None), Err(ClientFault::OutOfOrder));
    assert_eq!(
        started().success(Some(b"v=QQ==")),
        Err(ClientFault::OutOfOrder)
    );
    assert_eq!(proved().success(None), Err(ClientFault::OutOfOrder));
    assert_eq!(proved().success(Some(b"")), Err(malformed));
    assert_eq!(
        proved().success(Some(b"v=QQ==")),
        Err(ClientFault::ServerSignature)
    );
    let wrong = b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(
        proved().success(Some(wrong)),
        Err(ClientFault::ServerSignature)
    );
    assert!(matches!(
        proved().challenge(wrong),
        Err(ClientFault::ServerSignature)
    ));
    let refused = ClientFault::Refused("invalid-proof".to_owned());
    assert_eq!(proved().success(Some(b"e=invalid-proof")), Err(refused));
}

#[test]
fn plain_has_no_challenge() {
    let (client, first) = start(Mechanism::Plain, JULIET, &full_offer(), &tls());
    assert_eq!(first, b"\0juliet\0r0m30myr0m30");
    assert!(matches!(
        client.challenge(b""),
        Err(ClientFault::OutOfOrder)
    ));
}

/// RFC 5802 §§5.1, 7
#[test]
fn names_are_written_so_that_they_cannot_be_mistaken_for_fields() {
    let credentials = Credentials {
        username: "a,b=c",
        password: "p",
        authzid: Some("d=,e"),
    };
    let mechanism = Mechanism::Scram(Hash::Sha1);
    let (_, first) = start(
        mechanism,
        credentials,
        &full_offer(),
        &ChannelBindings::default(),
    );
    assert_eq!(first, b"n,a=d=3D=2Ce,n=a=2Cb=3Dc,r=client-nonce");
}

/// RFC 5802 §5.1, RFC 4616 §2
#[test]
fn credentials_that_cannot_be_prepared_are_not_sent() {
    for mechanism in Mechanism::ALL {
        let begin = |username, password| {
            let credentials = Credentials {
                username,
                password,
                authzid: None,
            };
            Client::start(
                mechanism,
                credentials,
                &full_offer(),
                &tls(),
                client_nonce(),
            )
            .map(|_| ())
            .err()
        };
        assert_eq!(begin("a\0b", "p"), Some(ClientFault::Username));
        assert_eq!(begin("", "p"), Some(ClientFault::Username));
        assert_eq!(
            begin("a", ""),
            Some(ClientFault::Password(PasswordFault::Empty))
        );
        assert_eq!(
            begin("a", "\0"),
            Some(ClientFault::Password(PasswordFault::Forbidden))
        );
    }
}

#[test]
fn a_nonce_is_printable_ascii_without_comma() {
    for text in ["", "a,b", "a b", "ü", "a\0", "a\u{7f}"] {
        assert!(Nonce::parse(text).is_err(), "{text:?}");
    }
    assert!(Nonce::parse("!+-~=").is_ok());
}
