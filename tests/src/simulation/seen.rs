//! What has come in one session: to see that nothing comes twice, or out of order.

use std::collections::BTreeSet;

/// The messages of the log that have come in one session.
#[derive(Default)]
pub(super) struct Seen {
    places: BTreeSet<String>,
    /// The last of those that came as they were sent, not out of what waits.
    last_live: String,
    /// The session gets copies: of everything in the log after this place.
    pub(super) complete_after: Option<String>,
    /// It was told so, and nobody has looked at the log since.
    pub(super) is_to_be_complete: bool,
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arriving {
    /// As it was sent, or again after a resumption.
    Live,
    /// Out of what waited.
    Late,
}

impl Seen {
    /// No session sees a message twice, whether as itself or as a copy; and what
    /// is not out of what waited comes in the order of the log.
    pub(super) fn note(&mut self, place: &str, arriving: Arriving) {
        assert!(self.places.insert(place.to_owned()), "{place} came twice");
        if arriving == Arriving::Live {
            assert!(
                self.last_live.as_str() < place,
                "{place} came after {}",
                self.last_live
            );
            self.last_live = place.to_owned();
        }
    }

    pub(super) fn has(&self, place: &str) -> bool {
        self.places.contains(place)
    }
}
