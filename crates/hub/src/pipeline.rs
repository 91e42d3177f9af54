//! The path of a message, in the order in which things happen to it.
//!
//! 1. **Policy**: is there somebody who may get it ([`crate::policy`])?
//! 2. **Journal**: what is kept is appended for both sides; what is not keeps
//!    its place behind its sender's messages that are still on their way.
//! 3. **Deliver**, once the commit is on disk: nobody ever sees a message that
//!    a crash could take back.
//! 4. **Acknowledge**: the sender's session counts it as settled.

use crate::account::{Account, AccountState};
use crate::copies::{Copied, is_copied};
use crate::directory::Resident;
use crate::keeping::{in_history, received, sent};
use crate::mailbox::Wakes;
use crate::policy::{Admission, admit, admit_by_kind, is_blocked};
use crate::room::{RoomDelivery, Whisper};
use crate::{
    Direction, Event, Hub, Message, NotKept, Query, SendError, Session, SessionHandle, Then,
};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::{Change, MessageId, Timestamp};
use std::sync::Arc;

/// Something on its way from one session to others.
#[derive(Debug)]
pub struct Parcel {
    sender: Arc<Session>,
    content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// To an account.
    Message(Delivery),
    /// To everybody in a room.
    Room(RoomDelivery),
    /// To one session in a room.
    Whisper(Whisper),
    /// To one session.
    Query(Arc<Query>),
}

impl Content {
    /// Where it is in the log of its sender, if it is there and for somebody
    /// else.
    fn place_of_sender(&self) -> Option<MessageId> {
        match self {
            Self::Message(delivery) => delivery.place_of_sender,
            Self::Whisper(whisper) => whisper.place_of_sender,
            Self::Room(_) | Self::Query(_) => None,
        }
    }
}

impl Parcel {
    /// About how much memory it holds, without what is on its way into the logs.
    pub(crate) fn weight_bytes(&self) -> usize {
        let payload = match &self.content {
            Content::Message(Delivery { place: Some(_), .. }) => 0,
            Content::Room(RoomDelivery { place: Some(_), .. }) => 0,
            Content::Message(Delivery { message, .. })
            | Content::Room(RoomDelivery { message, .. }) => message.encoded().len(),
            Content::Whisper(whisper) => whisper.weight_bytes(),
            Content::Query(query) => query.weight_bytes(),
        };
        payload + size_of::<Self>()
    }
}

/// A message on its way to an account.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    recipient: Arc<Account>,
    message: Arc<Message>,
    /// Where it is in the log of its recipient, if it is there.
    place: Option<MessageId>,
    /// Where it is in the log of its sender, if it is there and for somebody
    /// else.
    place_of_sender: Option<MessageId>,
    /// Whose it is.
    origin: Origin,
}

/// In whose name a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Its sender's.
    Sender,
    /// A room's: it is not in its sender's log.
    Room,
}

/// The account that a message is for.
#[derive(Debug)]
pub struct Recipient(Arc<Account>);

impl Recipient {
    pub(crate) fn address(&self) -> &BareJid {
        self.0.address()
    }

    pub(crate) fn blocks(&self, address: &Jid) -> bool {
        self.0.state().blocked.covers(address)
    }
}

impl Hub {
    /// Takes a message from a session.
    ///
    /// When this returns, the message is on its way; the session's
    /// [`Session::settled`] says when it is safe, and [`Event::Refused`] comes
    /// if it could not be kept after all.
    ///
    /// # Errors
    /// [`SendError`]; the message goes nowhere.
    pub fn send(
        &self,
        sender: &SessionHandle,
        recipient: Recipient,
        message: Arc<Message>,
        now: Timestamp,
    ) -> Result<(), SendError> {
        self.send_as(Origin::Sender, sender, recipient, message, now)
    }

    /// The same in the name of a room that the session has asked to send it.
    ///
    /// # Errors
    /// [`SendError`]; the message goes nowhere.
    pub fn send_for_room(
        &self,
        sender: &SessionHandle,
        recipient: Recipient,
        message: Arc<Message>,
        now: Timestamp,
    ) -> Result<(), SendError> {
        self.send_as(Origin::Room, sender, recipient, message, now)
    }

    fn send_as(
        &self,
        origin: Origin,
        sender: &SessionHandle,
        recipient: Recipient,
        message: Arc<Message>,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let sender = sender.session();
        let Recipient(recipient) = recipient;
        if recipient.is_gone() {
            return Err(SendError::Unavailable);
        }
        recipient.touch(now);
        if origin == Origin::Sender {
            sender.check_addressee(message.to())?;
        }
        let most_waiting = self.config().accounts.waiting_messages;
        let admission = admit(sender, &message, &mut recipient.state(), most_waiting)?;
        let is_copied = origin == Origin::Sender && is_copied(&message, Direction::Sent);
        if admission == Admission::Ignore && !is_copied {
            return Ok(());
        }
        let delivery = Delivery {
            recipient,
            message,
            place: None,
            place_of_sender: None,
            origin,
        };
        if delivery.message.is_logged() {
            self.append(sender, delivery, now);
        } else {
            self.pass(sender, Content::Message(delivery), now);
        }
        Ok(())
    }

