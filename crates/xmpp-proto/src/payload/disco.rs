//! Service discovery (XEP-0030).

use crate::ns;
use crate::payload::form::Form;
use crate::payload::rsm::PageAnswer;
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
    form: Option<&Form>,
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
    if let Some(form) = form {
        form.write(&mut query);
    }
}

/// Something that belongs to somebody (XEP-0030 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Where it is.
    pub address: &'a str,
    /// For people.
    pub name: Option<&'a str>,
    /// What of it, if it is not all that is there.
    pub node: Option<&'a str>,
}

/// Says what belongs to somebody (XEP-0030 §4.1), and which page of that it is.
pub fn write_items<'a>(
    iq: &mut Writer<'_>,
    node: Option<&str>,
    items: impl IntoIterator<Item = Item<'a>>,
    page: Option<&PageAnswer>,
) {
    let mut query = iq
        .open("query")
        .namespace(ns::DISCO_ITEMS)
        .attribute_opt("node", node);
    for item in items {
        query
            .open("item")
            .attribute("jid", item.address)
            .attribute_opt("name", item.name)
            .attribute_opt("node", item.node)
            .close();
    }
    if let Some(page) = page {
        page.write(&mut query);
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
            in_iq(|iq| write_info(iq, Some("n'"), &[SERVER], &["urn:xmpp:ping"], None)),
            "<query xmlns='http://jabber.org/protocol/disco#info' node='n&apos;'>\
             <identity category='server' type='im' name='A &amp; B'/>\
             <feature var='urn:xmpp:ping'/></query>"
        );
        assert_eq!(
            in_iq(|iq| write_info(iq, None, &[], &[], None)),
            "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        );
    }

    /// XEP-0030 §4.1, XEP-0059 §3
    #[test]
    fn items_have_addresses_and_may_be_a_page_of_more() {
        let item = |address, name, node| Item {
            address,
            name,
            node,
        };
        let page = PageAnswer {
            ends: None,
            count: Some(7),
        };
        assert_eq!(
            in_iq(|iq| {
                let items = [
                    item("a.example.org", None, None),
                    item("b.example.org", Some("B"), Some("n")),
                ];
                write_items(iq, None, items, Some(&page));
            }),
            "<query xmlns='http://jabber.org/protocol/disco#items'>\
             <item jid='a.example.org'/><item jid='b.example.org' name='B' node='n'/>\
             <set xmlns='http://jabber.org/protocol/rsm'><count>7</count></set></query>"
        );
    }
}
