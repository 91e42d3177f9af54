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
/// The most groups that a contact is in.
const MOST_GROUPS: usize = 32;
/// How long their names are together: a full roster is kept in memory whole.
const MOST_GROUPS_BYTES: usize = 4096;

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
    let mut bytes = 0;
    for child in item.children() {
        if !child.is(ns::ROSTER, "group") {
            continue;
        }
        let name = child.text().into_owned();
        if name.is_empty() || name.len() > MOST_NAME_BYTES {
            let reason = "the name of a group is empty or too long";
            return Err(DefinedCondition::NotAcceptable.because(reason));
        }
        bytes += name.len();
        if !groups.insert(name) {
            return Err(DefinedCondition::BadRequest.because("a group is named twice"));
        }
        if groups.len() > MOST_GROUPS || bytes > MOST_GROUPS_BYTES {
            let reason = format_args!(
                "a contact is in {MOST_GROUPS} groups at most, \
                 whose names have {MOST_GROUPS_BYTES} bytes together"
            );
            return Err(DefinedCondition::NotAcceptable.because(reason));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq, jid};

    fn read(content: &str) -> Result<Change, StanzaError> {
        let iq = format!("<iq><query xmlns='{}'>{content}</query></iq>", ns::ROSTER);
        Change::read(element(&iq).child(ns::ROSTER, "query").unwrap())
    }

    fn set(name: Option<&str>, groups: &[&str]) -> Result<Change, StanzaError> {
        Ok(Change::Set {
            address: jid("bob@example.org"),
            name: name.map(Into::into),
            groups: groups.iter().map(ToString::to_string).collect(),
        })
    }

    /// RFC 6121 §2.3.1, §2.4
    #[test]
    fn a_contact_has_a_name_and_groups_or_not() {
        for (content, change) in [
            ("<item jid='bob@example.org'/>", set(None, &[])),
            ("<item jid='bob@example.org' name=''/>", set(None, &[])),
            (
                "<item jid='Bob@Example.ORG' name='&lt;B&gt;'/>",
                set(Some("<B>"), &[]),
            ),
            (
                "<item jid='bob@example.org'><group>b</group><group>a</group>\
                 <group xmlns='urn:x'>c</group></item>",
                set(None, &["a", "b"]),
            ),
            // What only the server may say is not heard (RFC 6121 §2.1.2).
            (
                "<item jid='bob@example.org' subscription='both' ask='subscribe' approved='true'/>",
                set(None, &[]),
            ),
        ] {
            assert_eq!(read(content), change, "{content}");
        }
    }

    /// RFC 6121 §2.5.1
    #[test]
    fn a_contact_is_removed_by_its_subscription() {
        let address = jid("bob@example.org");
        let removed = read("<item jid='bob@example.org' subscription='remove'/>");
        assert_eq!(removed, Ok(Change::Remove { address }));
    }

    /// RFC 6121 §2.3.3
    #[test]
    fn what_makes_no_sense_is_refused_with_its_condition() {
        use DefinedCondition::{BadRequest, NotAcceptable};
        let long = "x".repeat(MOST_NAME_BYTES + 1);
        let item = |inside: &str| format!("<item jid='bob@example.org'{inside}</item>");
        for (content, condition) in [
            (String::new(), BadRequest),
            ("<item jid='a@b'/><item jid='c@d'/>".to_owned(), BadRequest),
            ("<item/>".to_owned(), BadRequest),
            ("<item jid='@'/>".to_owned(), BadRequest),
            ("<item xmlns='urn:x' jid='a@b'/>".to_owned(), BadRequest),
            (item("><group>a</group><group>a</group>"), BadRequest),
            (item("><group/>"), NotAcceptable),
            (item(&format!("><group>{long}</group>")), NotAcceptable),
            (item(&format!(" name='{long}'>")), NotAcceptable),
        ] {
            let refused = read(&content).unwrap_err().condition;
            assert_eq!(refused, condition, "{content:.80}");
        }
        assert!(read(&item(&format!(" name='{}'>", &long[1..]))).is_ok());
    }

    /// RFC 6121 §2.3.3; every input has a limit.
    #[test]
    fn a_contact_is_in_so_many_groups_and_no_more() {
        let item = |groups: usize, bytes: usize| {
            let name = |number| format!("<group>{number:0>bytes$}</group>");
            let groups: String = (0..groups).map(name).collect();
            read(&format!("<item jid='bob@example.org'>{groups}</item>"))
        };
        let many = MOST_GROUPS_BYTES / MOST_GROUPS;
        assert!(item(MOST_GROUPS, many).is_ok());
        for refused in [item(MOST_GROUPS + 1, 2), item(MOST_GROUPS, many + 1)] {
            let condition = refused.unwrap_err().condition;
            assert_eq!(condition, DefinedCondition::NotAcceptable);
        }
    }

    /// RFC 6121 §2.1.2, §2.6.1
    #[test]
    fn a_contact_is_written_with_what_there_is_to_say_of_it() {
        let (bob, carol) = (jid("bob@example.org"), jid("carol@example.org"));
        let plain = Item {
            address: &bob,
            name: None,
            subscription: "none",
            is_asked: false,
            is_approved: false,
            groups: &[],
        };
        let groups = ["a&b".to_owned()];
        let full = Item {
            address: &carol,
            name: Some("\"C\""),
            subscription: "from",
            is_asked: true,
            is_approved: true,
            groups: &groups,
        };
        assert_eq!(
            in_iq(|iq| write(iq, 7, [plain, full])),
            "<query xmlns='jabber:iq:roster' ver='7'>\
             <item jid='bob@example.org' subscription='none'/>\
             <item jid='carol@example.org' name='&quot;C&quot;' subscription='from' \
             ask='subscribe' approved='true'><group>a&amp;b</group></item></query>"
        );
    }
}
