//! What stanzas carry, in the form in which others get it.

use crate::front::Xmpp;
use anser_xml::{Child, ContentTooLarge, Element};
use anser_xmpp_proto::{DefinedCondition, StanzaError};
use bytes::Bytes;

/// The children of a stanza, made to mean the same elsewhere, in memory of their
/// own.
///
/// # Errors
/// They are more then than a stanza may be: what one client may send, others can
/// be expected to receive.
pub(crate) fn content(front: &Xmpp, element: &Element) -> Result<Bytes, StanzaError> {
    let content = content_without(front, element, |_| false)?;
    Ok(Bytes::copy_from_slice(&content))
}

/// The same without those that `is_dropped` chooses, in the memory in which the
/// stanza was received if they were not changed.
pub(crate) fn content_without(
    front: &Xmpp,
    element: &Element,
    is_dropped: impl FnMut(Child<'_>) -> bool,
) -> Result<Bytes, StanzaError> {
    let most_bytes = front.config().stanza_bytes as usize;
    let content = element.content_within(most_bytes, is_dropped);
    content.map_err(|error| too_large(&error))
}

/// RFC 6120 §8.3.3.12
fn too_large(error: &ContentTooLarge) -> StanzaError {
    DefinedCondition::PolicyViolation.because(error)
}
