//! What was sent and is not acknowledged yet (XEP-0198).

use std::collections::VecDeque;

/// The other side acknowledges what was never sent (XEP-0198 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{got} stanzas acknowledged, but only {sent} sent")]
pub struct AckError {
    /// The `h` of the acknowledgement.
    pub got: u32,
    /// How many were sent.
    pub sent: u32,
}

/// Stanzas sent on a stream, kept until they are acknowledged. `S` is whatever
/// it takes to send one again.
#[derive(Debug, Clone)]
pub struct Outbox<S> {
    /// How many stanzas the other side has acknowledged; wraps around at 2^32.
    acknowledged: u32,
    unacknowledged: VecDeque<S>,
}

impl<S> Default for Outbox<S> {
    fn default() -> Self {
        Self {
            acknowledged: 0,
            unacknowledged: VecDeque::new(),
        }
    }
}

impl<S> Outbox<S> {
    /// Notes that a stanza was sent.
    pub fn sent(&mut self, stanza: S) {
        self.unacknowledged.push_back(stanza);
    }

    /// How many stanzas are not acknowledged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Whether everything is acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unacknowledged.is_empty()
    }

    /// Handles an acknowledgement of `h` stanzas since the beginning, and
    /// returns those that it acknowledges for the first time.
    ///
    /// # Errors
    /// [`AckError`] if fewer were sent; nothing is acknowledged by that.
    pub fn acknowledge(&mut self, h: u32) -> Result<impl Iterator<Item = S>, AckError> {
        // Both counters wrap around, and their distance does not mind.
        let newly = h.wrapping_sub(self.acknowledged);
        let newly = usize::try_from(newly).unwrap_or(usize::MAX);
        if newly > self.unacknowledged.len() {
            let open = u32::try_from(self.unacknowledged.len()).unwrap_or(u32::MAX);
            return Err(AckError {
                got: h,
                sent: self.acknowledged.wrapping_add(open),
            });
        }
        self.acknowledged = h;
        let acknowledged = self.unacknowledged.drain(..newly).collect::<Vec<_>>();
        if self.unacknowledged.is_empty() {
            // An idle stream keeps nothing.
            self.unacknowledged = VecDeque::new();
        }
        Ok(acknowledged.into_iter())
    }

    /// Everything that is not acknowledged, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &S> {
        self.unacknowledged.iter()
    }

    /// Gives up on acknowledgements: everything that is not acknowledged.
    pub fn into_unacknowledged(self) -> impl Iterator<Item = S> {
        self.unacknowledged.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(acknowledged: u32, unacknowledged: impl IntoIterator<Item = u8>) -> Outbox<u8> {
        Outbox {
            acknowledged,
            unacknowledged: unacknowledged.into_iter().collect(),
        }
    }

    fn acknowledge(outbox: &mut Outbox<u8>, h: u32) -> Result<Vec<u8>, AckError> {
        outbox.acknowledge(h).map(Iterator::collect)
    }

    /// XEP-0198 §4
    #[test]
    fn an_acknowledgement_counts_from_the_beginning_of_the_stream() {
        let mut outbox = with(0, 1..=5);
        assert_eq!(acknowledge(&mut outbox, 2), Ok(vec![1, 2]));
        assert_eq!(acknowledge(&mut outbox, 2), Ok(vec![]));
        assert_eq!(acknowledge(&mut outbox, 5), Ok(vec![3, 4, 5]));
        assert!(outbox.is_empty());
    }

    /// XEP-0198 §4: "the value of 'h' … is incremented … modulo 2^32"
    #[test]
    fn the_counter_wraps_around() {
        let mut outbox = with(u32::MAX, [1, 2, 3]);
        assert_eq!(acknowledge(&mut outbox, 1), Ok(vec![1, 2]));
        assert_eq!(acknowledge(&mut outbox, 2), Ok(vec![3]));
    }

    /// XEP-0198 §4: acknowledging what was not sent is an error of the stream.
    #[test]
    fn acknowledging_too_much_or_going_back_is_an_error() {
        let mut outbox = with(10, [1, 2]);
        let sent = 12;
        assert_eq!(
            acknowledge(&mut outbox, 13),
            Err(AckError { got: 13, sent })
        );
        assert_eq!(acknowledge(&mut outbox, 9), Err(AckError { got: 9, sent }));
        assert_eq!(outbox.len(), 2);
    }
}
