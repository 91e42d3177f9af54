//! Where the two parsers differ on purpose, each as narrow as can be.
//!
//! Where rxml falls short, it is asked again with the same document written in another way that
//! XML says is the same, and then has to agree in everything.

use anser_xml::Fault;

use crate::ours::Refused;
use crate::reference::{self, Read, Tree};

type Rewrite = fn(&[u8]) -> Vec<u8>;

/// What rxml 0.14 refuses or reads wrongly, and how to write it so that it does not.
const SHORTCOMINGS: &[(&str, Rewrite)] = &[
    // It takes a carriage return in an attribute value for nothing, or refuses what follows it;
    // XML 1.0 §2.11 makes it a line feed before anything else looks at it.
    ("carriage return in a value", normalise_line_ends),
    // It allows eight digits; XML 1.0 §4.1 any number.
    ("long character reference", shorten_references),
    // It wants the first byte to be a `<`; XML 1.0 §2.8 allows white space before an element.
    ("white space at the start", |document| {
        document.trim_ascii_start().to_vec()
    }),
    // It wants `yes`; XML 1.0 §2.9 allows both, and without a DTD they mean the same.
    ("standalone='no'", |document| {
        String::from_utf8_lossy(document)
            .replacen("standalone='no'", "", 1)
            .into_bytes()
    }),
];

fn normalise_line_ends(document: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(document)
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .into_bytes()
}

fn shorten_references(document: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(document).into_owned();
    for start in ["&#0000", "&#x0000"] {
        while let Some(at) = text.find(start) {
            text.remove(at + start.len() - 1);
        }
    }
    text.into_bytes()
}

/// What rxml finds in an element that we wrote, some of it as it had come.
pub(crate) fn read_what_we_wrote(document: &[u8]) -> Tree {
    reference::element(&shorten_references(&normalise_line_ends(document)))
        .unwrap_or_else(|error| panic!("{error} in {}", document.escape_ascii()))
}

/// The difference that explains why rxml does not read what we read, and what it reads when the
/// document is written differently.
pub(crate) fn shortcoming(
    document: &[u8],
    ours: &Tree,
    read: Read,
) -> Option<(&'static str, Tree)> {
    let mut everything = document.to_vec();
    for (name, rewrite) in SHORTCOMINGS {
        everything = rewrite(&everything);
        for attempt in [rewrite(document), everything.clone()] {
            match read(&attempt) {
                Ok(theirs) if theirs.flat() == *ours => return Some((name, theirs)),
                Ok(_) | Err(_) => {}
            }
        }
    }
    None
}

/// The difference that explains why we refuse what rxml reads.
pub(crate) fn strictness(document: &[u8], refused: &Refused) -> Option<&'static str> {
    let at = |offset: u32| &document[refused.start + offset as usize..];
    match refused.fault {
        // rxml takes the last one; XML 1.0 §3.1 (Unique Att Spec) allows one.
        Fault::DuplicateAttribute { at: offset } if at(offset).starts_with(b"xmlns") => {
            Some("default namespace declared twice")
        }
        // rxml does not know this name; XML-NAMES §3 forbids to bind it.
        Fault::ReservedNamespace { at: offset } if !at(offset).starts_with(b"xmlns:xml") => {
            Some("namespace of xmlns bound to a prefix")
        }
        // RFC 6120 §4.2: a stream has elements and white space between them.
        Fault::TextBetweenStanzas { .. } => Some("text between stanzas"),
        Fault::Unexpected { byte: b'[', at: 2 } if at(0).starts_with(b"<![CDATA[") => {
            Some("CDATA section between stanzas")
        }
        // XML 1.0 §2.9 has it in lower case.
        Fault::MalformedDeclaration => {
            let declaration = String::from_utf8_lossy(document).to_ascii_lowercase();
            declaration
                .contains("standalone='yes'")
                .then_some("standalone in upper case")
        }
        _ => None,
    }
}
