//! One complete element, read but not taken apart.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::attribute::{self, Attribute};
use crate::chars::{self, SPACE, checked};
use crate::child::Child;
use crate::declaration;
use crate::fault::Fault;
use crate::index::{AttributeRecord, Record, Span, Tag, XML};
use crate::limits::Limits;
use crate::pass::{Around, Pass};
use crate::scope::{Binding, Scope};
use crate::value;

/// A complete, checked element over the bytes it was received in.
///
/// It holds those bytes and an index: where its attributes and its direct children are. Nothing
/// is copied, unescaped or looked at more deeply until it is asked for. Cloning counts
/// references and copies nothing.
///
/// The bytes are a slice of the buffer they were read into and keep all of it alive; what is to
/// be kept for long is better kept as a copy.
#[derive(Clone, Debug)]
pub struct Element {
    bytes: Bytes,
    scope: Scope,
    records: Arc<[Record]>,
}

impl Element {
    /// Reads one standalone element, as a WebSocket message carries it (RFC 7395 §3.3.3), with or
    /// without an XML declaration. White space around the element is ignored.
    ///
    /// # Errors
    /// What [`Scanner::next`](crate::Scanner::next) would report, or that there is too little or
    /// too much.
    pub fn parse(document: Bytes, limits: &Limits) -> Result<Self, Fault> {
        Self::read(document, &Scope::NOTHING, limits)
    }

    /// The same where `default_namespace` is in force, as for a stored payload that was the
    /// child of a stanza.
    ///
    /// # Errors
    /// Those of [`Element::parse`].
    pub fn parse_in(
        document: Bytes,
        default_namespace: &str,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        Self::read(document, &Scope::default_only(default_namespace), limits)
    }

    fn read(mut document: Bytes, scope: &Scope, limits: &Limits) -> Result<Self, Fault> {
        let incomplete = Fault::Incomplete {
            got: document.len() as u32,
        };
        if declaration::begins(&document) == Some(true) {
            let end = memchr::memchr(b'>', &document).ok_or(incomplete)?;
            declaration::check(&document.split_to(end + 1))?;
        }
        document.advance(chars::run(&document, SPACE));
        match document.first() {
            Some(b'<') => {}
            Some(&byte) => return Err(Fault::Unexpected { byte, at: 0 }),
            None => return Err(incomplete),
        }
        let mut pass = Pass::new();
        if !pass.run(&document, Around::whole(scope, limits))? {
            return Err(incomplete);
        }
        let rest = document.split_off(pass.length());
        if let Some(&byte) = rest.get(chars::run(&rest, SPACE)) {
            return Err(Fault::AfterEnd { byte });
        }
        let element = pass.take(document, scope);
        Ok(element.expect("the end tag of a parent was refused where there is no parent"))
    }

    /// The element that `bytes` are, which were checked as a part of another.
    pub(crate) fn reread(bytes: Bytes, scope: &Scope) -> Self {
        let mut pass = Pass::new();
        let result = pass.run(&bytes, Around::whole(scope, &Limits::NONE));
        debug_assert_eq!(result, Ok(true));
        pass.take(bytes, scope)
            .expect("an element inside a checked one was checked with it")
    }

    pub(crate) fn new(bytes: Bytes, scope: Scope, records: Arc<[Record]>) -> Self {
        Self {
            bytes,
            scope,
            records,
        }
    }

    /// The same over bytes of its own.
    pub(crate) fn copied(&self) -> Self {
        Self {
            bytes: Bytes::copy_from_slice(&self.bytes),
            ..self.clone()
        }
    }

    /// The name without its prefix.
    pub fn name(&self) -> &str {
        checked(self.root().name.local(&self.bytes))
    }

    /// The namespace, empty if the element is in none.
    pub fn namespace(&self) -> &str {
        self.root().namespace.of(&self.bytes, &self.scope)
    }

    /// Whether this is `name` in the namespace `namespace`.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.root().is(namespace, name, &self.bytes, &self.scope)
    }

    /// The attributes in the order they were written; namespace declarations are none.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.attribute_records()
            .filter(|record| record.declares().is_none())
            .map(|record| Attribute {
                element: self,
                record,
            })
    }

    /// The value of the attribute `name` that has no prefix.
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        attribute::find(self.attribute_records().copied(), &self.bytes, name)
    }

    /// The value of the attribute `name` in the namespace `namespace`.
    pub fn attribute_ns(&self, namespace: &str, name: &str) -> Option<Cow<'_, str>> {
        self.attributes()
            .find(|attribute| attribute.name() == name && attribute.namespace() == namespace)
            .map(|attribute| attribute.value())
    }

    /// The element's own `xml:lang` (XML 1.0 §2.12), not an inherited one.
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.attribute_ns(XML, "lang")
    }

    /// The direct child elements.
    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        let elements = self.records.iter().filter_map(Record::element);
        elements.skip(1).map(|tag| Child { parent: self, tag })
    }

    /// The first direct child that is `name` in the namespace `namespace`.
    pub fn child(&self, namespace: &str, name: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(namespace, name))
    }

    /// The character data directly in the element, without that of its children.
    pub fn text(&self) -> Cow<'_, str> {
        let mut text = Cow::Borrowed("");
        let mut append = |start: u32, end: u32| {
            let gap = value::text(checked(Span { start, end }.of(&self.bytes)));
            if text.is_empty() {
                text = gap;
            } else if !gap.is_empty() {
                text.to_mut().push_str(&gap);
            }
        };
        let content = self.root().content;
        let mut from = content.start;
        for child in self.children() {
            append(from, child.tag.span().start);
            from = child.tag.span().end;
        }
        append(from, content.end);
        text
    }

    /// The namespace that its children without a prefix are in, empty if none.
    pub fn default_namespace(&self) -> String {
        self.scope_inside().namespace(b"").to_owned()
    }

    /// The bytes of the element exactly as they were received. Elsewhere they may mean something
    /// else; [`Element::to_bytes`] sees to that.
    pub fn raw(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn root(&self) -> &Tag {
        self.records
            .first()
            .and_then(Record::element)
            .expect("an index begins with its element")
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Ends with the attributes and does not walk over the children, of which there may be many.
    fn attribute_records(&self) -> impl Iterator<Item = &AttributeRecord> {
        self.records[1..].iter().map_while(Record::attribute)
    }

    /// What the element declares.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = Binding> {
        self.attribute_records().filter_map(|record| {
            let prefix = record.declares()?.of(&self.bytes);
            let namespace = match record.value(&self.bytes) {
                Cow::Borrowed(name) => self.bytes.slice_ref(name.as_bytes()),
                Cow::Owned(name) => Bytes::from(name),
            };
            Some(Binding {
                prefix: self.bytes.slice_ref(prefix),
                namespace,
            })
        })
    }

    /// What is in force inside the element.
    pub(crate) fn scope_inside(&self) -> Scope {
        let name = self.bytes.slice_ref(self.root().name.whole(&self.bytes));
        self.scope.within(name, self.bindings().collect())
    }
}

#[cfg(test)]
mod tests;
