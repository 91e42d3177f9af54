//! Whether all occupants of a room see its messages in the same order.

use std::sync::{Mutex, PoisonError};

/// The messages of one room, in the order in which its occupants see them.
pub(crate) struct Order {
    book: Mutex<Book>,
}

/// A message, by the flow it belongs to and its number there.
type Message = (usize, usize);

#[derive(Default)]
struct Book {
    /// As whoever was ahead saw them.
    messages: Vec<Message>,
    /// Of each occupant.
    occupants: Vec<Seen>,
}

#[derive(Clone, Default)]
struct Seen {
    count: usize,
    differs: bool,
}

impl Order {
    /// Nothing seen yet.
    pub(crate) fn new(occupants: usize) -> Self {
        Self {
            book: Mutex::new(Book {
                messages: Vec::new(),
                occupants: vec![Seen::default(); occupants],
            }),
        }
    }

    /// An occupant sees a message for the first time.
    pub(crate) fn see(&self, occupant: usize, message: Message) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let Book {
            messages,
            occupants,
        } = &mut *book;
        let seen = &mut occupants[occupant];
        match messages.get(seen.count) {
            Some(expected) => seen.differs |= *expected != message,
            None => messages.push(message),
        }
        seen.count += 1;
    }

    /// Occupants who saw another order than those who were ahead of them.
    pub(crate) fn disagreeing(&self) -> u64 {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.occupants.iter().filter(|seen| seen.differs).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sees_another_order_disagrees() {
        let order = Order::new(3);
        let (first, second) = ((0, 0), (1, 0));
        for (occupant, messages) in [[first, second], [first, second], [second, first]]
            .into_iter()
            .enumerate()
        {
            for message in messages {
                order.see(occupant, message);
            }
        }
        assert_eq!(order.disagreeing(), 1);
    }

    #[test]
    fn whoever_is_behind_agrees_so_far() {
        let order = Order::new(2);
        for number in 0..5 {
            order.see(1, (0, number));
        }
        order.see(0, (0, 0));
        assert_eq!(order.disagreeing(), 0);
        order.see(0, (0, 2));
        assert_eq!(order.disagreeing(), 1);
    }
}
