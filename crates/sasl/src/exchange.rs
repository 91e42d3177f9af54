//! The server's side of an exchange, whatever the mechanism.

use std::fmt;

use crate::binding::ChannelBindings;
use crate::decoy::Decoys;
use crate::fault::{MessageFault, SaslFault};
use crate::mechanism::{Hash, Mechanism};
use crate::nonce::Nonce;
use crate::offer::Offer;
use crate::plain::Plain;
use crate::prepare;
use crate::scram::{Challenged, Claim, Claimed, Policy, Start};
use crate::verifier::Verifier;

/// An exchange that waits for the client. A step consumes it, so an exchange
/// that failed is gone.
///
/// In all mechanisms here the client speaks first. If it did not send an initial
/// response with its choice of the mechanism, the front end asks for one with an
/// empty challenge and gives the answer to [`Exchange::step`]. An initial
/// response that is present and empty (`=`, RFC 6120 §6.4.2) is given as an
/// empty slice, and is malformed.
#[derive(Debug)]
pub struct Exchange(State);

#[derive(Debug)]
enum State {
    Plain,
    ScramStart(Start),
    ScramChallenged {
        username: String,
        challenged: Challenged,
    },
}

/// What the caller has to do next.
#[derive(Debug)]
pub enum Step {
    /// Look for the verifier of an account and go on with [`Lookup::resume`].
    Lookup(Lookup),
    /// Send this challenge and give the answer to the next exchange.
    Challenge {
        /// To the client.
        data: Vec<u8>,
        /// Waits for the answer.
        next: Exchange,
    },
    /// The client is who it says.
    Success {
        /// The prepared user name, of which the account follows.
        username: String,
        /// To the client, along with the success (RFC 6120 §6.4.6).
        data: Option<Vec<u8>>,
    },
}

impl Exchange {
    /// Begins an exchange that the client asked for. `bindings` belong to its
    /// TLS connection, `nonce` is random.
    ///
    /// # Errors
    /// [`SaslFault::NotOffered`] if the mechanism is not on the list that this
    /// client got.
    pub fn new(
        mechanism: Mechanism,
        offer: &Offer,
        bindings: &ChannelBindings,
        nonce: Nonce,
    ) -> Result<Self, SaslFault> {
        if !offer.has(mechanism) {
            return Err(SaslFault::NotOffered(mechanism));
        }
        Ok(Self(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Scram(hash) => {
                State::ScramStart(Start::new(hash, Policy::unbound(offer), offer, nonce))
            }
            Mechanism::ScramPlus(hash) => State::ScramStart(Start::new(
                hash,
                Policy::bound(offer, bindings),
                offer,
                nonce,
            )),
        }))
    }

    /// Takes the client's next message, without base64.
    ///
    /// # Errors
    /// The exchange has failed, and the client may begin another.
    pub fn step(self, input: &[u8]) -> Result<Step, SaslFault> {
        match self.0 {
            State::Plain => plain(input),
            State::ScramStart(start) => {
                let (Claim { username, authzid }, claimed) = start.read(input)?;
                Ok(Step::Lookup(Lookup {
                    username,
                    authzid,
                    pending: Pending::Scram(claimed),
                }))
            }
            State::ScramChallenged {
                username,
                challenged,
            } => {
                let data = Some(challenged.finish(input)?);
                Ok(Step::Success { username, data })
            }
        }
    }
}

fn plain(input: &[u8]) -> Result<Step, SaslFault> {
    let plain = Plain::parse(input)?;
    let at_username = plain.authzid.map_or(0, str::len) + 1;
    let malformed = MessageFault::Malformed { at: at_username };
    Ok(Step::Lookup(Lookup {
        username: prepare::username(plain.username)
            .ok_or(malformed)?
            .into_owned(),
        authzid: plain.authzid.map(ToOwned::to_owned),
        pending: Pending::Plain(Password(plain.password.to_owned())),
    }))
}

/// An exchange that waits for the verifier of an account. It may wait long; it
/// holds no reference to the connection.
#[derive(Debug)]
pub struct Lookup {
    username: String,
    authzid: Option<String>,
    pending: Pending,
}

#[derive(Debug)]
enum Pending {
    Plain(Password),
    Scram(Claimed),
}

