//! The string classes of PRECIS (RFC 8264 §4): which characters may stand in a
//! text, and which of them only beside certain others.

use std::cell::LazyCell;

use precis_profiles::precis_core::{
    DerivedPropertyValue, FreeformClass, IdentifierClass, StringClass,
};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const MIDDLE_DOT: char = '\u{b7}';
const KERAIA: char = '\u{375}';
const GERESH: char = '\u{5f3}';
const GERSHAYIM: char = '\u{5f4}';
const KATAKANA_MIDDLE_DOT: char = '\u{30fb}';
const ARABIC_INDIC_DIGITS: std::ops::RangeInclusive<char> = '\u{660}'..='\u{669}';
const EXTENDED_ARABIC_INDIC_DIGITS: std::ops::RangeInclusive<char> = '\u{6f0}'..='\u{6f9}';

/// A string class (RFC 8264 §4).
#[derive(Clone, Copy)]
pub(crate) enum Class {
    /// Letters and digits, and all of visible ASCII (§4.2).
    Identifier,
    /// Nearly everything that can be seen, and spaces (§4.3).
    Freeform,
}

impl Class {
    /// The first character that the class does not allow where it stands, and
    /// its index in characters.
    pub(crate) fn first_forbidden(self, text: &str) -> Option<(usize, char)> {
        // These two rules look at the whole text, so once is enough.
        let mixes_digits = LazyCell::new(|| {
            text.contains(|c| ARABIC_INDIC_DIGITS.contains(&c))
                && text.contains(|c| EXTENDED_ARABIC_INDIC_DIGITS.contains(&c))
        });
        let is_japanese = LazyCell::new(|| text.chars().any(is_kana_or_han));
        let is_in_context = |offset: usize, c: char| match c {
            KATAKANA_MIDDLE_DOT => *is_japanese,
            c if ARABIC_INDIC_DIGITS.contains(&c) => !*mixes_digits,
            c if EXTENDED_ARABIC_INDIC_DIGITS.contains(&c) => !*mixes_digits,
            c => suits_neighbours(text, offset, c),
        };
        text.char_indices()
            .enumerate()
            .find_map(|(index, (offset, c))| {
                let is_allowed = match self.derived_property(c) {
                    DerivedPropertyValue::PValid | DerivedPropertyValue::SpecClassPval => true,
                    DerivedPropertyValue::ContextJ | DerivedPropertyValue::ContextO => {
                        is_in_context(offset, c)
                    }
                    DerivedPropertyValue::Unassigned => self.allows_newer(c),
                    DerivedPropertyValue::Disallowed | DerivedPropertyValue::SpecClassDis => false,
                };
                (!is_allowed).then_some((index, c))
            })
    }

    fn derived_property(self, c: char) -> DerivedPropertyValue {
        match self {
            Self::Identifier => IdentifierClass::default().get_value_from_char(c),
            Self::Freeform => FreeformClass::default().get_value_from_char(c),
        }
    }

    /// The algorithm of RFC 8264 §8 for a character that Unicode 6.3, where the
    /// tables end, had not assigned. The sets that the algorithm asks before
    /// the categories (exceptions, joiners, old Hangul) have not grown since,
    /// save for one ignorable mark (§9.13).
    fn allows_newer(self, c: char) -> bool {
        const IGNORABLE: char = '\u{180f}';
        if c == IGNORABLE {
            return false;
        }
        let category = c.general_category();
        match self {
            Self::Identifier => {
                is_letter_or_digit(category)
                    && unicode_normalization::is_nfkc(c.encode_utf8(&mut [0; 4]))
            }
            Self::Freeform => match c.general_category_group() {
                GeneralCategoryGroup::Letter
                | GeneralCategoryGroup::Mark
                | GeneralCategoryGroup::Number
                | GeneralCategoryGroup::Punctuation
                | GeneralCategoryGroup::Symbol => true,
                GeneralCategoryGroup::Separator => category == GeneralCategory::SpaceSeparator,
                GeneralCategoryGroup::Other => false,
            },
        }
    }
}

/// RFC 8264 §9.1
fn is_letter_or_digit(category: GeneralCategory) -> bool {
    matches!(
        category,
        GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::DecimalNumber
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
    )
}

/// The context rules that look beside the character (RFC 5892 appendix A.1-A.6).
fn suits_neighbours(text: &str, offset: usize, c: char) -> bool {
    let before = || text[..offset].chars().rev();
    let after = || text[offset + c.len_utf8()..].chars();
    match c {
        ZERO_WIDTH_JOINER | GERESH | GERSHAYIM => is_sequence(before().next(), c, None),
        KERAIA => is_sequence(None, c, after().next()),
        MIDDLE_DOT => is_sequence(before().next(), c, after().next()),
        ZERO_WIDTH_NON_JOINER => {
            is_sequence(before().next(), c, None)
                || is_sequence(before().find(is_base), c, after().find(is_base))
        }
        _ => false,
    }
}

/// Asks the tables about so few characters that the cost does not depend on the
/// length of the text.
fn is_sequence(before: Option<char>, c: char, after: Option<char>) -> bool {
    let text: String = before.into_iter().chain([c]).chain(after).collect();
    FreeformClass::default().allows(text).is_ok()
}

/// Not a mark: marks are transparent to the joining of letters (RFC 5892
/// appendix A.1).
fn is_base(c: &char) -> bool {
    c.general_category_group() != GeneralCategoryGroup::Mark
}

/// RFC 5892 appendix A.7
fn is_kana_or_han(c: char) -> bool {
    c != KATAKANA_MIDDLE_DOT && is_sequence(Some(c), KATAKANA_MIDDLE_DOT, None)
}
