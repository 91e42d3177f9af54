//! Message ids: what orders a log and names a place in it.

use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This moment plus `duration`, at millisecond precision.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Tells the ids of one machine from those of another. At most [`NodeId::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeId(u16);

impl NodeId {
    /// The largest node number: ten bits.
    pub const MAX: u16 = (1 << NODE_BITS) - 1;

    /// Takes the number modulo 1024.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number & Self::MAX)
    }
}

const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;

/// 2020-01-01 UTC. Counting from here keeps ids below 2^63 until 2089, so that
/// SQL engines, which know signed integers only, sort them right.
const EPOCH_MILLIS: u64 = 1_577_836_800_000;

/// The place of a message in every log that has it: 42 bits of milliseconds,
/// 12 of sequence, 10 of node. Ids rise in the order of commits, and any id,
/// also one that no message has, is a place to read on from.
/// The default is [`MessageId::FIRST`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u64);

impl MessageId {
    /// Before every message.
    pub const FIRST: Self = Self(0);
    /// After every message.
    pub const LAST: Self = Self(i64::MAX as u64);

    /// The smallest id of the given moment: where to start reading from a time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        const BITS: u32 = SEQUENCE_BITS + NODE_BITS;
        let millis = time.0.saturating_sub(EPOCH_MILLIS);
        // Clients may name any year.
        Self(millis.min(u64::MAX >> BITS) << BITS).min(Self::LAST)
    }

    /// When the message was accepted.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp((self.0 >> (SEQUENCE_BITS + NODE_BITS)) + EPOCH_MILLIS)
    }

    /// The id that stands right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1).min(Self::LAST)
    }

    /// The id that stands right before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    pub(crate) fn to_sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(crate) fn from_sql(number: i64) -> Self {
        Self(u64::try_from(number).unwrap_or(0))
    }
}

/// Sixteen lower-case hexadecimal digits; sorts as the ids do.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

/// The text is not a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 16 lower-case hexadecimal digits")]
pub struct ParseIdError;

impl FromStr for MessageId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let canonical = text.len() == 16
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !canonical {
            return Err(ParseIdError);
        }
        match u64::from_str_radix(text, 16) {
            Ok(number) if number <= Self::LAST.0 => Ok(Self(number)),
            _ => Err(ParseIdError),
        }
    }
}

/// Hands out rising ids.
#[derive(Debug)]
pub(crate) struct IdClock {
    node: NodeId,
    /// Milliseconds and sequence of the last id, without the node.
    last: u64,
}

impl IdClock {
    /// Ids will be greater than `newest`, the last one known to be in use: a
    /// clock that was set back must not put new messages before old ones.
    pub(crate) fn new(node: NodeId, newest: MessageId) -> Self {
        Self {
            node,
            last: newest.0 >> NODE_BITS,
        }
    }

    /// The id of a message accepted at `now`. A burst of more than 4096 in one
    /// millisecond borrows from the next.
    pub(crate) fn next(&mut self, now: Timestamp) -> MessageId {
        let at_now = MessageId::at(now).0 >> NODE_BITS;
        self.last = at_now.max(self.last + 1);
        MessageId((self.last << NODE_BITS) | u64::from(self.node.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    #[test]
    fn an_id_tells_the_millisecond_of_its_message() {
        let mut clock = IdClock::new(NodeId::new(7), MessageId::FIRST);
        assert_eq!(clock.next(NOW).timestamp(), NOW);
    }

    #[test]
    fn the_moments_before_the_first_id_and_after_the_last_are_those() {
        assert_eq!(MessageId::at(Timestamp::default()), MessageId::FIRST);
        for millis in [u64::MAX, u64::MAX >> 1, 253_402_300_799_999] {
            let id = MessageId::at(Timestamp::from_millis(millis));
            assert_eq!(id, MessageId::LAST);
        }
    }

    #[test]
    fn ids_rise_within_a_millisecond_and_when_the_clock_goes_back() {
        let mut clock = IdClock::new(NodeId::default(), MessageId::FIRST);
        let mut last = clock.next(NOW);
        for step in 0..10_000 {
            let id = clock.next(Timestamp::from_millis(NOW.millis() - step % 3));
            assert!(id > last);
            last = id;
        }
    }

    #[test]
    fn ids_after_a_restart_are_greater_than_those_before_it() {
        let mut before = IdClock::new(NodeId::new(1023), MessageId::FIRST);
        let newest = before.next(NOW);
        let an_hour_earlier = Timestamp::from_millis(NOW.millis() - 3_600_000);
        let mut after = IdClock::new(NodeId::new(0), newest);
        assert!(after.next(an_hour_earlier) > newest);
    }

    #[test]
    fn ids_sort_as_their_texts_do_and_survive_the_round_trip() {
        let mut clock = IdClock::new(NodeId::new(3), MessageId::FIRST);
        let (a, b) = (clock.next(NOW), clock.next(NOW));
        assert!(a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!(MessageId::from_sql(b.to_sql()), b);
    }

    #[test]
    fn other_spellings_of_an_id_are_refused() {
        for text in [
            "",
            "0",
            "00000000000000000",
            "000000000000000G",
            "000000000000000A",
            "ffffffffffffffff",
            "+000000000000001",
        ] {
            assert_eq!(text.parse::<MessageId>(), Err(ParseIdError), "{text}");
        }
    }
}
