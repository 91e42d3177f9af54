//! Which messages of an account's log no device has taken yet.
//!
//! The log is the only copy of a message. What is kept here is where the
//! account's devices stand in it, and it moves only when a device has
//! acknowledged: a session that is lost with messages under way leaves them
//! waiting for the next.

use anser_jid::{FullJid, Jid};
use anser_store::{MessageId, ParseIdError};
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

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A message that a device has acknowledged, by the way in which it got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// As a message, or as a copy of one.
    Mail(MessageId),
    /// Out of the account's log, which it reads for itself.
    History(MessageId),
}

/// Where an account's devices stand in its log.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Everything up to here is done.
    from: MessageId,
    /// What is done after that: everything from the one place through the other,
    /// and nothing of it waits. As many as there are gaps in what waits.
    taken: BTreeMap<MessageId, MessageId>,
    waiting: BTreeMap<MessageId, Waiting>,
    /// The last message that has come.
    newest: MessageId,
}

/// So many parts of a log are read one by one.
const MOST_GAPS: usize = 100;

/// A message that nobody has acknowledged.
#[derive(Debug, Default)]
struct Waiting {
    /// The session it was sent to, if not to the account.
    addressee: Option<FullJid>,
    /// Who was given it.
    given: Slots,
    /// It is for those alone who were given it, as long as one of them lives.
    is_reserved: bool,
    /// Who reads it in the log for themselves, and need not be given it.
    shown: Slots,
    /// Who has done so.
    read: Slots,
}

/// What is written down about an inbox. A message that comes changes nothing
/// here: it waits because it is in the log, and is not named here as done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxRecord {
    /// Everything up to here is done.
    from: String,
    /// What is done after that, from the one place through the other.
    taken: Vec<(String, String)>,
}

impl Inbox {
    /// An inbox as written down. What is in the log in its [`Inbox::gaps`] has
    /// to be told by [`Inbox::found`].
    ///
    /// # Errors
    /// [`ParseIdError`] if the record has something that is no place.
    pub(crate) fn new(record: &InboxRecord) -> Result<Self, ParseIdError> {
        let from = record.from.parse()?;
        let range = |(first, last): &(String, String)| Ok((first.parse()?, last.parse()?));
        let taken: BTreeMap<_, MessageId> =
            record.taken.iter().map(range).collect::<Result<_, _>>()?;
        let newest = taken.last_key_value().map_or(from, |(_, last)| *last);
        Ok(Self {
            from,
            taken,
            waiting: BTreeMap::new(),
            newest,
        })
    }

    pub(crate) fn record(&self) -> InboxRecord {
        let taken = self.taken.iter();
        InboxRecord {
            from: self.from.to_string(),
            taken: taken
                .map(|(first, last)| (first.to_string(), last.to_string()))
                .collect(),
        }
    }

    #[cfg(test)]
    pub(crate) fn from(&self) -> MessageId {
        self.from
    }

    /// The parts of the log in which something may wait that is not known yet:
    /// after the one place and before the other, in rising order. They are few
    /// however much is done; beyond [`MOST_GAPS`] the last is all the rest.
    pub(crate) fn gaps(&self) -> Vec<(MessageId, MessageId)> {
        let mut gaps = Vec::new();
        let mut after = self.from;
        for (first, last) in self.taken.iter().take(MOST_GAPS - 1) {
            gaps.push((after, *first));
            after = *last;
        }
        gaps.push((after, MessageId::LAST));
        gaps
    }

    /// How many messages wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The places of messages that wait.
    pub(crate) fn places(&self) -> impl Iterator<Item = MessageId> {
        self.waiting.keys().copied()
    }

    /// A message is in the log, and waits if it is not done.
    pub(crate) fn found(&mut self, place: MessageId) {
        let before = self.taken.range(..=place).next_back();
        let is_done = place <= self.from || before.is_some_and(|(_, last)| place <= *last);
        if !is_done {
            self.arrived(place, None);
        }
    }

    /// A message has come and was given to nobody yet.
    pub(crate) fn arrived(&mut self, place: MessageId, addressee: Option<FullJid>) {
        self.newest = self.newest.max(place);
        let waiting = Waiting {
            addressee,
            ..Waiting::default()
        };
        self.waiting.insert(place, waiting);
    }