    /// Whose messages to `to` are, if that is in memory, as it mostly is.
    #[must_use]
    pub fn recipient(&self, to: &Jid) -> Option<Recipient> {
        self.resident(to).map(Recipient)
    }

    /// The same for a message of a session: whom its account blocks, it does not
    /// write to.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody.
    pub async fn find_addressee(
        &self,
        sender: &SessionHandle,
        to: &Jid,
        now: Timestamp,
    ) -> Result<Recipient, SendError> {
        sender.check_addressee(to)?;
        self.find_recipient(to, now).await
    }

    /// Whose messages to `to` are, read if need be.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody.
    pub async fn find_recipient(&self, to: &Jid, now: Timestamp) -> Result<Recipient, SendError> {
        if !self.serves(to.domain()) {
            return Err(SendError::NoRoute);
        }
        let account = self.account(&to.to_bare(), now).await?;
        account.map(Recipient).ok_or(SendError::Unavailable)
    }

    /// Puts a message into the log of both sides.
    fn append(&self, sender: &Arc<Session>, delivery: Delivery, now: Timestamp) {
        let (own, message) = (sender.account(), Arc::clone(&delivery.message));
        let recipient = Arc::clone(&delivery.recipient);
        // Not under the journal's lock.
        let for_recipient = in_history(&recipient, &message, message.from());
        let for_sender = in_history(own, &message, message.to());
        sender.on_submitted();
        self.journal().append(now, |id| {
            // Asked here, where an account that has been removed is seen to be
            // gone: nothing is written behind what removes it.
            if recipient.is_gone() {
                let content = Content::Message(delivery);
                return (Vec::new(), deliver_later(sender, content));
            }
            let from = message.from().to_bare();
            let mut entries = vec![received(&recipient, &from, &message, for_recipient)];
            let is_for_others = !Arc::ptr_eq(&recipient, own);
            if delivery.origin == Origin::Sender && is_for_others {
                entries.extend(sent(own, recipient.address(), for_sender));
            }
            let delivery = Delivery {
                place: Some(id),
                place_of_sender: (entries.len() > 1).then_some(id),
                ..delivery
            };
            let body = message.encoded().clone();
            let append = Change::Append { id, body, entries };
            (
                vec![append],
                deliver_later(sender, Content::Message(delivery)),
            )
        });
    }

    /// Delivers what is not kept: at once, or behind what its sender has in the
    /// journal.
    pub(crate) fn pass(&self, sender: &Arc<Session>, content: Content, now: Timestamp) {
        if sender.has_unsettled() {
            sender.on_submitted();
            self.journal()
                .append(now, |_| (Vec::new(), deliver_later(sender, content)));
        } else {
            let sender = Arc::clone(sender);
            self.deliver(Parcel { sender, content }, &mut Wakes::default());
        }
    }

    pub(crate) fn on_settled(
        &self,
        parcel: Parcel,
        outcome: Result<(), NotKept>,
        wakes: &mut Wakes,
    ) {
        let sender = Arc::clone(&parcel.sender);
        match (outcome, parcel.content) {
            (Ok(()), content) => {
                let sent = content.place_of_sender();
                self.deliver(Parcel { content, ..parcel }, wakes);
                if let Some(place) = sent {
                    self.note_sent(sender.account(), place);
                }
            }
            (
                Err(error),
                Content::Message(Delivery { message, .. })
                | Content::Room(RoomDelivery { message, .. })
                | Content::Whisper(Whisper { said: message, .. }),
            ) => refuse(&sender, message, error.into(), wakes),
            (Err(_), Content::Query(_)) => {}
        }
        sender.on_settled(wakes);
    }

    /// What an account has sent to others does not wait in its log for its own
    /// devices. It is written down now and then: whoever reads the account goes
    /// through no more of its log than that.
    fn note_sent(&self, sender: &Arc<Account>, place: MessageId) {
        const NOW_AND_THEN: u32 = 500;
        let mut state = sender.state();
        state.inbox.passed(place);
        state.passed += 1;
        if state.passed >= NOW_AND_THEN {
            self.inbox_changed(sender, &mut state);
        }
    }

