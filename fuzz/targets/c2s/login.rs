//! Logging in as a client does that knows the password.

use crate::device::Device;
use anser_sasl::client::{Client, Credentials};
use anser_sasl::{ChannelBindings, Mechanism, Nonce};
use anser_tests::script;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::cell::RefCell;
use std::collections::HashMap;

pub(crate) const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

pub(crate) fn bind(resource: &str) -> String {
    format!(
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    )
}

/// The first message of an exchange, if the device was told what is on offer.
pub(crate) fn begin(device: &Device, password: &str) -> Option<(Client, String)> {
    let features = device.last().filter(|last| last.name() == "features")?;
    let credentials = Credentials {
        username: device.user(),
        password,
        authzid: None,
    };
    let mechanism = Mechanism::from_name("SCRAM-SHA-256")?;
    let (exchange, first) = Client::start(
        mechanism,
        credentials,
        &script::offer(features),
        &ChannelBindings::default(),
        Nonce::from_random([9; 18]),
    )
    .ok()?;
    let (name, first) = (mechanism.name(), BASE64.encode(first));
    let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>");
    Some((exchange, auth))
}

/// The last message, if the device was challenged.
pub(crate) fn answer(device: &Device, exchange: Client) -> Option<String> {
    let challenge = device.last().filter(|last| last.name() == "challenge")?;
    let response = response(&challenge.text(), exchange)?;
    Some(format!("<response xmlns='{SASL}'>{response}</response>"))
}

/// Answering is slow on purpose, and worlds that begin in the same way ask the same.
fn response(challenge: &str, exchange: Client) -> Option<String> {
    const MOST: usize = 10_000;
    thread_local!(static ANSWERS: RefCell<HashMap<String, String>> = RefCell::default());
    ANSWERS.with_borrow_mut(|answers| {
        if let Some(answer) = answers.get(challenge) {
            return Some(answer.clone());
        }
        let decoded = BASE64.decode(challenge).ok()?;
        let (_, last) = exchange.challenge(&decoded).ok()?;
        let last = BASE64.encode(last);
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(challenge.to_owned(), last.clone());
        Some(last)
    })
}
