//! The one pass over an element: checks it and builds its index.
//!
//! The pass takes bytes as they come. Each phase looks only at bytes from `at` on, moves `at`
//! over what it has checked, and gives up where the bytes end; the next run begins in the same
//! phase at the same place. So no byte is looked at twice, except the few of a character or
//! a predefined entity that was cut in two.

mod content;
mod markup;
mod tag;

use std::sync::Arc;

use bytes::Bytes;

use crate::chars::{self, SPACE};
use crate::element::Element;
use crate::fault::Fault;
use crate::index::{AttributeRecord, Name, Namespace, Record, Span};
use crate::limits::Limits;
use crate::scope::Scope;

/// Where the pass stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// After a `<`.
    #[default]
    Markup,
    /// In the name of a start tag.
    TagName,
    /// After the name of a start tag or an attribute value: white space or the end of the tag.
    AfterPart,
    /// After white space in a start tag: an attribute or the end of the tag.
    BetweenParts,
    AttributeName,
    /// Before the `=` of an attribute.
    Equals,
    /// Before the quote that opens an attribute value.
    Quote,
    Value,
    /// After the `/` of an empty-element tag.
    EmptyTag,
    /// In the name of an end tag.
    EndName,
    /// After it.
    EndTag,
    Text,
    /// At an `&`.
    Reference,
    DecimalReference,
    HexReference,
    /// After `<!`.
    Bang,
    /// In a CDATA section.
    Section,
    Done,
}

/// How much makes an element complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Its start tag, as for a stream.
    StartTag,
    /// Everything up to its end tag.
    Whole,
}

/// What an element is read under.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) limits: &'a Limits,
    pub(crate) extent: Extent,
}

impl<'a> Around<'a> {
    pub(crate) fn whole(scope: &'a Scope, limits: &'a Limits) -> Self {
        Self {
            scope,
            limits,
            extent: Extent::Whole,
        }
    }
}

/// Why a phase ended without another one.
enum Stop {
    Starved,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An element whose end tag is still to come.
#[derive(Clone, Copy, Debug)]
struct Open {
    name: Name,
    /// How many declarations are in force around it.
    declared_outside: u32,
    /// Which declaration sets the default namespace inside it.
    default: Option<u32>,
}

/// A namespace declaration in force.
#[derive(Clone, Copy, Debug)]
struct Declared {
    prefix: Span,
    namespace: Namespace,
}

/// What an element takes from declarations outside of it.
#[derive(Clone, Copy, Debug, Default)]
struct Borrowed {
    prefix: bool,
    default: bool,
}

/// The state of a pass. All of it is scratch, used for one element after the other.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    phase: Phase,
    /// The next byte to look at.
    at: usize,
    /// Where the name, value or section start that is being read began.
    mark: usize,
    /// Where the local part of the name that is being read began.
    local: usize,
    /// What closes the value that is being read; zero in text.
    quote: u8,
    /// Bytes beyond ASCII before this one are known to be characters that XML allows.
    checked: usize,
    /// The number of the character reference that is being read.
    code: u32,

    /// The attribute that is being read.
    attribute: Name,
    /// Whether its value means what is written, as far as it has been read.
    is_literal: bool,

    /// The start tag that is being read.
    name: Name,
    attributes: Vec<AttributeRecord>,
    /// Whether those have neither prefixes nor declare any.
    are_plain: bool,
    /// Those with a prefix, and what it stands for.
    expanded: Vec<(Name, Namespace)>,

    open: Vec<Open>,
    declared: Vec<Declared>,
    declared_by_root: u32,
    elements: u32,
    by_root: Borrowed,
    /// By the child that is being read.
    by_child: Borrowed,
    /// Which names of the scope are used through a prefix.
    used: Vec<u32>,
    /// Namespace names that do not stand in the bytes as they are.
    unescaped: Vec<Bytes>,
    records: Vec<Record>,
    #[cfg(test)]
    pub(crate) work: usize,
}

impl Pass {
    /// Ready for an element whose `<` is known to be there.
    pub(crate) fn new() -> Self {
        Self {
            at: 1,
            are_plain: true,
            ..Self::default()
        }
    }

