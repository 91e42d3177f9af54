//! Entity time (XEP-0202).

use super::Context;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::StanzaError;
use anser_xmpp_proto::payload::time;

/// What time it is here (XEP-0202 §2).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn tell(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    time::write(&mut Writer::new(&mut ctx.reply), ctx.now.millis());
    Ok(())
}
