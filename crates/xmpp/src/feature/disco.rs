//! Service discovery (XEP-0030).

use super::{ACCOUNT, Context, SERVER, Scope};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::disco::{self, Item};
use anser_xmpp_proto::{DefinedCondition, StanzaError};

/// What the server or an account is and can do (XEP-0030 §3).
pub(super) async fn info(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    check_allowed(ctx).await?;
    let catalogue = ctx.front.catalogue();
    let node = query.attribute("node");
    let is_server = matches!(ctx.scope, Scope::Server(_));
    match node.as_deref() {
        Some(node) if is_server && catalogue.is_own_node(node) => {}
        Some(_) => return Err(DefinedCondition::ItemNotFound.into()),
        None => {}
    }
    let (identity, features) = if is_server {
        (SERVER, &catalogue.server)
    } else {
        (ACCOUNT, &catalogue.account)
    };
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_info(&mut writer, node.as_deref(), &[identity], features, None);
    Ok(())
}

/// What belongs to the server or an account (XEP-0030 §4): rooms to the server,
/// and to accounts nothing.
pub(super) async fn items(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    check_allowed(ctx).await?;
    let node = query.attribute("node");
    let rooms = match &ctx.scope {
        Scope::Server(server) if node.is_none() => {
            Some(ctx.front.hub().room_service(server.domain()))
        }
        Scope::Server(_) | Scope::Own | Scope::Account(_) | Scope::Rooms(_) | Scope::Room(_) => {
            None
        }
    };
    let items = rooms.as_deref().map(|address| Item {
        address,
        name: Some("Rooms"),
        node: None,
    });
    let mut writer = Writer::new(&mut ctx.reply);
    disco::write_items(&mut writer, node.as_deref(), items, None);
    Ok(())
}

/// An account tells of itself those who may see its presence; others learn
/// nothing, not even that it exists (XEP-0030 §8).
async fn check_allowed(ctx: &Context<'_>) -> Result<(), StanzaError> {
    let Scope::Account(account) = &ctx.scope else {
        return Ok(());
    };
    let asker = ctx.session.address().to_bare();
    let is_allowed = ctx.front.hub().is_seen_by(account, &asker, ctx.now).await;
    if is_allowed.map_err(|_| DefinedCondition::InternalServerError)? {
        Ok(())
    } else {
        Err(DefinedCondition::ServiceUnavailable.into())
    }
}
