//! Stanza ids (XEP-0359).

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Child, Writer};

/// Says where a message stands in somebody's log (XEP-0359 §3.1).
pub fn write(stanza: &mut Writer<'_>, by: &str, id: impl std::fmt::Display) {
    stanza
        .open("stanza-id")
        .namespace(ns::STANZA_ID)
        .attribute("by", by)
        .attribute_display("id", id)
        .close();
}

/// Whether a child claims to be an id given by `by`. Only `by` itself may say
/// so: others' claims are removed (XEP-0359 §6). However the address is written,
/// since whoever reads it prepares it before comparing.
#[must_use]
pub fn is_claim(child: Child<'_>, by: &str) -> bool {
    let is_by = |text: &str| Jid::parse(text).is_ok_and(|claimed| claimed.as_str() == by);
    child.is(ns::STANZA_ID, "stanza-id") && child.attribute("by").as_deref().is_some_and(is_by)
}
