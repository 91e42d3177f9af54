//! One identity taken for another, mechanisms weaker than they need to be, and
//! answers that tell who has an account.

use crate::{SASL, expect_failure, mechanism, secured};
use anser_net::Secured;
use anser_sasl::client::ClientFault;
use anser_sasl::{ChannelBindings, Mechanism, Offer};
use anser_tests::script::{Attempt, Script};
use anser_tests::world::EXPORTER;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::{BTreeMap, BTreeSet};

const END_POINT: [u8; 32] = [8; 32];

/// What both ends of an honest connection are bound to.
fn both_bindings() -> ChannelBindings {
    ChannelBindings {
        exporter: Some(EXPORTER),
        end_point: Some(END_POINT.to_vec()),
    }
}

/// Alice after TLS of either version, with what the server offers received.
fn bound_to(bindings: &ChannelBindings) -> Script {
    let mut script = Script::new(&["alice"]);
    script.world.set_secured(Secured {
        exporter: bindings.exporter,
        end_point: bindings.end_point.clone(),
    });
    script.secure("alice");
    let _features = script.receive("alice");
    script
}

fn plus() -> impl Iterator<Item = Mechanism> {
    Mechanism::ALL.into_iter().filter(|one| one.is_plus())
}

/// CVE of ejabberd 26.07: logged in as one, acting as another
/// (RFC 6120 §6.3.8, §6.5.6), by any mechanism.
#[test]
fn nobody_logs_in_as_one_and_acts_as_another() {
    for mechanism in Mechanism::ALL {
        for (authzid, is_own) in [
            ("alice@example.org", true),
            ("ALICE@Example.ORG", true),
            ("bob@example.org", false),
            ("alice@example.com", false),
            ("example.org", false),
            ("alice@example.org/phone", false),
            ("alice", false),
            ("@", false),
        ] {
            let mut script = Script::new(&["alice", "bob"]);
            script.secure("alice");
            let _features = script.receive("alice");
            let mut attempt = Attempt::new(mechanism, "alice", "pencil");
            attempt.credentials.authzid = Some(authzid);
            script.attempt("alice", attempt).unwrap();
            if is_own {
                script.expect("alice", &format!("<success xmlns='{SASL}'/>"));
            } else {
                expect_failure(&mut script, "alice", "invalid-authzid");
            }
        }
    }
}

/// CVE of ejabberd 26.07: the session is of whoever has logged in, whatever else
/// the client says (RFC 6120 §7.6.1, §8.1.2.1).
#[test]
fn the_session_is_of_whoever_has_logged_in() {
    let mut script = Script::new(&["alice", "bob"]);
    script.authenticate("alice", "alice");
    script.play(
        "
        alice C: <iq type='set' id='b' from='bob@example.org' to='bob@example.org'>
            <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>
            <resource>bob@example.org/phone</resource></bind></iq>
        alice S: <iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>
            <jid>alice@example.org/bob@example.org/phone</jid></bind></iq>
        ",
    );
}

/// OF-3273: what was not offered is not accepted (RFC 6120 §6.5.7).
#[test]
fn a_mechanism_that_was_not_offered_is_refused() {
    let alice = BASE64.encode("\0alice\0pencil");
    for name in [
        "ANONYMOUS",
        "EXTERNAL",
        "OAUTHBEARER",
        "X-OAUTH2",
        "DIGEST-MD5",
        "CRAM-MD5",
        "GSSAPI",
        "HT-SHA-256-NONE",
        "SCRAM-SHA-224",
        "plain",
        "PLAIN-PLUS",
        "",
    ] {
        let mut script = secured();
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{alice}</auth>");
        script.send("alice", &auth);
        expect_failure(&mut script, "alice", "invalid-mechanism");
    }
    // Known, but of no use on this connection.
    let mut script = bound_to(&ChannelBindings::default());
    for mechanism in plus() {
        let name = mechanism.name();
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{alice}</auth>");
        script.send("alice", &auth);
        expect_failure(&mut script, "alice", "invalid-mechanism");
    }
}

/// A man in the middle with a valid certificate (jabber.ru, 2023): RFC 5802 §6,
/// RFC 9266, RFC 5929 §4. Both types of binding let in whoever is at the other
/// end of the same connection.
#[test]
fn a_login_can_be_bound_to_the_connection_and_to_the_certificate() {
    let [exporter, end_point] = [
        ChannelBindings {
            end_point: None,
            ..both_bindings()
        },
        ChannelBindings {
            exporter: None,
            ..both_bindings()
        },
    ];
    for (server, client) in [
        (&exporter, &exporter),
        (&end_point, &end_point),
        (&both_bindings(), &exporter),
        (&both_bindings(), &end_point),
    ] {
        for mechanism in plus() {
            let mut script = bound_to(server);
            let attempt = Attempt {
                bindings: client.clone(),
                ..Attempt::new(mechanism, "alice", "pencil")
            };
            script.attempt("alice", attempt).unwrap();
            script.expect("alice", &format!("<success xmlns='{SASL}'/>"));
        }
    }
}

