//! What a complete tag means: namespaces, limits, the index.

use bytes::Bytes;

use super::{Around, Borrowed, Declared, Extent, Open, Pass, Phase, Stop};
use crate::fault::Fault;
use crate::index::{AttributeRecord, Name, Namespace, Purpose, Record, Span, Tag, XML, XMLNS};
use crate::scope::Scope;

impl Pass {
    /// The start tag is complete, and `at` behind it.
    pub(super) fn enter(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.count(around)?;
        let declared_outside = self.declared.len() as u32;
        let mut default = self.open.last().and_then(|open| open.default);
        if !self.are_plain {
            self.declare(bytes, around, &mut default)?;
        }
        match self.open.len() {
            0 => {
                self.declared_by_root = self.declared.len() as u32;
                let tag = self.tag(bytes, around.scope, default)?;
                self.records.push(Record::Element(tag));
                self.records
                    .extend(self.attributes.iter().copied().map(Record::Attribute));
                if around.extent == Extent::StartTag {
                    self.phase = Phase::Done;
                }
            }
            1 => {
                self.by_child = Borrowed::default();
                let tag = self.tag(bytes, around.scope, default)?;
                self.records.push(Record::Element(tag));
            }
            _ => {
                self.namespace(bytes, around.scope, default)?;
            }
        }
        if !self.are_plain {
            self.check_attributes(bytes, around.scope)?;
            self.are_plain = true;
        }
        self.attributes.clear();
        self.open.push(Open {
            name: self.name,
            declared_outside,
            default,
        });
        Ok(())
    }

    /// The element ends here, and its content at `content_end`.
    pub(super) fn leave(&mut self, content_end: usize) {
        let Some(open) = self.open.pop() else {
            self.phase = Phase::Done;
            return;
        };
        self.declared.truncate(open.declared_outside as usize);
        let (record, borrowed) = match self.open.len() {
            0 => {
                self.phase = Phase::Done;
                (self.records.first_mut(), self.by_root)
            }
            1 => (self.records.last_mut(), self.by_child),
            _ => return,
        };
        if let Some(Record::Element(tag)) = record {
            tag.content.end = content_end as u32;
            tag.end = self.at as u32;
            tag.borrows_prefix = borrowed.prefix;
            tag.borrows_default = borrowed.default;
        }
    }

    fn count(&mut self, around: Around<'_>) -> Result<(), Fault> {
        self.elements += 1;
        let (got, limit) = (self.elements, around.limits.elements);
        if got > limit {
            return Err(Fault::TooManyElements { got, limit });
        }
        let (got, limit) = (self.open.len() as u32 + 1, around.limits.depth);
        if got > limit {
            return Err(Fault::TooDeep { got, limit });
        }
        Ok(())
    }

    fn tag(&mut self, bytes: &[u8], scope: &Scope, default: Option<u32>) -> Result<Tag, Fault> {
        Ok(Tag {
            name: self.name,
            namespace: self.namespace(bytes, scope, default)?,
            content: Span::new(self.at, self.at),
            end: self.at as u32,
            ..Tag::default()
        })
    }

    /// Puts the declarations of the tag in force (XML-NAMES §3).
    fn declare(
        &mut self,
        bytes: &[u8],
        around: Around<'_>,
        default: &mut Option<u32>,
    ) -> Result<(), Fault> {
        for number in 0..self.attributes.len() {
            let attribute = self.attributes[number];
            let Some(prefix) = attribute.declares() else {
                continue;
            };
            let at = attribute.name.start;
            let namespace = self.declared_name(attribute, bytes, around.scope);
            let name = self.name_of(namespace, bytes, around.scope);
            let (got, limit) = (name.len() as u32, around.limits.namespace_bytes);
            if got > limit {
                return Err(Fault::NamespaceTooLong { got, limit });
            }
            let is_reserved = name == XML.as_bytes() || name == XMLNS.as_bytes();
            match prefix.of(bytes) {
                b"xml" if name == XML.as_bytes() => continue,
                b"xml" | b"xmlns" => return Err(Fault::ReservedNamespace { at }),
                _ if is_reserved => return Err(Fault::ReservedNamespace { at }),
                b"" => *default = Some(self.declared.len() as u32),
                _ if name.is_empty() => return Err(Fault::EmptyNamespace { at }),
                _ => {}
            }
            self.declared.push(Declared { prefix, namespace });
        }
        let (got, limit) = (self.declared.len() as u32, around.limits.namespaces);
        if got > limit {
            return Err(Fault::TooManyNamespaces { got, limit });
        }
        Ok(())
    }

