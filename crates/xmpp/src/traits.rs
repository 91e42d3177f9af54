//! What a message is worth, by what it carries: whether it is kept, copied, news.

use anser_hub::Traits;
use anser_jid::BareJid;
use anser_xml::{Child, Element};
use anser_xmpp_proto::ns;
use anser_xmpp_proto::payload::{carbons, reference};

/// So many accounts can be marked as mentioned in one message; others are not.
const MOST_MENTIONS: usize = 20;

/// What decides over keeping a message (XEP-0160 §3, XEP-0313 §6.1.1,
/// XEP-0334 §4) and over copying it (XEP-0280 §6.1).
pub(crate) fn traits(element: &Element) -> Traits {
    let children = element.children();
    children.map(of_child).fold(Traits::NONE, Traits::with)
}

/// What its sender wants to be done with a message, whatever else it is
/// (XEP-0334).
pub(crate) fn hints(element: &Element) -> Traits {
    let children = element.children();
    let hints = children.filter(|child| child.namespace() == ns::HINTS);
    hints.map(of_child).fold(Traits::NONE, Traits::with)
}

/// What one child says of its message. What is not known is content: a server
/// does not throw away what it does not understand.
fn of_child(child: Child<'_>) -> Traits {
    use Traits as T;
    if carbons::is_claim(child) {
        return T::NONE;
    }
    match (child.namespace(), child.name()) {
        (ns::CLIENT, "body") => T::CONTENT.with(T::TEXT),
        (ns::CLIENT, "thread") | (ns::STANZA_ID | ns::DELAY, _) => T::NONE,
        (ns::HINTS, "store") => T::STORE,
        (ns::HINTS, "no-store") => T::NO_STORE,
        (ns::HINTS, "no-permanent-store") => T::NO_PERMANENT_STORE,
        (ns::HINTS, "no-copy") | (ns::CARBONS, "private") => T::NO_COPY,
        (ns::HINTS | ns::CARBONS, _) => T::NONE,
        // They ask for an answer to whatever else there is.
        (ns::RECEIPTS, "request") | (ns::MARKERS, "markable") => T::CONVERSATION,
        (ns::RECEIPTS | ns::MARKERS | ns::REACTIONS | ns::RETRACT, _) => {
            T::CONTENT.with(T::CONVERSATION).with(T::AMENDS)
        }
        (ns::CORRECTION, _) => T::CONTENT.with(T::AMENDS),
        (ns::CHAT_STATES | ns::ENCRYPTION, _) => T::CONVERSATION,
        (ns::OMEMO | ns::OMEMO_SIACS, "encrypted") => encrypted(child),
        (ns::CONFERENCE | ns::JINGLE_MESSAGE, _) => T::CONTENT.with(T::CONVERSATION),
        (ns::MUC_USER, "x") => of_room(child),
        _ => T::CONTENT,
    }
}

/// Without a payload it is about keys only; that is needed by whoever was away,
/// too (XEP-0384 §5.5).
fn encrypted(child: Child<'_>) -> Traits {
    let conversation = Traits::CONTENT.with(Traits::CONVERSATION);
    match child.child(child.namespace(), "payload") {
        Some(_) => conversation.with(Traits::TEXT),
        None => conversation,
    }
}

/// An invitation is for the account (XEP-0045 §7.8.2); anything else comes from
/// somebody in the room to somebody in the room (§7.5).
fn of_room(x: Child<'_>) -> Traits {
    let is_invitation = ["invite", "decline"]
        .iter()
        .any(|name| x.child(ns::MUC_USER, name).is_some());
    match is_invitation {
        true => Traits::CONTENT.with(Traits::CONVERSATION),
        false => Traits::IN_ROOM,
    }
}

/// Whom a message mentions (XEP-0372 §4.2).
pub(crate) fn mentions(element: &Element) -> Vec<BareJid> {
    let mentioned = element.children().filter_map(reference::mentioned);
    mentioned.take(MOST_MENTIONS).collect()
}
