//! What only a server, or a room, may say of a message, and a client says all the
//! same: it is taken out, since its recipient would believe it.

use anser_hub::Hub;
use anser_jid::Jid;
use anser_xml::Child;
use anser_xmpp_proto::payload::{carbons, delay, stanza_id};

/// Whether a child of a message from `sender` to `to` pretends to be a copy, or
/// part of an archive, or to come from somebody else who knows where or when the
/// message was kept.
pub(crate) fn is_forged(hub: &Hub, child: Child<'_>, sender: &Jid, to: &Jid) -> bool {
    let id = stanza_id::claimant(child);
    let delay = delay::claimant(child);
    carbons::is_claim(child)
        || id.is_some_and(|by| is_forged_id(hub, &by, to))
        || delay.is_some_and(|from| is_forged_delay(hub, &from, sender, to))
}

/// The same of a message to a room: whoever has an account here may be one of
/// those who get it.
pub(crate) fn is_forged_in_room(hub: &Hub, child: Child<'_>, sender: &Jid, room: &Jid) -> bool {
    let is_anothers = |from: Jid| {
        let is_own = from.bare_str() == sender.bare_str();
        hub.serves(from.domain()) && !is_own
    };
    is_forged(hub, child, sender, room) || delay::claimant(child).is_some_and(is_anothers)
}

/// Whether somebody other than `by` claims that a message has a place in the log
/// of `by`: logs of accounts here are the server's to speak of, and its recipient
/// takes those of their own account for true (XEP-0359 §6).
fn is_forged_id(hub: &Hub, by: &Jid, to: &Jid) -> bool {
    hub.serves(by.domain()) || by.bare_str() == to.bare_str()
}

/// Whether somebody other than `from` claims in that name that a message is late:
/// in that of the server, under any of its domains, or in that of the account
/// that it is for (XEP-0203 §5). Senders may say so for themselves.
fn is_forged_delay(hub: &Hub, from: &Jid, sender: &Jid, to: &Jid) -> bool {
    if from.bare_str() == sender.bare_str() {
        return false;
    }
    from.is_domain() && hub.serves(from.domain()) || from.bare_str() == to.bare_str()
}
