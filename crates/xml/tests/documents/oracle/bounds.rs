//! Whether limits are kept.

use anser_xml::{Element, Event, Fault, Limits, Scanner};
use bytes::BytesMut;

/// What came of an input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) elements: usize,
    pub(crate) fault: Option<Fault>,
}

/// Reads anything under limits, in pieces of the sizes that `next_size` tells.
///
/// # Panics
/// A limit was passed.
pub(crate) fn check(
    mut rest: &[u8],
    limits: Limits,
    mut next_size: impl FnMut() -> usize,
) -> Outcome {
    let mut scanner = Scanner::new(limits);
    let mut buffer = BytesMut::new();
    let mut elements = 0;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(next_size().min(rest.len()));
        buffer.extend_from_slice(piece);
        rest = later;
        loop {
            match scanner.next(&mut buffer) {
                Ok(Some(Event::Element(element))) => {
                    elements += 1;
                    assert_within(&element, &limits);
                }
                Ok(Some(Event::Open(_) | Event::Close)) => {}
                Ok(None) => break,
                Err(fault) => {
                    let fault = Some(fault);
                    return Outcome { elements, fault };
                }
            }
        }
        assert!(buffer.len() <= limits.stanza_bytes as usize);
    }
    Outcome {
        elements,
        fault: None,
    }
}

fn assert_within(stanza: &Element, limits: &Limits) {
    assert!(stanza.raw().len() <= limits.stanza_bytes as usize);
    let mut count = 0;
    visit(stanza, 1, &mut |element, depth| {
        count += 1;
        assert!(depth <= limits.depth);
        assert!(element.attributes().count() <= limits.attributes as usize);
        assert!(element.namespace().len() <= limits.namespace_bytes as usize);
        // Each child can borrow all the declarations there are, those of the header included.
        let declarations = 2 * limits.namespaces as usize;
        let most = declarations * (limits.namespace_bytes as usize * 6 + element.raw().len());
        let content = element.content();
        assert!(content.len() <= element.raw().len() + element.children().count() * most);
    });
    assert!(count <= limits.elements);
}

fn visit(element: &Element, depth: u32, look: &mut impl FnMut(&Element, u32)) {
    look(element, depth);
    for child in element.children() {
        visit(&child.open(), depth + 1, look);
    }
}
