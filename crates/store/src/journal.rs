//! The one way to write: a queue in front of the engine, with group commit.

use crate::id::IdClock;
use crate::{Change, Engine, MessageId, NodeId, Refusal, Tidiness, Timestamp};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// When the journal counts as full, and how much goes into one commit.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// Beyond this much waiting, [`Journal::has_room`] says no.
    pub queue_bytes: usize,
    /// At most so many batches in one commit, so that the first of them does
    /// not wait for the disk to take very much.
    pub commit_batches: usize,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            queue_bytes: 64 << 20,
            commit_batches: 2000,
        }
    }
}

/// How much memory a note takes beside the changes that it comes with: what came
/// without changes may hold as much as what is written.
pub trait Weigh {
    /// About so many bytes, without those that the changes hold already.
    fn weight_bytes(&self) -> usize;
}

/// A note that says nothing.
impl Weigh for () {
    fn weight_bytes(&self) -> usize {
        0
    }
}

/// What became of something appended, and the note that came with it.
#[derive(Debug)]
pub struct Settled<T> {
    /// The note given to [`Journal::append`].
    pub tag: T,
    /// Whether the changes are on disk.
    pub outcome: Result<(), Refusal>,
}

/// The queue. `T` is the caller's note of what to do once a batch is settled;
/// notes come back in the order in which they were appended, also those that
/// came without any change: that is how something unwritten keeps its place
/// behind what is being written.
#[derive(Debug)]
pub struct Journal<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

#[derive(Debug)]
struct Shared<T> {
    limits: JournalLimits,
    queue: Mutex<Queue<T>>,
    /// Something was appended, or the journal was closed.
    work: Condvar,
    /// The queue has become shorter.
    room: Arc<Notify>,
}

/// Somebody's place among those who wait until the journal has room: taken when
/// it is needed, and given up when this is dropped.
#[derive(Debug, Default)]
pub struct Room {
    waiting: Option<Pin<Box<OwnedNotified>>>,
}

#[derive(Debug)]
struct Queue<T> {
    clock: IdClock,
    waiting: Vec<Batch<T>>,
    waiting_bytes: usize,
    /// Nothing more is to come.
    is_closed: bool,
    /// Nobody commits any more.
    is_over: bool,
}

#[derive(Debug)]
struct Batch<T> {
    changes: Vec<Change>,
    weight_bytes: usize,
    tag: T,
}

impl<T> Journal<T> {
    /// An empty queue. `newest` is the last id in use in the store.
    #[must_use]
    pub fn new(node: NodeId, newest: MessageId, limits: JournalLimits) -> Self {
        Self {
            shared: Arc::new(Shared {
                limits,
                queue: Mutex::new(Queue {
                    clock: IdClock::new(node, newest),
                    waiting: Vec::new(),
                    waiting_bytes: 0,
                    is_closed: false,
                    is_over: false,
                }),
                work: Condvar::new(),
                room: Arc::new(Notify::new()),
            }),
        }
    }

    /// Queues a batch of changes. `make` gets the id of the message that the
    /// batch may append: ids rise in the order of commits because they are
    /// given under the lock that decides this order.
    ///
    /// When [`Journal::run`] has ended, however that came about, the note is
    /// dropped: that is how those who wait for it know.
    pub fn append(&self, now: Timestamp, make: impl FnOnce(MessageId) -> (Vec<Change>, T))
    where
        T: Weigh,
    {
        let mut queue = self.queue();
        let id = queue.clock.next(now);
        let (changes, tag) = make(id);
        self.enqueue(queue, changes, tag);
    }

    /// The same for a batch that may append two messages: no other id is between
    /// theirs.
    pub fn append_two(
        &self,
        now: Timestamp,
        make: impl FnOnce(MessageId, MessageId) -> (Vec<Change>, T),
    ) where
        T: Weigh,
    {
        let mut queue = self.queue();
        let first = queue.clock.next(now);
        let second = queue.clock.next(now);
        let (changes, tag) = make(first, second);
        self.enqueue(queue, changes, tag);
    }

    fn enqueue(&self, mut queue: MutexGuard<'_, Queue<T>>, changes: Vec<Change>, tag: T)
    where
        T: Weigh,
    {
        if queue.is_over {
            drop(queue);
            return;
        }
        let changes_bytes: usize = changes.iter().map(Change::weight_bytes).sum();
        let weight_bytes = size_of::<Batch<T>>() + changes_bytes + tag.weight_bytes();
        queue.waiting_bytes += weight_bytes;
        queue.waiting.push(Batch {
            changes,
            weight_bytes,
            tag,
        });
        let is_first = queue.waiting.len() == 1;
        drop(queue);
        if is_first {
            self.shared.work.notify_one();
        }
    }

    /// Whether the caller should go on producing.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue().waiting_bytes <= self.shared.limits.queue_bytes
    }

