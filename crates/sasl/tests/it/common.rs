//! A server with one account, `juliet@example.com`, and what a test needs to
//! talk to it.

use std::sync::LazyLock;

use anser_sasl::client::{Client, Credentials};
use anser_sasl::{
    BindingType, ChannelBindings, Decoys, Exchange, Hash, Iterations, Lookup, Mechanism, Nonce,
    Offer, SaslFault, Step, Verifier,
};

pub(crate) const USER: &str = "juliet";
pub(crate) const ACCOUNT: &str = "juliet@example.com";
pub(crate) const PASSWORD: &str = "r0m30myr0m30";
pub(crate) const JULIET: Credentials<'_> = Credentials {
    username: USER,
    password: PASSWORD,
    authzid: None,
};

pub(crate) fn full_offer() -> Offer {
    Offer::new(
        Mechanism::ALL.map(Mechanism::name),
        BindingType::ALL.map(BindingType::name),
    )
}

pub(crate) fn tls() -> ChannelBindings {
    ChannelBindings {
        exporter: Some([1; 32]),
        end_point: Some(vec![2; 32]),
    }
}

pub(crate) fn iterations() -> Iterations {
    Iterations::new(4096).unwrap()
}

pub(crate) fn decoys() -> Decoys {
    Decoys::new(b"the secret of this server", iterations())
}

pub(crate) fn client_nonce() -> Nonce {
    Nonce::parse("client-nonce").unwrap()
}

pub(crate) fn server_nonce() -> Nonce {
    Nonce::from_random([9; 18])
}

/// What is stored for an account; one for each hash.
pub(crate) fn stored(username: &str, hash: Hash) -> Option<Verifier> {
    static VERIFIERS: LazyLock<[Verifier; 3]> =
        LazyLock::new(|| Verifier::derive_all(PASSWORD, [7; 16], iterations()).unwrap());
    let mut verifiers = VERIFIERS.iter().filter(|verifier| verifier.hash() == hash);
    if username == USER {
        verifiers.next().cloned()
    } else {
        None
    }
}

pub(crate) fn server(mechanism: Mechanism, offer: &Offer, bindings: &ChannelBindings) -> Exchange {
    Exchange::new(mechanism, offer, bindings, server_nonce()).unwrap()
}

/// What a front end does: it looks the account up and goes on.
pub(crate) fn look_up(lookup: Lookup) -> Result<Step, SaslFault> {
    let account = format!("{}@example.com", lookup.username());
    let stored = stored(lookup.username(), lookup.hash());
    lookup.resume(stored, &decoys(), &account, |authzid| authzid == account)
}

/// Takes a step, and the look-up with it.
pub(crate) fn step(exchange: Exchange, input: &[u8]) -> Result<Step, SaslFault> {
    match exchange.step(input)? {
        Step::Lookup(lookup) => look_up(lookup),
        other => Ok(other),
    }
}

/// The challenge that follows a first message.
pub(crate) fn challenge(exchange: Exchange, input: &[u8]) -> (String, Exchange) {
    match step(exchange, input) {
        Ok(Step::Challenge { data, next }) => (String::from_utf8(data).unwrap(), next),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn start(
    mechanism: Mechanism,
    credentials: Credentials<'_>,
    offer: &Offer,
    bindings: &ChannelBindings,
) -> (Client, Vec<u8>) {
    Client::start(mechanism, credentials, offer, bindings, client_nonce()).unwrap()
}

/// A whole exchange in which nobody interferes; gives the user name.
pub(crate) fn log_in(
    mechanism: Mechanism,
    credentials: Credentials<'_>,
) -> Result<String, SaslFault> {
    let (offer, tls) = (full_offer(), tls());
    let (client, first) = start(mechanism, credentials, &offer, &tls);
    let (client, step) = match step(server(mechanism, &offer, &tls), &first)? {
        Step::Challenge { data, next } => {
            let (client, last) = client.challenge(&data).expect("the server is honest");
            (client, step(next, &last)?)
        }
        other => (client, other),
    };
    let Step::Success { username, data } = step else {
        panic!("{step:?}")
    };
    client
        .success(data.as_deref())
        .expect("the server is honest");
    Ok(username)
}
