//! Documents as this crate reads them, held against a tree.

use std::collections::BTreeSet;
use std::sync::Mutex;

use anser_xml::{Element, Event, Fault, Limits, Scanner, Writer};
use bytes::{Bytes, BytesMut};

use super::differences::read_what_we_wrote;
use super::reference::{Node, Tree};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) header: Element,
    pub(crate) stanzas: Vec<Element>,
}

/// A fault, and where in the document the stanza begins that has it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) fault: Fault,
    pub(crate) start: usize,
}

/// Reads a stream that arrives in pieces of the sizes that `next_size` tells.
pub(crate) fn stream(
    document: &[u8],
    mut next_size: impl FnMut() -> usize,
) -> Result<Stream, Refused> {
    let mut scanner = Scanner::new(Limits::NONE);
    let mut input = BytesMut::new();
    let mut rest = document;
    let (mut header, mut stanzas, mut is_closed) = (None, Vec::new(), false);
    loop {
        let event = scanner.next(&mut input).map_err(|fault| Refused {
            fault,
            start: document.len() - rest.len() - input.len(),
        })?;
        match event {
            Some(Event::Open(element)) => header = Some(element),
            Some(Event::Element(element)) => stanzas.push(element),
            Some(Event::Close) => is_closed = true,
            None if rest.is_empty() => break,
            None => {
                let (piece, later) = rest.split_at(next_size().min(rest.len()));
                input.extend_from_slice(piece);
                rest = later;
            }
        }
    }
    match header {
        Some(header) if is_closed => Ok(Stream { header, stanzas }),
        _ => Err(Refused {
            fault: Fault::Incomplete {
                got: document.len() as u32,
            },
            start: 0,
        }),
    }
}

pub(crate) fn element(document: &[u8]) -> Result<Element, Refused> {
    let declaration = document.starts_with(b"<?xml ").then(|| {
        document
            .iter()
            .position(|&byte| byte == b'>')
            .map_or(0, |end| end + 1)
    });
    let rest = &document[declaration.unwrap_or(0)..];
    let start = document.len() - rest.trim_ascii_start().len();
    Element::parse(Bytes::copy_from_slice(document), &Limits::NONE)
        .map_err(|fault| Refused { fault, start })
}

pub(crate) fn assert_same_events(
    whole: &Result<Stream, Refused>,
    in_pieces: &Result<Stream, Refused>,
) {
    let events = |result: &Result<Stream, Refused>| match result {
        Ok(stream) => Ok((
            stream.header.raw().clone(),
            stream
                .stanzas
                .iter()
                .map(|stanza| stanza.raw().clone())
                .collect::<Vec<_>>(),
        )),
        Err(refused) => Err((refused.fault, refused.start)),
    };
    assert_eq!(events(whole), events(in_pieces));
}

impl Stream {
    /// The stream as a flat tree.
    pub(crate) fn tree(&self) -> Tree {
        let content = self
            .stanzas
            .iter()
            .map(|stanza| Node::Element(tree(stanza)))
            .collect();
        Tree {
            content,
            ..tree(&self.header)
        }
    }
}

/// The element as a flat tree, with everything in it opened.
pub(crate) fn tree(element: &Element) -> Tree {
    let text = element.text().into_owned();
    let text = if text.is_empty() {
        None
    } else {
        Some(Node::Text(text))
    };
    let children = element
        .children()
        .map(|child| Node::Element(tree(&child.open())));
    Tree {
        namespace: element.namespace().to_owned(),
        name: element.name().to_owned(),
        attributes: attributes(element),
        content: text.into_iter().chain(children).collect(),
    }
}

fn attributes(element: &Element) -> Vec<(String, String, String)> {
    let mut attributes: Vec<_> = element
        .attributes()
        .map(|attribute| {
            let (namespace, name) = (attribute.namespace(), attribute.name());
            (
                namespace.into_owned(),
                name.to_owned(),
                attribute.value().into_owned(),
            )
        })
        .collect();
    attributes.sort();
    attributes
}

