//! Holds what this crate reads and writes against rxml, an independent parser.
//!
//! Both must accept the same documents and find the same in them, and what this crate writes of
//! them must be read as the same again. Where the two differ on purpose, `differences` says so.
//!
//! Whoever includes this module brings the documents, and decides where they are cut.

pub(crate) mod bounds;
pub(crate) mod differences;
pub(crate) mod ours;
pub(crate) mod reference;

use ours::Refused;
use reference::Tree;

/// What both made of a document.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// A documented difference.
    Differs(&'static str),
}

/// Checks how a stream is read, whole and in pieces of the sizes that `next_size` tells, and
/// how its stanzas are written. `choose` gives a number below the given one.
///
/// # Panics
/// Something is wrong.
pub(crate) fn check_stream(
    document: &[u8],
    next_size: impl FnMut() -> usize,
    mut choose: impl FnMut(usize) -> usize,
) -> Verdict {
    let ours = ours::stream(document, || usize::MAX);
    let in_pieces = ours::stream(document, next_size);
    ours::assert_same_events(&ours, &in_pieces);
    let tree = ours.as_ref().map(ours::Stream::tree);
    let (verdict, theirs) = judge(document, tree, reference::stream);
    if let (Ok(stream), Some(theirs)) = (ours, theirs) {
        for (stanza, tree) in stream.stanzas.iter().zip(theirs.children()) {
            ours::assert_same(stanza, tree);
            ours::assert_survives(stanza, tree, &mut choose);
        }
    }
    verdict
}

/// Checks how an element on its own is read and written.
///
/// # Panics
/// Something is wrong.
pub(crate) fn check_element(document: &[u8], choose: impl FnMut(usize) -> usize) -> Verdict {
    let ours = ours::element(document);
    let (verdict, theirs) = judge(document, ours.as_ref().map(ours::tree), reference::element);
    if let (Ok(element), Some(theirs)) = (ours, theirs) {
        ours::assert_same(&element, &theirs);
        ours::assert_survives(&element, &theirs, choose);
    }
    verdict
}

/// Asserts that both find the same in a document; also returns it as rxml reads it, if both
/// accept it.
fn judge(
    document: &[u8],
    ours: Result<Tree, &Refused>,
    read: reference::Read,
) -> (Verdict, Option<Tree>) {
    match (ours, read(document)) {
        (Ok(ours), Ok(theirs)) if ours == theirs.flat() => (Verdict::Accepted, Some(theirs)),
        (Err(_), Err(_)) => (Verdict::Refused, None),
        (Ok(ours), theirs) => {
            let found = differences::shortcoming(document, &ours, read);
            let (difference, theirs) = found.unwrap_or_else(|| panic!("{ours:?}\n{theirs:?}"));
            (Verdict::Differs(difference), Some(theirs))
        }
        (Err(refused), Ok(_)) => {
            let difference = differences::strictness(document, refused, read);
            let difference = difference.unwrap_or_else(|| panic!("only refused here: {refused:?}"));
            (Verdict::Differs(difference), None)
        }
    }
}
