//! Which messages of an account's log no device has taken yet.
//!
//! The log is the only copy of a message. What is kept here is where the
//! account's devices stand in it, and it moves only when a device has
//! acknowledged: a session that is lost with messages under way leaves them
//! waiting for the next.

use anser_jid::{FullJid, Jid};
use anser_store::MessageId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A session's number among those of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u8);

/// A set of sessions of one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slots(u64);

impl Slots {
    /// How many sessions an account can have.
    pub(crate) const MOST: usize = u64::BITS as usize;

    /// A slot that is not in the set.
    pub(crate) fn free(self) -> Option<Slot> {
        let slot = self.0.trailing_ones();
        u8::try_from(slot)
            .ok()
            .filter(|_| slot < u64::BITS)
            .map(Slot)
    }

    pub(crate) fn insert(&mut self, slot: Slot) {
        self.0 |= 1 << slot.0;
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        self.0 &= !(1 << slot.0);
    }

    pub(crate) fn contains(self, slot: Slot) -> bool {
        self.0 & (1 << slot.0) != 0
    }
}

/// Where an account's devices stand in its log.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Everything up to here is taken, but for what is in `waiting`.
    through: MessageId,
    waiting: BTreeMap<MessageId, Waiting>,
}

/// A message that nobody has acknowledged.
#[derive(Debug, Default)]
struct Waiting {
    /// The session it was sent to, if not to the account.
    addressee: Option<FullJid>,
    /// Who was given it.
    given: Slots,
    /// It is for the one session that was given it, as long as that lives.
    is_reserved: bool,
}

/// What is written down about an inbox.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InboxRecord {
    through: String,
    /// Not taken although before `through`.
    waiting: Vec<String>,
}

impl Inbox {
    /// An inbox as written down. What came after has to be told by
    /// [`Inbox::arrived`].
    pub(crate) fn new(record: &InboxRecord) -> Self {
        let place = |text: &String| text.parse::<MessageId>().ok();
        let waiting = record.waiting.iter().filter_map(place);
        Self {
            through: place(&record.through).unwrap_or_default(),
            waiting: waiting.map(|place| (place, Waiting::default())).collect(),
        }
    }

    pub(crate) fn record(&self) -> InboxRecord {
        InboxRecord {
            through: self.through.to_string(),
            waiting: self.waiting.keys().map(MessageId::to_string).collect(),
        }
    }

    /// The last message that the inbox knows of.
    pub(crate) fn through(&self) -> MessageId {
        self.through
    }

    /// How many messages wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The places of messages that wait although they are not new.
    pub(crate) fn places(&self) -> impl Iterator<Item = MessageId> {
        self.waiting.keys().copied()
    }

    /// A message has come and was given to nobody yet.
    pub(crate) fn arrived(&mut self, place: MessageId, addressee: Option<FullJid>) {
        self.through = self.through.max(place);
        let waiting = Waiting {
            addressee,
            ..Waiting::default()
        };
        self.waiting.insert(place, waiting);
    }

