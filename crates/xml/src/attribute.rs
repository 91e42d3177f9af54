//! Attributes of an element, indexed or read off its start tag.

use std::borrow::Cow;

use crate::chars::{self, SPACE, checked};
use crate::element::Element;
use crate::index::{AttributeRecord, Name, Purpose, Span, Tag, XML};
use crate::value;

/// An attribute of an [`Element`].
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    pub(crate) element: &'a Element,
    pub(crate) record: &'a AttributeRecord,
}

impl<'a> Attribute<'a> {
    /// The name without its prefix.
    pub fn name(&self) -> &'a str {
        checked(self.record.name.local(self.element.raw()))
    }

    /// The namespace; without a prefix there is none, whatever the default (XML-NAMES §6.2).
    pub fn namespace(&self) -> Cow<'a, str> {
        match self.record.name.prefix(self.element.raw()) {
            b"" => Cow::Borrowed(""),
            b"xml" => Cow::Borrowed(XML),
            prefix => Cow::Owned(self.element.scope_inside().namespace(prefix).to_owned()),
        }
    }

    /// The value, with references replaced and white space normalised (XML 1.0 §3.3.3).
    pub fn value(&self) -> Cow<'a, str> {
        self.record.value(self.element.raw())
    }
}

/// The value of the attribute `name` that has no prefix.
pub(crate) fn find<'a>(
    mut records: impl Iterator<Item = AttributeRecord>,
    bytes: &'a [u8],
    name: &str,
) -> Option<Cow<'a, str>> {
    let found = records.find(|record| {
        record.purpose == Purpose::Plain && record.name.whole(bytes) == name.as_bytes()
    })?;
    Some(found.value(bytes))
}

/// The attributes of a start tag that was checked, read again.
pub(crate) struct StartTag<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> StartTag<'a> {
    pub(crate) fn new(bytes: &'a [u8], tag: &Tag) -> Self {
        Self {
            bytes,
            at: tag.name.end as usize,
        }
    }

    fn skip_to(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = &self.bytes[self.at..];
        self.at += rest
            .iter()
            .position(|&byte| wanted(byte))
            .unwrap_or(rest.len());
        self.at
    }
}

impl Iterator for StartTag<'_> {
    type Item = AttributeRecord;

    fn next(&mut self) -> Option<AttributeRecord> {
        let start = self.skip_to(|byte| !chars::is(byte, SPACE));
        if matches!(self.bytes.get(start), Some(b'>' | b'/') | None) {
            return None;
        }
        let end = self.skip_to(|byte| byte == b'=' || chars::is(byte, SPACE));
        let colon = memchr::memchr(b':', &self.bytes[start..end]);
        let local = colon.map_or(start, |colon| start + colon + 1);
        let quote = self.skip_to(|byte| matches!(byte, b'"' | b'\''));
        self.at += 1;
        let value_end = self.skip_to(|byte| byte == self.bytes[quote]);
        self.at += 1;
        let name = Name {
            start: start as u32,
            local: local as u32,
            end: end as u32,
        };
        let value = Span::new(quote + 1, value_end);
        Some(AttributeRecord {
            name,
            value,
            purpose: Purpose::of(name, self.bytes),
            is_literal: value::is_literal(value.of(self.bytes)),
        })
    }
}
