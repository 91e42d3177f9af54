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
        table[index] = when(is_space, SPACE)
            | when(starts_name, NAME_START)
            | when(continues_name, NAME)
            | when(is_char && byte < 0x80 && !ends_text, TEXT)
            | when(is_char && byte < 0x80 && byte != b'>', SECTION)
            | when(is_char && byte < 0x80 && !ends_value, VALUE)
            | when(is_written, WRITTEN_TEXT)
            | when(is_written && !ends_value, WRITTEN_VALUE);
        index += 1;
    }
    table
}

const fn when(is_in: bool, class: Class) -> Class {
    if is_in { class } else { 0 }
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

/// The same for the classes of character data, whose runs are long: only the bytes that are special
/// to one of these classes are looked at one by one.
#[inline]
pub(crate) fn long_run(bytes: &[u8], class: Class) -> usize {
    skip_plain::<false>(bytes, |byte| is(byte, class))
}

/// The same where all bytes beyond ASCII belong to the class as well.
#[inline]
pub(crate) fn long_run_beyond_ascii(bytes: &[u8], class: Class) -> usize {
    skip_plain::<true>(bytes, |byte| is(byte, class) || !byte.is_ascii())
}

#[inline]
fn skip_plain<const BEYOND_ASCII: bool>(bytes: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let plain = plain_bytes::<BEYOND_ASCII>(u64::from_le_bytes(*word));
        if plain == 8 {
            at += 8;
        } else if is_in(word[plain]) {
            at += plain + 1;
        } else {
            return at + plain;
        }
    }
    at + bytes[at..].iter().take_while(|&&byte| is_in(byte)).count()
}

/// How many of eight bytes, the first of which is the lowest, come before the first that is a
/// control character or one of `& ' " < >`, or beyond ASCII where that matters.
#[inline]
fn plain_bytes<const BEYOND_ASCII: bool>(word: u64) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    // Has the high bit of the lowest byte that is zero, and perhaps of bytes above it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let ampersands_apostrophes = zeros((word | ONES) ^ (ONES * 0x27));
    let quotes = zeros(word ^ (ONES * 0x22));
    let angles = zeros((word | (ONES * 0x02)) ^ (ONES * 0x3E));
    let beyond_ascii = if BEYOND_ASCII { 0 } else { word };
    let found = controls | ampersands_apostrophes | quotes | angles | beyond_ascii;
    (found & (ONES * 0x80)).trailing_zeros() as usize / 8
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

/// How many bytes can be told to be valid UTF-8 at once.
const WINDOW: usize = 256;

