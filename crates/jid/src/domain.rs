//! Domain parts: names of hosts, and addresses of hosts (RFC 7622 §3.2).

use std::borrow::Cow;
use std::net::Ipv6Addr;

use idna::AsciiDenyList;
use idna::uts46::{Hyphens, Uts46};

use crate::error::{Flaw, FlawAt};

/// Most bytes of a label in its ASCII form (RFC 5890 §2.3.1).
const MAX_LABEL_BYTES: usize = 63;
/// What an A-label starts with (RFC 5890 §2.3.2.1).
const ACE_PREFIX: &str = "xn--";
/// What separates labels (UTS #46 §4).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Prepares a domain part: lower case, U-labels, no dot at the end. An IPv4
/// address is a name of four labels here, and needs nothing.
pub(crate) fn prepare(text: &str) -> Result<Cow<'_, str>, FlawAt> {
    if text.split('.').all(is_plain_label) {
        return Ok(Cow::Borrowed(text));
    }
    if let Some(rest) = text.strip_prefix('[') {
        return ipv6(rest);
    }
    let flawed = || FlawAt {
        flaw: Flaw::Label,
        offset: first_flawed_label(text),
    };
    let name = to_unicode(text).ok_or_else(flawed)?;
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.split('.').all(is_u_label) {
        Ok(Cow::Owned(name.to_owned()))
    } else {
        Err(flawed())
    }
}

/// A label that is its own prepared form: lower-case letters, digits and
/// hyphens, and no prefix that says it is an encoding of something else.
fn is_plain_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    matches!(bytes.len(), 1..=MAX_LABEL_BYTES)
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !label.starts_with('-')
        && !label.ends_with('-')
        && bytes.get(2..4) != Some(b"--")
}

/// Canonical text (RFC 5952 §4), so that two spellings of an address are equal.
fn ipv6(rest: &str) -> Result<Cow<'_, str>, FlawAt> {
    let address = rest
        .strip_suffix(']')
        .and_then(|inner| inner.parse::<Ipv6Addr>().ok());
    match address {
        Some(address) => Ok(Cow::Owned(format!("[{address}]"))),
        None => Err(Flaw::Address.into()),
    }
}

fn to_unicode(text: &str) -> Option<Cow<'_, str>> {
    let (name, validity) =
        Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    validity.is_ok().then_some(name)
}

/// Whether the label has an ASCII form of the right length (RFC 5890 §2.3.2.1).
fn is_u_label(label: &str) -> bool {
    if label.is_ascii() {
        return matches!(label.len(), 1..=MAX_LABEL_BYTES);
    }
    // Punycode needs a byte for every character, and time for long labels.
    let most = MAX_LABEL_BYTES - ACE_PREFIX.len();
    label.chars().nth(most).is_none()
        && idna::punycode::encode_str(label).is_some_and(|encoded| encoded.len() <= most)
}

/// Where the first label starts that is at fault by itself; else 0.
fn first_flawed_label(text: &str) -> usize {
    let mut start = 0;
    for piece in text.split_inclusive(DOTS) {
        let label = piece.strip_suffix(DOTS).unwrap_or(piece);
        if !to_unicode(label).is_some_and(|label| is_u_label(&label)) {
            return start;
        }
        start += piece.len();
    }
    0
}