    fn deliver(&self, parcel: Parcel, wakes: &mut Wakes) {
        match parcel.content {
            Content::Message(delivery) => match deliver_message(&parcel.sender, &delivery, wakes) {
                Ok(()) => copy_to_sender(&parcel.sender, &delivery, wakes),
                Err(error) => refuse(&parcel.sender, delivery.message, error, wakes),
            },
            Content::Room(delivery) => {
                let message = Arc::clone(&delivery.message);
                if let Err(error) = self.deliver_to_room(delivery, wakes) {
                    refuse(&parcel.sender, message, error, wakes);
                }
            }
            Content::Whisper(whisper) => match whisper.deliver(wakes) {
                Ok(()) => whisper.copy_to_sender(&parcel.sender, wakes),
                Err(error) => refuse(&parcel.sender, whisper.said, error, wakes),
            },
            Content::Query(query) => self.deliver_query(&query, wakes),
        }
    }
}

/// Tells the sender of a message that nobody got it after all.
fn refuse(sender: &Session, message: Arc<Message>, error: SendError, wakes: &mut Wakes) {
    let refused = Event::Refused { message, error };
    sender.mailbox().push(refused, wakes);
}

pub(crate) fn deliver_later(sender: &Arc<Session>, content: Content) -> Then {
    let sender = Arc::clone(sender);
    Then::Deliver(Box::new(Parcel { sender, content }))
}

/// Gives a message to the devices of the account it is for. Who they are is
/// decided now, not when it was sent: under the account's lock, so that a
/// device that comes meanwhile gets it either from here or from the log.
///
/// # Errors
/// It has no place in the log, and whom it was for has left meanwhile: somebody
/// else gets it, or is told of it, as policy says now (RFC 6121 §8.5.3.2.1).
fn deliver_message(
    sender: &Session,
    delivery: &Delivery,
    wakes: &mut Wakes,
) -> Result<(), SendError> {
    let Delivery {
        recipient,
        message,
        place,
        ..
    } = delivery;
    let mut state = recipient.state();
    match place {
        Some(place) => {
            let addressee = FullJid::try_from(message.to().clone()).ok();
            state.inbox.arrived(*place, addressee);
        }
        None if recipient.is_gone() => return Err(SendError::Unavailable),
        None => {
            if admit_by_kind(sender, message, &mut state)? == Admission::Ignore {
                return Ok(());
            }
        }
    }
    // Since it was sent: it waits, and nobody is given it unless that changes.
    if is_blocked(sender, message, &state) {
        return Ok(());
    }
    let copied = Copied {
        message,
        place: *place,
        direction: direction(sender, recipient),
        sender,
    };
    give_to_devices(&mut state, &copied, wakes);
    Ok(())
}

/// Gives a message to the one device it is for, or to all that take messages,
/// and copies to the others that want them.
fn give_to_devices(state: &mut AccountState, copied: &Copied<'_>, wakes: &mut Wakes) {
    let AccountState { devices, inbox, .. } = state;
    let Copied { message, place, .. } = *copied;
    let addressed = message.to().resource().and_then(|resource| {
        devices
            .iter()
            .position(|device| device.session.address().resource() == resource)
    });
    for (number, device) in devices.iter().enumerate() {
        let slot = device.session.slot();
        let gets_it = addressed.map_or_else(|| device.takes_messages(), |at| at == number);
        if gets_it {
            match (place, addressed) {
                (Some(place), Some(_)) => inbox.reserve(place, slot),
                (Some(place), None) => inbox.give(place, slot),
                (None, _) => {}
            }
            give(&device.session, message, place, wakes);
        } else if copied.is_for(device) {
            if let Some(place) = place {
                inbox.give(place, slot);
            }
            copied.give(device, wakes);
        }
    }
}

/// Puts a message into a session's mailbox.
pub(crate) fn give(
    session: &Session,
    message: &Arc<Message>,
    place: Option<MessageId>,
    wakes: &mut Wakes,
) {
    let message = Arc::clone(message);
    session
        .mailbox()
        .push(Event::Message { message, place }, wakes);
}

/// As the account sees it that a message is for: what it writes to itself, it has
/// sent.
fn direction(sender: &Session, recipient: &Arc<Account>) -> Direction {
    if Arc::ptr_eq(sender.account(), recipient) {
        Direction::Sent
    } else {
        Direction::Received
    }
}

/// Gives a message that was delivered to the other devices of its sender, also if
/// nobody on the other side was there to take it (XEP-0280 §8). Nobody hears of
/// what was refused.
fn copy_to_sender(sender: &Session, delivery: &Delivery, wakes: &mut Wakes) {
    let Delivery {
        recipient,
        message,
        place_of_sender,
        origin,
        ..
    } = delivery;
    // What somebody writes to their own account has reached these devices as
    // one of those that it is for, and what a room writes nobody here has sent.
    if *origin == Origin::Room || Arc::ptr_eq(sender.account(), recipient) {
        return;
    }
    let copied = Copied {
        message,
        place: *place_of_sender,
        direction: Direction::Sent,
        sender,
    };
    copied.give_all(&sender.account().state(), wakes);
}
