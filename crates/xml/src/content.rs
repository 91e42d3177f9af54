//! Elements and their content as bytes that mean the same elsewhere.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::chars::checked;
use crate::child::Child;
use crate::element::Element;
use crate::escape;
use crate::limits::Limits;
use crate::pass::{Around, Pass};

impl Element {
    /// What is between the start tag and the end tag, made to mean the same wherever the default
    /// namespace is this element's own and no prefix is bound.
    ///
    /// Shares the received bytes. Only a child that uses a prefix or a default namespace declared
    /// outside of it is written anew, with the declarations it uses added to its start tag.
    pub fn content(&self) -> Bytes {
        let everything = self.content_within(usize::MAX, |_| false);
        everything.expect("there is no limit to break")
    }

    /// The same without the children that `is_dropped` chooses, if it is no more than so many
    /// bytes: the declarations that children get can make it many times as large as what was
    /// received. Shares the received bytes where what is left is in one piece.
    ///
    /// # Errors
    /// [`ContentTooLarge`], found out as soon as that is certain and at the cost of hardly more
    /// than `most_bytes`.
    pub fn content_within(
        &self,
        most_bytes: usize,
        mut is_dropped: impl FnMut(Child<'_>) -> bool,
    ) -> Result<Bytes, ContentTooLarge> {
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
                pieces.check(most_bytes)?;
            }
            from = span.end as usize;
        }
        pieces.keep(from..content.end as usize);
        pieces.check(most_bytes)?;
        Ok(pieces.join())
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
            declare(&mut out, prefix, checked(self.scope().name(number)));
        }
        out.extend_from_slice(rest);
        out.freeze()
    }

    /// The prefixes of the scope that the element uses, as numbers of names.
    fn borrowed_prefixes(&self) -> Vec<u32> {
        let mut pass = Pass::new();
        let result = pass.run(self.raw(), Around::whole(self.scope(), &Limits::NONE));
        debug_assert_eq!(result, Ok(true));
        pass.used().to_vec()
    }
}

fn declare(out: &mut BytesMut, prefix: &[u8], namespace: &str) {
    out.extend_from_slice(b" xmlns");
    if !prefix.is_empty() {
        out.extend_from_slice(b":");
        out.extend_from_slice(prefix);
    }
    out.extend_from_slice(b"='");
    escape::attribute(out, namespace);
    out.extend_from_slice(b"'");
}

/// What an element has in it is more, once it means the same elsewhere, than somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} bytes, with the declarations that are needed elsewhere")]
pub struct ContentTooLarge {
    /// What may be.
    pub limit: usize,
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

    fn check(&self, most_bytes: usize) -> Result<(), ContentTooLarge> {
        if self.copied.len() + self.kept.len() > most_bytes {
            return Err(ContentTooLarge { limit: most_bytes });
        }
        Ok(())
    }

