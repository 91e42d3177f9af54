//! The bidi rule (RFC 5893 §2) for local parts (RFC 8265 §3.3).

use unicode_bidi::{BidiClass, bidi_class};

/// Whether a text with right-to-left characters keeps to the rule; it does not
/// apply to others.
pub(crate) fn is_satisfied(text: &str) -> bool {
    let is_rtl = |c| matches!(bidi_class(c), BidiClass::R | BidiClass::AL | BidiClass::AN);
    if !text.contains(is_rtl) {
        return true;
    }
    match text.chars().next().map(bidi_class) {
        Some(BidiClass::R | BidiClass::AL) => is_rtl_label(text),
        Some(BidiClass::L) => is_ltr_label(text),
        _ => false,
    }
}

/// Conditions 2 to 4.
fn is_rtl_label(text: &str) -> bool {
    use BidiClass::{AL, AN, BN, CS, EN, ES, ET, NSM, ON, R};
    let classes = || text.chars().map(bidi_class);
    let mixes_digits = classes().any(|class| class == EN) && classes().any(|class| class == AN);
    classes().all(|class| matches!(class, R | AL | AN | EN | ES | CS | ET | ON | BN | NSM))
        && matches!(last_but_marks(text), Some(R | AL | EN | AN))
        && !mixes_digits
}

/// Conditions 5 and 6.
fn is_ltr_label(text: &str) -> bool {
    use BidiClass::{BN, CS, EN, ES, ET, L, NSM, ON};
    text.chars()
        .all(|c| matches!(bidi_class(c), L | EN | ES | CS | ET | ON | BN | NSM))
        && matches!(last_but_marks(text), Some(L | EN))
}

fn last_but_marks(text: &str) -> Option<BidiClass> {
    text.chars()
        .rev()
        .map(bidi_class)
        .find(|&class| class != BidiClass::NSM)
}
