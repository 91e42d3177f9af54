//! Rooms as XMPP has them (XEP-0045): stanzas to rooms become calls of the
//! exchange, and what happens in rooms becomes stanzas.

mod form;
mod message;
mod presence;
mod query;
mod render;
mod retraction;

pub(crate) use form::{config_form, info_form, read_config, read_deciders};
pub(crate) use message::take as take_message;
pub(crate) use presence::{refuse_entry, take as take_presence};
pub(crate) use query::{IsAnswered, pass_on, resolve_answer};
pub(crate) use render::{write_event, write_late};
pub(crate) use retraction::{moderate, write_archived};

use crate::front::Xmpp;
use anser_jid::Jid;

/// Whether an address is that of a room, of somebody in one, or of the service.
pub(crate) fn is_room(front: &Xmpp, to: Option<&Jid>) -> bool {
    to.is_some_and(|to| front.hub().hosts_rooms(to.domain()))
}
