//! Private XML storage (XEP-0049).

use crate::{DefinedCondition, StanzaError, ns};
use anser_xml::{Child, Writer};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, BTreeSet};

/// Namespaces that are not for this (XEP-0049 §2.3): all that begin so.
const RESERVED: &[&str] = &["jabber:", "http://jabber.org/"];
/// One more.
const RESERVED_VCARD: &str = "vcard-temp";

/// Reads what is asked for: one namespace, and the elements that stand for it,
/// which are the answer if nothing is kept.
///
/// # Errors
/// The error of XEP-0049 §2.3, and `policy-violation` for elements of more bytes
/// than these.
pub fn read_get(query: Child<'_>, most_bytes: usize) -> Result<(String, Bytes), StanzaError> {
    let mut namespaces = read_namespaces(query)?;
    match (namespaces.pop_first(), namespaces.is_empty()) {
        (Some(namespace), true) => {
            let asked = query.open().content_within(most_bytes, |_| false);
            let asked = asked.map_err(|error| DefinedCondition::PolicyViolation.because(error))?;
            Ok((namespace, asked))
        }
        _ => Err(DefinedCondition::BadRequest.because("one namespace can be asked for at a time")),
    }
}

/// Reads what is to be kept, by namespace: elements that mean the same wherever
/// the default namespace is [`ns::PRIVATE`]. Elements without anything in them
/// alone say that nothing is to be kept.
///
/// # Errors
/// The error of XEP-0049 §2.3, and `resource-constraint` for more namespaces or
/// bytes than these.
pub fn read_set(
    query: Child<'_>,
    most_namespaces: usize,
    most_bytes: usize,
) -> Result<BTreeMap<String, Bytes>, StanzaError> {
    let namespaces = read_namespaces(query)?;
    if namespaces.len() > most_namespaces {
        let reason = format_args!("more than {most_namespaces} namespaces");
        return Err(DefinedCondition::ResourceConstraint.because(reason));
    }
    let query = query.open();
    let mut bytes = 0;
    let mut things = BTreeMap::<_, BytesMut>::new();
    let mut worth = BTreeSet::new();
    for child in query.children() {
        // No more than twice what was received, whatever it makes use of that
        // was declared outside.
        let element = child.open().to_bytes(ns::PRIVATE);
        bytes += element.len();
        if bytes > most_bytes {
            let reason = format_args!("more than {most_bytes} bytes");
            return Err(DefinedCondition::ResourceConstraint.because(reason));
        }
        let thing = things.entry(child.namespace().to_owned()).or_default();
        thing.extend_from_slice(&element);
        if !is_empty(child) {
            worth.insert(child.namespace());
        }
    }
    things.retain(|namespace, _| worth.contains(namespace.as_str()));
    let nothing = namespaces
        .iter()
        .map(|name| (name.clone(), BytesMut::new()));
    let things = nothing
        .chain(things)
        .collect::<BTreeMap<_, _>>()
        .into_iter();
    Ok(things.map(|(name, thing)| (name, thing.freeze())).collect())
}

/// Writes what is kept of a namespace, or else what was asked for.
pub fn write(iq: &mut Writer<'_>, kept: &[u8]) {
    iq.open("query").namespace(ns::PRIVATE).raw(kept);
}

/// The namespaces of a query's children.
fn read_namespaces(query: Child<'_>) -> Result<BTreeSet<String>, StanzaError> {
    let query = query.open();
    let mut namespaces = BTreeSet::new();
    for child in query.children() {
        let namespace = child.namespace();
        let is_reserved = RESERVED.iter().any(|start| namespace.starts_with(start));
        if is_reserved || namespace == RESERVED_VCARD || namespace.is_empty() {
            let reason = format_args!("nothing is kept in the namespace '{namespace}'");
            return Err(DefinedCondition::NotAcceptable.because(reason));
        }
        namespaces.insert(namespace.to_owned());
    }
    if namespaces.is_empty() {
        let reason = "an element with a namespace of its own is missing";
        return Err(DefinedCondition::NotAcceptable.because(reason));
    }
    Ok(namespaces)
}

