//! Roles and affiliations, asked for and changed (XEP-0045 §8, §9), and the end
//! of a room (§10.9).

use crate::{DefinedCondition, StanzaError, ns};
use anser_jid::{BareJid, Jid};
use anser_xml::{Child, Element, Writer};
use std::borrow::Cow;

/// One item of a question or a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The affiliation it is about.
    pub affiliation: Option<String>,
    /// The role it is about.
    pub role: Option<String>,
    /// Whose.
    pub address: Option<Jid>,
    /// Whose, by nickname; or the nickname they shall keep.
    pub nick: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// The most items in one change.
pub const MOST_ITEMS: usize = 500;
/// The longest reason that is passed on, in bytes.
pub const MOST_REASON_BYTES: usize = 1024;

impl Item {
    /// Reads the items of a question or a change.
    ///
    /// # Errors
    /// `bad-request` if there are none, `jid-malformed` if one has no address
    /// where it says that it has, `policy-violation` if there are more than
    /// [`MOST_ITEMS`], `not-acceptable` for a reason that is too long.
    pub fn read_all(query: Child<'_>) -> Result<Vec<Self>, StanzaError> {
        let query = query.open();
        let mut items = Vec::new();
        for item in query.children() {
            if item.is(ns::MUC_ADMIN, "item") {
                if items.len() == MOST_ITEMS {
                    let reason = format_args!("more than {MOST_ITEMS} items");
                    return Err(DefinedCondition::PolicyViolation.because(reason));
                }
                items.push(Self::read(item)?);
            }
        }
        if items.is_empty() {
            return Err(DefinedCondition::BadRequest.because("there is no item"));
        }
        Ok(items)
    }

    fn read(item: Child<'_>) -> Result<Self, StanzaError> {
        let text = |name| item.attribute(name).map(Cow::into_owned);
        let address = item.attribute("jid").map(|jid| Jid::parse(&jid));
        let address = address.transpose();
        let address =
            address.map_err(|_| DefinedCondition::JidMalformed.because("'jid' is no address"))?;
        let content = item.open();
        Ok(Self {
            affiliation: text("affiliation"),
            role: text("role"),
            address,
            nick: text("nick"),
            reason: read_reason(&content, ns::MUC_ADMIN)?,
        })
    }
}

pub(super) fn read_reason(
    parent: &Element,
    namespace: &str,
) -> Result<Option<String>, StanzaError> {
    let reason = parent.child(namespace, "reason");
    let reason = reason.map(|reason| reason.text().into_owned());
    match reason {
        Some(reason) if reason.len() > MOST_REASON_BYTES => {
            let text = format_args!(
                "a reason of {} bytes exceeds the limit of {MOST_REASON_BYTES}",
                reason.len()
            );
            Err(DefinedCondition::NotAcceptable.because(text))
        }
        other => Ok(other.filter(|reason| !reason.is_empty())),
    }
}

/// One item of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// `owner` and so on.
    pub affiliation: &'a str,
    /// `moderator` and so on, if roles were asked for.
    pub role: Option<&'a str>,
    /// Who it is.
    pub address: &'a str,
    /// Under which nickname.
    pub nick: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Writes the answer to a question.
pub fn write<'a>(iq: &mut Writer<'_>, items: impl IntoIterator<Item = Listed<'a>>) {
    let mut query = iq.open("query").namespace(ns::MUC_ADMIN);
    for item in items {
        let mut element = query
            .open("item")
            .attribute("affiliation", item.affiliation)
            .attribute_opt("role", item.role)
            .attribute("jid", item.address)
            .attribute_opt("nick", item.nick);
        if let Some(reason) = item.reason {
            element.open("reason").text(reason);
        }
    }
}

