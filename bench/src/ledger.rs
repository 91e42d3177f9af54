//! What was sent and what arrived: every message has a number, so that nothing gets lost unseen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest body that holds a message's numbers.
pub(crate) const MIN_BODY_BYTES: usize = 32;

/// The books of a run. The messages of one sender are a flow, and every one of them has as many
/// receivers as any other.
pub(crate) struct Ledger {
    /// Tells this run's messages from those of an earlier one that the server still had.
    run: u32,
    body_bytes: usize,
    receivers: usize,
    flows: Vec<Mutex<Flow>>,
    stray: AtomicU64,
    refused: AtomicU64,
}

#[derive(Default)]
struct Flow {
    /// When each message was due, by its number.
    due: Vec<Instant>,
    /// How much later each was sent.
    late: Vec<Duration>,
    /// How many of the receivers have each message.
    reached: Vec<usize>,
    receivers: Vec<Receiver>,
    times: Vec<Duration>,
    completed: u64,
    last: Option<Instant>,
    duplicated: u64,
    misordered: u64,
}

#[derive(Default)]
struct Receiver {
    arrived: Vec<bool>,
    highest: Option<usize>,
}

/// What an arriving message is.
#[derive(Debug, PartialEq)]
pub(crate) enum Arrival {
    /// The message of this number, seen for the first time by its last receiver.
    Complete(usize),
    /// The message of this number, seen for the first time; others have yet to see it.
    New(usize),
    /// Seen before by the same receiver.
    Again,
    /// Not one of this flow, or damaged.
    Stray,
}

/// The sum of all flows.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Messages sent.
    pub(crate) sent: u64,
    /// Deliveries that they should have caused: one for each receiver.
    pub(crate) expected: u64,
    /// Messages that all their receivers have.
    pub(crate) completed: u64,
    /// How much later than due each was sent.
    pub(crate) late: Vec<Duration>,
    /// How long each delivery took, from when the message was due.
    pub(crate) times: Vec<Duration>,
    /// When the last one arrived.
    pub(crate) last: Option<Instant>,
    /// Messages that arrived again.
    pub(crate) duplicated: u64,
    /// Messages that arrived after a later one of their sender.
    pub(crate) misordered: u64,
    /// Messages that came to the wrong place, damaged, or from another run.
    pub(crate) stray: u64,
    /// Messages that came back as errors.
    pub(crate) refused: u64,
}

impl Ledger {
    /// Empty books for so many flows with so many receivers each; `run` differs from run to run.
    pub(crate) fn new(run: u32, flows: usize, receivers: usize, body_bytes: usize) -> Self {
        let flow = || Flow {
            receivers: (0..receivers).map(|_| Receiver::default()).collect(),
            ..Flow::default()
        };
        Self {
            run,
            body_bytes: body_bytes.max(MIN_BODY_BYTES),
            receivers,
            flows: (0..flows).map(|_| Mutex::new(flow())).collect(),
            stray: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Books the next message of a flow as sent; gives its number and body.
    pub(crate) fn send(&self, flow: usize, due: Instant, now: Instant) -> (usize, String) {
        let mut book = self.flow(flow);
        let number = book.due.len();
        book.due.push(due);
        book.late.push(now.saturating_duration_since(due));
        book.reached.push(0);
        let mut body = format!("{}.{flow}.{number}.", self.run);
        body.extend(std::iter::repeat_n(
            'x',
            self.body_bytes.saturating_sub(body.len()),
        ));
        (number, body)
    }

    /// Books a body that arrived at a receiver, counted from zero, where only messages of `flow` should.
    pub(crate) fn receive(
        &self,
        flow: usize,
        receiver: usize,
        body: &str,
        now: Instant,
    ) -> Arrival {
        let mut book = self.flow(flow);
        let number = self
            .number_in(flow, body)
            .filter(|&number| number < book.due.len());
        let Some(number) = number else {
            self.stray();
            return Arrival::Stray;
        };
        match book.receivers[receiver].take(number) {
            Order::Again => {
                book.duplicated += 1;
                return Arrival::Again;
            }
            Order::Late => book.misordered += 1,
            Order::Next => {}
        }
        book.last = Some(now);
        let time = now.saturating_duration_since(book.due[number]);
        book.times.push(time);
        book.reached[number] += 1;
        if book.reached[number] < self.receivers {
            return Arrival::New(number);
        }
        book.completed += 1;
        Arrival::Complete(number)
    }

    /// Books something that came to the wrong place.
    pub(crate) fn stray(&self) {
        self.stray.fetch_add(1, Relaxed);
    }

    /// Books a message that came back as an error.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// How many each message has.
    pub(crate) fn receivers(&self) -> usize {
        self.receivers
    }

    /// Messages sent and deliveries, so far.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let count = |(sent, arrived), flow: MutexGuard<'_, Flow>| {
            (
                sent + flow.due.len() as u64,
                arrived + flow.times.len() as u64,
            )
        };
        (0..self.flows.len())
            .map(|flow| self.flow(flow))
            .fold((0, 0), count)
    }

