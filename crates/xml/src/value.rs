//! Values as they are meant, from values as they are written.
//!
//! All of it was checked when it was read, so nothing here can be malformed.

use std::borrow::Cow;

/// Whether an attribute value needs no [`attribute`].
pub(crate) fn is_literal(raw: &[u8]) -> bool {
    !raw.iter()
        .any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r'))
}

/// An attribute value with references replaced and white space normalised (XML 1.0 §3.3.3).
pub(crate) fn attribute(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(found) = rest.find(['&', '\t', '\n', '\r']) {
        value.push_str(&rest[..found]);
        rest = &rest[found..];
        rest = if rest.starts_with('&') {
            reference(rest, &mut value)
        } else {
            value.push(' ');
            // The two bytes of a line end become one (§2.11).
            rest.strip_prefix("\r\n").unwrap_or(&rest[1..])
        };
    }
    value.push_str(rest);
    value
}

/// Character data with references replaced, CDATA sections opened and line ends normalised
/// (XML 1.0 §2.11).
pub(crate) fn text(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr3(b'&', b'\r', b'<', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut text = String::with_capacity(raw.len());
    let (plain, mut rest) = raw.split_at(first);
    text.push_str(plain);
    while let Some(found) = memchr::memchr3(b'&', b'\r', b'<', rest.as_bytes()) {
        text.push_str(&rest[..found]);
        rest = &rest[found..];
        rest = match rest.as_bytes()[0] {
            b'&' => reference(rest, &mut text),
            b'\r' => line_end(rest, &mut text),
            _ => section(rest, &mut text),
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Appends what the reference at the front of `rest` stands for; returns what follows it.
fn reference<'a>(rest: &'a str, into: &mut String) -> &'a str {
    let (name, rest) = rest[1..]
        .split_once(';')
        .expect("a reference ends in a semicolon");
    into.push(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => character(number),
    });
    rest
}

/// The character with this number, written as in `#38` or `#x26`.
fn character(number: &str) -> char {
    let digits = number.trim_start_matches('#');
    let code = match digits.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    code.ok()
        .and_then(char::from_u32)
        .expect("a reference names a character")
}

/// Appends the line end at the front of `rest`; returns what follows it.
fn line_end<'a>(rest: &'a str, into: &mut String) -> &'a str {
    into.push('\n');
    rest.strip_prefix("\r\n").unwrap_or(&rest[1..])
}

/// Appends the content of the CDATA section at the front of `rest`; returns what follows it.
fn section<'a>(rest: &'a str, into: &mut String) -> &'a str {
    let (mut inside, rest) = rest["<![CDATA[".len()..]
        .split_once("]]>")
        .expect("a section has an end");
    while let Some(found) = memchr::memchr(b'\r', inside.as_bytes()) {
        into.push_str(&inside[..found]);
        inside = line_end(&inside[found..], into);
    }
    into.push_str(inside);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XML 1.0 §2.11, §2.7, §4.1
    #[test]
    fn text_has_references_replaced_sections_opened_and_line_ends_normalised() {
        for (raw, meant) in [
            ("", ""),
            ("a > b", "a > b"),
            ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
            ("&#65;&#x42;&#x1f600;&#0000000067;", "AB😀C"),
            ("&amp;lt;&#38;lt;", "&lt;&lt;"),
            ("a\r\nb\rc\nd\r\r\n\r", "a\nb\nc\nd\n\n\n"),
            ("a&#13;&#10;b", "a\r\nb"),
            ("1<![CDATA[<a>&lt;]] >]]>2<![CDATA[]]>3", "1<a>&lt;]] >23"),
            ("<![CDATA[\r\n]]\r]]>\r", "\n]]\n\n"),
        ] {
            assert_eq!(text(raw), meant, "{raw:?}");
        }
        assert!(matches!(text("as it is\t\n"), Cow::Borrowed(_)));
    }

    /// XML 1.0 §3.3.3
    #[test]
    fn attribute_values_have_references_replaced_and_white_space_normalised() {
        for (raw, meant) in [
            ("", ""),
            ("a  b", "a  b"),
            ("a\tb\nc\rd\r\ne\r\r\n", "a b c d e  "),
            ("&#9;&#10;&#13;", "\t\n\r"),
            ("&lt;\"&apos;&#x9D3B;", "<\"'鴻"),
        ] {
            assert_eq!(attribute(raw), meant, "{raw:?}");
            assert!(is_literal(raw.as_bytes()) <= (raw == meant));
        }
    }
}
