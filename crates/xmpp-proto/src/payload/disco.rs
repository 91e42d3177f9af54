//! Service discovery (XEP-0030).

use crate::ns;
use anser_xml::Writer;

/// What somebody is (XEP-0030 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Out of the registry of categories.
    pub category: &'a str,
    /// Out of the category's types.
    pub kind: &'a str,
    /// For people.
    pub name: &'a str,
}

/// Says what somebody is and can do (XEP-0030 §3.1).
pub fn write_info(
    iq: &mut Writer<'_>,
    node: Option<&str>,
    identities: &[Identity<'_>],
    features: &[&str],
) {
    let mut query = iq
        .open("query")
        .namespace(ns::DISCO_INFO)
        .attribute_opt("node", node);
    for identity in identities {
        query
            .open("identity")
            .attribute("category", identity.category)
            .attribute("type", identity.kind)
            .attribute("name", identity.name)
            .close();
    }
    for feature in features {
        query.open("feature").attribute("var", feature).close();
    }
}

/// Says what belongs to somebody (XEP-0030 §4.1).
pub fn write_items<'a>(
    iq: &mut Writer<'_>,
    node: Option<&str>,
    addresses: impl IntoIterator<Item = &'a str>,
) {
    let mut query = iq
        .open("query")
        .namespace(ns::DISCO_ITEMS)
        .attribute_opt("node", node);
    for address in addresses {
        query.open("item").attribute("jid", address).close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::in_iq;

    const SERVER: Identity<'static> = Identity {
        category: "server",
        kind: "im",
        name: "A & B",
    };

    /// XEP-0030 §3.1, §3.2
    #[test]
    fn information_has_the_node_that_was_asked_for_identities_and_features() {
        assert_eq!(
            in_iq(|iq| write_info(iq, Some("n'"), &[SERVER], &["urn:xmpp:ping"])),
            "<query xmlns='http://jabber.org/protocol/disco#info' node='n&apos;'>\
             <identity category='server' type='im' name='A &amp; B'/>\
             <feature var='urn:xmpp:ping'/></query>"
        );
        assert_eq!(
            in_iq(|iq| write_info(iq, None, &[], &[])),
            "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        );
    }

    /// XEP-0030 §4.1
    #[test]
    fn items_have_addresses() {
        assert_eq!(
            in_iq(|iq| write_items(iq, None, ["a.example.org", "b.example.org"])),
            "<query xmlns='http://jabber.org/protocol/disco#items'>\
             <item jid='a.example.org'/><item jid='b.example.org'/></query>"
        );
    }
}
