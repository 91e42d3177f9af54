//! What all stories have in common: connections, bytes that arrive in pieces, a
//! disk, and time.

use super::device::{Device, News};
use crate::script::PLAINTEXT;
use crate::world::{Dice, World};
use std::fmt::Write;
use std::time::Duration;

/// Somebody in a world, with a device.
pub(super) trait Client {
    /// What names something that was sent.
    type Name: Clone;

    fn device(&mut self) -> &mut Device<Self::Name>;

    /// Their device has something to tell them.
    fn hear(&mut self, news: News<Self::Name>, dice: &mut Dice);

    /// They look at the world after what they have heard.
    fn look(&mut self, _world: &World) {}
}

/// People in a world.
pub(super) struct Scene<C> {
    pub(super) dice: Dice,
    pub(super) world: World,
    pub(super) people: Vec<C>,
    /// Everything that happened, one line each.
    pub(super) transcript: String,
    /// Connections that broke.
    pub(super) cuts: usize,
    /// So much of what is under way arrives at a time.
    pub(super) most_bytes: usize,
    /// Looks at the world after each commit.
    pub(super) watch: Box<dyn FnMut(&World)>,
}

impl<C: Client> Scene<C> {
    pub(super) fn new(dice: Dice, world: World, people: Vec<C>) -> Self {
        Self {
            dice,
            world,
            people,
            transcript: String::new(),
            cuts: 0,
            most_bytes: 400,
            watch: Box::new(|_| {}),
        }
    }

    pub(super) fn commit(&mut self) -> usize {
        let count = self.world.commit();
        (self.watch)(&self.world);
        count
    }

    /// Whether the disk is full now is another roll of the dice.
    pub(super) fn fill_or_clear_disk(&mut self) {
        let is_full = self.dice.one_in(5);
        self.world.space().grant(is_full.then_some(0));
        self.note(format_args!("disk full: {is_full}"));
    }

    fn settle(&mut self) {
        loop {
            if self.world.awake() > 0 {
                self.world.run(0);
            } else if self.commit() == 0 {
                return;
            }
        }
    }

    pub(super) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        writeln!(self.transcript, "{what}").unwrap();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.world.pass(time);
        self.note(format_args!("{time:?} pass"));
    }

    pub(super) fn run_something(&mut self) {
        let awake = self.world.awake();
        if awake > 0 {
            let choice = self.dice.below(awake);
            self.world.run(choice);
            self.note(format_args!("task {choice} of {awake}"));
        }
    }

    /// Some of what a client has sent arrives, cut anywhere.
    pub(super) fn move_to_server(&mut self) {
        let who = self.dice.below(self.people.len());
        let size = 1 + self.dice.below(self.most_bytes);
        let Some((link, bytes)) = self.people[who].device().take_outgoing(size) else {
            return;
        };
        self.world.arrive(link, &bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.note(format_args!("{who} > {text}"));
    }

    /// Some of what the server has sent arrives.
    pub(super) fn move_to_client(&mut self) {
        let who = self.dice.below(self.people.len());
        let size = 1 + self.dice.below(self.most_bytes);
        self.bring(who, size);
    }

    /// Brings up to `size` bytes to a client; says whether there were any.
    fn bring(&mut self, who: usize, size: usize) -> bool {
        let person = &mut self.people[who];
        let Some(link) = person.device().link() else {
            return false;
        };
        let mut wire = self.world.link(link);
        let size = size.min(wire.outbound.len());
        let bytes = wire.outbound.split_to(size);
        let is_over = wire.is_closed && wire.outbound.is_empty();
        drop(wire);
        if size > 0 {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.note(format_args!("{who} < {text}"));
        }
        let person = &mut self.people[who];
        for news in person.device().receive(&bytes, &mut self.dice) {
            person.hear(news, &mut self.dice);
        }
        person.look(&self.world);
        if is_over {
            self.people[who].device().disconnected();
        }
        size > 0
    }

    pub(super) fn connect(&mut self, who: usize) {
        let link = self.world.connect(PLAINTEXT);
        self.people[who].device().connected(link);
        self.note(format_args!("{who} connects"));
    }

    /// Both sides notice.
    pub(super) fn break_connection(&mut self, who: usize) {
        if let Some(link) = self.people[who].device().link() {
            self.cuts += 1;
            self.world.cut(link);
            self.people[who].device().disconnected();
            self.note(format_args!("{who} is cut off"));
        }
    }

    /// Only the client notices: the server goes on talking to nobody.
    pub(super) fn leave_connection(&mut self, who: usize) {
        if self.people[who].device().link().is_some() {
            self.cuts += 1;
            self.people[who].device().disconnected();
            self.note(format_args!("{who} is gone"));
        }
    }

    /// Everybody comes back and stays. What waits for a deadline comes, down to
    /// the end of the streams that nobody came back to.
    pub(super) fn come_to_rest(&mut self) {
        for _ in 0..4 {
            self.until_nothing_moves();
            self.pass(Duration::from_secs(15));
            for person in &mut self.people {
                person.device().ask();
            }
        }
        self.until_nothing_moves();
    }

    pub(super) fn until_nothing_moves(&mut self) {
        for _ in 0..10_000 {
            if !self.everything_moves() {
                return;
            }
        }
        panic!("the world does not come to rest\n{}", self.transcript);
    }

    fn everything_moves(&mut self) -> bool {
        let mut moved = false;
        for who in 0..self.people.len() {
            if self.people[who].device().link().is_none() {
                self.connect(who);
                moved = true;
            }
            self.people[who].device().stay();
            while let Some((link, bytes)) = self.people[who].device().take_outgoing(usize::MAX) {
                self.world.arrive(link, &bytes);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.note(format_args!("{who} > {text}"));
                moved = true;
            }
        }
        self.settle();
        for who in 0..self.people.len() {
            moved |= self.bring(who, usize::MAX);
        }
        moved
    }
}