/// jabber.ru, 2023: somebody between the two has two connections, and what
/// belongs to one of them does not fit the other.
#[test]
fn a_login_bound_to_another_connection_fails() {
    for client in [
        ChannelBindings {
            exporter: Some([9; 32]),
            end_point: None,
        },
        ChannelBindings {
            exporter: None,
            end_point: Some(vec![9; 32]),
        },
        ChannelBindings {
            exporter: None,
            end_point: Some(Vec::new()),
        },
    ] {
        for mechanism in plus() {
            let mut script = bound_to(&both_bindings());
            let attempt = Attempt {
                bindings: client.clone(),
                ..Attempt::new(mechanism, "alice", "pencil")
            };
            script.attempt("alice", attempt).unwrap();
            expect_failure(&mut script, "alice", "not-authorized");
        }
    }
}

/// RFC 5802 §6: the flag of channel binding has to go with the mechanism and
/// with the offer, or somebody has changed one of them.
#[test]
fn a_binding_that_was_stripped_or_does_not_fit_the_offer_fails() {
    for (name, header) in [
        // "I would have, but you did not offer it": it was.
        ("SCRAM-SHA-1", "y,,"),
        ("SCRAM-SHA-256", "y,,"),
        ("SCRAM-SHA-512", "y,,"),
        // Bound, by a mechanism that does not bind.
        ("SCRAM-SHA-1", "p=tls-exporter,,"),
        // Not bound, by one that does.
        ("SCRAM-SHA-1-PLUS", "n,,"),
        ("SCRAM-SHA-1-PLUS", "y,,"),
        // Types that are not offered here.
        ("SCRAM-SHA-1-PLUS", "p=tls-unique,,"),
        ("SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,"),
        ("SCRAM-SHA-1-PLUS", "p=TLS-EXPORTER,,"),
    ] {
        let mut script = secured();
        let first = BASE64.encode(format!("{header}n=alice,r=abc"));
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>");
        script.send("alice", &auth);
        expect_failure(&mut script, "alice", "not-authorized");
    }
}

/// XEP-0474 §6.2: a client that was shown less than the server offers notices,
/// and the attacker gets no proof to work on.
#[test]
fn an_offer_that_was_shortened_on_its_way_is_noticed_by_the_client() {
    let all = Mechanism::ALL.map(Mechanism::name);
    let no_bindings: [&str; 0] = [];
    for (shown, mechanism_name) in [
        // Without the strongest hash.
        (
            Offer::new(
                all.into_iter().filter(|name| !name.contains("512")),
                ["tls-exporter"],
            ),
            "SCRAM-SHA-256-PLUS",
        ),
        // Without PLAIN, which is no loss, but a change.
        (
            Offer::new(
                all.into_iter().filter(|name| *name != "PLAIN"),
                ["tls-exporter"],
            ),
            "SCRAM-SHA-512-PLUS",
        ),
        // With a type of binding that the server does not have.
        (
            Offer::new(all, ["tls-exporter", "tls-unique"]),
            "SCRAM-SHA-512-PLUS",
        ),
        // Without channel binding at all, to a client that has none itself.
        (Offer::new(all, no_bindings), "SCRAM-SHA-512"),
    ] {
        let mut script = secured();
        let attempt = Attempt {
            offer: Some(shown),
            ..Attempt::new(mechanism(mechanism_name), "alice", "pencil")
        };
        let fault = script.attempt("alice", attempt).unwrap_err();
        assert_eq!(fault, ClientFault::Downgrade);
    }
}

/// RFC 5802 §6: a client that could bind, and was shown no -PLUS, says so with
/// its flag, and the server refuses it.
#[test]
fn a_client_that_was_not_shown_channel_binding_is_told() {
    let unbound = Mechanism::ALL
        .into_iter()
        .filter(|one| !one.is_plus())
        .map(Mechanism::name);
    let shown = Offer::new(unbound, []);
    for name in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mut script = secured();
        let attempt = Attempt {
            bindings: both_bindings(),
            offer: Some(shown.clone()),
            ..Attempt::new(mechanism(name), "alice", "pencil")
        };
        script.attempt("alice", attempt).unwrap();
        expect_failure(&mut script, "alice", "not-authorized");
    }
}