fn is_empty(element: Child<'_>) -> bool {
    let element = element.open();
    let is_bare = element.attributes().next().is_none() && element.children().next().is_none();
    is_bare && element.text().trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    fn in_query<R>(content: &str, read: impl FnOnce(Child<'_>) -> R) -> R {
        let iq = format!(
            "<iq xmlns:p='urn:p'><query xmlns='{}'>{content}</query></iq>",
            ns::PRIVATE
        );
        read(element(&iq).child(ns::PRIVATE, "query").unwrap())
    }

    fn set(content: &str) -> Result<Vec<(String, String)>, DefinedCondition> {
        let things = in_query(content, |query| read_set(query, 2, 200));
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let things = things.map_err(|error| error.condition)?;
        Ok(things.into_iter().map(|(n, b)| (n, text(b))).collect())
    }

    /// XEP-0049 §2.3: "an IQ set or result MAY contain multiple elements
    /// qualified by the same namespace".
    #[test]
    fn what_is_to_be_kept_is_told_apart_by_namespace() {
        let kept = |things: &[(&str, &str)]| {
            let things = things.iter();
            Ok(things.map(|(n, b)| ((*n).into(), (*b).into())).collect())
        };
        for (content, expected) in [
            (
                "<a xmlns='urn:a'>1</a><b xmlns='urn:b' x='1'/><c xmlns='urn:a'>2</c>",
                kept(&[
                    ("urn:a", "<a xmlns='urn:a'>1</a><c xmlns='urn:a'>2</c>"),
                    ("urn:b", "<b xmlns='urn:b' x='1'/>"),
                ]),
            ),
            ("<a xmlns='urn:a'/>", kept(&[("urn:a", "")])),
            // The prefix was declared outside.
            (
                "<p:a>1</p:a>",
                kept(&[("urn:p", "<p:a xmlns:p='urn:p'>1</p:a>")]),
            ),
        ] {
            assert_eq!(set(content), expected, "{content}");
        }
    }

    /// XEP-0049 §2.3, §3
    #[test]
    fn what_has_no_proper_namespace_is_not_acceptable() {
        for content in [
            "",
            "text",
            "<a/>",
            "<a xmlns=''/>",
            "<vCard xmlns='vcard-temp'/>",
            "<a xmlns='jabber:iq:roster'/>",
            "<a xmlns='http://jabber.org/protocol/muc'/>",
            "<a xmlns='urn:a'/><b xmlns='jabber:x'/>",
        ] {
            assert_eq!(
                set(content),
                Err(DefinedCondition::NotAcceptable),
                "{content}"
            );
            let asked = in_query(content, |query| read_get(query, 200));
            assert_eq!(
                asked.unwrap_err().condition,
                DefinedCondition::NotAcceptable,
                "{content}"
            );
        }
    }

    /// Every input has a limit.
    #[test]
    fn more_than_can_be_kept_is_refused_before_it_is_copied() {
        let full = |bytes: usize| {
            let padding = "x".repeat(bytes - "<a xmlns='urn:a'></a>".len());
            set(&format!("<a xmlns='urn:a'>{padding}</a>"))
        };
        assert!(full(200).is_ok());
        let many = "<a xmlns='urn:a'/><a xmlns='urn:b'/><a xmlns='urn:c'/>";
        for refused in [full(201), set(many)] {
            assert_eq!(refused, Err(DefinedCondition::ResourceConstraint));
        }
    }

    /// XEP-0049 §2.3: "A client MUST NOT query for more than one namespace".
    #[test]
    fn one_namespace_is_asked_for_at_a_time() {
        let ask = |content| in_query(content, |query| read_get(query, 20));
        let asked = (String::from("urn:a"), Bytes::from("<a xmlns='urn:a'/>"));
        assert_eq!(ask("<a xmlns='urn:a'/>"), Ok(asked));
        for (content, condition) in [
            (
                "<a xmlns='urn:a'/><a xmlns='urn:b'/>",
                DefinedCondition::BadRequest,
            ),
            ("<a xmlns='urn:a'>12</a>", DefinedCondition::PolicyViolation),
        ] {
            assert_eq!(ask(content).unwrap_err().condition, condition, "{content}");
        }
    }

    /// XEP-0049 §2.3
    #[test]
    fn what_is_kept_comes_in_a_query() {
        assert_eq!(
            in_iq(|iq| write(iq, b"<b xmlns='urn:a'/>")),
            "<query xmlns='jabber:iq:private'><b xmlns='urn:a'/></query>"
        );
    }
}
