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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, written};

    fn read(text: &str) -> Option<Result<ClientStep, Failure>> {
        ClientStep::read(&element(
            &text.replace("SASL", &format!("xmlns='{}'", ns::SASL)),
        ))
    }

    fn auth(mechanism: &str, initial: Option<&[u8]>) -> Result<ClientStep, Failure> {
        Ok(ClientStep::Auth {
            mechanism: mechanism.to_owned(),
            initial: initial.map(Into::into),
        })
    }

    /// RFC 6120 §6.4.2 to §6.4.4
    #[test]
    fn steps_are_read() {
        for (text, step) in [
            (
                "<auth SASL mechanism='PLAIN'>AGEAYg==</auth>",
                auth("PLAIN", Some(b"\0a\0b")),
            ),
            ("<auth SASL mechanism='PLAIN'/>", auth("PLAIN", None)),
            // "=" is an initial response that is empty, not one that is absent.
            (
                "<auth SASL mechanism='PLAIN'>=</auth>",
                auth("PLAIN", Some(b"")),
            ),
            ("<auth SASL mechanism='EXTERNAL'/>", auth("EXTERNAL", None)),
            (
                "<response SASL>YQ==</response>",
                Ok(ClientStep::Response(b"a".to_vec())),
            ),
            (
                "<response SASL>=</response>",
                Ok(ClientStep::Response(Vec::new())),
            ),
            ("<response SASL/>", Ok(ClientStep::Response(Vec::new()))),
            ("<abort SASL/>", Ok(ClientStep::Abort)),
        ] {
            assert_eq!(read(text), Some(step), "{text}");
        }
    }

    /// RFC 6120 §6.5.4, §6.5.8; RFC 4648 §3: nothing is guessed.
    #[test]
    fn what_is_not_base64_or_names_no_mechanism_fails() {
        for data in ["A", "AGE", "AG E=", "A===", "AA==\n", "%", "AA=A", "-_=="] {
            let encoding = Some(Err(Failure::IncorrectEncoding));
            let sent = format!("<auth SASL mechanism='PLAIN'>{data}</auth>");
            assert_eq!(read(&sent), encoding, "{data}");
            let sent = format!("<response SASL>{data}</response>");
            assert_eq!(read(&sent), encoding, "{data}");
        }
        assert_eq!(
            read("<auth SASL>AA==</auth>"),
            Some(Err(Failure::MalformedRequest))
        );
    }

    /// What only a server may say is no step, nor is anything elsewhere.
    #[test]
    fn other_elements_are_no_steps() {
        for text in [
            "<challenge SASL/>",
            "<success SASL/>",
            "<failure SASL/>",
            "<auth mechanism='PLAIN'/>",
            "<auth xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// RFC 6120 §6.4.3, §6.4.5, §6.4.6
    #[test]
    fn answers_are_written() {
        let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
        for (answer, text) in [
            (
                written(|out| write_challenge(out, b"a")),
                "<challenge SASL>YQ==</challenge>",
            ),
            (
                written(|out| write_challenge(out, b"")),
                "<challenge SASL>=</challenge>",
            ),
            (written(|out| write_success(out, None)), "<success SASL/>"),
            (
                written(|out| write_success(out, Some(b""))),
                "<success SASL>=</success>",
            ),
            (
                written(|out| write_success(out, Some(b"a"))),
                "<success SASL>YQ==</success>",
            ),
            (
                written(|out| write_failure(out, Failure::NotAuthorized)),
                "<failure SASL><not-authorized/></failure>",
            ),
        ] {
            assert_eq!(answer, text.replace("SASL", sasl));
        }
    }
}
