//! The document on specifications says what the table of features says.

use anser_xmpp::{Specification, specifications};

const DOCUMENT: &str = include_str!("../../../docs/specifications.md");

/// What the document has to say of a specification: its name and its version.
fn expected(specification: Specification) -> (String, String) {
    match specification {
        Specification::Rfc(number) => (format!("RFC {number}"), String::new()),
        Specification::Xep(number, version) => (format!("XEP-{number:04}"), version.to_owned()),
    }
}

/// The same of a line, if that is a row of the table: the title of a XEP is
/// left out.
fn written(line: &str) -> Option<(String, String)> {
    let mut cells = line.strip_prefix("| ")?.split('|').map(str::trim);
    let (name, version) = (cells.next()?, cells.next()?);
    let name = match name.split_once(' ') {
        Some((xep, _)) if xep.starts_with("XEP-") => xep,
        _ if name.starts_with("RFC ") => name,
        _ => return None,
    };
    Some((name.to_owned(), version.to_owned()))
}

#[test]
fn the_document_lists_exactly_what_the_table_of_features_has() {
    let written: Vec<_> = DOCUMENT.lines().filter_map(written).collect();
    let expected: Vec<_> = specifications().map(expected).collect();
    assert_eq!(written, expected);
}
