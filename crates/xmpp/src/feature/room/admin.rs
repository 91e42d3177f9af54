//! Roles and affiliations (XEP-0045 §8, §9, §10.3 to §10.8).

use super::super::Context;
use super::asked;
use crate::error;
use anser_hub::{
    Actor, Affiliation, AffiliationChange, Draft, Message, MessageKind, Role, RoleChange, Room,
    Traits,
};
use anser_jid::{BareJid, Jid};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::muc::{self, Note};
use anser_xmpp_proto::payload::muc_admin::{self, Item, Listed};
use anser_xmpp_proto::{DefinedCondition, StanzaError};
use bytes::BytesMut;
use std::sync::Arc;

/// What is to be changed, all of one sort (XEP-0045 §17.4).
enum Changes {
    Roles(Vec<RoleChange>),
    Affiliations(Vec<AffiliationChange>),
}

/// Gives a list: of those with a role, or of those with an affiliation.
pub(super) async fn list(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let items = Item::read_all(query)?;
    let [item] = &items[..] else {
        return Err(DefinedCondition::BadRequest.because("one list can be asked for at a time"));
    };
    let room = asked(ctx).await?;
    let mut writer = Writer::new(&mut ctx.reply);
    let (hub, actor) = (ctx.front.hub(), Actor::Session(ctx.session));
    match (&item.role, &item.affiliation) {
        (Some(role), None) => {
            let present = hub.present(&room, actor, read_role(role)?);
            let present = present.map_err(|error| error::room_error(&error))?;
            let items = present.iter().map(|present| Listed {
                affiliation: present.affiliation.name(),
                role: Some(present.role.name()),
                address: present.address.as_str(),
                nick: Some(present.occupant.resource()),
                reason: None,
            });
            muc_admin::write(&mut writer, items);
        }
        (None, Some(affiliation)) => {
            let affiliation = read_affiliation(affiliation)?;
            let listed = hub.affiliated(&room, actor, affiliation);
            let listed = listed.map_err(|error| error::room_error(&error))?;
            let items = listed.iter().map(|affiliated| Listed {
                affiliation: affiliated.affiliation.name(),
                role: None,
                address: affiliated.account.as_str(),
                nick: affiliated.nick.as_deref(),
                reason: affiliated.reason.as_deref(),
            });
            muc_admin::write(&mut writer, items);
        }
        (Some(_), Some(_)) | (None, None) => {
            let reason = "a list is of a role, or of an affiliation";
            return Err(DefinedCondition::BadRequest.because(reason));
        }
    }
    Ok(())
}

/// Changes roles, or affiliations: all that were named, or none.
pub(super) async fn change(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let changes = Changes::read(Item::read_all(query)?)?;
    let room = asked(ctx).await?;
    let (hub, actor) = (ctx.front.hub(), Actor::Session(ctx.session));
    match changes {
        Changes::Roles(changes) => hub
            .change_roles(&room, actor, &changes, ctx.now)
            .map_err(|error| error::room_error(&error)),
        Changes::Affiliations(changes) => {
            let changed = hub
                .change_affiliations(&room, actor, &changes, ctx.now)
                .await;
            let new_members = changed.map_err(|error| error::room_error(&error))?;
            for member in new_members {
                ask_in(ctx, &room, &member).await;
            }
            Ok(())
        }
    }
}

impl Changes {
    fn read(items: Vec<Item>) -> Result<Self, StanzaError> {
        let mixed = || {
            let reason = "an item changes a role by nickname, or an affiliation by address";
            DefinedCondition::BadRequest.because(reason)
        };
        let first = items.first().ok_or_else(mixed)?;
        if first.role.is_some() {
            let roles = items.into_iter().map(|item| match item {
                Item {
                    role: Some(role),
                    affiliation: None,
                    nick: Some(nick),
                    reason,
                    ..
                } => Ok(RoleChange {
                    nick,
                    role: read_role(&role)?,
                    reason,
                }),
                _ => Err(mixed()),
            });
            return Ok(Self::Roles(roles.collect::<Result<_, _>>()?));
        }
        let affiliations = items.into_iter().map(|item| match item {
            Item {
                role: None,
                affiliation: Some(affiliation),
                address: Some(address),
                nick,
                reason,
            } => Ok(AffiliationChange {
                // §10.3: a full address stands for its account.
                account: address.to_bare(),
                affiliation: read_affiliation(&affiliation)?,
                nick,
                reason,
            }),
            _ => Err(mixed()),
        });
        Ok(Self::Affiliations(affiliations.collect::<Result<_, _>>()?))
    }
}

fn read_role(name: &str) -> Result<Role, StanzaError> {
    Role::named(name).ok_or_else(|| DefinedCondition::BadRequest.because("there is no such role"))
}

fn read_affiliation(name: &str) -> Result<Affiliation, StanzaError> {
    let reason = "there is no such affiliation";
    Affiliation::named(name).ok_or_else(|| DefinedCondition::BadRequest.because(reason))
}

/// Asks somebody in who has become a member of a room for members only
/// (XEP-0045 §9.5). That they are one does not depend on it.
async fn ask_in(ctx: &Context<'_>, room: &Arc<Room>, member: &BareJid) {
    let hub = ctx.front.hub();
    let to = Jid::from(member.clone());
    let Ok(recipient) = hub.find_recipient(&to, ctx.now).await else {
        return;
    };
    let note = Note {
        to,
        reason: None,
        thread: None,
    };
    let password = hub.room_info(room).config.password;
    let mut payload = BytesMut::new();
    let mut writer = Writer::new(&mut payload);
    let inviter = ctx.session.address().bare_str();
    muc::write_invitation(&mut writer, inviter, &note, password.as_deref());
    let address = room.address().as_str();
    muc::write_direct_invitation(&mut writer, address, &note, password.as_deref());
    drop(writer);
    let message = Message::new(&Draft {
        from: &Jid::from(room.address().clone()),
        to: &note.to,
        kind: MessageKind::Normal,
        traits: Traits::CONTENT,
        id: None,
        lang: None,
        text: None,
        mentions: &[],
        payload: &payload,
    });
    let sent = hub.send_for_room(ctx.session, recipient, Arc::new(message), ctx.now);
    if let Err(error) = sent {
        tracing::debug!(%member, %error, "a new member is not asked in");
    }
}
