//! The client's side: for load generators and tests, for bridges and servers
//! that log in elsewhere. It trusts the server no more than the server trusts it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::binding::{BindingType, ChannelBindings};
use crate::crypto;
use crate::fault::MessageFault;
use crate::mechanism::{Hash, Mechanism};
use crate::message::{self, ServerFinal, ServerFirst, escape};
use crate::nonce::Nonce;
use crate::offer::Offer;
use crate::prepare::{self, PasswordFault};
use crate::verifier::{Iterations, IterationsFault, Keys};

/// What the client logs in with. There is no `Debug`: it holds a password.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// In XMPP the localpart of the account (RFC 6120 §6.3.7).
    pub username: &'a str,
    /// As it was typed.
    pub password: &'a str,
    /// Whom to act as, if it has to be said.
    pub authzid: Option<&'a str>,
}

/// The client ends the exchange, and must not take the server for the right one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// The server does not offer the mechanism.
    #[error("mechanism {0} was not offered")]
    NotOffered(Mechanism),
    /// A -PLUS mechanism, and no type of binding that both ends have.
    #[error("no type of channel binding in common")]
    NoBinding,
    /// The server offers channel binding in no mechanism: somebody has taken
    /// the mechanisms off the list (XEP-0440 §3, rule 5).
    #[error("types of channel binding were offered without a mechanism for them")]
    NoBoundMechanism,
    /// SASLprep refuses the user name.
    #[error("the user name is not one")]
    Username,
    /// SASLprep refuses the password.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The server's message is not what the mechanism defines.
    #[error(transparent)]
    Message(#[from] MessageFault),
    /// The server demands too little or too much work.
    #[error(transparent)]
    Iterations(#[from] IterationsFault),
    /// The server's nonce does not continue ours.
    #[error("the nonce is not of this exchange")]
    Nonce,
    /// What was offered is not what arrived, or the server ought to say so and
    /// does not (XEP-0474 §§6.2, 7).
    #[error("the offer was tampered with")]
    Downgrade,
    /// The server does not know the password.
    #[error("the signature of the server is wrong")]
    ServerSignature,
    /// The server said why it refuses (RFC 5802 §7, `server-error`).
    #[error("refused: {0}")]
    Refused(String),
    /// The server sent a challenge or a success that has no place here.
    #[error("the server skipped a part of the exchange")]
    OutOfOrder,
}

/// The strongest mechanism that both ends can speak.
pub fn choose(offer: &Offer, bindings: &ChannelBindings) -> Option<Mechanism> {
    let is_usable = |mechanism: &Mechanism| {
        offer.has(*mechanism) && (!mechanism.is_plus() || common_binding(offer, bindings).is_some())
    };
    Mechanism::ALL.into_iter().find(is_usable)
}

/// The strongest type that both ends have, and its data.
fn common_binding<'a>(
    offer: &Offer,
    bindings: &'a ChannelBindings,
) -> Option<(BindingType, &'a [u8])> {
    bindings
        .iter()
        .find(|&(binding, _)| offer.has_binding(binding))
}

/// An exchange that waits for the server.
pub struct Client(State);

enum State {
    PlainSent,
    FirstSent(FirstSent),
    ProofSent { signature: Vec<u8> },
    ServerVerified,
}

impl Client {
    /// Begins an exchange; the bytes are the initial response.
    ///
    /// # Errors
    /// The mechanism does not go with the offer and the connection, or the
    /// credentials cannot be prepared.
    pub fn start(
        mechanism: Mechanism,
        credentials: Credentials<'_>,
        offer: &Offer,
        bindings: &ChannelBindings,
        nonce: Nonce,
    ) -> Result<(Self, Vec<u8>), ClientFault> {
        if !offer.has(mechanism) {
            return Err(ClientFault::NotOffered(mechanism));
        }
        let username = prepare::username(credentials.username).ok_or(ClientFault::Username)?;
        let password = prepare::password(credentials.password)?;
        let Some(hash) = mechanism.hash() else {
            let authzid = credentials.authzid.unwrap_or_default();
            let message = format!("{authzid}\0{username}\0{password}");
            return Ok((Self(State::PlainSent), message.into_bytes()));
        };
        let binding = Binding::of(mechanism, offer, bindings)?;
        let authzid = credentials
            .authzid
            .map_or(String::new(), |authzid| format!("a={}", escape(authzid)));
        let header = format!("{},{authzid},", binding.flag);
        let bare = format!("n={},r={}", escape(&username), nonce.as_str());
        let message = format!("{header}{bare}").into_bytes();
        let first_sent = FirstSent {
            hash,
            password: password.into_owned(),
            nonce,
            bare,
            binding_input: [header.as_bytes(), &binding.data].concat(),
            downgrade_hash: offer.downgrade_hash(hash),
            needs_downgrade_hash: binding.needs_downgrade_hash,
        };
        Ok((Self(State::FirstSent(first_sent)), message))
    }

