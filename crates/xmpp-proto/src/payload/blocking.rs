//! The blocking command (XEP-0191).

use crate::{DefinedCondition, StanzaError, ns};
use anser_jid::Jid;
use anser_xml::{Child, Writer};
use std::collections::BTreeSet;

/// Reads who is to be blocked, or no longer.
///
/// # Errors
/// `bad-request` where somebody is meant and nobody named, `jid-malformed` where
/// that is no address (XEP-0191 §3.3).
pub fn read(command: Child<'_>) -> Result<BTreeSet<Jid>, StanzaError> {
    let command = command.open();
    let items = command
        .children()
        .filter(|child| child.is(ns::BLOCKING, "item"));
    let address = |item: Child<'_>| {
        let text = item.attribute("jid");
        let text = text.ok_or_else(|| DefinedCondition::BadRequest.because("'jid' is missing"))?;
        let reason = "'jid' is not an address";
        Jid::parse(&text).map_err(|_| DefinedCondition::JidMalformed.because(reason))
    };
    items.map(address).collect()
}

/// Writes the list, or a change of it: `name` is that of its element.
pub fn write<'a>(
    iq: &mut Writer<'_>,
    name: &'static str,
    addresses: impl IntoIterator<Item = &'a Jid>,
) {
    let mut list = iq.open(name).namespace(ns::BLOCKING);
    for address in addresses {
        list.open("item").attribute("jid", address.as_str()).close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq, jid};

    fn block(content: &str) -> Result<BTreeSet<Jid>, DefinedCondition> {
        let iq = format!("<iq><block xmlns='{}'>{content}</block></iq>", ns::BLOCKING);
        let read = read(element(&iq).child(ns::BLOCKING, "block").unwrap());
        read.map_err(|error| error.condition)
    }

    /// XEP-0191 §3.3, §6
    #[test]
    fn addresses_of_all_forms_can_be_named() {
        for (content, expected) in [
            ("", &[][..]),
            (
                "<item jid='Bob@Example.org'/><item jid='bob@example.org/x'/>\
                 <item jid='example.net'/><item jid='example.net/x'/>\
                 <item jid='bob@example.org'/><item xmlns='urn:x' jid='@'/><other/>",
                &[
                    "bob@example.org",
                    "bob@example.org/x",
                    "example.net",
                    "example.net/x",
                ],
            ),
        ] {
            let expected = expected.iter().map(|text| jid(text)).collect();
            assert_eq!(block(content), Ok(expected), "{content}");
        }
    }

    /// XEP-0191 §3.3: "Other standard XMPP stanza errors also apply".
    #[test]
    fn what_is_no_address_is_refused_whole() {
        for (content, condition) in [
            ("<item/>", DefinedCondition::BadRequest),
            (
                "<item jid='a@b'/><item jid='@'/>",
                DefinedCondition::JidMalformed,
            ),
            ("<item jid=''/>", DefinedCondition::JidMalformed),
        ] {
            assert_eq!(block(content), Err(condition), "{content}");
        }
    }

    /// XEP-0191 §3.2
    #[test]
    fn a_list_has_an_item_for_each_address() {
        let addresses = [jid("a@example.org/'"), jid("example.net")];
        assert_eq!(
            in_iq(|iq| write(iq, "blocklist", &addresses)),
            "<blocklist xmlns='urn:xmpp:blocking'><item jid='a@example.org/&apos;'/>\
             <item jid='example.net'/></blocklist>"
        );
        assert_eq!(
            in_iq(|iq| write(iq, "unblock", [])),
            "<unblock xmlns='urn:xmpp:blocking'/>"
        );
    }
}
