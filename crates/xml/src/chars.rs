//! Which bytes and characters XML allows where (XML 1.0 §2.2 and §2.3).

use crate::fault::Fault;

/// Sets of bytes, of ASCII bytes where nothing else is said. A byte belongs to several.
pub(crate) type Class = u8;
/// `S`
pub(crate) const SPACE: Class = 1;
/// `NameStartChar` without the colon.
pub(crate) const NAME_START: Class = 1 << 1;
/// `NameChar` without the colon.
pub(crate) const NAME: Class = 1 << 2;
/// Character data that means nothing but itself. `>` is left out because of `]]>`.
pub(crate) const TEXT: Class = 1 << 3;
/// The same inside a CDATA section.
pub(crate) const SECTION: Class = 1 << 4;
/// The same inside an attribute value, whichever quote delimits it.
pub(crate) const VALUE: Class = 1 << 5;

/// Character data that can be written as it is, here with bytes beyond ASCII. 0xEF is left out
/// because of U+FFFE and U+FFFF.
pub(crate) const WRITTEN_TEXT: Class = 1 << 6;
/// The same for attribute values.
pub(crate) const WRITTEN_VALUE: Class = 1 << 7;

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let is_char = byte >= 0x20 || is_space;
        let starts_name = byte.is_ascii_alphabetic() || byte == b'_';
        let continues_name = starts_name || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        let ends_text = matches!(byte, b'<' | b'&' | b'>');
        let ends_value = matches!(byte, b'<' | b'&' | b'"' | b'\'' | b'\t' | b'\n' | b'\r');
        let is_written = is_char && byte != 0xEF && byte != b'\r' && !ends_text;
        table[index] = if is_space { SPACE } else { 0 }
            | if starts_name { NAME_START } else { 0 }
            | if continues_name { NAME } else { 0 }
            | if is_char && byte < 0x80 && !ends_text {
                TEXT
            } else {
                0
            }
            | if is_char && byte < 0x80 && byte != b'>' {
                SECTION
            } else {
                0
            }
            | if is_char && byte < 0x80 && !ends_value {
                VALUE
            } else {
                0
            }
            | if is_written { WRITTEN_TEXT } else { 0 }
            | if is_written && !ends_value {
                WRITTEN_VALUE
            } else {
                0
            };
        index += 1;
    }
    table
}

#[inline]
pub(crate) fn is(byte: u8, class: Class) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Length of the longest prefix whose bytes all belong to `class`.
#[inline]
pub(crate) fn run(bytes: &[u8], class: Class) -> usize {
    bytes
        .iter()
        .position(|&byte| !is(byte, class))
        .unwrap_or(bytes.len())
}

/// `Char` (XML 1.0 §2.2), for code points that may be anything.
pub(crate) fn is_char(code: u32) -> bool {
    matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..=0x10_FFFF)
}

/// `NameStartChar` beyond ASCII (XML 1.0 fifth edition §2.3).
fn starts_name(char: char) -> bool {
    matches!(char,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` beyond ASCII (XML 1.0 fifth edition §2.3).
fn continues_name(char: char) -> bool {
    starts_name(char) || matches!(char, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether `char`, which is not ASCII, may stand at this place of a name.
pub(crate) fn is_in_name(char: char, class: Class) -> bool {
    if class == NAME_START {
        starts_name(char)
    } else {
        continues_name(char)
    }
}

/// Checks the characters beyond ASCII at the front of `bytes`, which lie at offset `at`, and
/// returns their length; zero if all that is there is the beginning of one character.
pub(crate) fn beyond_ascii(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let end = bytes.iter().position(u8::is_ascii).unwrap_or(bytes.len());
    let run = &bytes[..end];
    let valid = match simdutf8::compat::from_utf8(run) {
        Ok(_) => end,
        // A character cut off by the end of the input is not wrong yet.
        Err(error) if error.error_len().is_none() && end == bytes.len() => error.valid_up_to(),
        Err(error) => {
            return Err(Fault::InvalidUtf8 {
                at: (at + error.valid_up_to()) as u32,
            });
        }
    };
    match noncharacter(&run[..valid]) {
        None => Ok(valid),
        Some(found) => Err(Fault::ForbiddenCharacter {
            code: 0xFF00 | u32::from(run[found + 2] & 0x3F | 0xC0),
            at: (at + found) as u32,
        }),
    }
}

/// Where in valid UTF-8 the first U+FFFE or U+FFFF begins.
pub(crate) fn noncharacter(utf8: &[u8]) -> Option<usize> {
    memchr::memchr_iter(0xEF, utf8).find(|&at| utf8[at + 1] == 0xBF && utf8[at + 2] >= 0xBE)
}

/// The character beyond ASCII at the front of `bytes`, or `None` if more bytes are needed.
pub(crate) fn first(bytes: &[u8], at: usize) -> Result<Option<char>, Fault> {
    let bytes = &bytes[..bytes.len().min(4)];
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.chars().next()),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            match std::str::from_utf8(valid)
                .unwrap_or_default()
                .chars()
                .next()
            {
                Some(char) => Ok(Some(char)),
                None if error.error_len().is_none() && rest.len() < 4 => Ok(None),
                None => Err(Fault::InvalidUtf8 { at: at as u32 }),
            }
        }
    }
}

/// Bytes that were checked when they were read, as text.
pub(crate) fn checked(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("all bytes of an element were checked to be UTF-8")
}
