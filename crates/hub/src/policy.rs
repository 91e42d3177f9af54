//! Who may get what: the rules of RFC 6121 §8.5, of blocking, and of how much
//! waits.

use crate::account::{AccountState, Device};
use crate::copies::is_copied;
use crate::{Direction, Message, MessageKind, SendError, Session};

/// What policy says of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Accept,
    /// Nobody gets it, and nobody is told (RFC 6121 §8.5).
    Ignore,
}

/// Whether a message may go on. What waits for devices is bounded whether or not
/// some of them are there: they may not take what they get.
pub(crate) fn admit(
    sender: &Session,
    message: &Message,
    state: &mut AccountState,
    most_waiting: usize,
) -> Result<Admission, SendError> {
    let admission = admit_by_kind(sender, message, state)?;
    if admission == Admission::Accept {
        check_room(message, state, most_waiting)?;
    }
    Ok(admission)
}

/// Whether a message that is kept may wait besides what waits already.
pub(crate) fn check_room(
    message: &Message,
    state: &AccountState,
    most_waiting: usize,
) -> Result<(), SendError> {
    if message.is_logged() && state.inbox.len() >= most_waiting {
        let limit = most_waiting;
        return Err(SendError::RecipientFull { limit });
    }
    Ok(())
}

/// Whether the recipient of a message hears nothing from whoever it comes from,
/// or, where a room sends it for somebody, from them (XEP-0191 §3.3).
pub(crate) fn is_blocked(sender: &Session, message: &Message, state: &AccountState) -> bool {
    state.blocked.covers(message.from()) || state.blocked.covers(sender.address())
}

/// The rules of RFC 6121 §8.5.2 and §8.5.3.
pub(crate) fn admit_by_kind(
    sender: &Session,
    message: &Message,
    state: &mut AccountState,
) -> Result<Admission, SendError> {
    if is_blocked(sender, message, state) {
        return match message.kind() {
            MessageKind::Error | MessageKind::Headline => Ok(Admission::Ignore),
            MessageKind::Normal | MessageKind::Chat | MessageKind::Groupchat => {
                Err(SendError::Unavailable)
            }
        };
    }
    let addressed = message.to().resource();
    if addressed.is_some_and(|resource| state.device(resource).is_some()) {
        return Ok(Admission::Accept);
    }
    let is_copied = is_copied(message, Direction::Received);
    let takes_it = |device: &Device| device.takes_messages() || is_copied && device.wants_copies;
    let somebody_takes_it = state.devices.iter().any(takes_it);
    match message.kind() {
        MessageKind::Error => Ok(Admission::Ignore),
        MessageKind::Groupchat => Err(SendError::Unavailable),
        MessageKind::Normal if addressed.is_some() => Err(SendError::Unavailable),
        MessageKind::Headline if addressed.is_some() || !somebody_takes_it => Ok(Admission::Ignore),
        MessageKind::Normal | MessageKind::Chat | MessageKind::Headline => {
            if somebody_takes_it || message.is_logged() {
                Ok(Admission::Accept)
            } else {
                Ok(Admission::Ignore)
            }
        }
    }
}
