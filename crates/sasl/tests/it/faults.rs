//! What ends an exchange on the server, and that nothing else ends it well.

use crate::common::{JULIET, challenge, full_offer, server, server_nonce, start, step, tls};
use anser_sasl::{
    BindingFault, ChannelBindings, Exchange, Hash, Mechanism, MessageFault, Offer, SaslFault, Step,
};
use proptest::prelude::*;

/// RFC 6120 §6.5.7
#[test]
fn a_mechanism_that_was_not_offered_does_not_begin() {
    let offer = Offer::new(["SCRAM-SHA-256", "EXTERNAL"], []);
    for mechanism in Mechanism::ALL {
        let fault = Exchange::new(mechanism, &offer, &tls(), server_nonce()).err();
        let is_offered = mechanism == Mechanism::Scram(Hash::Sha256);
        assert_eq!(
            fault,
            (!is_offered).then_some(SaslFault::NotOffered(mechanism))
        );
    }
}

/// RFC 6120 §6.4.2
#[test]
fn an_empty_initial_response_is_malformed_in_every_mechanism() {
    for mechanism in Mechanism::ALL {
        let fault = step(server(mechanism, &full_offer(), &tls()), b"").map(|_| ());
        let malformed = MessageFault::Malformed { at: 0 };
        assert_eq!(fault, Err(SaslFault::Message(malformed)), "{mechanism}");
    }
}

/// RFC 5802 §5.1, RFC 4616 §2
#[test]
fn a_user_name_that_cannot_be_prepared_is_malformed() {
    let malformed = |at| Err(SaslFault::Message(MessageFault::Malformed { at }));
    let plain = server(Mechanism::Plain, &full_offer(), &tls());
    assert_eq!(
        step(plain, "\0a\u{7}\0password".as_bytes()).map(|_| ()),
        malformed(1)
    );
    let scram = || server(Mechanism::Scram(Hash::Sha1), &full_offer(), &tls());
    assert_eq!(
        step(scram(), "n,,n=a\u{7},r=b".as_bytes()).map(|_| ()),
        malformed(3)
    );
    assert_eq!(
        step(scram(), "n,,n=\u{ad},r=b".as_bytes()).map(|_| ()),
        malformed(3)
    );
}

/// RFC 5802 §5.1
#[test]
fn the_last_message_must_carry_the_nonce_of_this_exchange() {
    let mechanism = Mechanism::Scram(Hash::Sha1);
    let (client, first) = start(
        mechanism,
        JULIET,
        &full_offer(),
        &ChannelBindings::default(),
    );
    let (data, next) = challenge(server(mechanism, &full_offer(), &tls()), &first);
    let other = data.replacen("client-nonce", "client-nonceX", 1);
    let (_, last) = client.challenge(other.as_bytes()).unwrap();
    assert_eq!(step(next, &last).map(|_| ()), Err(SaslFault::NotAuthorized));
}

/// Nothing but the password decides
#[test]
fn an_exchange_with_one_byte_changed_never_succeeds() {
    for mechanism in [
        Mechanism::Plain,
        Mechanism::Scram(Hash::Sha256),
        Mechanism::ScramPlus(Hash::Sha1),
    ] {
        let (first, last) = honest_messages(mechanism);
        assert!(succeeds(mechanism, &first, &last));
        for changed in garbled(&first) {
            assert!(
                !succeeds(mechanism, &changed, &last),
                "{}",
                changed.escape_ascii()
            );
        }
        for changed in garbled(&last) {
            assert!(
                !succeeds(mechanism, &first, &changed),
                "{}",
                changed.escape_ascii()
            );
        }
    }
}

/// The message cut off at every position, and every byte replaced.
fn garbled(message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = (0..message.len()).map(|end| message[..end].to_vec());
    let replaced = (0..message.len()).flat_map(move |at| {
        let replace = move |byte| {
            let mut changed = message.to_vec();
            changed[at] = byte;
            changed
        };
        b"\0,=a/\xff \n".map(replace)
    });
    cut.chain(replaced)
        .filter(move |changed| changed != message)
}

/// What a client with the right password sends; the last is empty for PLAIN.
fn honest_messages(mechanism: Mechanism) -> (Vec<u8>, Vec<u8>) {
    let (client, first) = start(mechanism, JULIET, &full_offer(), &tls());
    if mechanism.hash().is_none() {
        return (first, Vec::new());
    }
    let (data, _) = challenge(server(mechanism, &full_offer(), &tls()), &first);
    (first, client.challenge(data.as_bytes()).unwrap().1)
}

fn succeeds(mechanism: Mechanism, first: &[u8], last: &[u8]) -> bool {
    let end = match step(server(mechanism, &full_offer(), &tls()), first) {
        Ok(Step::Challenge { next, .. }) => step(next, last),
        other => other,
    };
    matches!(end, Ok(Step::Success { .. }))
}

/// Text that resembles messages.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        "[nycrpsivmeahx]=[a-zA-Z0-9+/=]{0,8}",
        "c=biws|n=juliet|r=client-nonce|p=tls-exporter|[ny]?",
        "\\PC{0,6}",
    ];
    prop_oneof![
        3 => proptest::collection::vec(field, 0..6).prop_map(|fields| fields.join(",").into_bytes()),
        1 => "[a-z]?\0(juliet)?\0[a-z]{0,3}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..32),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_messages_but_the_right_ones_succeed_and_none_panic(first in message(), last in message()) {
        for mechanism in [Mechanism::Plain, Mechanism::Scram(Hash::Sha1), Mechanism::ScramPlus(Hash::Sha512)] {
            let step = step(server(mechanism, &full_offer(), &tls()), &first);
            if let Ok(Step::Challenge { next, .. }) = step {
                prop_assert!(crate::common::step(next, &last).is_err());
            } else {
                prop_assert!(step.is_err());
            }
        }
    }

    /// The client must survive its server as well.
    #[test]
    fn no_challenge_makes_a_client_panic_or_trust(challenge in message(), success in message()) {
        let mechanism = Mechanism::Scram(Hash::Sha1);
        let (client, _) = start(mechanism, JULIET, &full_offer(), &ChannelBindings::default());
        if let Ok((client, _)) = client.challenge(&challenge) {
            prop_assert!(client.success(Some(&success)).is_err());
        }
    }
}

#[test]
fn faults_are_written_for_a_log() {
    for (fault, text) in [
        (SaslFault::NotAuthorized, "not authorized"),
        (
            SaslFault::NotOffered(Mechanism::Plain),
            "mechanism PLAIN was not offered",
        ),
        (
            BindingFault::Mismatch.into(),
            "the channel bindings do not match",
        ),
        (
            MessageFault::Malformed { at: 3 }.into(),
            "malformed message at byte 3",
        ),
        (
            MessageFault::TooLong {
                got: 9000,
                limit: 8192,
            }
            .into(),
            "message of 9000 bytes exceeds the limit of 8192",
        ),
    ] {
        assert_eq!(fault.to_string(), text);
    }
}
