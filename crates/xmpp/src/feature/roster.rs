//! Rosters (RFC 6121 §2).

use super::Context;
use crate::error;
use crate::outbound::roster_item;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::StanzaError;
use anser_xmpp_proto::payload::roster::{self, Change};

/// The roster, or nothing if the client has it as it is (RFC 6121 §2.2, §2.6).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn get(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let roster = ctx.front.hub().roster(ctx.session);
    let known = query.attribute("ver").and_then(|ver| ver.parse().ok());
    if known == Some(roster.version()) {
        return Ok(());
    }
    let items = roster
        .listed()
        .map(|(address, contact)| roster_item(address, contact));
    roster::write(&mut Writer::new(&mut ctx.reply), roster.version(), items);
    Ok(())
}

/// A change of one contact (RFC 6121 §2.3 to §2.5).
pub(super) async fn set(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let hub = ctx.front.hub();
    let changed = match Change::read(query)? {
        Change::Set {
            address,
            name,
            groups,
        } => {
            hub.set_contact(ctx.session, address, name, groups, ctx.now)
                .await
        }
        Change::Remove { address } => hub.remove_contact(ctx.session, &address, ctx.now).await,
    };
    changed.map_err(|error| error::roster_error(&error))
}
