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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, written};

    fn read(text: &str) -> Option<Request> {
        Request::read(&element(&text.replace("SM", "xmlns='urn:xmpp:sm:3'")))
    }

    /// XEP-0198 §3 to §5
    #[test]
    fn requests_are_read() {
        for (text, request) in [
            ("<enable SM/>", Request::Enable { resume: false }),
            (
                "<enable SM resume='false'/>",
                Request::Enable { resume: false },
            ),
            (
                "<enable SM resume='true' max='9'/>",
                Request::Enable { resume: true },
            ),
            ("<enable SM resume='1'/>", Request::Enable { resume: true }),
            ("<r SM/>", Request::Ask),
            (
                "<a SM h='4294967295'/>",
                Request::Acknowledge { h: u32::MAX },
            ),
            (
                "<resume SM previd='x&amp;y' h='0'/>",
                Request::Resume {
                    previous: "x&y".to_owned(),
                    h: 0,
                },
            ),
        ] {
            assert_eq!(read(text), Some(request), "{text}");
        }
    }

    /// XEP-0198 §10: the schema
    #[test]
    fn what_is_missing_or_no_number_is_malformed() {
        for text in [
            "<a SM/>",
            "<a SM h=''/>",
            "<a SM h='-1'/>",
            "<a SM h='4294967296'/>",
            "<a SM h='1.0'/>",
            "<resume SM h='1'/>",
            "<resume SM previd='x'/>",
            "<resume SM previd='x' h='y'/>",
        ] {
            assert_eq!(read(text), Some(Request::Malformed), "{text}");
        }
    }

    /// What only a server may say is no request, nor is anything elsewhere.
    #[test]
    fn other_elements_are_no_requests() {
        for text in [
            "<enabled SM/>",
            "<resumed SM/>",
            "<failed SM/>",
            "<r/>",
            "<r xmlns='urn:xmpp:sm:2'/>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// XEP-0198 §3 to §5
    #[test]
    fn answers_are_written() {
        for (answer, text) in [
            (
                written(|out| write_enabled(out, None)),
                "<enabled xmlns='urn:xmpp:sm:3'/>",
            ),
            (
                written(|out| write_enabled(out, Some(("x", 300)))),
                "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='300'/>",
            ),
            (
                written(|out| write_resumed(out, "<", 7)),
                "<resumed xmlns='urn:xmpp:sm:3' previd='&lt;' h='7'/>",
            ),
            (
                written(|out| write_failed(out, DefinedCondition::ItemNotFound, None)),
                "<failed xmlns='urn:xmpp:sm:3'>\
                 <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
            ),
            (
                written(|out| write_failed(out, DefinedCondition::ItemNotFound, Some(5))),
                "<failed xmlns='urn:xmpp:sm:3' h='5'>\
                 <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
            ),
            (written(write_ask), "<r xmlns='urn:xmpp:sm:3'/>"),
            (
                written(|out| write_acknowledgement(out, 3)),
                "<a xmlns='urn:xmpp:sm:3' h='3'/>",
            ),
        ] {
            assert_eq!(answer, text);
        }
    }

    /// XEP-0198 §4
    #[test]
    fn counting_too_much_has_a_stream_error_of_its_own() {
        let error = count_too_high(AckError { got: 9, sent: 1 });
        assert_eq!(error.condition, StreamCondition::UndefinedCondition);
        let specific = error.specific.unwrap();
        assert_eq!(
            specific,
            "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='9' send-count='1'/>"
        );
    }
}
