//! Where the two parsers differ on purpose, each as narrow as can be.
//!
//! Where rxml falls short, it is asked again with the same document written in another way that
//! XML says is the same, and then has to agree in everything.

use anser_xml::Fault;

use super::ours::Refused;
use super::reference::{self, Read, Tree};

type Rewrite = fn(&str) -> String;

/// What rxml 0.14 refuses or reads wrongly, and how to write it so that it does not.
const SHORTCOMINGS: &[(&str, Rewrite)] = &[
    (CARRIAGE_RETURN, normalise_line_ends),
    // It allows eight digits; XML 1.0 §4.1 any number.
    ("long character reference", shorten_references),
    // It does not know the last range of the Basic Multilingual Plane in XML 1.0 §2.3 [4].
    ("name with U+FDF0 to U+FFFD", hide_characters),
    // It wants the first byte to be a `<`; XML 1.0 §2.8 allows white space before an element.
    ("white space at the start", |document| {
        document.trim_ascii_start().to_owned()
    }),
    // It wants `yes`; XML 1.0 §2.9 allows both, and without a DTD they mean the same.
    ("standalone='no'", |document| {
        document.replacen("standalone='no'", "", 1)
    }),
];

/// It takes a carriage return in an attribute value for nothing, or refuses what follows it;
/// XML 1.0 §2.11 makes it a line feed before anything else looks at it.
const CARRIAGE_RETURN: &str = "carriage return in a value";

fn normalise_line_ends(document: &str) -> String {
    document.replace("\r\n", "\n").replace('\r', "\n")
}

/// Takes the leading zeros from character references; in a CDATA section there are none.
fn shorten_references(document: &str) -> String {
    let (mut shortened, mut rest) = (String::new(), document);
    while let Some((before, section)) = rest.split_once("<![CDATA[") {
        let (inside, after) = section.split_once("]]>").unwrap_or((section, ""));
        shortened += &without_leading_zeros(before);
        shortened += &format!("<![CDATA[{inside}]]>");
        rest = after;
    }
    shortened + &without_leading_zeros(rest)
}

fn without_leading_zeros(text: &str) -> String {
    let mut references = text.split("&#");
    let mut shortened = references.next().unwrap_or_default().to_owned();
    for reference in references {
        let (start, digits) = match reference.strip_prefix('x') {
            Some(digits) => ("&#x", digits),
            None => ("&#", reference),
        };
        shortened += start;
        shortened += digits.trim_start_matches('0');
    }
    shortened
}

/// Puts characters that may be in names, and are in none, in the place of U+FDF0 to U+FFFD.
fn hide_characters(document: &str) -> String {
    let mut hidden = String::with_capacity(document.len());
    for char in document.chars() {
        if let '\u{FDF0}'..='\u{FFFD}' = char {
            hidden.push(HIDDEN);
        }
        hidden.push(match char {
            '\u{FDF0}'..='\u{FFFD}' => by(char, HIDDEN_BY),
            other => other,
        });
    }
    hidden
}

fn restore_characters(text: &str) -> String {
    let mut parts = text.split(HIDDEN);
    let mut restored = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut chars = part.chars();
        match chars.next() {
            Some(char @ '\u{EF000}'..='\u{EF20D}') => {
                restored.push(by(char, -HIDDEN_BY));
                restored += chars.as_str();
            }
            Some(_) | None => {
                restored.push(HIDDEN);
                restored += part;
            }
        }
    }
    restored
}

fn by(char: char, distance: i32) -> char {
    let moved = u32::from(char).checked_add_signed(distance);
    let moved = moved.and_then(char::from_u32);
    moved.expect("there are characters at both ends")
}

/// Precedes a character that is another.
const HIDDEN: char = '\u{EFFFD}';
const HIDDEN_BY: i32 = 0xEF000 - 0xFDF0;

/// What rxml finds in an element that we wrote, some of it as it had come.
pub(crate) fn read_what_we_wrote(document: &[u8]) -> Tree {
    let document = std::str::from_utf8(document).expect("what we write is UTF-8");
    let document = hide_characters(&shorten_references(&normalise_line_ends(document)));
    let tree = reference::element(document.as_bytes());
    tree.unwrap_or_else(|error| panic!("{error} in {document}"))
        .map(restore_characters)
}

/// The difference that explains why rxml does not read what we read, and what it reads when the
/// document is written differently.
pub(crate) fn shortcoming(
    document: &[u8],
    ours: &Tree,
    read: Read,
) -> Option<(&'static str, Tree)> {
    let document = std::str::from_utf8(document).expect("what we accept is UTF-8");
    let mut everything = document.to_owned();
    for (name, rewrite) in SHORTCOMINGS {
        everything = rewrite(&everything);
        for attempt in [&rewrite(document), &everything] {
            match read(attempt.as_bytes()).map(|theirs| theirs.map(restore_characters)) {
                Ok(theirs) if theirs.flat() == *ours => return Some((name, theirs)),
                Ok(_) | Err(_) => {}
            }
        }
    }
    None
}

/// The difference that explains why we refuse what rxml reads.
pub(crate) fn strictness(document: &[u8], refused: &Refused, read: Read) -> Option<&'static str> {
    let normalised = std::str::from_utf8(document).map(normalise_line_ends);
    if normalised.is_ok_and(|document| read(document.as_bytes()).is_err()) {
        return Some(CARRIAGE_RETURN);
    }
    let at = |offset: u32| &document[refused.start + offset as usize..];
    match refused.fault {
        // rxml takes the last one; XML 1.0 §3.1 (Unique Att Spec) allows one.
        Fault::DuplicateAttribute { at: offset } if name_at(at(offset)) == "xmlns" => {
            Some("default namespace declared twice")
        }
        // rxml does not know this name; XML-NAMES §3 forbids to bind it.
        Fault::ReservedNamespace { at: offset }
            if !["xmlns:xml", "xmlns:xmlns"].contains(&name_at(at(offset))) =>
        {
            Some("namespace of xmlns bound to a prefix")
        }
        // RFC 6120 §4.2: a stream has elements and white space between them.
        Fault::TextBetweenStanzas { .. } => Some("text between stanzas"),
        Fault::Unexpected { byte: b'[', at: 2 } if at(0).starts_with(b"<![CDATA[") => {
            Some("CDATA section outside of elements")
        }
        // rxml wants no more than that it is read as white space; XML 1.0 §2.8 that it is some.
        Fault::AfterEnd { byte: b'&' | b'<' } => Some("reference or CDATA section after the end"),
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

fn name_at(bytes: &[u8]) -> &str {
    let end = bytes
        .iter()
        .position(|byte| b"= \t\r\n".contains(byte))
        .unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).unwrap_or_default()
}
