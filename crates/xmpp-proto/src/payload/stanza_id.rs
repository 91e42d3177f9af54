//! Stanza ids (XEP-0359).

use crate::ns;
use anser_xml::{Child, Writer};

/// Says where a message stands in somebody's log (XEP-0359 §3.1).
pub fn write(stanza: &mut Writer<'_>, by: &str, id: impl std::fmt::Display) {
    stanza
        .open("stanza-id")
        .namespace(ns::STANZA_ID)
        .attribute("by", by)
        .attribute_display("id", id)
        .close();
}

/// Whether a child claims to be an id given by `by`. Only `by` itself may say
/// so: others' claims are removed (XEP-0359 §6).
#[must_use]
pub fn is_claim(child: Child<'_>, by: &str) -> bool {
    child.is(ns::STANZA_ID, "stanza-id") && child.attribute("by").as_deref() == Some(by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    /// XEP-0359 §3.1
    #[test]
    fn an_id_says_who_gave_it() {
        assert_eq!(
            in_iq(|stanza| write(stanza, "bob@example.org", 12)),
            "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='12'/>"
        );
    }

    /// XEP-0359 §6
    #[test]
    fn only_ids_in_ones_own_name_are_claims() {
        let claims = |child: &str| {
            let message = element(&format!("<message>{child}</message>"));
            is_claim(message.children().next().unwrap(), "bob@example.org")
        };
        assert!(claims(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='x'/>"
        ));
        assert!(claims(
            "<s:stanza-id xmlns:s='urn:xmpp:sid:0' by='bob&#64;example.org'/>"
        ));
        for other in [
            "<stanza-id xmlns='urn:xmpp:sid:0' by='room@example.org' id='x'/>",
            "<stanza-id xmlns='urn:xmpp:sid:0' id='x'/>",
            "<origin-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='x'/>",
            "<stanza-id xmlns='urn:x' by='bob@example.org' id='x'/>",
        ] {
            assert!(!claims(other), "{other}");
        }
    }
}