/// What the server says to somebody who tries a wrong password, all of it.
fn conversation(user: &str, mechanism: Mechanism) -> Vec<u8> {
    let mut script = secured();
    let nonce = BASE64.encode(format!("{}n={user},r=abc", gs2(mechanism)));
    let first = match mechanism {
        Mechanism::Plain => BASE64.encode(format!("\0{user}\0wrong")),
        Mechanism::Scram(_) | Mechanism::ScramPlus(_) => nonce,
    };
    let name = mechanism.name();
    script.send(
        "alice",
        &format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>"),
    );
    script.receive_bytes("alice").to_vec()
}

fn gs2(mechanism: Mechanism) -> &'static str {
    if mechanism.is_plus() {
        "p=tls-exporter,,"
    } else {
        "n,,"
    }
}

/// The attributes of a SCRAM challenge (RFC 5802 §5.1).
fn challenge(user: &str, mechanism: Mechanism) -> BTreeMap<String, String> {
    let answer = String::from_utf8(conversation(user, mechanism)).unwrap();
    let data = answer.split(['>', '<']).nth(2).unwrap();
    let text = String::from_utf8(BASE64.decode(data).unwrap()).unwrap();
    let attributes = text.split(',').map(|attribute| {
        let (name, value) = attribute.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    attributes.collect()
}

/// CVE-2021-32921, OF-3257, OF-3258: answers tell nothing about who has an
/// account (RFC 6120 §6.5.10, §13.11).
#[test]
fn an_unknown_user_gets_the_answers_of_a_wrong_password() {
    for mechanism in Mechanism::ALL {
        let failure = |user: &str| {
            let mut script = secured();
            script.sasl("alice", user, "wrong", mechanism);
            script.receive("alice").raw().clone()
        };
        assert_eq!(failure("alice"), failure("nobody"), "{mechanism}");
    }
    assert_eq!(
        conversation("alice", Mechanism::Plain),
        conversation("nobody", Mechanism::Plain)
    );
}

/// OF-3257: the challenge for nobody is made like any other, and as lasting.
/// (`anser-sasl` counts the hash operations of both: they are as many, step by
/// step. `command_line` shows that a restart does not change the salts.)
#[test]
fn the_challenge_for_an_unknown_user_could_be_anybodys() {
    for mechanism in Mechanism::ALL {
        if mechanism == Mechanism::Plain {
            continue;
        }
        let known = challenge("alice", mechanism);
        let unknown = challenge("nobody", mechanism);
        assert!(known.keys().eq(unknown.keys()), "{mechanism}");
        for same in ["i", "h"] {
            assert_eq!(known[same], unknown[same], "{mechanism} {same}");
        }
        for as_long in ["r", "s"] {
            let lengths = [&known, &unknown].map(|one| one[as_long].len());
            assert_eq!(lengths[0], lengths[1], "{mechanism} {as_long}");
        }
        assert_eq!(unknown, challenge("nobody", mechanism), "{mechanism}");
    }
}

/// OF-3258: each unknown user has a salt of its own, one for all hash functions
/// and all ways to write the name, as accounts have.
#[test]
fn the_salts_of_unknown_users_are_as_different_as_those_of_accounts() {
    let salt = |user: &str, name: &str| challenge(user, mechanism(name))["s"].clone();
    let users: Vec<_> = (0..50).map(|number| format!("nobody{number}")).collect();
    let salts: BTreeSet<_> = users.iter().map(|user| salt(user, "SCRAM-SHA-1")).collect();
    assert_eq!(salts.len(), users.len());
    for user in ["alice", "nobody"] {
        for (other, name) in [
            (user.to_owned(), "SCRAM-SHA-512"),
            (user.to_uppercase(), "SCRAM-SHA-1"),
        ] {
            assert_eq!(salt(user, "SCRAM-SHA-1"), salt(&other, name), "{other}");
        }
    }
}

/// OF-3257: names that cannot be accounts get a challenge like all others.
#[test]
fn a_name_that_cannot_be_an_account_gets_a_challenge_too() {
    let known = challenge("alice", mechanism("SCRAM-SHA-256"));
    for name in ["a b", "a@b", "\"", &"x".repeat(1024)] {
        let unknown = challenge(name, mechanism("SCRAM-SHA-256"));
        assert!(known.keys().eq(unknown.keys()), "{name}");
        assert_eq!(known["s"].len(), unknown["s"].len(), "{name}");
    }
}
