//! The server's side of SASL, with clients that say anything.
//!
//! The first byte of an input chooses the mechanism, what the connection can be bound to and what
//! is offered; the client's messages follow, one a line. So that they get far, some bytes stand for
//! what only a client that takes part in the exchange can know, and that knows the password:
//! [`NONCE`], [`BINDING`] and [`PROOF`]; and [`FOREIGN_BINDING`] for what such a client would send
//! to somebody who stands between it and the server.
//!
//! Whoever succeeds must have proved that it knows the password, in a message that is checked here
//! independently; the right proof is never called a wrong one; faults are at places within the
//! message; what is read of a message is the same every time; and an account that does not exist
//! fails in the same way as a wrong password.

#![no_main]

mod proof;

use anser_sasl::{
    BindingType, ChannelBindings, Decoys, Exchange, Hash, Iterations, Lookup, Mechanism,
    MessageFault, Nonce, Offer, SaslFault, Step, Verifier,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use proof::Talk;
use std::sync::LazyLock;

const USER: &str = "juliet";
const ACCOUNT: &str = "juliet@example.com";
const PASSWORD: &str = "r0m30myr0m30";
const SALT: [u8; 16] = [7; 16];

/// Stands for what the message would be bound to in another connection, in base64.
const FOREIGN_BINDING: u8 = 0xFC;
/// Stands for the nonce of the exchange.
const NONCE: u8 = 0xFD;
/// Stands for what the message is bound to, in base64.
const BINDING: u8 = 0xFE;
/// Stands for the proof that belongs to what comes before it in the message, in base64.
const PROOF: u8 = 0xFF;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&choice, messages)) = input.split_first() else {
        return Corpus::Reject;
    };
    let setting = Setting::chosen_by(choice);
    let known = setting.run(messages, Account::Exists);
    let unknown = setting.run(messages, Account::DoesNotExist);
    match known {
        Outcome::Success => {
            assert_eq!(unknown, Outcome::Failure(SaslFault::NotAuthorized));
            vary(&setting, messages);
        }
        Outcome::Failure(_) | Outcome::Unfinished { .. } => assert_eq!(unknown, known),
    }
    Corpus::Keep
});

/// Changes each byte of what has succeeded, and has the proof checked again.
fn vary(setting: &Setting, messages: &[u8]) {
    if setting.mechanism == Mechanism::Plain {
        // It takes its time.
        return;
    }
    for (at, &byte) in messages.iter().enumerate() {
        for other in [byte ^ 1, FOREIGN_BINDING] {
            let mut varied = messages.to_vec();
            varied[at] = other;
            setting.run(&varied, Account::Exists);
        }
    }
}

/// What is on offer, and what the client chooses of it.
struct Setting {
    mechanism: Mechanism,
    offer: Offer,
    bindings: ChannelBindings,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Account {
    Exists,
    DoesNotExist,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure(SaslFault),
    /// The client has nothing more to say; the challenge that it got is so long.
    Unfinished {
        challenge_bytes: usize,
    },
}

impl Setting {
    fn chosen_by(choice: u8) -> Self {
        let (mechanism, choice) = (usize::from(choice) % 7, choice / 7);
        let bindings = ChannelBindings {
            exporter: (choice & 1 != 0).then_some([1; 32]),
            end_point: (choice & 2 != 0).then(|| vec![2; 32]),
        };
        let offers_plus = choice & 4 != 0;
        let offered = Mechanism::ALL
            .into_iter()
            .filter(|mechanism| offers_plus || !mechanism.is_plus());
        let offered_bindings = bindings.types().filter(|_| offers_plus);
        Self {
            mechanism: Mechanism::ALL[mechanism],
            offer: Offer::new(
                offered.map(Mechanism::name),
                offered_bindings.map(BindingType::name),
            ),
            bindings,
        }
    }

    /// The same in another connection to a server with another certificate.
    fn elsewhere(&self) -> Self {
        let Self {
            mechanism,
            offer,
            bindings,
        } = self;
        Self {
            mechanism: *mechanism,
            offer: offer.clone(),
            bindings: ChannelBindings {
                exporter: bindings.exporter.map(|_| [3; 32]),
                end_point: bindings.end_point.as_ref().map(|_| vec![4; 32]),
            },
        }
    }

