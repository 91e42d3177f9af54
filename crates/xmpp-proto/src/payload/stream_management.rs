//! Stream management (XEP-0198).

use crate::{AckError, DefinedCondition, StreamCondition, StreamError, ns};
use anser_xml::{Element, Writer};
use bytes::BytesMut;

/// What a client may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Acknowledge from now on (XEP-0198 §3).
    Enable {
        /// The stream shall outlive its connection.
        resume: bool,
    },
    /// Go on with an earlier stream (XEP-0198 §5).
    Resume {
        /// The id it was given.
        previous: String,
        /// How many stanzas the client has handled.
        h: u32,
    },
    /// "How much have you handled?" (XEP-0198 §4)
    Ask,
    /// "I have handled so much." (XEP-0198 §4)
    Acknowledge {
        /// How many stanzas.
        h: u32,
    },
    /// An attribute is missing or no number.
    Malformed,
}

impl Request {
    /// Reads an element of this namespace; `None` if it is none that a client
    /// may send.
    #[must_use]
    pub fn read(element: &Element) -> Option<Self> {
        if element.namespace() != ns::SM {
            return None;
        }
        let h = || element.attribute("h").and_then(|h| h.parse().ok());
        let request = match element.name() {
            "enable" => {
                let resume = element.attribute("resume");
                let resume = matches!(resume.as_deref(), Some("true" | "1"));
                Some(Self::Enable { resume })
            }
            "resume" => element
                .attribute("previd")
                .zip(h())
                .map(|(previous, h)| Self::Resume {
                    previous: previous.into_owned(),
                    h,
                }),
            "r" => Some(Self::Ask),
            "a" => h().map(|h| Self::Acknowledge { h }),
            _ => return None,
        };
        Some(request.unwrap_or(Self::Malformed))
    }
}

/// Acknowledging is on (XEP-0198 §3); with an id, and for how long, if the
/// stream can be resumed.
pub fn write_enabled(output: &mut BytesMut, resumption: Option<(&str, u32)>) {
    let mut writer = Writer::new(output);
    let mut enabled = writer.open("enabled").namespace(ns::SM);
    if let Some((id, most_seconds)) = resumption {
        enabled = enabled
            .attribute("id", id)
            .attribute("resume", "true")
            .attribute_display("max", most_seconds);
    }
    enabled.close();
}

/// The earlier stream goes on (XEP-0198 §5).
pub fn write_resumed(output: &mut BytesMut, previous: &str, h: u32) {
    Writer::new(output)
        .open("resumed")
        .namespace(ns::SM)
        .attribute("previd", previous)
        .attribute_display("h", h)
        .close();
}

/// It does not; `h` says how much was handled, if that is still known
/// (XEP-0198 §5).
pub fn write_failed(output: &mut BytesMut, condition: DefinedCondition, h: Option<u32>) {
    let mut writer = Writer::new(output);
    let mut failed = writer.open("failed").namespace(ns::SM);
    if let Some(h) = h {
        failed = failed.attribute_display("h", h);
    }
    failed
        .open(condition.name())
        .namespace(ns::STANZA_ERRORS)
        .close();
}

/// The client acknowledges what it was never sent (XEP-0198 §4).
#[must_use]
pub fn count_too_high(error: AckError) -> StreamError {
    let mut specific = BytesMut::new();
    Writer::new(&mut specific)
        .open("handled-count-too-high")
        .namespace(ns::SM)
        .attribute_display("h", error.got)
        .attribute_display("send-count", error.sent)
        .close();
    StreamError {
        specific: Some(specific.freeze()),
        ..StreamCondition::UndefinedCondition.because(error)
    }
}

/// Asks how much the other side has handled (XEP-0198 §4).
pub fn write_ask(output: &mut BytesMut) {
    output.extend_from_slice(b"<r xmlns='urn:xmpp:sm:3'/>");
}

/// Says how much was handled (XEP-0198 §4).
pub fn write_acknowledgement(output: &mut BytesMut, h: u32) {
    Writer::new(output)
        .open("a")
        .namespace(ns::SM)
        .attribute_display("h", h)
        .close();
}
