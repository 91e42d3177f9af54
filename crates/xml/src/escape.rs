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

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: fn(&mut BytesMut, &str), value: &str) -> String {
        let mut out = BytesMut::new();
        escape(&mut out, value);
        chars::checked(&out).to_owned()
    }

    /// XML 1.0 §2.4, §2.11
    #[test]
    fn text_survives_being_read() {
        let value = "a <b> & 'c' \"d\" ]]> \t\n\r é鸿😀\u{FFFD}\u{FEFF}\u{E000}";
        let written = "a &lt;b&gt; &amp; 'c' \"d\" ]]&gt; \t\n&#13; é鸿😀\u{FFFD}\u{FEFF}\u{E000}";
        assert_eq!(escaped(text, value), written);
    }

    /// XML 1.0 §2.3, §3.3.3
    #[test]
    fn an_attribute_value_survives_being_read_between_either_quotes() {
        let value = "a <b> & 'c' \"d\" \t\n\r ｆ\u{FF5E}";
        let written = "a &lt;b&gt; &amp; &apos;c&apos; &quot;d&quot; &#9;&#10;&#13; ｆ\u{FF5E}";
        assert_eq!(escaped(attribute, value), written);
    }

    /// XML 1.0 §2.2
    #[test]
    fn what_xml_cannot_carry_becomes_a_replacement_character() {
        for char in (0..0x20).chain([0xFFFE, 0xFFFF]).filter_map(char::from_u32) {
            if !chars::is_char(u32::from(char)) {
                let value = format!("a{char}b");
                assert_eq!(escaped(text, &value), "a\u{FFFD}b", "{char:?}");
                assert_eq!(escaped(attribute, &value), "a\u{FFFD}b", "{char:?}");
            }
        }
    }
}