    fn join(mut self) -> Bytes {
        if self.copied.is_empty() {
            return self.source.slice(self.kept);
        }
        self.copy_kept();
        self.copied.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_in(namespace: &str, document: &str) -> Element {
        let document = Bytes::copy_from_slice(document.as_bytes());
        Element::parse_in(document, namespace, &Limits::DEFAULT).unwrap()
    }

    fn parse(document: &str) -> Element {
        parse_in("", document)
    }

    fn without(element: &Element, names: &str) -> Bytes {
        let is_dropped = |child: Child<'_>| names.contains(child.name());
        element.content_within(usize::MAX, is_dropped).unwrap()
    }

    fn is_shared(element: &Element, part: &Bytes) -> bool {
        element.raw().as_ptr_range().contains(&part.as_ptr())
    }

    /// Delivery shares the payload
    #[test]
    fn content_that_declares_what_it_uses_is_shared() {
        for (document, content) in [
            (
                "<m xmlns='u'>a<b/>&amp;<c xmlns='v'><d/></c></m>",
                "a<b/>&amp;<c xmlns='v'><d/></c>",
            ),
            (
                "<m xmlns='u' xmlns:p='v'><p2:b xmlns:p2='v' p2:c=''/></m>",
                "<p2:b xmlns:p2='v' p2:c=''/>",
            ),
            (
                "<m xmlns='u' xmlns:p='v' p:a=''><b xml:lang='en'/></m>",
                "<b xml:lang='en'/>",
            ),
            ("<p:m xmlns='u' xmlns:p='u'><b/></p:m>", "<b/>"),
            (
                "<p:m xmlns='u' xmlns:p='v'><b xmlns='w'/></p:m>",
                "<b xmlns='w'/>",
            ),
        ] {
            let element = parse(document);
            assert_eq!(element.content(), content);
            assert!(is_shared(&element, &element.content()), "{document}");
        }
        assert_eq!(parse("<a/>").content(), "");
        assert_eq!(parse("<a></a>").content(), "");
    }

    /// XML-NAMES §6.1, §6.2
    #[test]
    fn content_that_borrows_declarations_gets_its_own() {
        for (document, content) in [
            // A prefix of the element around, used in a name, an attribute and deeper.
            (
                "<m xmlns:p='u'><p:b/>x<c p:d=''/><e><p:f/></e><g/></m>",
                "<p:b xmlns:p='u'/>x<c xmlns:p='u' p:d=''/><e xmlns:p='u'><p:f/></e><g/>",
            ),
            // Only what is borrowed, each once.
            (
                "<m xmlns:p='u' xmlns:q='v' xmlns:r='w'><p:b q:c='' p:d=''/></m>",
                "<p:b xmlns:p='u' xmlns:q='v' q:c='' p:d=''/>",
            ),
            // A default namespace that is not the element's own.
            (
                "<p:m xmlns='u&amp;' xmlns:p='v'><b/><c xmlns='w'/><p:d><e/></p:d></p:m>",
                "<b xmlns='u&amp;'/><c xmlns='w'/><p:d xmlns='u&amp;' xmlns:p='v'><e/></p:d>",
            ),
            ("<p:m xmlns:p='v'><b/></p:m>", "<b xmlns=''/>"),
            // What is declared again is not borrowed.
            (
                "<m xmlns:p='u'><p:b xmlns:p='v'><p:c/></p:b></m>",
                "<p:b xmlns:p='v'><p:c/></p:b>",
            ),
        ] {
            assert_eq!(parse(document).content(), content);
        }
    }

    /// XEP-0359 §6: a server removes what claims to be its own
    #[test]
    fn children_can_be_left_out() {
        let element = parse("<m>1<a/>2<b/><c/>3<d/>4</m>");
        let dropping = |names: &str| without(&element, names);
        assert_eq!(dropping(""), "1<a/>2<b/><c/>3<d/>4");
        assert!(is_shared(&element, &dropping("")));
        assert_eq!(dropping("a"), "12<b/><c/>3<d/>4");
        assert_eq!(dropping("bc"), "1<a/>23<d/>4");
        assert_eq!(dropping("abcd"), "1234");

        let element = parse("<m xmlns:p='u'><a/>1<p:b/><c/></m>");
        let dropping = |names: &str| without(&element, names);
        assert_eq!(dropping("a"), "1<p:b xmlns:p='u'/><c/>");
        assert_eq!(dropping("ab"), "1<c/>");
        assert_eq!(dropping("bc"), "<a/>1");
        assert!(is_shared(&element, &dropping("bc")));
    }

    /// RFC 6120 §13.12
    #[test]
    fn content_that_grows_beyond_what_is_taken_is_refused_at_the_byte() {
        let limit = |element: &Element, most_bytes| {
            let content = element.content_within(most_bytes, |_| false);
            content.map_err(|error| error.limit)
        };
        for (document, content) in [
            ("<m/>", ""),
            ("<m>12<a/>34</m>", "12<a/>34"),
            (
                "<m xmlns:p='u'>1<p:a/>2<p:b/>3</m>",
                "1<p:a xmlns:p='u'/>2<p:b xmlns:p='u'/>3",
            ),
        ] {
            let element = parse(document);
            let bytes = content.len();
            assert_eq!(limit(&element, bytes).unwrap(), content);
            if let Some(less) = bytes.checked_sub(1) {
                assert_eq!(limit(&element, less), Err(less), "{document}");
            }
        }
    }

    /// What is refused for its size is never made in that size: it would be 60 times as large.
    #[test]
    fn content_that_is_refused_is_not_written_to_its_end() {
        let declarations: String = (0..60)
            .map(|number| format!(" xmlns:p{number}='{number:0>256}'"))
            .collect();
        let uses: String = (0..60).map(|number| format!(" p{number}:a=''")).collect();
        let children = format!("<x{uses}/>").repeat(450);
        let element = parse(&format!("<m{declarations}>{children}</m>"));
        let mut asked = 0;
        let content = element.content_within(100_000, |_| {
            asked += 1;
            false
        });
        assert_eq!(content, Err(ContentTooLarge { limit: 100_000 }));
        assert!(asked < 10, "{asked} children were looked at");
    }

    /// XML 1.0 §2.4, §2.11
    #[test]
    fn what_meets_where_a_child_was_does_not_become_something_else() {
        for (document, content) in [
            ("<m>]]<a/>></m>", "]]&gt;"),
            ("<m>]<a/>]></m>", "]&#93;>"),
            ("<m>]<a/>]<a/>></m>", "]&#93;>"),
            ("<m>\r<a/>\n</m>", "\r&#10;"),
            ("<m>x<a/>><a/>\n</m>", "x>\n"),
            ("<m>]<a/><b/>]></m>", "]<b/>]>"),
        ] {
            let element = parse(document);
            let text = element.text().into_owned();
            let content = Bytes::from(content);
            assert_eq!(without(&element, "a"), content);
            let again = parse(&format!("<m>{}</m>", checked(&content)));
            assert_eq!(again.text(), text);
        }
    }

    /// XML-NAMES §6.1, §6.2
    #[test]
    fn an_element_takes_along_what_it_needs() {
        let element = parse_in("urn:here", "<a><b/></a>");
        assert_eq!(element.to_bytes("urn:here"), "<a><b/></a>");
        assert!(is_shared(&element, &element.to_bytes("urn:here")));
        assert_eq!(
            element.to_bytes("urn:there"),
            "<a xmlns='urn:here'><b/></a>"
        );
        assert_eq!(
            parse("<a b=''/>").to_bytes("urn:there"),
            "<a xmlns='' b=''/>"
        );

        let element = parse("<m xmlns='u' xmlns:p='v'><p:a><b/></p:a><c xmlns='w'/></m>");
        let children: Vec<Element> = element.children().map(|child| child.open()).collect();
        assert_eq!(children[0].to_bytes("u"), "<p:a xmlns:p='v'><b/></p:a>");
        assert_eq!(
            children[0].to_bytes("x"),
            "<p:a xmlns='u' xmlns:p='v'><b/></p:a>"
        );
        assert_eq!(children[1].to_bytes("x"), "<c xmlns='w'/>");
    }
}