/// How a room is to end (XEP-0045 §10.9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroy {
    /// Where to go instead.
    pub venue: Option<BareJid>,
    /// What one has to know there.
    pub password: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Destroy {
    /// Reads the element `destroy` of a question to a room's owner; `None` if
    /// it is about something else.
    ///
    /// # Errors
    /// `jid-malformed` if the room to go to is none, `not-acceptable` for a
    /// reason that is too long.
    pub fn read(query: &Element) -> Result<Option<Self>, StanzaError> {
        let Some(destroy) = query.child(ns::MUC_OWNER, "destroy") else {
            return Ok(None);
        };
        let venue = destroy.attribute("jid").map(|jid| Jid::parse(&jid));
        let venue = venue.transpose();
        let venue =
            venue.map_err(|_| DefinedCondition::JidMalformed.because("'jid' is no address"))?;
        let content = destroy.open();
        let password = content.child(ns::MUC_OWNER, "password");
        Ok(Some(Self {
            venue: venue.map(|venue| venue.to_bare()),
            password: password.map(|password| password.text().into_owned()),
            reason: read_reason(&content, ns::MUC_OWNER)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq, jid};

    fn read(items: &str) -> Result<Vec<Item>, DefinedCondition> {
        let iq = element(&format!(
            "<iq><query xmlns='http://jabber.org/protocol/muc#admin'>{items}</query></iq>"
        ));
        let query = iq.children().next().unwrap();
        Item::read_all(query).map_err(|error| error.condition)
    }

    /// XEP-0045 §8.2, §9.1
    #[test]
    fn items_name_occupants_by_nickname_and_accounts_by_address() {
        let items = "<item nick='pistol' role='none'><reason>Avaunt</reason></item>\
             <item affiliation='outcast' jid='earl@shakespeare.lit'/>";
        let nothing = Item {
            affiliation: None,
            role: None,
            address: None,
            nick: None,
            reason: None,
        };
        let expected = vec![
            Item {
                nick: Some("pistol".into()),
                role: Some("none".into()),
                reason: Some("Avaunt".into()),
                ..nothing.clone()
            },
            Item {
                affiliation: Some("outcast".into()),
                address: Some(jid("earl@shakespeare.lit")),
                ..nothing
            },
        ];
        assert_eq!(read(items), Ok(expected));
    }

    #[test]
    fn no_items_wrong_addresses_long_reasons_and_too_many_items_are_faults() {
        assert_eq!(read(""), Err(DefinedCondition::BadRequest));
        assert_eq!(read("<item jid='@'/>"), Err(DefinedCondition::JidMalformed));
        let long = format!("<item><reason>{}</reason></item>", "x".repeat(1025));
        assert_eq!(read(&long), Err(DefinedCondition::NotAcceptable));
        let many = "<item/>".repeat(MOST_ITEMS + 1);
        assert_eq!(read(&many), Err(DefinedCondition::PolicyViolation));
    }

    /// XEP-0045 §9.2
    #[test]
    fn lists_have_an_item_each() {
        let item = Listed {
            affiliation: "outcast",
            role: None,
            address: "earl@shakespeare.lit",
            nick: None,
            reason: Some("Treason"),
        };
        assert_eq!(
            in_iq(|iq| write(iq, [item])),
            "<query xmlns='http://jabber.org/protocol/muc#admin'>\
             <item affiliation='outcast' jid='earl@shakespeare.lit'>\
             <reason>Treason</reason></item></query>"
        );
    }

    /// XEP-0045 §10.9
    #[test]
    fn the_end_of_a_room_may_name_another_and_say_why() {
        let query = |content: &str| {
            element(&format!(
                "<query xmlns='http://jabber.org/protocol/muc#owner'>{content}</query>"
            ))
        };
        let destroy = query(
            "<destroy jid='coven@chat.shakespeare.lit'><reason>Macbeth doth come.</reason>\
             <password>pw</password></destroy>",
        );
        let expected = Destroy {
            venue: Some("coven@chat.shakespeare.lit".parse().unwrap()),
            password: Some("pw".into()),
            reason: Some("Macbeth doth come.".into()),
        };
        assert_eq!(Destroy::read(&destroy), Ok(Some(expected)));
        assert_eq!(Destroy::read(&query("")), Ok(None));
        let wrong = Destroy::read(&query("<destroy jid='@'/>"));
        assert_eq!(wrong.unwrap_err().condition, DefinedCondition::JidMalformed);
    }
}
