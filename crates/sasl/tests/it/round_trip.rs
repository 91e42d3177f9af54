//! Both ends against each other.

use crate::common::{JULIET, decoys, full_offer, iterations, log_in, tls};
use anser_sasl::client::{Client, Credentials, choose};
use anser_sasl::{
    BindingType, ChannelBindings, Exchange, Hash, Mechanism, Nonce, Offer, SaslFault, Step,
    Verifier,
};
use proptest::prelude::*;

/// RFC 5802 §3, RFC 4616 §2
#[test]
fn the_right_password_succeeds_in_every_mechanism() {
    for mechanism in Mechanism::ALL {
        assert_eq!(
            log_in(mechanism, JULIET),
            Ok("juliet".to_owned()),
            "{mechanism}"
        );
    }
}

/// RFC 6120 §6.5.10: the server does not say which
#[test]
fn a_wrong_password_and_an_unknown_account_end_alike() {
    for mechanism in Mechanism::ALL {
        for (username, password) in [
            ("juliet", "r0m30"),
            ("juliet", "R0M30MYR0M30"),
            ("romeo", "r0m30myr0m30"),
        ] {
            let fault = log_in(
                mechanism,
                Credentials {
                    username,
                    password,
                    authzid: None,
                },
            );
            assert_eq!(
                fault,
                Err(SaslFault::NotAuthorized),
                "{mechanism} {username} {password}"
            );
        }
    }
}

/// RFC 4013 §2: what is typed in another way is the same password
#[test]
fn names_and_passwords_are_compared_as_saslprep_has_them() {
    for mechanism in Mechanism::ALL {
        let credentials = Credentials {
            username: "ju\u{ad}ｌiet",
            password: "r0m30myｒ0m30\u{ad}",
            authzid: None,
        };
        assert_eq!(
            log_in(mechanism, credentials),
            Ok("juliet".to_owned()),
            "{mechanism}"
        );
    }
}

/// RFC 6120 §6.3.8
#[test]
fn only_the_authorization_identity_of_the_account_itself_is_accepted() {
    for mechanism in Mechanism::ALL {
        let as_authzid = |authzid| {
            log_in(
                mechanism,
                Credentials {
                    authzid: Some(authzid),
                    ..JULIET
                },
            )
        };
        assert_eq!(
            as_authzid("juliet@example.com"),
            Ok("juliet".to_owned()),
            "{mechanism}"
        );
        for other in [
            "romeo@example.com",
            "juliet",
            "juliet@example.net",
            "a,b=c@example.com",
        ] {
            assert_eq!(
                as_authzid(other),
                Err(SaslFault::InvalidAuthzid),
                "{mechanism} {other}"
            );
        }
    }
}

/// XEP-0440 §3, RFC 5802 §6
#[test]
fn the_strongest_mechanism_and_binding_in_common_are_chosen() {
    let best = |mechanisms: &[&'static str], bindings: ChannelBindings| {
        let offer = Offer::new(mechanisms.iter().copied(), ["tls-exporter"]);
        choose(&offer, &bindings).map(Mechanism::name)
    };
    let all = Mechanism::ALL.map(Mechanism::name);
    let end_point = ChannelBindings {
        exporter: None,
        ..tls()
    };
    assert_eq!(best(&all, tls()), Some("SCRAM-SHA-512-PLUS"));
    assert_eq!(best(&all, end_point), Some("SCRAM-SHA-512"));
    assert_eq!(
        best(&all, ChannelBindings::default()),
        Some("SCRAM-SHA-512")
    );
    assert_eq!(
        best(&["PLAIN", "SCRAM-SHA-1", "EXTERNAL"], tls()),
        Some("SCRAM-SHA-1")
    );
    assert_eq!(best(&["PLAIN"], tls()), Some("PLAIN"));
    assert_eq!(best(&["EXTERNAL"], tls()), None);
}

/// RFC 9266, RFC 5929 §4
#[test]
fn each_type_of_channel_binding_works() {
    for (bindings, header) in [
        (tls(), "p=tls-exporter,,"),
        (
            ChannelBindings {
                exporter: None,
                ..tls()
            },
            "p=tls-server-end-point,,",
        ),
    ] {
        let mechanism = Mechanism::ScramPlus(Hash::Sha256);
        let offer = Offer::new(
            ["SCRAM-SHA-256-PLUS"],
            bindings.types().map(BindingType::name),
        );
        let (client, first) = crate::common::start(mechanism, JULIET, &offer, &bindings);
        assert!(first.starts_with(header.as_bytes()));
        let server = crate::common::server(mechanism, &offer, &bindings);
        let (challenge, server) = crate::common::challenge(server, &first);
        let (client, last) = client.challenge(challenge.as_bytes()).unwrap();
        let Ok(Step::Success { data, .. }) = server.step(&last) else {
            panic!("{header}")
        };
        assert_eq!(client.success(data.as_deref()), Ok(()));
    }
}

/// RFC 4422 §5
#[test]
fn the_last_message_of_the_server_may_come_as_a_challenge() {
    let (mechanism, offer) = (Mechanism::Scram(Hash::Sha1), full_offer());
    let (client, first) = crate::common::start(mechanism, JULIET, &offer, &tls());
    let (challenge, server) =
        crate::common::challenge(crate::common::server(mechanism, &offer, &tls()), &first);
    let (client, last) = client.challenge(challenge.as_bytes()).unwrap();
    let Ok(Step::Success {
        data: Some(data), ..
    }) = server.step(&last)
    else {
        panic!()
    };
    let (client, response) = client.challenge(&data).unwrap();
    assert!(response.is_empty());
    assert_eq!(client.success(None), Ok(()));
}

/// Logs in with these credentials where the account has just that password.
fn round_trip(
    mechanism: Mechanism,
    credentials: Credentials<'_>,
    salt: &[u8],
) -> Result<(), TestCaseError> {
    let (offer, tls) = (full_offer(), tls());
    let started = Client::start(
        mechanism,
        credentials,
        &offer,
        &tls,
        Nonce::from_random([1; 18]),
    );
    prop_assume!(started.is_ok(), "SASLprep refuses the credentials");
    let (client, first) = started.expect("just checked");
    let server = Exchange::new(mechanism, &offer, &tls, Nonce::from_random([2; 18])).unwrap();
    let Ok(Step::Lookup(lookup)) = server.step(&first) else {
        panic!("{mechanism}")
    };
    let stored = Verifier::derive(lookup.hash(), credentials.password, salt, iterations()).unwrap();
    let stored = Verifier::parse(&stored.to_text()).unwrap();
    let (client, step) = match lookup.resume(Some(stored), &decoys(), "account", |_| false) {
        Ok(Step::Challenge { data, next }) => {
            let (client, last) = client.challenge(&data).unwrap();
            (client, next.step(&last))
        }
        other => (client, other),
    };
    let Ok(Step::Success { data, .. }) = step else {
        panic!("{mechanism}: {step:?}")
    };
    prop_assert_eq!(client.success(data.as_deref()), Ok(()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// RFC 5802 §5.1, RFC 4616 §2
    #[test]
    fn any_name_and_password_that_can_be_prepared_log_in_in_every_mechanism(
        username in "[ -~]{0,8}\\PC{1,4}",
        password in "\\PC{1,8}",
        salt in proptest::collection::vec(any::<u8>(), 1..24),
    ) {
        let credentials = Credentials { username: &username, password: &password, authzid: None };
        for mechanism in Mechanism::ALL {
            round_trip(mechanism, credentials, &salt)?;
        }
    }
}