    /// Reads on in `bytes`, all that has come of the element so far and perhaps more behind it.
    /// Returns whether the element is complete.
    pub(crate) fn run(&mut self, bytes: &[u8], around: Around<'_>) -> Result<bool, Fault> {
        let limit = around.limits.stanza_bytes;
        let too_large = Fault::StanzaTooLarge {
            got: limit.saturating_add(1),
            limit,
        };
        // The limit may have been lowered since.
        if self.at > limit as usize {
            return Err(too_large);
        }
        let allowed = &bytes[..bytes.len().min(limit as usize)];
        match self.phases(allowed, around) {
            Ok(()) => Ok(true),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Starved) if bytes.len() > allowed.len() => Err(too_large),
            Err(Stop::Starved) => Ok(false),
        }
    }

    /// How many bytes belong to what has been read.
    pub(crate) fn length(&self) -> usize {
        self.at
    }

    /// The complete element, which is all of `bytes`; `None` if it was the end tag of the one
    /// around it. The pass is ready for the next element.
    pub(crate) fn take(&mut self, bytes: Bytes, scope: &Scope) -> Option<Element> {
        let element = (!self.records.is_empty()).then(|| {
            let scope = match std::mem::take(&mut self.unescaped) {
                names if names.is_empty() => scope.clone(),
                names => scope.with_unescaped(names),
            };
            Element::new(bytes, scope, Arc::from(self.records.as_slice()))
        });
        self.clear();
        element
    }

    /// The prefixes of the scope that the element uses, as numbers of names.
    pub(crate) fn used(&self) -> &[u32] {
        &self.used
    }

    /// The bytes of scratch memory on the heap.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let unescaped: usize = self.unescaped.iter().map(Bytes::len).sum();
        self.attributes.capacity() * size_of::<AttributeRecord>()
            + self.expanded.capacity() * size_of::<(Name, Namespace)>()
            + self.open.capacity() * size_of::<Open>()
            + self.declared.capacity() * size_of::<Declared>()
            + self.used.capacity() * size_of::<u32>()
            + self.unescaped.capacity() * size_of::<Bytes>()
            + self.records.capacity() * size_of::<Record>()
            + unescaped
    }

    fn clear(&mut self) {
        self.phase = Phase::Markup;
        self.at = 1;
        self.checked = 0;
        self.attributes.clear();
        self.are_plain = true;
        self.open.clear();
        self.declared.clear();
        self.elements = 0;
        self.by_root = Borrowed::default();
        self.used.clear();
        self.unescaped.clear();
        self.records.clear();
    }

    fn phases(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        loop {
            #[cfg(test)]
            let before = self.at;
            let step = match self.phase {
                Phase::Markup => self.markup(bytes, around),
                Phase::TagName => self.tag_name(bytes, around),
                Phase::AfterPart => self.after_part(bytes, around),
                Phase::BetweenParts => self.between_parts(bytes, around),
                Phase::AttributeName => self.attribute_name(bytes, around),
                Phase::Equals => self.equals(bytes, around),
                Phase::Quote => self.quote(bytes, around),
                Phase::Value => self.value(bytes, around),
                Phase::EmptyTag => self.empty_tag(bytes, around),
                Phase::EndName => self.end_name(bytes, around),
                Phase::EndTag => self.end_tag(bytes),
                Phase::Text => self.text(bytes),
                Phase::Reference => self.reference(bytes),
                Phase::DecimalReference => self.character_reference(bytes, 10),
                Phase::HexReference => self.character_reference(bytes, 16),
                Phase::Bang => self.bang(bytes),
                Phase::Section => self.section(bytes),
                Phase::Done => return Ok(()),
            };
            #[cfg(test)]
            {
                self.work += 1 + self.at - before;
            }
            step?;
        }
    }

    fn peek(&self, bytes: &[u8]) -> Result<u8, Stop> {
        bytes.get(self.at).copied().ok_or(Stop::Starved)
    }

    fn skip_space(&mut self, bytes: &[u8]) {
        self.at += chars::run(&bytes[self.at..], SPACE);
    }

    fn unexpected(&self, byte: u8) -> Stop {
        Stop::Fault(Fault::Unexpected {
            byte,
            at: self.at as u32,
        })
    }
}

#[cfg(test)]
mod tests;
