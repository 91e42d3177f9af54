//! The XML declaration (XML 1.0 §2.8, RFC 6120 §11.5).

use crate::chars::{self, NAME, SPACE};
use crate::fault::Fault;

const START: &[u8] = b"<?xml";

/// Whether `bytes` begin with a declaration; `None` if there are too few to tell.
pub(crate) fn begins(bytes: &[u8]) -> Option<bool> {
    match bytes.get(START.len()) {
        Some(&byte) => Some(bytes.starts_with(START) && chars::is(byte, SPACE)),
        None if START.starts_with(bytes) => None,
        None => Some(false),
    }
}

/// Checks a declaration, which is all of `bytes` and begins as one.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Fault> {
    let parts = bytes
        .strip_prefix(START)
        .and_then(|rest| rest.strip_suffix(b"?>"));
    let mut rest = parts.ok_or(Fault::MalformedDeclaration)?;
    if part(&mut rest, b"version")? != Some(b"1.0") {
        return Err(Fault::MalformedDeclaration);
    }
    match part(&mut rest, b"encoding")? {
        Some(name) if !is_encoding_name(name) => return Err(Fault::MalformedDeclaration),
        Some(name) if !name.eq_ignore_ascii_case(b"utf-8") => {
            return Err(Fault::UnsupportedEncoding);
        }
        Some(_) | None => {}
    }
    match part(&mut rest, b"standalone")? {
        Some(b"yes" | b"no") | None => {}
        Some(_) => return Err(Fault::MalformedDeclaration),
    }
    if trim(rest).is_empty() {
        Ok(())
    } else {
        Err(Fault::MalformedDeclaration)
    }
}

/// Takes `name='value'` off the front of `rest`, if it is there, and returns the value.
fn part<'a>(rest: &mut &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>, Fault> {
    let malformed = Fault::MalformedDeclaration;
    let Some(after) = trim(rest).strip_prefix(name) else {
        return Ok(None);
    };
    if !rest.first().is_some_and(|&byte| chars::is(byte, SPACE)) {
        return Err(malformed);
    }
    let after = trim(after).strip_prefix(b"=").ok_or(malformed)?;
    let (&quote, after) = trim(after).split_first().ok_or(malformed)?;
    if !matches!(quote, b'"' | b'\'') {
        return Err(malformed);
    }
    let end = memchr::memchr(quote, after).ok_or(malformed)?;
    *rest = &after[end + 1..];
    Ok(Some(&after[..end]))
}

fn trim(bytes: &[u8]) -> &[u8] {
    &bytes[chars::run(bytes, SPACE)..]
}

/// `EncName` (XML 1.0 §4.3.3).
fn is_encoding_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic) && chars::run(name, NAME) == name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XML 1.0 §2.8, §2.9, §4.3.3
    #[test]
    fn a_declaration_has_its_parts_in_order() {
        for accepted in [
            "<?xml version='1.0'?>",
            "<?xml version=\"1.0\"  ?>",
            "<?xml\tversion\r=\n'1.0'\nencoding = \"utf-8\" standalone='yes'?>",
            "<?xml version='1.0' encoding='UTF-8'?>",
            "<?xml version='1.0' standalone='no'?>",
        ] {
            assert_eq!(check(accepted.as_bytes()), Ok(()), "{accepted}");
        }
        for malformed in [
            "<?xml?>",
            "<?xml version='1.0'>",
            "<?xml version='1.0'? >",
            "<?xml version='1.1'?>",
            "<?xml version=''?>",
            "<?xml version='1.0\"?>",
            "<?xml version=1.0?>",
            "<?xml version '1.0'?>",
            "<?xml versions='1.0'?>",
            "<?xmlversion='1.0'?>",
            "<?xml encoding='utf-8'?>",
            "<?xml version='1.0'encoding='utf-8'?>",
            "<?xml version='1.0' encoding=''?>",
            "<?xml version='1.0' encoding='8bit'?>",
            "<?xml version='1.0' encoding='utf 8'?>",
            "<?xml version='1.0' standalone='YES'?>",
            "<?xml version='1.0' standalone='yes' encoding='utf-8'?>",
            "<?xml version='1.0' version='1.0'?>",
            "<?xml version='1.0' x='y'?>",
        ] {
            let result = check(malformed.as_bytes());
            assert_eq!(result, Err(Fault::MalformedDeclaration), "{malformed}");
        }
    }
}
