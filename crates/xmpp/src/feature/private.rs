//! Private XML storage (XEP-0049).

use super::{Context, Scope};
use crate::error;
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::private;
use anser_xmpp_proto::{DefinedCondition, StanzaError};

/// What is kept of one namespace (XEP-0049 §2).
pub(super) async fn get(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    check_own(ctx)?;
    let most_bytes = ctx.front.config().stanza_bytes as usize;
    let (namespace, asked) = private::read_get(query, most_bytes)?;
    let kept = ctx.front.hub().private(ctx.session, &namespace).await;
    let kept = kept.map_err(|_| DefinedCondition::InternalServerError)?;
    private::write(&mut Writer::new(&mut ctx.reply), &kept.unwrap_or(asked));
    Ok(())
}

/// Keeps something in the place of what was there of its namespace.
pub(super) async fn set(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    check_own(ctx)?;
    let hub = ctx.front.hub();
    let limits = hub.config();
    let limits = &limits.accounts;
    let things = private::read_set(query, limits.private_entries, limits.private_bytes)?;
    let set = hub.set_private(ctx.session, things, ctx.now).await;
    set.map_err(|error| error::private_error(&error))
}

/// XEP-0049 §2.3, §4
fn check_own(ctx: &Context<'_>) -> Result<(), StanzaError> {
    match ctx.scope {
        Scope::Own => Ok(()),
        Scope::Account(_) | Scope::Server(_) | Scope::Rooms(_) | Scope::Room(_) => {
            Err(DefinedCondition::Forbidden.because("this is somebody else's"))
        }
    }
}
