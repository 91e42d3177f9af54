//! Copies for one's other devices (XEP-0280): on and off. What is copied is
//! decided in the exchange.

use super::Context;
use anser_hub::Copies;
use anser_xml::Child;
use anser_xmpp_proto::StanzaError;

/// XEP-0280 §4
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn enable(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    ctx.front.hub().want_copies(ctx.session, Copies::Wanted);
    Ok(())
}

/// XEP-0280 §5
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn disable(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    ctx.front.hub().want_copies(ctx.session, Copies::Unwanted);
    Ok(())
}