    /// The sum of all flows, so far.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals {
            stray: self.stray.load(Relaxed),
            refused: self.refused.load(Relaxed),
            ..Totals::default()
        };
        for flow in (0..self.flows.len()).map(|flow| self.flow(flow)) {
            totals.sent += flow.due.len() as u64;
            totals.completed += flow.completed;
            totals.late.extend_from_slice(&flow.late);
            totals.times.extend_from_slice(&flow.times);
            totals.last = totals.last.max(flow.last);
            totals.duplicated += flow.duplicated;
            totals.misordered += flow.misordered;
        }
        totals.expected = totals.sent * self.receivers as u64;
        totals
    }

    fn flow(&self, flow: usize) -> MutexGuard<'_, Flow> {
        self.flows[flow]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn number_in(&self, flow: usize, body: &str) -> Option<usize> {
        let mut fields = body.split('.');
        let mut field = || fields.next()?.parse::<usize>().ok();
        let (run, of_flow, number) = (field()?, field()?, field()?);
        let ours = run == self.run as usize && of_flow == flow && body.len() == self.body_bytes;
        ours.then_some(number)
    }
}

/// What a message is in the order of those that a receiver got.
enum Order {
    Next,
    Late,
    Again,
}

impl Receiver {
    fn take(&mut self, number: usize) -> Order {
        if self.arrived.len() <= number {
            self.arrived.resize(number + 1, false);
        }
        if std::mem::replace(&mut self.arrived[number], true) {
            return Order::Again;
        }
        let is_late = self.highest.is_some_and(|highest| number < highest);
        self.highest = self.highest.max(Some(number));
        if is_late { Order::Late } else { Order::Next }
    }
}

impl Totals {
    /// Messages that arrived, counted once for each receiver.
    pub(crate) fn delivered(&self) -> u64 {
        self.times.len() as u64
    }

    /// Deliveries that never came.
    pub(crate) fn lost(&self) -> u64 {
        self.expected - self.delivered()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_messages(count: usize) -> (Ledger, Vec<String>, Instant) {
        let (ledger, start) = (Ledger::new(7, 2, 1, 100), Instant::now());
        let bodies = (0..count).map(|_| ledger.send(1, start, start).1).collect();
        (ledger, bodies, start)
    }

    #[test]
    fn what_does_not_arrive_is_lost_and_what_arrives_twice_is_duplicated() {
        let (ledger, bodies, start) = with_messages(3);
        let later = start + Duration::from_millis(5);
        assert!(bodies.iter().all(|body| body.len() == 100));
        assert_eq!(
            ledger.receive(1, 0, &bodies[0], later),
            Arrival::Complete(0)
        );
        assert_eq!(
            ledger.receive(1, 0, &bodies[2], later),
            Arrival::Complete(2)
        );
        assert_eq!(ledger.receive(1, 0, &bodies[0], later), Arrival::Again);
        let totals = ledger.totals();
        assert_eq!((totals.sent, totals.delivered(), totals.lost()), (3, 2, 1));
        assert_eq!((totals.duplicated, totals.misordered), (1, 0));
        assert_eq!(totals.times, [Duration::from_millis(5); 2]);
        assert_eq!(ledger.progress(), (3, 2));
    }

    #[test]
    fn a_message_is_complete_with_its_last_receiver() {
        let (ledger, start) = (Ledger::new(7, 1, 3, 100), Instant::now());
        let body = ledger.send(0, start, start).1;
        assert_eq!(ledger.receive(0, 2, &body, start), Arrival::New(0));
        assert_eq!(ledger.receive(0, 0, &body, start), Arrival::New(0));
        assert_eq!(ledger.receive(0, 2, &body, start), Arrival::Again);
        let totals = ledger.totals();
        assert_eq!((totals.completed, totals.lost()), (0, 1));
        assert_eq!(ledger.receive(0, 1, &body, start), Arrival::Complete(0));
        let totals = ledger.totals();
        assert_eq!((totals.completed, totals.lost()), (1, 0));
        assert_eq!((totals.delivered(), totals.duplicated), (3, 1));
    }

    #[test]
    fn order_is_that_of_each_receiver_alone() {
        let (ledger, start) = (Ledger::new(7, 1, 2, 100), Instant::now());
        let bodies = [0, 1].map(|_| ledger.send(0, start, start).1);
        ledger.receive(0, 0, &bodies[0], start);
        ledger.receive(0, 0, &bodies[1], start);
        ledger.receive(0, 1, &bodies[0], start);
        assert_eq!(ledger.totals().misordered, 0);
        ledger.receive(0, 1, &bodies[1], start);
        let swapped = Ledger::new(7, 1, 2, 100);
        let bodies = [0, 1].map(|_| swapped.send(0, start, start).1);
        swapped.receive(0, 1, &bodies[1], start);
        swapped.receive(0, 1, &bodies[0], start);
        assert_eq!(swapped.totals().misordered, 1);
    }

    #[test]
    fn a_message_after_a_later_one_is_misordered() {
        let (ledger, bodies, start) = with_messages(4);
        for number in [0, 3, 1, 2] {
            ledger.receive(1, 0, &bodies[number], start);
        }
        assert_eq!((ledger.totals().misordered, ledger.totals().lost()), (2, 0));
    }

    #[test]
    fn messages_of_others_and_damaged_ones_are_strays() {
        let (ledger, bodies, start) = with_messages(1);
        let cut = &bodies[0][..90];
        let unsent = Ledger::new(7, 2, 1, 100);
        let other_run = Ledger::new(8, 2, 1, 100).send(1, start, start).1;
        assert_eq!(ledger.receive(1, 0, cut, start), Arrival::Stray);
        assert_eq!(ledger.receive(0, 0, &bodies[0], start), Arrival::Stray);
        assert_eq!(ledger.receive(1, 0, &other_run, start), Arrival::Stray);
        assert_eq!(ledger.receive(1, 0, "hello", start), Arrival::Stray);
        assert_eq!(unsent.receive(1, 0, &bodies[0], start), Arrival::Stray);
        assert_eq!((ledger.totals().stray, ledger.totals().lost()), (4, 1));
    }
}
