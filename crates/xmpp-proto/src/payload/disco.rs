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