/// Keeps a password out of logs.
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Lookup {
    /// The user name that the client sent, prepared with SASLprep; in XMPP the
    /// localpart of its address (RFC 6120 §6.3.7).
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The hash that the verifier must be of. PLAIN goes with any, and prefers
    /// this one; let it be the same for all accounts, or their answers differ in
    /// time.
    pub fn hash(&self) -> Hash {
        match &self.pending {
            Pending::Plain(_) => Hash::Sha256,
            Pending::Scram(claimed) => claimed.hash,
        }
    }

    /// Goes on with the verifier that was found, or if none was, with a decoy,
    /// in the same way to the end. PLAIN takes milliseconds here.
    ///
    /// `account` is the prepared address that was looked up. `is_own` says
    /// whether an authorization identity that the client sent means that
    /// account; in XMPP it is a bare JID (RFC 6120 §6.3.8), to be prepared
    /// before it is compared. Acting as somebody else is not possible.
    ///
    /// # Errors
    /// [`SaslFault::InvalidAuthzid`], or [`SaslFault::NotAuthorized`] if the
    /// password of PLAIN is wrong.
    pub fn resume(
        self,
        stored: Option<Verifier>,
        decoys: &Decoys,
        account: &str,
        is_own: impl FnOnce(&str) -> bool,
    ) -> Result<Step, SaslFault> {
        // Made in any case: the time must not tell whether it is needed.
        let decoy = decoys.verifier(self.hash(), account);
        if !self.authzid.as_deref().is_none_or(is_own) {
            return Err(SaslFault::InvalidAuthzid);
        }
        let username = self.username;
        match self.pending {
            Pending::Plain(Password(password)) => {
                if stored.unwrap_or(decoy).verify_password(&password) {
                    Ok(Step::Success {
                        username,
                        data: None,
                    })
                } else {
                    Err(SaslFault::NotAuthorized)
                }
            }
            Pending::Scram(claimed) => {
                let fitting = stored.filter(|verifier| verifier.hash() == claimed.hash);
                let challenged = claimed.challenge(fitting.unwrap_or(decoy));
                let data = challenged.server_first.clone().into_bytes();
                Ok(Step::Challenge {
                    data,
                    next: Exchange(State::ScramChallenged {
                        username,
                        challenged,
                    }),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Credentials};
    use crate::crypto::count::operations;
    use crate::verifier::Iterations;

    const NONCE: [u8; 18] = [1; 18];

    /// Hash operations of the server in an exchange with a wrong password.
    fn work(mechanism: Mechanism, stored: Option<&Verifier>) -> (Vec<u64>, SaslFault) {
        let offer = Offer::new(Mechanism::ALL.map(Mechanism::name), ["tls-exporter"]);
        let bindings = ChannelBindings {
            exporter: Some([1; 32]),
            end_point: None,
        };
        let credentials = Credentials {
            username: "juliet",
            password: "wrong",
            authzid: None,
        };
        let nonce = || Nonce::from_random(NONCE);
        let decoys = Decoys::new(b"secret", Iterations::new(4096).unwrap());
        let (client, first) =
            Client::start(mechanism, credentials, &offer, &bindings, nonce()).unwrap();
        let exchange = Exchange::new(mechanism, &offer, &bindings, nonce()).unwrap();
        let (first_work, step) = operations(|| exchange.step(&first).unwrap());
        let Step::Lookup(lookup) = step else {
            panic!("{step:?}")
        };
        let resume = || lookup.resume(stored.cloned(), &decoys, "juliet@example.com", |_| true);
        let (second_work, step) = operations(resume);
        let (data, next) = match step {
            Ok(Step::Challenge { data, next }) => (data, next),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => return (vec![first_work, second_work], fault),
        };
        let (_, last) = client.challenge(&data).unwrap();
        let (third_work, step) = operations(|| next.step(&last).unwrap_err());
        (vec![first_work, second_work, third_work], step)
    }

    /// RFC 6120 §6.5.10: nor does the duration say which
    #[test]
    fn an_unknown_account_costs_as_much_work_in_each_step_as_a_wrong_password() {
        let iterations = Iterations::new(4096).unwrap();
        for mechanism in Mechanism::ALL {
            let hash = mechanism.hash().unwrap_or(Hash::Sha256);
            let stored = Verifier::derive(hash, "right", b"16 bytes of salt", iterations).unwrap();
            let known = work(mechanism, Some(&stored));
            assert_eq!(known, work(mechanism, None), "{mechanism}");
            assert_eq!(known.1, SaslFault::NotAuthorized, "{mechanism}");
        }
    }
}
