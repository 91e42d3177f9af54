//! Where a session finds what is for it: bounded, and awake once per commit.

use crate::sync::lock;
use crate::{Event, MailboxLimits};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// A session's queue of events.
///
/// Whoever fills it is never held up. A session that does not keep up fills its
/// own mailbox, and when that is full, loses its mailbox and no more. There is
/// room for one event in any case, however large: nobody loses their session to
/// something that they never had a chance to take.
#[derive(Debug)]
pub struct Mailbox {
    limits: MailboxLimits,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    events: Vec<Event>,
    bytes: usize,
    is_overfull: bool,
    waker: Option<Waker>,
}

/// The mailbox had been full: events are lost, and the session has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more was waiting for the session than a mailbox holds")]
pub struct Overfull;

impl Mailbox {
    pub(crate) fn new(limits: MailboxLimits) -> Self {
        Self {
            limits,
            contents: Mutex::default(),
        }
    }

    pub(crate) fn push(&self, event: Event, wakes: &mut Wakes) {
        let mut contents = lock(&self.contents);
        if contents.is_overfull {
            return;
        }
        contents.bytes += event.weight_bytes();
        let is_first = contents.events.is_empty();
        contents.events.push(event);
        let is_beyond =
            contents.events.len() > self.limits.events || contents.bytes > self.limits.bytes;
        if is_beyond && !is_first {
            contents.is_overfull = true;
            contents.events = Vec::new();
        }
        wakes.extend(contents.waker.take());
    }

    /// Takes everything out.
    ///
    /// # Errors
    /// [`Overfull`] if more came than there is room for.
    pub fn take(&self) -> Result<Vec<Event>, Overfull> {
        let mut contents = lock(&self.contents);
        contents.bytes = 0;
        let events = std::mem::take(&mut contents.events);
        if contents.is_overfull {
            return Err(Overfull);
        }
        Ok(events)
    }

    /// Whether the session has to end: its mailbox was full, or it was told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        lock(&self.contents).is_over()
    }

    /// Ready when the session has to end. Only the last task to ask is woken.
    pub fn poll_over(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut contents = lock(&self.contents);
        if contents.is_over() {
            return Poll::Ready(());
        }
        contents.wake_later(context);
        Poll::Pending
    }

    /// Ready when there is something to do. Only the last task to ask is woken.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut contents = lock(&self.contents);
        if !contents.events.is_empty() || contents.is_overfull {
            return Poll::Ready(());
        }
        contents.wake_later(context);
        Poll::Pending
    }
}

impl Contents {
    fn is_over(&self) -> bool {
        let is_closed = |event: &Event| matches!(event, Event::Closed(_));
        self.is_overfull || self.events.iter().any(is_closed)
    }

    fn wake_later(&mut self, context: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }
}

/// Tasks to wake once a piece of work is done: each once, however many events
/// it got, because a mailbox gives its waker away with the first.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    wakers: Vec<Waker>,
}

impl Wakes {
    pub(crate) fn extend(&mut self, waker: Option<Waker>) {
        self.wakers.extend(waker);
    }
}

/// Waking is what remains to be done whichever way the work ends.
impl Drop for Wakes {
    fn drop(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CloseReason;

    /// So many events of which each weighs the same.
    fn push(mailbox: &Mailbox, count: usize) {
        for _ in 0..count {
            let event = Event::Closed(CloseReason::Shutdown);
            mailbox.push(event, &mut Wakes::default());
        }
    }

    fn mailbox(events: usize, bytes: usize) -> Mailbox {
        Mailbox::new(MailboxLimits { events, bytes })
    }

    #[test]
    fn a_mailbox_takes_what_its_limits_say_and_is_lost_beyond() {
        let weight = Event::Closed(CloseReason::Shutdown).weight_bytes();
        for (events, bytes) in [(3, usize::MAX), (usize::MAX, 3 * weight)] {
            let taken = |count| {
                let mailbox = mailbox(events, bytes);
                push(&mailbox, count);
                mailbox.take().map(|events| events.len())
            };
            assert_eq!(taken(3), Ok(3));
            assert_eq!(taken(4), Err(Overfull));
        }
    }

    #[test]
    fn an_empty_mailbox_takes_one_event_however_large() {
        for (events, bytes) in [(0, usize::MAX), (usize::MAX, 1)] {
            let mailbox = mailbox(events, bytes);
            for _ in 0..2 {
                push(&mailbox, 1);
                assert_eq!(mailbox.take().map(|events| events.len()), Ok(1));
            }
            push(&mailbox, 2);
            assert_eq!(mailbox.take().map(|events| events.len()), Err(Overfull));
        }
    }
}