/// Checks the characters at the front of `bytes`, which lie at offset `at`. Returns how many bytes
/// are fine, at least those of one character; zero if not even that has come.
pub(crate) fn check(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let window = &bytes[..bytes.len().min(WINDOW)];
    let valid = match simdutf8::compat::from_utf8(window) {
        Ok(_) => window.len(),
        // What is wrong further on is for the one who gets there to find.
        Err(error) if error.valid_up_to() > 0 => error.valid_up_to(),
        Err(error) if error.error_len().is_none() => 0,
        Err(_) => return Err(Fault::InvalidUtf8 { at: at as u32 }),
    };
    match noncharacter(&window[..valid]) {
        Some(0) => {
            let (code, at) = (if window[2] == 0xBE { 0xFFFE } else { 0xFFFF }, at as u32);
            Err(Fault::ForbiddenCharacter { code, at })
        }
        Some(found) => Ok(found),
        None => Ok(valid),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// XML 1.0 §2.2, §2.3, §2.4, §2.7
    #[test]
    fn every_ascii_byte_is_in_the_classes_of_its_productions() {
        for byte in 0..=u8::MAX {
            let char = char::from(byte);
            let is_space = " \t\r\n".contains(char);
            let is_ascii_char =
                byte.is_ascii() && (!byte.is_ascii_control() || is_space) || byte == 0x7F;
            assert_eq!(is(byte, SPACE), is_space);
            assert_eq!(
                is(byte, NAME_START),
                char.is_ascii_alphabetic() || char == '_'
            );
            assert_eq!(
                is(byte, NAME),
                char.is_ascii_alphanumeric() || "_-.".contains(char)
            );
            assert_eq!(is(byte, TEXT), is_ascii_char && !"<&>".contains(char));
            assert_eq!(is(byte, SECTION), is_ascii_char && char != '>');
            assert_eq!(
                is(byte, VALUE),
                is_ascii_char && !"<&'\"\t\r\n".contains(char)
            );
        }
    }

    /// The words of `long_run` are an invention of this crate; `run` is the definition.
    #[test]
    fn a_long_run_ends_where_the_first_byte_outside_of_the_class_is() {
        for filling in [b'x', b' ', b'?', b'!', b'#', 0x7F] {
            for (place, byte) in (0..20).flat_map(|place| (0..=u8::MAX).map(move |b| (place, b))) {
                let mut bytes = [filling; 21];
                bytes[place] = byte;
                for class in [TEXT, SECTION, VALUE] {
                    assert_eq!(
                        long_run(&bytes, class),
                        run(&bytes, class),
                        "{byte} at {place}"
                    );
                    let beyond = |&byte: &u8| is(byte, class) || byte >= 0x80;
                    let expected = bytes.iter().take_while(|byte| beyond(byte)).count();
                    assert_eq!(long_run_beyond_ascii(&bytes, class), expected);
                }
            }
        }
    }

    /// XML 1.0 fifth edition §2.3
    #[test]
    fn name_characters_begin_and_end_where_the_productions_say() {
        const STARTS: [(u32, u32); 12] = [
            (0xC0, 0xD6),
            (0xD8, 0xF6),
            (0xF8, 0x2FF),
            (0x370, 0x37D),
            (0x37F, 0x1FFF),
            (0x200C, 0x200D),
            (0x2070, 0x218F),
            (0x2C00, 0x2FEF),
            (0x3001, 0xD7FF),
            (0xF900, 0xFDCF),
            (0xFDF0, 0xFFFD),
            (0x10000, 0xEFFFF),
        ];
        const OTHERS: [(u32, u32); 3] = [(0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040)];
        for char in '\u{80}'..=char::MAX {
            let within = |&(first, last): &(u32, u32)| (first..=last).contains(&u32::from(char));
            let is_start = STARTS.iter().any(within);
            assert_eq!(is_in_name(char, NAME_START), is_start, "{char:?}");
            assert_eq!(
                is_in_name(char, NAME),
                is_start || OTHERS.iter().any(within),
                "{char:?}"
            );
        }
    }

    /// XML 1.0 §2.2
    #[test]
    fn what_is_checked_ends_before_what_is_forbidden() {
        assert_eq!(check("é\u{FFFD}\u{FFFE}".as_bytes(), 7), Ok(5));
        let fault = |code| Err(Fault::ForbiddenCharacter { code, at: 7 });
        assert_eq!(check("\u{FFFE}".as_bytes(), 7), fault(0xFFFE));
        assert_eq!(check("\u{FFFF}é".as_bytes(), 7), fault(0xFFFF));
        assert_eq!(check(b"\xEF\xBF", 7), Ok(0));
        assert_eq!(check(b"\xC3\xA9\xFF", 7), Ok(2));
        assert_eq!(check(b"\xFF", 7), Err(Fault::InvalidUtf8 { at: 7 }));
        // 300 bytes are more than are looked at once, and the cut is within a character.
        assert_eq!(check("鸿".repeat(100).as_bytes(), 7), Ok(255));
    }

    /// RFC 3629 §3
    #[test]
    fn a_character_is_told_from_its_first_bytes() {
        assert_eq!(first("鸿雁".as_bytes(), 0), Ok(Some('鸿')));
        assert_eq!(first("é>".as_bytes(), 0), Ok(Some('é')));
        assert_eq!(first(&"😀".as_bytes()[..3], 0), Ok(None));
        assert_eq!(first(b"\xC3>", 4), Err(Fault::InvalidUtf8 { at: 4 }));
    }
}