    fn run(&self, messages: &[u8], account: Account) -> Outcome {
        let nonce = Nonce::from_random([9; 18]);
        let begun = Exchange::new(self.mechanism, &self.offer, &self.bindings, nonce);
        let mut exchange = match begun {
            Ok(exchange) => exchange,
            Err(fault) => {
                assert!(!self.offer.has(self.mechanism), "{fault}");
                return Outcome::Failure(fault);
            }
        };
        let mut talk = Talk::new(self);
        let mut challenge_bytes = 0;
        for message in messages.split(|&byte| byte == b'\n') {
            let message = talk.fill_in(message);
            match step(exchange, &message, account) {
                Ok(Step::Challenge { data, next }) => {
                    challenge_bytes = data.len();
                    talk.challenged(message, &data);
                    exchange = next;
                }
                Ok(Step::Success { username, data }) => {
                    assert_eq!(username, USER);
                    assert!(account == Account::Exists);
                    talk.assert_proved(&message, data.as_deref());
                    return Outcome::Success;
                }
                Ok(Step::Lookup(_)) => unreachable!("an account is looked up once"),
                Err(fault) => {
                    assert_within(fault, message.len());
                    if account == Account::Exists && fault == SaslFault::NotAuthorized {
                        assert!(!talk.is_proved(&message));
                    }
                    return Outcome::Failure(fault);
                }
            }
        }
        Outcome::Unfinished { challenge_bytes }
    }
}

/// Takes a step, and the look-up with it.
fn step(exchange: Exchange, message: &[u8], account: Account) -> Result<Step, SaslFault> {
    match exchange.step(message)? {
        Step::Lookup(lookup) => {
            assert_stable(lookup.username());
            look_up(lookup, account)
        }
        other => Ok(other),
    }
}

fn look_up(lookup: Lookup, account: Account) -> Result<Step, SaslFault> {
    static SERVER: LazyLock<([Verifier; 3], Decoys)> = LazyLock::new(|| {
        let iterations = Iterations::new(Iterations::MIN).expect("as few as allowed");
        let verifiers = Verifier::derive_all(PASSWORD, SALT, iterations);
        (
            verifiers.expect("it is a password"),
            Decoys::new(b"the secret of this server", iterations),
        )
    });
    let (verifiers, decoys) = &*SERVER;
    let is_known = account == Account::Exists && lookup.username() == USER;
    let mut fitting = verifiers.iter().filter(|one| one.hash() == lookup.hash());
    let stored = fitting.next().filter(|_| is_known).cloned();
    let address = format!("{}@example.com", lookup.username());
    lookup.resume(stored, decoys, &address, |authzid| authzid == ACCOUNT)
}

/// A name that was prepared is prepared (RFC 4013 §2).
fn assert_stable(name: &str) {
    let escaped = name.replace('=', "=3D").replace(',', "=2C");
    let mechanism = Mechanism::Scram(Hash::Sha1);
    let offer = Offer::new([mechanism.name()], []);
    let nonce = Nonce::from_random([8; 18]);
    let exchange = Exchange::new(mechanism, &offer, &ChannelBindings::default(), nonce);
    let message = format!("n,,n={escaped},r=x");
    if message.len() > 8192 {
        // It was shorter when it was not escaped.
        return;
    }
    match exchange.and_then(|exchange| exchange.step(message.as_bytes())) {
        Ok(Step::Lookup(again)) => assert_eq!(again.username(), name),
        other => panic!("{name:?} became {other:?}"),
    }
}

fn assert_within(fault: SaslFault, length: usize) {
    let SaslFault::Message(fault) = fault else {
        return;
    };
    match fault {
        MessageFault::TooLong { got, limit } => assert!(got == length && got > limit),
        MessageFault::Malformed { at }
        | MessageFault::Encoding { at }
        | MessageFault::MandatoryExtension { at } => assert!(at <= length, "{at} of {length}"),
    }
}
