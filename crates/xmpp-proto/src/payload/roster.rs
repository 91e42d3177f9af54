//! Rosters (RFC 6121 §2).

use crate::ns;
use crate::{DefinedCondition, StanzaError};
use anser_jid::Jid;
use anser_xml::{Child, Writer};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a client wants changed (RFC 6121 §2.3 to §2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A contact with this name and these groups.
    Set {
        /// Which contact.
        address: Jid,
        /// What the user calls it.
        name: Option<String>,
        /// In which groups it is.
        groups: Vec<String>,
    },
    /// A contact no longer.
    Remove {
        /// Which contact.
        address: Jid,
    },
}

/// The longest name of a contact or a group, in bytes: as long as a part of an
/// address.
const MOST_NAME_BYTES: usize = 1023;

impl Change {
    /// Reads a roster set.
    ///
    /// # Errors
    /// The stanza error of RFC 6121 §2.3.3.
    pub fn read(query: Child<'_>) -> Result<Self, StanzaError> {
        let query = query.open();
        let mut items = query
            .children()
            .filter(|child| child.is(ns::ROSTER, "item"));
        let (Some(item), None) = (items.next(), items.next()) else {
            return Err(DefinedCondition::BadRequest.because("exactly one item can be set"));
        };
        let address = item
            .attribute("jid")
            .and_then(|text| Jid::parse(&text).ok());
        let address = address
            .ok_or_else(|| DefinedCondition::BadRequest.because("'jid' is not an address"))?;
        if item.attribute("subscription").as_deref() == Some("remove") {
            return Ok(Self::Remove { address });
        }
        let name = item.attribute("name").map(Cow::into_owned);
        if name
            .as_ref()
            .is_some_and(|name| name.len() > MOST_NAME_BYTES)
        {
            return Err(DefinedCondition::NotAcceptable.because("the name is too long"));
        }
        Ok(Self::Set {
            address,
            name: name.filter(|name| !name.is_empty()),
            groups: read_groups(item)?,
        })
    }
}

fn read_groups(item: Child<'_>) -> Result<Vec<String>, StanzaError> {
    let mut groups = BTreeSet::new();
    for child in item.children() {
        if !child.is(ns::ROSTER, "group") {
            continue;
        }
        let name = child.text().into_owned();
        if name.is_empty() || name.len() > MOST_NAME_BYTES {
            let reason = "the name of a group is empty or too long";
            return Err(DefinedCondition::NotAcceptable.because(reason));
        }
        if !groups.insert(name) {
            return Err(DefinedCondition::BadRequest.because("a group is named twice"));
        }
    }
    Ok(groups.into_iter().collect())
}

/// A contact as a client sees it (RFC 6121 §2.1.2).
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Which contact.
    pub address: &'a Jid,
    /// What the user calls it.
    pub name: Option<&'a str>,
    /// `none`, `to`, `from`, `both` or `remove`.
    pub subscription: &'static str,
    /// The user's request waits for an answer.
    pub is_asked: bool,
    /// Allowed in advance.
    pub is_approved: bool,
    /// In which groups it is.
    pub groups: &'a [String],
}

/// Writes a roster, or a change of it.
pub fn write<'a>(iq: &mut Writer<'_>, version: u64, items: impl IntoIterator<Item = Item<'a>>) {
    let mut query = iq
        .open("query")
        .namespace(ns::ROSTER)
        .attribute_display("ver", version);
    for item in items {
        let mut element = query
            .open("item")
            .attribute("jid", item.address.as_str())
            .attribute_opt("name", item.name)
            .attribute("subscription", item.subscription)
            .attribute_opt("ask", item.is_asked.then_some("subscribe"))
            .attribute_opt("approved", item.is_approved.then_some("true"));
        for group in item.groups {
            element.open("group").text(group);
        }
    }
}
