//! Stanza ids (XEP-0359).

use crate::ns;
use anser_jid::Jid;
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

/// In whose name a child claims to be an id: only they may say so, and others'
/// claims are removed (XEP-0359 §6). `None` if it is no id, or nobody's.
#[must_use]
pub fn claimant(child: Child<'_>) -> Option<Jid> {
    if !child.is(ns::STANZA_ID, "stanza-id") {
        return None;
    }
    Jid::parse(&child.attribute("by")?).ok()
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

    /// XEP-0359 §6, RFC 7622 §3.2
    #[test]
    fn an_id_is_claimed_in_the_name_of_an_address_however_that_is_written() {
        let claimant = |child: &str| {
            let message = element(&format!("<message>{child}</message>"));
            let claimant = claimant(message.children().next().unwrap());
            claimant.map(|claimant| claimant.to_string())
        };
        for (id, expected) in [
            (
                "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='x'/>",
                Some("bob@example.org"),
            ),
            (
                "<s:stanza-id xmlns:s='urn:xmpp:sid:0' by='BOB&#64;Example.org.'/>",
                Some("bob@example.org"),
            ),
            ("<stanza-id xmlns='urn:xmpp:sid:0' by='@' id='x'/>", None),
            ("<stanza-id xmlns='urn:xmpp:sid:0' id='x'/>", None),
            (
                "<origin-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='x'/>",
                None,
            ),
            (
                "<stanza-id xmlns='urn:x' by='bob@example.org' id='x'/>",
                None,
            ),
        ] {
            assert_eq!(claimant(id).as_deref(), expected, "{id}");
        }
    }
}