    /// Answers a challenge. This is where the password is hashed, which takes
    /// milliseconds.
    ///
    /// # Errors
    /// The server is not to be trusted, or refuses.
    pub fn challenge(self, input: &[u8]) -> Result<(Self, Vec<u8>), ClientFault> {
        match self.0 {
            State::FirstSent(first_sent) => {
                let (signature, response) = first_sent.answer(message::text(input)?)?;
                Ok((Self(State::ProofSent { signature }), response))
            }
            // The server's last message may come as a challenge of its own
            // (RFC 4422 §5).
            State::ProofSent { signature } => {
                verify(&signature, input)?;
                Ok((Self(State::ServerVerified), Vec::new()))
            }
            State::PlainSent | State::ServerVerified => Err(ClientFault::OutOfOrder),
        }
    }

    /// Ends the exchange when the server reports success, with the data it sent
    /// along.
    ///
    /// # Errors
    /// The server has not shown that it knows the password: this is not success.
    pub fn success(self, data: Option<&[u8]>) -> Result<(), ClientFault> {
        match self.0 {
            State::PlainSent | State::ServerVerified => Ok(()),
            State::ProofSent { signature } => {
                verify(&signature, data.ok_or(ClientFault::OutOfOrder)?)
            }
            State::FirstSent(_) => Err(ClientFault::OutOfOrder),
        }
    }
}

/// `server-final-message`
fn verify(signature: &[u8], input: &[u8]) -> Result<(), ClientFault> {
    match ServerFinal::parse(message::text(input)?)? {
        ServerFinal::Signature(given) if crypto::is_equal(&given, signature) => Ok(()),
        ServerFinal::Signature(_) => Err(ClientFault::ServerSignature),
        ServerFinal::Error(reason) => Err(ClientFault::Refused(reason.to_owned())),
    }
}

/// What to say about channel binding (RFC 5802 §6, XEP-0440 §3).
struct Binding {
    flag: String,
    data: Vec<u8>,
    /// We go without a binding although the server has some: then only its hash
    /// of the offer shows that nobody made us (XEP-0474 §7).
    needs_downgrade_hash: bool,
}

impl Binding {
    fn of(
        mechanism: Mechanism,
        offer: &Offer,
        bindings: &ChannelBindings,
    ) -> Result<Self, ClientFault> {
        if mechanism.is_plus() {
            let (binding, data) = common_binding(offer, bindings).ok_or(ClientFault::NoBinding)?;
            let flag = format!("p={}", binding.name());
            return Ok(Self {
                flag,
                data: data.to_vec(),
                needs_downgrade_hash: false,
            });
        }
        let unbound = |flag: &str, needs_downgrade_hash| {
            Ok(Self {
                flag: flag.to_owned(),
                data: Vec::new(),
                needs_downgrade_hash,
            })
        };
        if bindings.types().next().is_none() {
            unbound("n", false)
        } else if offer.has_plus() {
            unbound("n", true)
        } else if offer.has_any_binding() {
            Err(ClientFault::NoBoundMechanism)
        } else {
            unbound("y", false)
        }
    }
}

/// Waits for `server-first-message`.
struct FirstSent {
    hash: Hash,
    password: String,
    nonce: Nonce,
    bare: String,
    binding_input: Vec<u8>,
    downgrade_hash: String,
    needs_downgrade_hash: bool,
}

impl FirstSent {
    /// The signature to expect, and `client-final-message`.
    fn answer(&self, server_first: &str) -> Result<(Vec<u8>, Vec<u8>), ClientFault> {
        let first = ServerFirst::parse(server_first)?;
        let added = first.nonce.strip_prefix(self.nonce.as_str());
        if added.is_none_or(str::is_empty) {
            return Err(ClientFault::Nonce);
        }
        let is_untouched = match first.downgrade_hash {
            Some(given) => given == self.downgrade_hash,
            None => !self.needs_downgrade_hash,
        };
        if !is_untouched {
            return Err(ClientFault::Downgrade);
        }
        let iterations = Iterations::new(first.iterations)?;
        let keys = Keys::derive(self.hash, &self.password, &first.salt, iterations);
        let without_proof = format!("c={},r={}", BASE64.encode(&self.binding_input), first.nonce);
        let auth_message: [&[u8]; 5] = [
            self.bare.as_bytes(),
            b",",
            server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let proof = crypto::hmac(self.hash, &keys.stored_key, &auth_message);
        let proof = crypto::xor(&keys.client_key, proof.as_ref());
        let signature = crypto::hmac(self.hash, &keys.server_key, &auth_message);
        let message = format!("{without_proof},p={}", BASE64.encode(proof));
        Ok((signature.as_ref().to_vec(), message.into_bytes()))
    }
}