    /// Ready when [`Journal::has_room`]. Each of those who ask has a `room` of
    /// their own.
    pub fn poll_room(&self, room: &mut Room, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.has_room() {
                room.waiting = None;
                return Poll::Ready(());
            }
            let Some(shorter) = &mut room.waiting else {
                // In this order: what is taken from the queue after this is not
                // missed, and what was taken before is seen by looking again.
                let notify = Arc::clone(&self.shared.room);
                room.waiting = Some(Box::pin(notify.notified_owned()));
                continue;
            };
            if shorter.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            room.waiting = None;
        }
    }

    /// Lets [`Journal::run`] return once everything queued is settled.
    pub fn close(&self) {
        self.queue().is_closed = true;
        self.shared.work.notify_all();
    }

    /// Commits what waits, one group after the other, until the journal is
    /// closed and empty. Blocks: give it a thread of its own. `settle` gets
    /// each group in order, after its commit is durable. If it panics, nothing is
    /// committed any more, and nobody waits for that.
    pub fn run(&self, mut engine: Engine, mut settle: impl FnMut(&mut Vec<Settled<T>>)) {
        let _ending = Ending(self);
        let mut settled = Vec::new();
        let mut tidiness = Tidiness::Untidy;
        loop {
            match self.next_turn(tidiness) {
                Turn::Commit => {
                    self.commit_group(&mut engine, &mut settled);
                    settle(&mut settled);
                    settled.clear();
                }
                Turn::Tidy => {}
                Turn::End => return,
            }
            tidiness = engine.tidy();
        }
    }

    /// One turn of [`Journal::run`] without waiting: commits one group and
    /// puts its notes into `settled`. Returns how many there were.
    pub fn commit_group(&self, engine: &mut Engine, settled: &mut Vec<Settled<T>>) -> usize {
        let group = self.take_group();
        let outcomes = engine.commit(group.iter().map(|batch| batch.changes.as_slice()));
        let count = group.len();
        settled.extend(
            group
                .into_iter()
                .zip(outcomes)
                .map(|(batch, outcome)| Settled {
                    tag: batch.tag,
                    outcome,
                }),
        );
        count
    }

    /// Waits until there is something to do, if there is not.
    fn next_turn(&self, tidiness: Tidiness) -> Turn {
        let is_idle = |queue: &mut Queue<T>| {
            tidiness == Tidiness::Tidy && queue.waiting.is_empty() && !queue.is_closed
        };
        let work = &self.shared.work;
        let queue = work.wait_while(self.queue(), is_idle);
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        if !queue.waiting.is_empty() {
            Turn::Commit
        } else if queue.is_closed {
            Turn::End
        } else {
            Turn::Tidy
        }
    }

    fn take_group(&self) -> Vec<Batch<T>> {
        let mut queue = self.queue();
        let most = self.shared.limits.commit_batches;
        let group = if queue.waiting.len() <= most {
            std::mem::take(&mut queue.waiting)
        } else {
            queue.waiting.drain(..most).collect()
        };
        queue.waiting_bytes -= group.iter().map(|batch| batch.weight_bytes).sum::<usize>();
        drop(queue);
        self.shared.room.notify_waiters();
        group
    }

    /// Drops what waits and what is still to come.
    fn give_up(&self) {
        let mut queue = self.queue();
        queue.is_over = true;
        queue.waiting_bytes = 0;
        let left = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(left);
        self.shared.room.notify_waiters();
    }

    /// Nothing done under this lock can panic half-way through an update, so a
    /// poisoned lock still holds a consistent queue.
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Journal::run`] does next.
enum Turn {
    /// Something waits.
    Commit,
    /// Nothing waits, and there is work that is not urgent.
    Tidy,
    /// The journal is closed and empty.
    End,
}

/// The end of [`Journal::run`], whether it returns or panics.
struct Ending<'a, T>(&'a Journal<T>);

impl<T> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryFlags, Expect, NewEntry, Page};
    use anser_jid::BareJid;
    use bytes::Bytes;
    use std::future::poll_fn;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn alice() -> BareJid {
        "alice@example.org".parse().unwrap()
    }

    impl Weigh for oneshot::Sender<()> {
        fn weight_bytes(&self) -> usize {
            0
        }
    }

    /// Whether somebody still answers.
    fn is_open(answer: &mut oneshot::Receiver<()>) -> bool {
        matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    #[test]
    fn nobody_waits_for_a_writer_that_has_ended() {
        for panics in [false, true] {
            let (engine, _) = Engine::memory();
            let journal = Journal::new(
                NodeId::default(),
                MessageId::FIRST,
                JournalLimits {
                    queue_bytes: 1,
                    commit_batches: 1,
                },
            );
            let append = || {
                let (sender, receiver) = oneshot::channel();
                journal.append(NOW, |id| (message(id), sender));
                receiver
            };
            let mut before = [append(), append()];
            assert!(before.iter_mut().all(is_open));
            journal.close();
            let writer = std::thread::spawn({
                let journal = journal.clone();
                move || journal.run(engine, |_| assert!(!panics, "a mistake"))
            });
            assert_eq!(writer.join().is_err(), panics);
            assert!(!before.iter_mut().any(is_open));
            assert!(!is_open(&mut append()));
            assert!(journal.has_room());
        }
    }

    impl Weigh for u32 {
        fn weight_bytes(&self) -> usize {
            0
        }
    }

    /// A note of so many bytes.
    struct Heavy(usize);

    impl Weigh for Heavy {
        fn weight_bytes(&self) -> usize {
            self.0
        }
    }

    fn journal(limits: JournalLimits) -> Journal<u32> {
        Journal::new(NodeId::default(), MessageId::FIRST, limits)
    }

    fn message(id: MessageId) -> Vec<Change> {
        vec![Change::Append {
            id,
            body: Bytes::from_static(b"hello"),
            entries: vec![NewEntry {
                owner: alice(),
                counterpart: alice(),
                flags: EntryFlags::NONE,
            }],
        }]
    }

    #[test]
    fn notes_come_back_in_the_order_of_appending_with_and_without_changes() {
        let (mut engine, _) = Engine::memory();
        let journal = journal(JournalLimits::default());
        for tag in 0..6 {
            journal.append(NOW, |id| {
                let changes = if tag % 2 == 0 {
                    message(id)
                } else {
                    Vec::new()
                };
                (changes, tag)
            });
        }
        let mut settled = Vec::new();
        assert_eq!(journal.commit_group(&mut engine, &mut settled), 6);
        assert!(settled.iter().all(|one| one.outcome.is_ok()));
        let tags: Vec<_> = settled.iter().map(|one| one.tag).collect();
        assert_eq!(tags, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_batch_whose_expectation_fails_takes_no_other_with_it() {
        let (mut engine, _) = Engine::memory();
        let journal = journal(JournalLimits::default());
        for tag in 0..3 {
            journal.append(NOW, |_| {
                let put = Change::Put {
                    owner: alice(),
                    kind: "account",
                    key: if tag == 2 { "b".into() } else { "a".into() },
                    value: Bytes::new(),
                    expect: Expect::Absent,
                };
                (vec![put], tag)
            });
        }
        let mut settled = Vec::new();
        journal.commit_group(&mut engine, &mut settled);
        let went_through: Vec<_> = settled.iter().map(|one| one.outcome.is_ok()).collect();
        assert_eq!(went_through, [true, false, true]);
    }

    #[test]
    fn a_group_is_bounded_and_the_rest_waits_its_turn() {
        let (mut engine, _) = Engine::memory();
        let journal = journal(JournalLimits {
            commit_batches: 2,
            ..JournalLimits::default()
        });
        for tag in 0..5 {
            journal.append(NOW, |id| (message(id), tag));
        }
        let mut settled = Vec::new();
        let mut sizes = Vec::new();
        for _ in 0..3 {
            sizes.push(journal.commit_group(&mut engine, &mut settled));
        }
        assert_eq!(sizes, [2, 2, 1]);
        assert!(settled.iter().map(|one| one.tag).eq(0..5));
    }

    #[test]
    fn what_comes_without_changes_takes_room_too() {
        let (mut engine, _) = Engine::memory();
        let limits = JournalLimits {
            queue_bytes: 10_000,
            ..JournalLimits::default()
        };
        let journal = Journal::new(NodeId::default(), MessageId::FIRST, limits);
        for _ in 0..3 {
            journal.append(NOW, |_| (Vec::new(), Heavy(3000)));
            assert!(journal.has_room());
        }
        journal.append(NOW, |_| (Vec::new(), Heavy(3000)));
        assert!(!journal.has_room());
        journal.commit_group(&mut engine, &mut Vec::new());
        assert!(journal.has_room());
    }

    #[tokio::test]
    async fn a_full_journal_has_room_again_after_a_commit() {
        let (mut engine, _) = Engine::memory();
        let journal = journal(JournalLimits {
            queue_bytes: 1,
            ..JournalLimits::default()
        });
        assert!(journal.has_room());
        journal.append(NOW, |id| (message(id), 0));
        assert!(!journal.has_room());
        let waiting = [(); 2].map(|()| {
            let (journal, mut room) = (journal.clone(), Room::default());
            tokio::spawn(poll_fn(move |context| {
                // Whoever asks twice waits in one place.
                let _ = journal.poll_room(&mut room, context);
                journal.poll_room(&mut room, context)
            }))
        });
        tokio::task::yield_now().await;
        assert!(!waiting.iter().any(JoinHandle::is_finished));
        journal.commit_group(&mut engine, &mut Vec::new());
        for waiting in waiting {
            waiting.await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_writer_thread_settles_everything_before_it_ends() {
        let (engine, store) = Engine::memory();
        let journal = journal(JournalLimits::default());
        let writer = std::thread::spawn({
            let journal = journal.clone();
            move || {
                let mut tags = Vec::new();
                journal.run(engine, |group| {
                    tags.extend(group.drain(..).map(|one| one.tag));
                });
                tags
            }
        });
        for tag in 0..1000 {
            journal.append(NOW, |id| (message(id), tag));
        }
        journal.close();
        assert!(writer.join().unwrap().into_iter().eq(0..1000));
        let log = store.read(|view| view.page(&alice(), &Page::oldest(2000)));
        let log = log.await.unwrap();
        assert_eq!(log.len(), 1000);
        assert!(log.is_sorted_by(|a, b| a.id < b.id));
    }
}
