//! A child element, known by its place in its parent.

use std::borrow::Cow;

use crate::attribute::{self, StartTag};
use crate::chars::checked;
use crate::element::Element;
use crate::index::Tag;
use crate::value;

/// A direct child of an [`Element`]: its name and where it is. Whatever lies deeper is read when
/// it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    pub(crate) parent: &'a Element,
    pub(crate) tag: &'a Tag,
}

impl<'a> Child<'a> {
    /// The name without its prefix.
    pub fn name(&self) -> &'a str {
        checked(self.tag.name.local(self.parent.raw()))
    }

    /// The namespace, empty if the element is in none.
    pub fn namespace(&self) -> &'a str {
        self.tag
            .namespace
            .of(self.parent.raw(), self.parent.scope())
    }

    /// Whether this is `name` in the namespace `namespace`.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.tag
            .is(namespace, name, self.parent.raw(), self.parent.scope())
    }

    /// The value of the attribute `name` that has no prefix.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let bytes = self.parent.raw();
        attribute::find(StartTag::new(bytes, self.tag), bytes, name)
    }

    /// The character data directly in the element, without that of its children.
    pub fn text(&self) -> Cow<'a, str> {
        let content = self.tag.content.of(self.parent.raw());
        if memchr::memchr(b'<', content).is_some() {
            return Cow::Owned(self.open().text().into_owned());
        }
        value::text(checked(content))
    }

    /// The direct children. Reads the whole element, like [`Child::open`].
    pub fn children(&self) -> impl Iterator<Item = Element> {
        let element = self.open();
        let children: Vec<Element> = element.children().map(|child| child.open()).collect();
        children.into_iter()
    }

    /// The first direct child that is `name` in the namespace `namespace`. Reads the whole
    /// element, like [`Child::open`].
    pub fn child(&self, namespace: &str, name: &str) -> Option<Element> {
        self.open().child(namespace, name).map(|child| child.open())
    }

    /// The bytes of the element exactly as they were received.
    pub fn raw(&self) -> &'a [u8] {
        self.tag.span().of(self.parent.raw())
    }

    /// The element on its own, with an index of its attributes and children. Shares the bytes of
    /// the parent.
    pub fn open(&self) -> Element {
        let bytes = self.parent.raw().slice_ref(self.raw());
        if self.parent.bindings().next().is_none() {
            return Element::reread(bytes, self.parent.scope());
        }
        Element::reread(bytes, &self.parent.scope_inside())
    }
}
