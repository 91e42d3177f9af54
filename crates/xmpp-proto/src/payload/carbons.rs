//! Copies of messages for one's other devices (XEP-0280).

use crate::ns;
use anser_xml::{Child, Writer};

/// Wraps what is copied (XEP-0280 §7 and §8): `direction` is `sent` or
/// `received`, `forward` writes what is forwarded (XEP-0297 §3.1).
pub fn write(
    stanza: &mut Writer<'_>,
    direction: &'static str,
    forward: impl FnOnce(&mut Writer<'_>),
) {
    let mut copy = stanza.open(direction).namespace(ns::CARBONS);
    let mut forwarded = copy.open("forwarded").namespace(ns::FORWARD);
    forward(&mut forwarded);
}

/// Whether a child claims that its message is a copy, or out of an archive. Only
/// the server says so to its users, and clients without care believe whoever
/// does (CVE-2017-5589, CVE-2020-26547).
#[must_use]
pub fn is_claim(child: Child<'_>) -> bool {
    let is_of = |family: &str| child.namespace().starts_with(family);
    match child.name() {
        "sent" | "received" => is_of("urn:xmpp:carbons:"),
        "result" | "fin" => is_of("urn:xmpp:mam:"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    /// XEP-0280 §7
    #[test]
    fn a_copy_is_wrapped_twice() {
        let copy = |stanza: &mut Writer<'_>| {
            write(stanza, "received", |forwarded| {
                forwarded.open("message").namespace(ns::CLIENT).close();
            });
        };
        assert_eq!(
            in_iq(copy),
            "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client'/></forwarded></received>"
        );
    }

    /// XEP-0280 §11, XEP-0313 §8
    #[test]
    fn whatever_looks_like_a_copy_or_out_of_an_archive_is_a_claim() {
        for (child, expected) in [
            ("<received xmlns='urn:xmpp:carbons:2'/>", true),
            ("<c:sent xmlns:c='urn:xmpp:carbons:2'/>", true),
            ("<sent xmlns='urn:xmpp:carbons:1'/>", true),
            ("<result xmlns='urn:xmpp:mam:2'/>", true),
            ("<result xmlns='urn:xmpp:mam:tmp'/>", true),
            ("<fin xmlns='urn:xmpp:mam:0'/>", true),
            ("<private xmlns='urn:xmpp:carbons:2'/>", false),
            ("<received xmlns='urn:xmpp:receipts' id='1'/>", false),
            ("<forwarded xmlns='urn:xmpp:forward:0'/>", false),
            ("<result xmlns='urn:x'/>", false),
        ] {
            let message = element(&format!("<message>{child}</message>"));
            assert_eq!(
                is_claim(message.children().next().unwrap()),
                expected,
                "{child}"
            );
        }
    }
}
