//! Ping (XEP-0199).

use super::Context;
use anser_xml::Child;
use anser_xmpp_proto::StanzaError;

/// The answer says all there is to say (XEP-0199 §4.2).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn reply(_: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    Ok(())
}
