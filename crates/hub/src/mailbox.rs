//! Where a session finds what is for it: bounded, and awake once per commit.

use crate::sync::lock;
use crate::{CloseReason, Event, MailboxLimits};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// A session's queue of events.
///
/// Whoever fills it is never held up. A session that does not keep up fills its
/// own mailbox, and when that is full, the session has to end. There is room for
/// one event in any case, however large: nobody loses their session to something
/// that they never had a chance to take.
#[derive(Debug)]
pub struct Mailbox {
    limits: MailboxLimits,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    events: Vec<Event>,
    bytes: u32,
    closed: Option<CloseReason>,
    /// Nobody would look at what came now.
    takes_no_more: bool,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(limits: MailboxLimits) -> Self {
        Self {
            limits,
            contents: Mutex::default(),
        }
    }

    pub(crate) fn push(&self, event: Event, wakes: &mut Wakes) {
        // Whatever is lost is in the log, or of interest to this session only.
        let _ = self.offer(event, wakes);
    }

    /// The same for an event of which somebody else has to know if it is lost.
    ///
    /// # Errors
    /// Gives the event back if the session is about to end.
    pub(crate) fn offer(&self, event: Event, wakes: &mut Wakes) -> Result<(), Event> {
        let mut contents = lock(&self.contents);
        if contents.takes_no_more {
            return Err(event);
        }
        let weight_bytes = u32::try_from(event.weight_bytes()).unwrap_or(u32::MAX);
        contents.bytes = contents.bytes.saturating_add(weight_bytes);
        let is_first = contents.events.is_empty();
        if is_first {
            // Mostly there is one: thousands of mailboxes may get theirs at once.
            contents.events.reserve_exact(1);
        }
        contents.events.push(event);
        let has_too_many = contents.events.len() > self.limits.events as usize;
        let is_beyond = has_too_many || contents.bytes > self.limits.bytes;
        if is_beyond && !is_first {
            contents.overflow();
        }
        wakes.extend(contents.waker.take());
        Ok(())
    }

    /// Tells the session to end.
    pub(crate) fn close(&self, reason: CloseReason, wakes: &mut Wakes) {
        let mut contents = lock(&self.contents);
        contents.closed.get_or_insert(reason);
        wakes.extend(contents.waker.take());
    }

    /// Wakes the session for something else.
    pub(crate) fn wake(&self, wakes: &mut Wakes) {
        wakes.extend(lock(&self.contents).waker.take());
    }

    /// Has the session woken when there is mail, or something else. Only the last
    /// task to ask is.
    pub(crate) fn wake_later(&self, context: &Context<'_>) {
        lock(&self.contents).wake_later(context);
    }

    /// Why the session has to end, if it has to.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        lock(&self.contents).closed
    }

    /// Takes everything out.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        lock(&self.contents).take()
    }

    /// Takes everything out for the last time: nothing comes in any more.
    #[must_use]
    pub fn shut(&self) -> Vec<Event> {
        let mut contents = lock(&self.contents);
        contents.takes_no_more = true;
        contents.take()
    }

    /// Ready when the session has to end. Only the last task to ask is woken.
    pub fn poll_closed(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut contents = lock(&self.contents);
        if contents.closed.is_some() {
            return Poll::Ready(());
        }
        contents.wake_later(context);
        Poll::Pending
    }

    /// Ready when there is something to do. Only the last task to ask is woken.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut contents = lock(&self.contents);
        if !contents.events.is_empty() || contents.closed.is_some() {
            return Poll::Ready(());
        }
        contents.wake_later(context);
        Poll::Pending
    }
}

impl Contents {
    fn take(&mut self) -> Vec<Event> {
        self.bytes = 0;
        std::mem::take(&mut self.events)
    }

    /// Questions stay: whoever asked is told that no answer will come.
    fn overflow(&mut self) {
        self.closed.get_or_insert(CloseReason::Overfull);
        self.takes_no_more = true;
        let is_query = |event: &Event| matches!(event, Event::Query(_));
        self.events.retain(is_query);
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
    use crate::{Query, QueryKind};
    use bytes::Bytes;
    use std::sync::Arc;

    /// So many events of which each weighs the same.
    fn push(mailbox: &Mailbox, count: usize) {
        for _ in 0..count {
            mailbox.push(Event::Waiting(Vec::new()), &mut Wakes::default());
        }
    }

    fn question() -> Event {
        Event::Query(Arc::new(Query {
            from: "bob@example.org/phone".parse().unwrap(),
            to: "alice@example.org/phone".parse().unwrap(),
            kind: QueryKind::Get,
            id: "q".into(),
            lang: None,
            payload: Bytes::new(),
            relay: None,
        }))
    }

    fn mailbox(events: u32, bytes: u32) -> Mailbox {
        Mailbox::new(MailboxLimits { events, bytes })
    }

    #[test]
    fn a_mailbox_takes_what_its_limits_say_and_is_lost_beyond() {
        let weight = u32::try_from(Event::Waiting(Vec::new()).weight_bytes()).unwrap();
        for (events, bytes) in [(3, u32::MAX), (u32::MAX, 3 * weight)] {
            let after = |count| {
                let mailbox = mailbox(events, bytes);
                push(&mailbox, count);
                (mailbox.take().len(), mailbox.closed())
            };
            assert_eq!(after(3), (3, None));
            assert_eq!(after(4), (0, Some(CloseReason::Overfull)));
        }
    }

    #[test]
    fn an_empty_mailbox_takes_one_event_however_large() {
        for (events, bytes) in [(0, u32::MAX), (u32::MAX, 1)] {
            let mailbox = mailbox(events, bytes);
            for _ in 0..2 {
                push(&mailbox, 1);
                assert_eq!((mailbox.take().len(), mailbox.closed()), (1, None));
            }
            push(&mailbox, 2);
            assert_eq!(mailbox.closed(), Some(CloseReason::Overfull));
        }
    }

    #[test]
    fn questions_are_never_lost_without_a_word() {
        let mailbox = mailbox(2, u32::MAX);
        push(&mailbox, 1);
        let mut wakes = Wakes::default();
        assert!(mailbox.offer(question(), &mut wakes).is_ok());
        push(&mailbox, 1);
        assert_eq!(mailbox.closed(), Some(CloseReason::Overfull));
        assert!(mailbox.offer(question(), &mut wakes).is_err());
        assert!(matches!(mailbox.shut()[..], [Event::Query(_)]));
        assert!(mailbox.offer(question(), &mut wakes).is_err());
    }

    #[test]
    fn the_first_reason_to_end_is_the_one_that_counts_and_mail_still_comes() {
        let mailbox = mailbox(9, u32::MAX);
        let mut wakes = Wakes::default();
        mailbox.close(CloseReason::Replaced, &mut wakes);
        mailbox.close(CloseReason::Shutdown, &mut wakes);
        push(&mailbox, 1);
        assert_eq!(mailbox.closed(), Some(CloseReason::Replaced));
        assert_eq!(mailbox.take().len(), 1);
    }
}
