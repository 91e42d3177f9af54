//! Messages that a moderator takes back (XEP-0425).

use super::delay::stamp;
use super::muc;
use super::muc_admin::read_reason;
use crate::{DefinedCondition, StanzaError, ns};
use anser_xml::{Child, Writer};

/// What a moderator wants (XEP-0425 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderation {
    /// The id that the room has given the message.
    pub id: String,
    /// Why, if they say it.
    pub reason: Option<String>,
}

impl Moderation {
    /// Reads the element `moderate`.
    ///
    /// # Errors
    /// `bad-request` if no message is named, `feature-not-implemented` if it is
    /// not to be taken back but something else, `not-acceptable` for a reason
    /// that is too long.
    pub fn read(moderate: Child<'_>) -> Result<Self, StanzaError> {
        let id = moderate.attribute("id").filter(|id| !id.is_empty());
        let reason = "'id' is missing";
        let id = id.ok_or_else(|| DefinedCondition::BadRequest.because(reason))?;
        if moderate.child(ns::RETRACT, "retract").is_none() {
            let reason = "messages can be taken back, and nothing else";
            return Err(DefinedCondition::FeatureNotImplemented.because(reason));
        }
        Ok(Self {
            id: id.into_owned(),
            reason: read_reason(&moderate.open(), ns::MODERATE)?,
        })
    }

    /// Writes that a moderator, under this address in the room and with this
    /// name through all visits, has taken the message back (XEP-0425 §4).
    pub fn write(&self, message: &mut Writer<'_>, by: &str, occupant_id: &str) {
        let retract = message.open("retract").namespace(ns::RETRACT);
        self.write_inside(retract.attribute("id", &self.id), by, occupant_id);
    }

    /// Writes what stands in the place of the message (XEP-0425 §5).
    pub fn write_tombstone(
        &self,
        message: &mut Writer<'_>,
        by: &str,
        occupant_id: &str,
        at_millis: u64,
    ) {
        let retracted = message.open("retracted").namespace(ns::RETRACT);
        let stamp = stamp(at_millis);
        self.write_inside(retracted.attribute("stamp", &stamp), by, occupant_id);
    }

    fn write_inside(&self, mut element: Writer<'_>, by: &str, occupant_id: &str) {
        let mut moderated = element
            .open("moderated")
            .namespace(ns::MODERATE)
            .attribute("by", by);
        muc::write_occupant_id(&mut moderated, occupant_id);
        moderated.close();
        if let Some(reason) = &self.reason {
            element.open("reason").text(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    fn read(moderate: &str) -> Result<Moderation, DefinedCondition> {
        let iq = element(&format!("<iq>{moderate}</iq>"));
        let moderate = iq.children().next().unwrap();
        Moderation::read(moderate).map_err(|error| error.condition)
    }

    /// XEP-0425 §4, §5
    #[test]
    fn a_message_is_taken_back_in_a_moderators_name_and_leaves_a_tombstone() {
        let moderation = read(
            "<moderate id='s1' xmlns='urn:xmpp:message-moderate:1'>\
             <retract xmlns='urn:xmpp:message-retract:1'/><reason>Spam</reason></moderate>",
        );
        let moderation = moderation.unwrap();
        let moderated = "<moderated xmlns='urn:xmpp:message-moderate:1' by='r@c/m'>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='dd'/></moderated>\
             <reason>Spam</reason>";
        assert_eq!(
            in_iq(|message| moderation.write(message, "r@c/m", "dd")),
            format!("<retract xmlns='urn:xmpp:message-retract:1' id='s1'>{moderated}</retract>")
        );
        assert_eq!(
            in_iq(|message| moderation.write_tombstone(message, "r@c/m", "dd", 0)),
            format!(
                "<retracted xmlns='urn:xmpp:message-retract:1' \
                 stamp='1970-01-01T00:00:00.000Z'>{moderated}</retracted>"
            )
        );
    }

    #[test]
    fn what_names_no_message_or_is_something_else_is_refused() {
        let retract = "<retract xmlns='urn:xmpp:message-retract:1'/>";
        let moderate = |attributes: &str, content: &str| {
            read(&format!(
                "<moderate {attributes} xmlns='urn:xmpp:message-moderate:1'>{content}</moderate>"
            ))
        };
        assert_eq!(moderate("", retract), Err(DefinedCondition::BadRequest));
        assert_eq!(
            moderate("id=''", retract),
            Err(DefinedCondition::BadRequest)
        );
        let other = moderate("id='x'", "<edit xmlns='urn:x'/>");
        assert_eq!(other, Err(DefinedCondition::FeatureNotImplemented));
        let long = format!("{retract}<reason>{}</reason>", "x".repeat(1025));
        assert_eq!(
            moderate("id='x'", &long),
            Err(DefinedCondition::NotAcceptable)
        );
    }
}
