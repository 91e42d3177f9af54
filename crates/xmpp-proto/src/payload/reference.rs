//! References, of which mentions are one kind (XEP-0372).

use crate::ns;
use anser_jid::{BareJid, Jid};
use anser_xml::Child;

/// Whom a child mentions (XEP-0372 §4.2); `None` if it mentions nobody who can be
/// told from an address.
#[must_use]
pub fn mentioned(child: Child<'_>) -> Option<BareJid> {
    if !child.is(ns::REFERENCE, "reference") || child.attribute("type")? != "mention" {
        return None;
    }
    let uri = child.attribute("uri")?;
    let address = uri.strip_prefix("xmpp:")?;
    // What follows is what to do with the address (RFC 5122 §2.5).
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = unescape(&address[..end])?;
    Jid::parse(&address).ok().map(|jid| jid.to_bare())
}

/// RFC 3986 §2.1
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::element;

    /// XEP-0372 §4.2, RFC 5122 §2
    #[test]
    fn a_mention_names_an_account() {
        let reference = |attributes: &str| {
            let child = format!("<reference xmlns='urn:xmpp:reference:0' {attributes}/>");
            let message = element(&format!("<message>{child}</message>"));
            let mentioned = mentioned(message.children().next().unwrap());
            mentioned.map(|account| account.to_string())
        };
        for (attributes, expected) in [
            (
                "begin='72' end='78' type='mention' uri='xmpp:juliet@capulet.lit'",
                Some("juliet@capulet.lit"),
            ),
            (
                "type='mention' uri='xmpp:Juliet@capulet.lit/balcony'",
                Some("juliet@capulet.lit"),
            ),
            (
                "type='mention' uri='xmpp:juliet@capulet.lit?message'",
                Some("juliet@capulet.lit"),
            ),
            (
                "type='mention' uri='xmpp:j%C3%BCrgen@capulet.lit'",
                Some("jürgen@capulet.lit"),
            ),
            ("type='mention' uri='xmpp:juliet%4'", None),
            ("type='mention' uri='xmpp:juliet%zz'", None),
            ("type='mention' uri='xmpp:juliet%ff'", None),
            ("type='mention' uri='mailto:juliet@capulet.lit'", None),
            ("type='data' uri='xmpp:juliet@capulet.lit'", None),
            ("uri='xmpp:juliet@capulet.lit'", None),
            ("type='mention'", None),
        ] {
            assert_eq!(reference(attributes).as_deref(), expected, "{attributes}");
        }
    }
}
