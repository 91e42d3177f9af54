//! Elements and their content as bytes that mean the same elsewhere.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::child::Child;
use crate::element::Element;
use crate::escape;
use crate::limits::Limits;
use crate::pass::{Around, Extent, Pass};

impl Element {
    /// What is between the start tag and the end tag, made to mean the same wherever the default
    /// namespace is this element's own and no prefix is bound.
    ///
    /// Shares the received bytes. Only a child that uses a prefix or a default namespace declared
    /// outside of it is written anew, with the declarations it needs.
    pub fn content(&self) -> Bytes {
        self.content_without(|_| false)
    }

    /// The same without the children that `is_dropped` chooses. Shares the received bytes where
    /// what is left is in one piece.
    pub fn content_without(&self, mut is_dropped: impl FnMut(Child<'_>) -> bool) -> Bytes {
        let namespace = self.namespace();
        // Without a prefix the element is itself in the default namespace that its content sees.
        let default_fits =
            !self.root().name.is_prefixed() || self.scope_inside().namespace(b"") == namespace;
        let content = self.root().content;
        let mut inside = None;
        let mut pieces = Pieces::new(self.raw());
        let mut from = content.start as usize;
        for child in self.children() {
            let tag = child.tag;
            let is_dropped = is_dropped(child);
            let needs_more = tag.borrows_prefix || (tag.borrows_default && !default_fits);
            if !is_dropped && !needs_more {
                continue;
            }
            let span = tag.span();
            pieces.keep(from..span.start as usize);
            if !is_dropped {
                let scope = inside.get_or_insert_with(|| self.scope_inside());
                let element = Self::reread(self.raw().slice_ref(child.raw()), scope);
                pieces.insert(&element.to_bytes(namespace));
            }
            from = span.end as usize;
        }
        pieces.keep(from..content.end as usize);
        pieces.join()
    }

    /// The whole element, made to mean the same wherever the default namespace is
    /// `default_namespace` and no prefix is bound.
    ///
    /// Shares the received bytes if they do so already.
    pub fn to_bytes(&self, default_namespace: &str) -> Bytes {
        let root = self.root();
        let default = self.scope().namespace(b"");
        let default_fits = !root.borrows_default || default == default_namespace;
        if default_fits && !root.borrows_prefix {
            return self.raw().clone();
        }
        let (name, rest) = self.raw().split_at(root.name.end as usize);
        let mut out = BytesMut::with_capacity(self.raw().len() + 64);
        out.extend_from_slice(name);
        if !default_fits {
            declare(&mut out, b"", default);
        }
        for number in self.borrowed_prefixes() {
            let prefix = &self.scope().list()[number as usize].prefix;
            declare(&mut out, prefix, self.scope().name(number));
        }
        out.extend_from_slice(rest);
        out.freeze()
    }
}

impl Element {
    /// The prefixes of the scope that the element uses, as numbers of names.
    fn borrowed_prefixes(&self) -> Vec<u32> {
        let mut pass = Pass::new();
        let around = Around {
            scope: self.scope(),
            limits: &Limits::NONE,
            extent: Extent::Whole,
        };
        let is_complete = pass.run(self.raw(), around);
        debug_assert_eq!(is_complete, Ok(true));
        pass.used().to_vec()
    }
}

fn declare(out: &mut BytesMut, prefix: &[u8], namespace: &str) {
    out.extend_from_slice(if prefix.is_empty() {
        b" xmlns"
    } else {
        b" xmlns:"
    });
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"='");
    escape::attribute(out, namespace);
    out.extend_from_slice(b"'");
}

/// Parts of some bytes and things put between them; a copy is made once it cannot be avoided.
struct Pieces<'a> {
    source: &'a Bytes,
    /// The last part kept, not copied yet.
    kept: Range<usize>,
    copied: BytesMut,
}

impl<'a> Pieces<'a> {
    fn new(source: &'a Bytes) -> Self {
        Self {
            source,
            kept: 0..0,
            copied: BytesMut::new(),
        }
    }

    fn keep(&mut self, mut part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        if part.start != self.kept.end {
            self.copy_kept();
            if let Some(reference) = self.reference_at_seam(self.source[part.start]) {
                self.copied.extend_from_slice(reference);
                part.start += 1;
            }
            self.kept.start = part.start;
        }
        self.kept.end = part.end;
    }

    /// How to write `next` where it must not stand as it is: character data around a child that
    /// was dropped could become a line end (XML 1.0 §2.11) or a forbidden `]]>` (§2.4).
    fn reference_at_seam(&self, next: u8) -> Option<&'static [u8]> {
        match (self.copied.last()?, next) {
            (b'\r', b'\n') => Some(b"&#10;"),
            (b']', b']') => Some(b"&#93;"),
            (b']', b'>') => Some(b"&gt;"),
            _ => None,
        }
    }

    fn insert(&mut self, piece: &[u8]) {
        self.copy_kept();
        self.copied.extend_from_slice(piece);
    }

    fn copy_kept(&mut self) {
        self.copied
            .extend_from_slice(&self.source[self.kept.clone()]);
        self.kept = 0..0;
    }

    fn join(mut self) -> Bytes {
        if self.copied.is_empty() {
            return self.source.slice(self.kept);
        }
        self.copy_kept();
        self.copied.freeze()
    }
}
