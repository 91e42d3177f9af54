//! Local and resource parts: the PRECIS profiles UsernameCaseMapped and
//! OpaqueString (RFC 8265), applied until the text no longer changes.

use std::borrow::Cow;

use precis_profiles::precis_core::Error;
use precis_profiles::precis_core::profile::Rules;
use precis_profiles::{OpaqueString, UsernameCaseMapped};

use crate::bidi;
use crate::class::Class;
use crate::error::{Flaw, FlawAt};

/// What the local part may not contain although PRECIS allows it
/// (RFC 7622 §3.3.1).
const NOT_IN_LOCAL: [char; 8] = ['"', '&', '\'', '/', ':', '<', '>', '@'];

/// Prepares a local part: UsernameCaseMapped (RFC 8265 §3.3) without the
/// characters of RFC 7622 §3.3.1.
pub(crate) fn local(text: &str) -> Result<Cow<'_, str>, FlawAt> {
    if text.bytes().all(is_prepared_in_local) {
        return Ok(Cow::Borrowed(text));
    }
    until_stable(text, local_once)
}

/// Prepares a resource part: OpaqueString (RFC 8265 §4.2).
pub(crate) fn resource(text: &str) -> Result<Cow<'_, str>, FlawAt> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(Cow::Borrowed(text));
    }
    until_stable(text, resource_once)
}

/// Whether the rules leave an ASCII character as it is. Most addresses have no
/// others in their local part.
fn is_prepared_in_local(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~')
        && !byte.is_ascii_uppercase()
        && !NOT_IN_LOCAL.contains(&char::from(byte))
}

/// Applies the rules of a profile until the text stays as it is, at most four
/// times, as RFC 8266 §2.1 has it for nicknames. What comes out has thereby
/// passed every rule itself.
fn until_stable(
    text: &str,
    once: impl Fn(&str) -> Result<Cow<'_, str>, FlawAt>,
) -> Result<Cow<'_, str>, FlawAt> {
    let mut prepared = once(text)?;
    if prepared == text {
        return Ok(prepared);
    }
    for _ in 0..3 {
        // An offset in the changed text says nothing about the given one.
        let again = once(&prepared).map_err(|at| FlawAt::from(at.flaw))?;
        if again == prepared {
            return Ok(prepared);
        }
        prepared = Cow::Owned(again.into_owned());
    }
    Err(Flaw::Unstable.into())
}

fn local_once(text: &str) -> Result<Cow<'_, str>, FlawAt> {
    let profile = UsernameCaseMapped::new();
    let narrow = profile.width_mapping_rule(text).map_err(no_failure)?;
    let excluded = narrow
        .chars()
        .enumerate()
        .find(|(_, c)| NOT_IN_LOCAL.contains(c));
    let outside_class = Class::Identifier.first_forbidden(&narrow);
    if let Some((index, found)) = excluded.into_iter().chain(outside_class).min() {
        return Err(forbidden(text, index, found));
    }
    let lower = profile.case_mapping_rule(narrow).map_err(no_failure)?;
    let composed = profile.normalization_rule(lower).map_err(no_failure)?;
    if bidi::is_satisfied(&composed) {
        Ok(composed)
    } else {
        Err(Flaw::Direction.into())
    }
}

fn resource_once(text: &str) -> Result<Cow<'_, str>, FlawAt> {
    if let Some((index, found)) = Class::Freeform.first_forbidden(text) {
        return Err(forbidden(text, index, found));
    }
    let profile = OpaqueString::new();
    let spaced = profile.additional_mapping_rule(text).map_err(no_failure)?;
    profile.normalization_rule(spaced).map_err(no_failure)
}

/// The width mapping keeps the number of characters, so the index of a mapped
/// character finds the given one.
fn forbidden(text: &str, index: usize, found: char) -> FlawAt {
    let offset = text
        .char_indices()
        .nth(index)
        .map_or(0, |(offset, _)| offset);
    FlawAt {
        flaw: Flaw::Forbidden(found),
        offset,
    }
}

/// Single rules have an error type for profiles that lack the rule; these two
/// profiles have the rules asked for above.
fn no_failure(_: Error) -> FlawAt {
    Flaw::Unstable.into()
}
