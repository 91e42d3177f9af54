//! The language of transcripts: lines, and elements that say in part what has to
//! come.

use anser_xml::{Element, Limits};
use bytes::Bytes;
use std::fmt::Write;

/// The lines of a transcript, with continuations joined.
pub(super) fn lines(transcript: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let indent = transcript
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    for line in transcript.lines() {
        let line = line.get(indent..).unwrap_or("").trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            let last = lines.last_mut().unwrap();
            write!(last, " {}", line.trim_start()).unwrap();
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// An element of a transcript; where it says nothing else, it is a stanza's.
pub(super) fn pattern(text: &str) -> Element {
    let text = Bytes::copy_from_slice(text.replace("> <", "><").as_bytes());
    let parsed = match text.starts_with(b"<stream:") {
        true => {
            let declared = String::from_utf8(text.to_vec()).unwrap();
            let name_ends = declared.find([' ', '/', '>']).unwrap();
            let (name, rest) = declared.split_at(name_ends);
            let declared = if rest.contains("xmlns:stream") {
                declared.clone()
            } else {
                format!("{name} xmlns:stream='http://etherx.jabber.org/streams'{rest}")
            };
            Element::parse(declared.into(), &Limits::NONE)
        }
        false => Element::parse_in(text.clone(), "jabber:client", &Limits::NONE),
    };
    parsed.unwrap_or_else(|fault| panic!("{fault} in {text:?}"))
}

/// Whether an element has all that the pattern has.
pub(super) fn fits(element: &Element, pattern: &Element) -> bool {
    let same_name = element.name() == pattern.name() && element.namespace() == pattern.namespace();
    let has_attributes = pattern.attributes().all(|wanted| {
        let found = element.attribute_ns(&wanted.namespace(), wanted.name());
        found.is_some_and(|found| wanted.value() == "*" || found == wanted.value())
    });
    let has_children = pattern.children().all(|wanted| {
        let wanted = wanted.open();
        element.children().any(|child| fits(&child.open(), &wanted))
    });
    let text = pattern.text();
    let has_text = text.trim().is_empty() || text == element.text();
    same_name && has_attributes && has_children && has_text
}
