//! SASL as streams carry it (RFC 6120 §6).

use crate::ns;
use anser_xml::{Element, Writer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

/// What a client may say while it authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientStep {
    /// It begins (RFC 6120 §6.4.2).
    Auth {
        /// The mechanism's name.
        mechanism: String,
        /// The first message, if the mechanism has the client speak first.
        initial: Option<Vec<u8>>,
    },
    /// It answers (RFC 6120 §6.4.3).
    Response(Vec<u8>),
    /// It gives up (RFC 6120 §6.4.4).
    Abort,
}

/// Why authentication failed (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the clause")]
pub enum Failure {
    Aborted,
    EncryptionRequired,
    IncorrectEncoding,
    InvalidAuthzid,
    InvalidMechanism,
    MalformedRequest,
    NotAuthorized,
    TemporaryAuthFailure,
}

impl Failure {
    fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

impl ClientStep {
    /// Reads an element of the SASL namespace; `None` if it is none that a
    /// client may send.
    ///
    /// # Errors
    /// [`Failure::IncorrectEncoding`] if the data is not base64
    /// (RFC 6120 §6.5.4), [`Failure::MalformedRequest`] without a mechanism.
    pub fn read(element: &Element) -> Option<Result<Self, Failure>> {
        if element.namespace() != ns::SASL {
            return None;
        }
        match element.name() {
            "auth" => Some(Self::read_auth(element)),
            "response" => Some(decode(&element.text()).map(Self::Response)),
            "abort" => Some(Ok(Self::Abort)),
            _ => None,
        }
    }

    fn read_auth(element: &Element) -> Result<Self, Failure> {
        let mechanism = element.attribute("mechanism");
        let mechanism = mechanism.ok_or(Failure::MalformedRequest)?.into_owned();
        let text = element.text();
        let initial = match &*text {
            // No first message, as opposed to an empty one.
            "" => None,
            text => Some(decode(text)?),
        };
        Ok(Self::Auth { mechanism, initial })
    }
}

/// A single `=` is data of no length (RFC 6120 §6.4.2).
fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    match text {
        "=" => Ok(Vec::new()),
        text => STANDARD
            .decode(text)
            .map_err(|_| Failure::IncorrectEncoding),
    }
}

/// Writes a challenge (RFC 6120 §6.4.3).
pub fn write_challenge(output: &mut BytesMut, data: &[u8]) {
    write_data(output, "challenge", Some(data));
}

/// Writes that the client has authenticated (RFC 6120 §6.4.6).
pub fn write_success(output: &mut BytesMut, data: Option<&[u8]>) {
    write_data(output, "success", data);
}

fn write_data(output: &mut BytesMut, name: &'static str, data: Option<&[u8]>) {
    let mut writer = Writer::new(output);
    let mut element = writer.open(name).namespace(ns::SASL);
    match data {
        None => {}
        Some([]) => element.text("="),
        Some(data) => element.text(&STANDARD.encode(data)),
    }
}

/// Writes that it has not (RFC 6120 §6.4.5).
pub fn write_failure(output: &mut BytesMut, failure: Failure) {
    let mut writer = Writer::new(output);
    let mut element = writer.open("failure").namespace(ns::SASL);
    element.open(failure.name()).close();
}