    fn declared_name(
        &mut self,
        attribute: AttributeRecord,
        bytes: &[u8],
        scope: &Scope,
    ) -> Namespace {
        if attribute.is_literal {
            return Namespace::Spelled(attribute.value);
        }
        let number = scope.list().len() + self.unescaped.len();
        self.unescaped
            .push(Bytes::from(attribute.value(bytes).into_owned()));
        Namespace::Named(number as u32)
    }

    /// Like [`Namespace::bytes_of`], before the names that were unescaped have a scope.
    fn name_of<'a>(&'a self, namespace: Namespace, bytes: &'a [u8], scope: &'a Scope) -> &'a [u8] {
        match namespace {
            Namespace::Named(number) if number as usize >= scope.list().len() => {
                &self.unescaped[number as usize - scope.list().len()]
            }
            _ => namespace.bytes_of(bytes, scope),
        }
    }

    /// The namespace of the element whose tag is being read.
    fn namespace(
        &mut self,
        bytes: &[u8],
        scope: &Scope,
        default: Option<u32>,
    ) -> Result<Namespace, Fault> {
        if self.name.is_prefixed() {
            return self.prefix_of(self.name, bytes, scope);
        }
        if let Some(default) = default {
            self.by_child.default |= default < self.declared_by_root;
            return Ok(self.declared[default as usize].namespace);
        }
        self.by_child.default = true;
        self.by_root.default = true;
        Ok(scope.find(b"").map_or(Namespace::None, Namespace::Named))
    }

    /// The namespace that the prefix of `name` is bound to (XML-NAMES §5, Prefix Declared).
    fn prefix_of(&mut self, name: Name, bytes: &[u8], scope: &Scope) -> Result<Namespace, Fault> {
        let prefix = name.prefix(bytes);
        if prefix == b"xml" {
            return Ok(Namespace::Xml);
        }
        let found = self
            .declared
            .iter()
            .rposition(|declared| declared.prefix.of(bytes) == prefix);
        if let Some(found) = found {
            self.by_child.prefix |= found < self.declared_by_root as usize;
            return Ok(self.declared[found].namespace);
        }
        let number = scope
            .find(prefix)
            .ok_or(Fault::UnboundPrefix { at: name.start })?;
        self.by_child.prefix = true;
        self.by_root.prefix = true;
        if !self.used.contains(&number) {
            self.used.push(number);
        }
        Ok(Namespace::Named(number))
    }

    /// Checks that prefixes are bound, and that no two attributes have the same expanded name
    /// (XML-NAMES §6.3, Attributes Unique).
    fn check_attributes(&mut self, bytes: &[u8], scope: &Scope) -> Result<(), Fault> {
        self.expanded.clear();
        for number in 0..self.attributes.len() {
            let AttributeRecord { name, purpose, .. } = self.attributes[number];
            if purpose != Purpose::Prefixed {
                continue;
            }
            let namespace = self.prefix_of(name, bytes, scope)?;
            let is_same = |&(other, its): &(Name, Namespace)| {
                other.local(bytes) == name.local(bytes)
                    && self.name_of(its, bytes, scope) == self.name_of(namespace, bytes, scope)
            };
            if self.expanded.iter().any(is_same) {
                return Err(Fault::DuplicateAttribute { at: name.start });
            }
            self.expanded.push((name, namespace));
        }
        Ok(())
    }
}