/// Asserts that all the ways to look at an element show what is in the tree.
pub(crate) fn assert_same(element: &Element, theirs: &Tree) {
    assert_eq!(tree(element), theirs.flat());
    for (namespace, name, value) in &theirs.attributes {
        assert_eq!(
            element.attribute_ns(namespace, name).as_deref(),
            Some(value.as_str())
        );
    }
    for (child, theirs) in element.children().zip(theirs.children()) {
        assert!(child.is(&theirs.namespace, &theirs.name), "{child:?}");
        assert_eq!(child.text(), theirs.text());
        for (namespace, name, value) in &theirs.attributes {
            if namespace.is_empty() {
                assert_eq!(child.attribute(name).as_deref(), Some(value.as_str()));
            }
        }
    }
}

/// Asserts that an element means the same after it was written again, to this crate and to rxml,
/// and also without one of its children, of which `choose` is told the number.
pub(crate) fn assert_survives(
    element: &Element,
    tree: &Tree,
    mut choose: impl FnMut(usize) -> usize,
) {
    let rewritten = rewrite(element, &element.content());
    assert_read_as(&rewritten, &renamed(tree.clone()));

    let moved = element.to_bytes("urn:elsewhere");
    let mut wrapped = BytesMut::from("<wrap xmlns='urn:elsewhere'>");
    wrapped.extend_from_slice(&moved);
    wrapped.extend_from_slice(b"</wrap>");
    assert_eq!(read_what_we_wrote(&wrapped).children().next(), Some(tree));
    let found = Element::parse_in(moved, "urn:elsewhere", &Limits::NONE);
    assert_same(&found.expect("what we write is well-formed"), tree);

    let count = tree.children().count();
    if count > 0 {
        let dropped = choose(count);
        let mut number = 0..;
        let content = element
            .content_within(usize::MAX, |_| number.next() == Some(dropped))
            .expect("there is no limit to break");
        let mut tree = tree.clone();
        drop_child(&mut tree, dropped);
        assert_read_as(&rewrite(element, &content), &renamed(tree));
    }
}

fn assert_read_as(document: &Bytes, tree: &Tree) {
    assert_eq!(
        &read_what_we_wrote(document),
        tree,
        "{}",
        document.escape_ascii()
    );
    let found = Element::parse(document.clone(), &Limits::NONE);
    assert_same(&found.expect("what we write is well-formed"), tree);
}

/// Writes an element with a start tag of our own, as a stanza is forwarded. Names that are written
/// are the program's, so it is [`renamed`].
fn rewrite(element: &Element, content: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&mut out);
    // The namespace of `xml` cannot be the default one (XML-NAMES §3).
    let mut tag = match element.namespace() {
        XML => writer.open("xml:e"),
        namespace => writer.open("e").namespace(namespace),
    };
    for (number, (namespace, _, value)) in attributes(element).iter().enumerate() {
        let name = |prefix| kept(format!("{prefix}a{number:04}"));
        tag = match namespace.as_str() {
            "" => tag.attribute(name(""), value),
            XML => tag.attribute(name("xml:"), value),
            namespace => tag
                .attribute(kept(format!("xmlns:n{number:04}")), namespace)
                .attribute(kept(format!("n{number:04}:a{number:04}")), value),
        };
    }
    tag.raw(content);
    tag.close();
    writer.close();
    out.freeze()
}

/// Names have to live as long as the program; these are few.
fn kept(name: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().expect("nothing fails while it is held");
    match names.get(name.as_str()) {
        Some(name) => name,
        None => {
            let name = Box::leak(name.into_boxed_str());
            names.insert(name);
            name
        }
    }
}

/// The same with the names that [`rewrite`] gives it and its attributes.
fn renamed(tree: Tree) -> Tree {
    let attributes = tree.attributes.into_iter().enumerate();
    let renamed = attributes
        .map(|(number, (namespace, _, value))| (namespace, format!("a{number:04}"), value));
    Tree {
        name: "e".to_owned(),
        attributes: renamed.collect(),
        ..tree
    }
}

fn drop_child(tree: &mut Tree, number: usize) {
    let mut children = 0..;
    let mut kept = Tree {
        content: Vec::new(),
        ..tree.clone()
    };
    for node in tree.content.drain(..) {
        match node {
            Node::Text(text) => kept.push_text(&text),
            Node::Element(_) if children.next() == Some(number) => {}
            Node::Element(_) => kept.content.push(node),
        }
    }
    *tree = kept;
}
