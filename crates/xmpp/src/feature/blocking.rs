//! The blocking command (XEP-0191).

use super::Context;
use crate::error;
use anser_hub::BlockChange;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::blocking;
use anser_xmpp_proto::{DefinedCondition, StanzaError};

/// Whom the account blocks (XEP-0191 §3.2).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn list(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let blocked = ctx.front.hub().blocked(ctx.session);
    let mut writer = Writer::new(&mut ctx.reply);
    blocking::write(&mut writer, "blocklist", blocked.addresses());
    Ok(())
}

/// Blocks some addresses more (XEP-0191 §3.3).
pub(super) async fn block(ctx: &mut Context<'_>, command: Child<'_>) -> Result<(), StanzaError> {
    let addresses = blocking::read(command)?;
    if addresses.is_empty() {
        return Err(DefinedCondition::BadRequest.because("nobody is named"));
    }
    change(ctx, BlockChange::Block(addresses)).await
}

/// Blocks some addresses no longer, or none (XEP-0191 §3.4, §3.5).
pub(super) async fn unblock(ctx: &mut Context<'_>, command: Child<'_>) -> Result<(), StanzaError> {
    let addresses = blocking::read(command)?;
    let is_all = addresses.is_empty();
    let some = BlockChange::Unblock(addresses);
    change(
        ctx,
        if is_all {
            BlockChange::UnblockAll
        } else {
            some
        },
    )
    .await
}

async fn change(ctx: &mut Context<'_>, change: BlockChange) -> Result<(), StanzaError> {
    let changed = ctx.front.hub().change_blocks(ctx.session, change, ctx.now);
    changed.await.map_err(|error| error::block_error(&error))
}
