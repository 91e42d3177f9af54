//! SASLprep (RFC 4013), by which two ways to type a password are one.

use std::borrow::Cow;

use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// The text cannot be a password. It says nothing about the text, since errors
/// are written to logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Nothing is left of it once it is prepared.
    #[error("the password is empty")]
    Empty,
    /// It has characters that a stored string may not have (RFC 4013 §§2.3-2.5),
    /// among them those that Unicode got after 2002, such as most emoji.
    #[error("the password has characters that are not allowed in one")]
    Forbidden,
}

/// A password to be stored or compared, in which unassigned characters are
/// prohibited (RFC 5802 §2.2).
pub(crate) fn password(text: &str) -> Result<Cow<'_, str>, PasswordFault> {
    let prepared = saslprep(text).ok_or(PasswordFault::Forbidden)?;
    if prepared.contains(tables::unassigned_code_point) {
        return Err(PasswordFault::Forbidden);
    }
    if prepared.is_empty() {
        Err(PasswordFault::Empty)
    } else {
        Ok(prepared)
    }
}

/// A user name that is asked for, in which unassigned characters are allowed
/// (RFC 5802 §5.1, RFC 4616 §2). `None` if it is not one.
pub(crate) fn username(text: &str) -> Option<Cow<'_, str>> {
    saslprep(text).filter(|prepared| !prepared.is_empty())
}

fn saslprep(text: &str) -> Option<Cow<'_, str>> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Some(Cow::Borrowed(text));
    }
    let to_space = |c| {
        if tables::non_ascii_space_character(c) {
            ' '
        } else {
            c
        }
    };
    let prepared: String = text
        .chars()
        .map(to_space)
        .filter(|&c| !tables::commonly_mapped_to_nothing(c))
        .nfkc()
        .collect();
    let is_allowed = !prepared.contains(is_prohibited) && has_one_direction(&prepared);
    is_allowed.then_some(Cow::Owned(prepared))
}

/// RFC 4013 §2.3
fn is_prohibited(c: char) -> bool {
    tables::non_ascii_space_character(c)
        || tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

/// RFC 3454 §6
fn has_one_direction(text: &str) -> bool {
    !text.contains(tables::bidi_r_or_al)
        || (text.starts_with(tables::bidi_r_or_al)
            && text.ends_with(tables::bidi_r_or_al)
            && !text.contains(tables::bidi_l))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4013 §3
    #[test]
    fn the_examples_of_saslprep_come_out_as_given() {
        assert_eq!(password("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(password("user").as_deref(), Ok("user"));
        assert_eq!(password("USER").as_deref(), Ok("USER"));
        assert_eq!(password("\u{aa}").as_deref(), Ok("a"));
        assert_eq!(password("\u{2168}").as_deref(), Ok("IX"));
        assert_eq!(password("\u{7}"), Err(PasswordFault::Forbidden));
        assert_eq!(password("\u{627}1"), Err(PasswordFault::Forbidden));
    }

    /// RFC 4013 §2.1
    #[test]
    fn nothing_visible_is_no_password() {
        assert_eq!(password(""), Err(PasswordFault::Empty));
        assert_eq!(password("\u{ad}"), Err(PasswordFault::Empty));
        assert_eq!(username("\u{ad}"), None);
    }

    /// RFC 5802 §§2.2, 5.1
    #[test]
    fn characters_younger_than_2002_may_stand_in_a_name_and_not_in_a_password() {
        for young in ["😀", "\u{9ce}", "\u{d7b}"] {
            assert_eq!(username(young).as_deref(), Some(young));
            assert_eq!(password(young), Err(PasswordFault::Forbidden));
        }
    }

    proptest! {
        #[test]
        fn passwords_are_prepared_as_another_implementation_prepares_them(text in ".{0,6}") {
            match stringprep::saslprep(&text) {
                Ok(same) if !same.is_empty() => prop_assert_eq!(password(&text), Ok(same)),
                Ok(_) | Err(_) => prop_assert!(password(&text).is_err()),
            }
        }
    }
}
