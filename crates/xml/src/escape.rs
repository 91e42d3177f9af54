//! Text as XML writes it.

use bytes::BytesMut;

use crate::chars::{self, Class, WRITTEN_TEXT, WRITTEN_VALUE};

/// Appends `value` as character data (XML 1.0 §2.4).
pub(crate) fn text(out: &mut BytesMut, value: &str) {
    escape(out, value, WRITTEN_TEXT);
}

/// Appends `value` as the inside of an attribute value, whichever quotes are around it. White
/// space other than spaces would not survive being read (XML 1.0 §3.3.3) if it were not escaped.
pub(crate) fn attribute(out: &mut BytesMut, value: &str) {
    escape(out, value, WRITTEN_VALUE);
}

fn escape(out: &mut BytesMut, value: &str, plain: Class) {
    let mut rest = value.as_bytes();
    loop {
        let (copied, special) = rest.split_at(chars::run(rest, plain));
        out.extend_from_slice(copied);
        let Some(&byte) = special.first() else { return };
        let (written, length): (&[u8], usize) = match byte {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            b'\'' => (b"&apos;", 1),
            b'"' => (b"&quot;", 1),
            b'\t' => (b"&#9;", 1),
            b'\n' => (b"&#10;", 1),
            b'\r' => (b"&#13;", 1),
            0xEF if chars::noncharacter(&special[..3]).is_none() => (&special[..3], 3),
            0xEF => ("\u{FFFD}".as_bytes(), 3),
            // What is left are the control characters, for which XML has no form at all.
            _ => ("\u{FFFD}".as_bytes(), 1),
        };
        out.extend_from_slice(written);
        rest = &special[length..];
    }
}
