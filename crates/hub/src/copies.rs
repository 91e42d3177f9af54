//! Copies of messages for an account's other devices (XEP-0280).
//!
//! Who has asked for them sees both sides of every conversation: what others of
//! the account's devices send, and what is sent to one of these alone. A copy
//! goes out together with the message, so that it has the message's place in
//! the order; and who gets the message itself gets no copy.

use crate::account::{AccountState, Device};
use crate::mailbox::Wakes;
use crate::{Event, Hub, Message, MessageKind, Session, SessionHandle, Traits};
use anser_store::MessageId;
use std::sync::Arc;

/// Whether a session gets copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// It does.
    Wanted,
    /// It does not, as every session at first.
    Unwanted,
}

/// Which way the message went that is copied, as its account sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Another device of the account has sent it.
    Sent,
    /// Another device of the account has got it.
    Received,
}

impl Hub {
    /// Says whether a session gets copies from now on. It may change its mind as
    /// often as it likes (XEP-0280 §10.1).
    pub fn want_copies(&self, session: &SessionHandle, copies: Copies) {
        let session = session.session();
        let mut state = session.account().state();
        if let Some(device) = state.device_of(session) {
            device.wants_copies = copies == Copies::Wanted;
        }
    }
}

/// A message that other devices may get a copy of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copied<'a> {
    pub(crate) message: &'a Arc<Message>,
    /// Where it is in the account's log, if it is there.
    pub(crate) place: Option<MessageId>,
    pub(crate) direction: Direction,
    /// Who has sent it, and needs no copy.
    pub(crate) sender: &'a Session,
}

impl Copied<'_> {
    /// Whether a device gets a copy if it does not get the message itself.
    pub(crate) fn is_for(&self, device: &Device) -> bool {
        device.wants_copies
            && !std::ptr::eq(Arc::as_ptr(&device.session), self.sender)
            && is_copied(self.message, self.direction)
    }

    pub(crate) fn give(&self, device: &Device, wakes: &mut Wakes) {
        let copy = Event::Copy {
            direction: self.direction,
            message: Arc::clone(self.message),
            place: self.place,
        };
        device.session.mailbox().push(copy, wakes);
    }

    /// Gives copies to the devices of the account that has sent the message.
    pub(crate) fn give_all(&self, state: &AccountState, wakes: &mut Wakes) {
        for device in state.devices.iter().filter(|device| self.is_for(device)) {
            self.give(device, wakes);
        }
    }
}

/// The rules of XEP-0280 §6.1.
///
/// An error answers a message that the server need not know any more. It counts
/// as an answer to one that is copied if it brings that along, as it may
/// (RFC 6120 §8.3.1).
pub(crate) fn is_copied(message: &Message, direction: Direction) -> bool {
    let traits = message.traits();
    let is_known_to_all = direction == Direction::Received && traits.contains(Traits::IN_ROOM);
    if traits.contains(Traits::NO_COPY) || is_known_to_all {
        return false;
    }
    let is_conversation = traits.contains(Traits::CONVERSATION);
    match message.kind() {
        MessageKind::Chat => true,
        MessageKind::Normal | MessageKind::Error => {
            is_conversation || traits.contains(Traits::TEXT)
        }
        MessageKind::Headline => is_conversation,
        MessageKind::Groupchat => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draft;

    fn message(kind: MessageKind, traits: Traits) -> Message {
        Message::new(&Draft {
            from: &"alice@example.org/phone".parse().unwrap(),
            to: &"bob@example.org/phone".parse().unwrap(),
            kind,
            traits,
            id: None,
            lang: None,
            text: None,
            mentions: &[],
            payload: b"",
        })
    }

    /// XEP-0280 §6.1, XEP-0334 §4.3
    #[test]
    fn what_belongs_to_a_conversation_of_two_is_copied_unless_its_sender_objects() {
        use MessageKind::{Chat, Error, Groupchat, Headline, Normal};
        let (nothing, text, typing) = (Traits::CONTENT, Traits::TEXT, Traits::CONVERSATION);
        for (kind, traits, sent, received) in [
            (Chat, nothing, true, true),
            (Chat, typing, true, true),
            (Chat, text.with(Traits::NO_COPY), false, false),
            (Chat, text.with(Traits::NO_STORE), true, true),
            (Chat, text.with(Traits::IN_ROOM), true, false),
            (Normal, text, true, true),
            (Normal, typing, true, true),
            (Normal, nothing, false, false),
            (Normal, text.with(Traits::NO_COPY), false, false),
            (Headline, text, false, false),
            (Headline, typing, true, true),
            (Error, text, true, true),
            (Error, typing, true, true),
            (Error, nothing, false, false),
            (Groupchat, text.with(typing), false, false),
        ] {
            let message = message(kind, traits);
            let copied = [Direction::Sent, Direction::Received].map(|way| is_copied(&message, way));
            assert_eq!(copied, [sent, received], "{kind:?} {traits:?}");
        }
    }
}
