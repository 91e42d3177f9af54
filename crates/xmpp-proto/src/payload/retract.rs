//! Messages that are taken back (XEP-0424).

use super::delay::stamp;
use crate::ns;
use anser_xml::{Element, Writer};

/// The id of the message that another wants taken back (XEP-0424 §3); `None` if
/// it wants no such thing.
#[must_use]
pub fn retracted_id(message: &Element) -> Option<String> {
    let retract = message.child(ns::RETRACT, "retract")?;
    let id = retract.attribute("id")?;
    (!id.is_empty()).then(|| id.into_owned())
}

/// Writes what stands in the place of a message: the id of the message that took
/// it back, and when that was (XEP-0424 §4).
pub fn write_tombstone(message: &mut Writer<'_>, by: &str, at_millis: u64) {
    message
        .open("retracted")
        .namespace(ns::RETRACT)
        .attribute("id", by)
        .attribute("stamp", &stamp(at_millis))
        .close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    /// XEP-0424 §3
    #[test]
    fn a_retraction_names_a_message() {
        for (child, id) in [
            (
                "<retract xmlns='urn:xmpp:message-retract:1' id='a&amp;b'/>",
                Some("a&b"),
            ),
            ("<retract xmlns='urn:xmpp:message-retract:1' id=''/>", None),
            ("<retract xmlns='urn:xmpp:message-retract:1'/>", None),
            ("<retract xmlns='urn:xmpp:message-retract:0' id='a'/>", None),
            (
                "<retracted xmlns='urn:xmpp:message-retract:1' id='a'/>",
                None,
            ),
        ] {
            let message = element(&format!("<message>{child}<body>x</body></message>"));
            assert_eq!(retracted_id(&message).as_deref(), id, "{child}");
        }
    }

    /// XEP-0424 §4
    #[test]
    fn a_tombstone_says_what_took_the_message_back_and_when() {
        assert_eq!(
            in_iq(|message| write_tombstone(message, "r1", 951_782_400_000)),
            "<retracted xmlns='urn:xmpp:message-retract:1' id='r1' \
             stamp='2000-02-29T00:00:00.000Z'/>"
        );
    }
}