    /// The log has come to a message that is not for the devices, as those are
    /// that the account has sent: it is done.
    pub(crate) fn passed(&mut self, place: MessageId) {
        self.newest = self.newest.max(place);
        match self.waiting.last_key_value() {
            None => {
                self.from = self.newest;
                self.taken.clear();
            }
            Some((last, _)) if *last < place => {
                let first = last.next();
                self.taken.insert(first, self.newest);
            }
            Some(_) => {}
        }
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

    /// A message was given to a session that it is for, and to nobody who has it
    /// for other reasons.
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
            let has_it = waiting.given.contains(slot) || waiting.shown.contains(slot);
            if !waiting.is_reserved && !has_it && is_meant(waiting) {
                waiting.given.insert(slot);
                places.push(*place);
            }
        }
        places
    }

    /// A device has acknowledged a message. Returns whether that was news.
    pub(crate) fn taken(&mut self, place: MessageId) -> bool {
        if self.waiting.remove(&place).is_none() {
            return false;
        }
        // What is done now is all that lies between its neighbours.
        let after = self.waiting.range(place..).next();
        let last = after.map_or(self.newest, |(after, _)| after.previous());
        match self.waiting.range(..place).next_back() {
            Some((before, _)) => {
                let first = before.next();
                let mut later = self.taken.split_off(&first);
                self.taken.insert(first, last);
                self.taken.append(&mut later.split_off(&last.next()));
            }
            None => {
                self.from = last;
                self.taken = self.taken.split_off(&last.next());
            }
        }
        true
    }

    /// A session reads a message in the log for itself.
    pub(crate) fn show(&mut self, place: MessageId, slot: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.shown.insert(slot);
        }
    }

    /// A session has acknowledged what it reads in the log.
    pub(crate) fn read(&mut self, place: MessageId, slot: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.read.insert(slot);
        }
    }

    /// What a session has read in the log is done, since it takes messages: all but
    /// what is under way to others alone. Returns whether that was news.
    pub(crate) fn settle_read(&mut self, slot: Slot) -> bool {
        let is_done = |waiting: &Waiting| !waiting.is_reserved && waiting.read.contains(slot);
        let read = self.waiting.iter().filter(|(_, waiting)| is_done(waiting));
        let read: Vec<_> = read.map(|(place, _)| *place).collect();
        for place in &read {
            self.taken(*place);
        }
        !read.is_empty()
    }

    /// A session is gone. Returns the messages that were for it alone and that
    /// now wait for anyone.
    pub(crate) fn release(&mut self, slot: Slot) -> Vec<MessageId> {
        let mut released = Vec::new();
        for (place, waiting) in &mut self.waiting {
            waiting.given.remove(slot);
            waiting.shown.remove(slot);
            waiting.read.remove(slot);
            if waiting.is_reserved && waiting.given.is_empty() {
                waiting.is_reserved = false;
                released.push(*place);
            }
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anser_store::Timestamp;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use std::collections::BTreeSet;

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

    /// XEP-0313 §6.1.1
    #[test]
    fn what_a_session_has_read_in_the_log_waits_for_nobody_but_whom_it_is_for() {
        let (phone, laptop) = slots();
        let mut inbox = with_messages(1..=5);
        inbox.reserve(place(2), phone);
        for number in 1..=4 {
            inbox.show(place(number), laptop);
        }
        // Only what has arrived there counts.
        assert!(!inbox.settle_read(laptop));
        for number in 1..=3 {
            inbox.read(place(number), laptop);
        }
        assert!(inbox.settle_read(laptop));
        assert!(!inbox.settle_read(laptop));
        let waits: Vec<_> = inbox.places().collect();
        assert_eq!(waits, [2, 4, 5].map(place));
        assert_eq!(inbox.give_all(laptop), [place(5)]);
        assert_eq!(inbox.release(phone), [place(2)]);
        assert!(inbox.settle_read(laptop));
    }

    #[test]
    fn what_a_lost_session_was_reading_in_the_log_waits_for_the_next() {
        let (phone, _) = slots();
        let mut inbox = with_messages(1..=2);
        inbox.show(place(1), phone);
        inbox.show(place(2), phone);
        inbox.read(place(2), phone);
        inbox.release(phone);
        // Another session, with the same number.
        assert!(!inbox.settle_read(phone));
        assert_eq!(inbox.give_all(phone), [place(1), place(2)]);
    }

    #[test]
    fn a_message_for_several_sessions_goes_to_others_when_all_of_these_are_lost() {
        let (phone, laptop) = slots();
        let mut inbox = with_messages(1..=1);
        inbox.reserve(place(1), phone);
        inbox.reserve(place(1), laptop);
        assert_eq!(inbox.release(phone), []);
        assert_eq!(inbox.give_all(phone), []);
        assert_eq!(inbox.release(laptop), [place(1)]);
    }

    /// As it is after a restart: from its record, and with the log as it was.
    fn read_again(inbox: &Inbox, log: impl IntoIterator<Item = u64>) -> Inbox {
        let text = serde_json::to_string(&inbox.record()).unwrap();
        let mut read = Inbox::new(&serde_json::from_str(&text).unwrap()).unwrap();
        for number in log {
            if place(number) > read.from() {
                read.found(place(number));
            }
        }
        read
    }

    fn with_messages(numbers: impl IntoIterator<Item = u64>) -> Inbox {
        let mut inbox = Inbox::default();
        for number in numbers {
            inbox.arrived(place(number), None);
        }
        inbox
    }

    #[test]
    fn what_is_taken_is_written_down_and_what_is_in_the_log_beyond_it_waits() {
        let mut inbox = with_messages(1..=6);
        for number in [1, 3, 4] {
            inbox.taken(place(number));
        }
        let waits: Vec<_> = read_again(&inbox, 1..=8).places().collect();
        assert_eq!(waits, [2, 5, 6, 7, 8].map(place));
    }

    #[test]
    fn a_message_that_comes_changes_nothing_of_what_is_written_down() {
        let mut inbox = with_messages(1..=3);
        inbox.taken(place(2));
        let before = serde_json::to_string(&inbox.record()).unwrap();
        inbox.arrived(place(4), None);
        assert_eq!(serde_json::to_string(&inbox.record()).unwrap(), before);
    }

    #[test]
    fn what_is_written_down_is_a_place_and_the_gaps_in_what_waits() {
        let mut inbox = with_messages(0..1000);
        for number in 1..1000 {
            inbox.taken(place(number));
        }
        assert_eq!(inbox.record().taken.len(), 1);
        inbox.arrived(place(1000), None);
        inbox.arrived(place(1001), None);
        inbox.taken(place(1001));
        assert_eq!(inbox.record().taken.len(), 2);
        inbox.taken(place(0));
        assert_eq!(inbox.from(), place(1000).previous());
        inbox.taken(place(1000));
        assert_eq!(inbox.from(), place(1001));
        assert_eq!(inbox.record().taken, []);
    }

    /// The places that are read when an account is.
    fn is_read(inbox: &Inbox, number: u64) -> bool {
        let mut gaps = inbox.gaps().into_iter();
        gaps.any(|(after, before)| after < place(number) && place(number) < before)
    }

    #[test]
    fn what_an_account_has_sent_is_done_however_much_that_is() {
        let mut inbox = with_messages(0..2);
        inbox.taken(place(0));
        inbox.taken(place(1));
        for number in 2..1000 {
            inbox.passed(place(number));
        }
        assert_eq!(inbox.from(), place(999));
        inbox.arrived(place(1000), None);
        for number in 1001..2000 {
            inbox.passed(place(number));
        }
        assert_eq!(inbox.record().taken.len(), 1);
        let read: Vec<_> = (0..2001)
            .filter(|number| is_read(&inbox, *number))
            .collect();
        assert_eq!(read, [1000, 2000]);
    }

    #[test]
    fn the_parts_of_a_log_that_are_read_are_few_and_have_all_that_may_wait() {
        let mut inbox = with_messages(0..1000);
        for number in (0..1000).step_by(2) {
            inbox.taken(place(number));
        }
        assert_eq!(inbox.record().taken.len(), 499);
        assert_eq!(inbox.gaps().len(), MOST_GAPS);
        assert!(inbox.gaps().is_sorted());
        let unread = (0..1100).filter(|number| !is_read(&inbox, *number));
        assert!(
            unread
                .clone()
                .all(|number| number % 2 == 0 && number < 1000)
        );
        assert_eq!(unread.count(), MOST_GAPS);
    }

    proptest! {
        /// Whatever order messages come and are taken in, and whenever the
        /// server starts anew: what waits is what was not taken.
        #[test]
        fn what_waits_is_what_was_not_taken(
            steps in proptest::collection::vec((0_u64..40, 0_u8..3, any::<bool>()), 0..120),
        ) {
            let (mut inbox, mut come) = (Inbox::default(), 0);
            let mut received = Vec::new();
            let mut waits = BTreeSet::new();
            for (number, step, restarts) in steps {
                match step {
                    0 => {
                        inbox.arrived(place(come), None);
                        waits.insert(place(come));
                        received.push(come);
                        come += 1;
                    }
                    1 => {
                        inbox.passed(place(come));
                        come += 1;
                    }
                    _ => {
                        let was_waiting = waits.remove(&place(number));
                        prop_assert_eq!(inbox.taken(place(number)), was_waiting);
                    }
                }
                if restarts {
                    inbox = read_again(&inbox, received.iter().copied());
                }
                let gaps = inbox.gaps();
                for waiting in &waits {
                    let is_in = |(after, before): &(_, _)| after < waiting && waiting < before;
                    prop_assert!(gaps.iter().any(is_in));
                }
                prop_assert!(inbox.places().eq(waits.iter().copied()));
                prop_assert!(inbox.record().taken.len() <= waits.len());
            }
        }
    }
}