    /// Notes to whom a message that waits was sent.
    pub(crate) fn addressed(&mut self, place: MessageId, to: &Jid) {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.addressee = FullJid::try_from(to.clone()).ok();
        }
    }

    /// A message was given to a session, and others may have it too.
    pub(crate) fn give(&mut self, place: MessageId, slot: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.given.insert(slot);
        }
    }

    /// A message was given to the one session that it is for.
    pub(crate) fn reserve(&mut self, place: MessageId, slot: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.given.insert(slot);
            waiting.is_reserved = true;
        }
    }

    /// Gives a session every message that it has not been given before and may
    /// have: their places, in order.
    pub(crate) fn give_all(&mut self, slot: Slot) -> Vec<MessageId> {
        self.give_those(slot, |_| true)
    }

    /// The same with messages only that were sent to this very session. What is
    /// sent to it from now on must not overtake them.
    pub(crate) fn give_addressed(&mut self, slot: Slot, to: &FullJid) -> Vec<MessageId> {
        self.give_those(slot, |waiting| waiting.addressee.as_ref() == Some(to))
    }

    fn give_those(&mut self, slot: Slot, is_meant: impl Fn(&Waiting) -> bool) -> Vec<MessageId> {
        let mut places = Vec::new();
        for (place, waiting) in &mut self.waiting {
            let may_have = !waiting.is_reserved && !waiting.given.contains(slot);
            if may_have && is_meant(waiting) {
                waiting.given.insert(slot);
                places.push(*place);
            }
        }
        places
    }

    /// A device has acknowledged a message. Returns whether that was news.
    pub(crate) fn taken(&mut self, place: MessageId) -> bool {
        self.waiting.remove(&place).is_some()
    }

    /// A session is gone. Returns the messages that were for it alone and that
    /// now wait for anyone.
    pub(crate) fn release(&mut self, slot: Slot) -> Vec<MessageId> {
        let mut released = Vec::new();
        for (place, waiting) in &mut self.waiting {
            if waiting.given.contains(slot) {
                waiting.given.remove(slot);
                if std::mem::take(&mut waiting.is_reserved) {
                    released.push(*place);
                }
            }
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anser_store::Timestamp;

    fn place(number: u64) -> MessageId {
        MessageId::at(Timestamp::from_millis(1_795_000_000_000 + number))
    }

    fn slots() -> (Slot, Slot) {
        let mut taken = Slots::default();
        let first = taken.free().unwrap();
        taken.insert(first);
        (first, taken.free().unwrap())
    }

    #[test]
    fn an_account_has_room_for_sixty_four_sessions() {
        let mut taken = Slots::default();
        for _ in 0..Slots::MOST {
            taken.insert(taken.free().unwrap());
        }
        assert_eq!(taken.free(), None);
    }

    #[test]
    fn a_session_is_given_each_message_once() {
        let (phone, _) = slots();
        let mut inbox = Inbox::default();
        inbox.arrived(place(1), None);
        inbox.arrived(place(2), None);
        assert_eq!(inbox.give_all(phone), [place(1), place(2)]);
        inbox.arrived(place(3), None);
        inbox.give(place(3), phone);
        inbox.arrived(place(4), None);
        assert_eq!(inbox.give_all(phone), [place(4)]);
    }

    #[test]
    fn what_one_device_took_waits_for_nobody() {
        let (phone, laptop) = slots();
        let mut inbox = Inbox::default();
        inbox.arrived(place(1), None);
        inbox.arrived(place(2), None);
        inbox.give_all(phone);
        assert!(inbox.taken(place(1)));
        assert!(!inbox.taken(place(1)));
        assert_eq!(inbox.give_all(laptop), [place(2)]);
    }

    #[test]
    fn a_message_for_one_session_goes_to_others_only_when_that_is_lost() {
        let (phone, laptop) = slots();
        let mut inbox = Inbox::default();
        inbox.arrived(place(1), None);
        inbox.reserve(place(1), phone);
        inbox.arrived(place(2), None);
        inbox.give(place(2), phone);
        inbox.give(place(2), laptop);
        assert_eq!(inbox.give_all(laptop), []);
        assert_eq!(inbox.release(phone), [place(1)]);
        assert_eq!(inbox.give_all(laptop), [place(1)]);
    }

    #[test]
    fn a_session_is_given_first_what_was_sent_to_it() {
        let (phone, laptop) = slots();
        let address: FullJid = "alice@example.org/phone".parse().unwrap();
        let mut inbox = Inbox::default();
        inbox.arrived(place(1), None);
        inbox.arrived(place(2), Some(address.clone()));
        assert_eq!(inbox.give_addressed(phone, &address), [place(2)]);
        assert_eq!(inbox.give_all(phone), [place(1)]);
        assert_eq!(inbox.give_all(laptop), [place(1), place(2)]);
    }

    #[test]
    fn what_waits_is_written_down_and_what_is_taken_is_not() {
        let mut inbox = Inbox::default();
        for number in 1..=4 {
            inbox.arrived(place(number), None);
        }
        inbox.taken(place(1));
        inbox.taken(place(3));
        let text = serde_json::to_string(&inbox.record()).unwrap();
        let mut read = Inbox::new(&serde_json::from_str(&text).unwrap());
        assert_eq!(read.through(), place(4));
        assert_eq!(read.give_all(slots().0), [place(2), place(4)]);
    }
}
