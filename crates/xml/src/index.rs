//! What is known of an element: offsets into its bytes, and no strings.

use std::borrow::Cow;

use crate::chars::checked;
use crate::scope::Scope;
use crate::value;

/// A range of an element's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

/// A name as written; `local` is where the part after the colon begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name {
    pub(crate) start: u32,
    pub(crate) local: u32,
    pub(crate) end: u32,
}

impl Name {
    pub(crate) fn is_prefixed(self) -> bool {
        self.local != self.start
    }

    pub(crate) fn whole(self, bytes: &[u8]) -> &[u8] {
        Span {
            start: self.start,
            end: self.end,
        }
        .of(bytes)
    }

    /// The part before the colon; empty if there is none.
    pub(crate) fn prefix(self, bytes: &[u8]) -> &[u8] {
        let colon = self.local - u32::from(self.is_prefixed());
        Span {
            start: self.start,
            end: colon,
        }
        .of(bytes)
    }

    pub(crate) fn local(self, bytes: &[u8]) -> &[u8] {
        Span {
            start: self.local,
            end: self.end,
        }
        .of(bytes)
    }
}

/// Where the name of a namespace is to be found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Namespace {
    /// There is none.
    #[default]
    None,
    /// It is that of the prefix `xml`.
    Xml,
    /// It stands in the element's bytes.
    Spelled(Span),
    /// It is a name of the element's [`Scope`]: declared further out, or written with references.
    Named(u32),
}

/// The namespace of the prefix `xml` (XML-NAMES §3).
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns` (XML-NAMES §3).
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

impl Namespace {
    pub(crate) fn of<'a>(self, bytes: &'a [u8], scope: &'a Scope) -> &'a str {
        checked(self.bytes_of(bytes, scope))
    }

    pub(crate) fn bytes_of<'a>(self, bytes: &'a [u8], scope: &'a Scope) -> &'a [u8] {
        match self {
            Self::None => b"",
            Self::Xml => XML.as_bytes(),
            Self::Spelled(span) => span.of(bytes),
            Self::Named(number) => scope.name(number),
        }
    }
}

/// What an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An attribute proper, without a prefix.
    Plain,
    /// An attribute proper, with a prefix.
    Prefixed,
    /// `xmlns`: declares the default namespace (XML-NAMES §3).
    Default,
    /// `xmlns:` and a prefix, which it declares (XML-NAMES §3).
    Prefix,
}

impl Purpose {
    pub(crate) fn of(name: Name, bytes: &[u8]) -> Self {
        if name.is_prefixed() {
            let declares = name.prefix(bytes) == b"xmlns";
            if declares {
                Self::Prefix
            } else {
                Self::Prefixed
            }
        } else {
            let declares = name.whole(bytes) == b"xmlns";
            if declares { Self::Default } else { Self::Plain }
        }
    }
}

/// An attribute or namespace declaration of a start tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeRecord {
    pub(crate) name: Name,
    /// Between the quotes.
    pub(crate) value: Span,
    pub(crate) purpose: Purpose,
    /// Whether the value means exactly what is written.
    pub(crate) is_literal: bool,
}

impl AttributeRecord {
    /// The prefix that is declared here, empty for the default namespace; `None` if this is an
    /// attribute proper.
    pub(crate) fn declares(&self) -> Option<Span> {
        let Name { local, end, .. } = self.name;
        match self.purpose {
            Purpose::Plain | Purpose::Prefixed => None,
            Purpose::Default => Some(Span { start: end, end }),
            Purpose::Prefix => Some(Span { start: local, end }),
        }
    }

    pub(crate) fn value<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        let raw = checked(self.value.of(bytes));
        if self.is_literal {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(value::attribute(raw))
        }
    }
}

/// An element, the root or a child of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tag {
    pub(crate) name: Name,
    pub(crate) namespace: Namespace,
    /// Between the start tag and the end tag; empty where a tag is both.
    pub(crate) content: Span,
    pub(crate) end: u32,
    /// Whether anything in it uses a prefix declared outside of it.
    pub(crate) borrows_prefix: bool,
    /// Whether anything in it is in the default namespace declared outside of it.
    pub(crate) borrows_default: bool,
}

impl Tag {
    /// From the `<` of the start tag to the `>` of the end tag.
    pub(crate) fn span(&self) -> Span {
        Span {
            start: self.name.start - 1,
            end: self.end,
        }
    }

    pub(crate) fn is(&self, namespace: &str, name: &str, bytes: &[u8], scope: &Scope) -> bool {
        self.name.local(bytes) == name.as_bytes()
            && self.namespace.bytes_of(bytes, scope) == namespace.as_bytes()
    }
}

/// The index of an element: the element itself, its attributes, its direct children, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    Element(Tag),
    Attribute(AttributeRecord),
}

impl Record {
    pub(crate) fn element(&self) -> Option<&Tag> {
        match self {
            Self::Element(tag) => Some(tag),
            Self::Attribute(_) => None,
        }
    }

    pub(crate) fn attribute(&self) -> Option<&AttributeRecord> {
        match self {
            Self::Element(_) => None,
            Self::Attribute(record) => Some(record),
        }
    }
}
