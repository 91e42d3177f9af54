//! Lists of rooms, a page at a time and in one direction (XEP-0059).

use anser_xmpp_proto::payload::rsm::{PageAnswer, PageEnds, PageRequest};
use anser_xmpp_proto::{DefinedCondition, StanzaError};

/// So many rooms are on a page at most.
const MOST_ROOMS: u32 = 100;

/// Which page of a list is wanted; `Mark` says how far somebody has come.
pub(super) struct Wanted<Mark> {
    /// What is behind this, or the first page.
    pub(super) after: Option<Mark>,
    /// At most so many rooms; none is a question after their number, which is
    /// not counted.
    pub(super) most: usize,
}

impl<Mark> Wanted<Mark> {
    /// # Errors
    /// `feature-not-implemented` for a page in another direction, and whatever
    /// `read` has against the mark.
    pub(super) fn read(
        page: &PageRequest,
        read: impl FnOnce(&str) -> Result<Mark, StanzaError>,
    ) -> Result<Self, StanzaError> {
        if page.before.is_some() || page.index.is_some() {
            let reason = "rooms are listed in one direction, by 'after'";
            return Err(DefinedCondition::FeatureNotImplemented.because(reason));
        }
        Ok(Self {
            after: page.after.as_deref().map(read).transpose()?,
            most: page.max.unwrap_or(MOST_ROOMS).min(MOST_ROOMS) as usize,
        })
    }
}

/// Says where a page begins, and how far it has `reached`: to its last room, or
/// further if more was looked at. A page without rooms has no ends (§2.2), unless
/// it is short because so much was looked at and there is more behind it: then
/// it says where to go on, and nothing else could.
pub(super) fn answer(first: Option<String>, reached: Option<String>) -> PageAnswer {
    let ends = reached.map(|last| PageEnds {
        first: first.unwrap_or_else(|| last.clone()),
        index: None,
        last,
    });
    PageAnswer { ends, count: None }
}
