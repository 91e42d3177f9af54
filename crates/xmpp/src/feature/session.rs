//! Sessions as clients of before 2011 ask for them (RFC 3921 §3).

use super::Context;
use anser_xml::Child;
use anser_xmpp_proto::StanzaError;

/// Binding a resource has done it already.
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn establish(_: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    Ok(())
}
