//! Software version (XEP-0092).

use super::Context;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::StanzaError;
use anser_xmpp_proto::payload::version;

/// What software this is (XEP-0092 §3).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn tell(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let mut writer = Writer::new(&mut ctx.reply);
    version::write(&mut writer, "Anser", env!("CARGO_PKG_VERSION"));
    Ok(())
}
