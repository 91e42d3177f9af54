//! Rooms left to chance: people who come, speak, decide over each other and
//! leave, over connections that break, while the disk takes its time and
//! sometimes has no room.
//!
//! Each client keeps its own view of each room from nothing but the stanzas that
//! it received. At the end all views must agree with the room and with the log.

mod deeds;
mod guest;
mod ledger;
mod plan;
mod verdict;
mod view;
mod whispers;

use super::device::Management;
use super::scene::Scene;
use crate::world::{Dice, World};
use anser_hub::AccountsConfig;
use anser_store::JournalLimits;
use anser_xmpp::XmppConfig;
use guest::Guest;
use ledger::Ledger;
use plan::Plan;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What a run was like.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Visits of a device to a room.
    pub visits: usize,
    /// Messages that their senders saw acknowledged.
    pub acknowledged: usize,
    /// Messages in the logs, of rooms that are no more too.
    pub logged: usize,
    /// Messages that somebody heard, once for each device.
    pub heard: usize,
    /// Messages to one occupant alone that came there.
    pub whispered: usize,
    /// Messages that were refused.
    pub refused: usize,
    /// Events of which several devices had to agree when they happened.
    pub compared: usize,
    /// Rooms that ended.
    pub ended: usize,
    /// Times that a room was kept and not in memory.
    pub unloaded: usize,
    /// Connections that broke.
    pub cuts: usize,
    /// Streams that went on in another connection.
    pub resumed: usize,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.visits += other.visits;
        self.acknowledged += other.acknowledged;
        self.logged += other.logged;
        self.heard += other.heard;
        self.whispered += other.whispered;
        self.refused += other.refused;
        self.compared += other.compared;
        self.ended += other.ended;
        self.unloaded += other.unloaded;
        self.cuts += other.cuts;
        self.resumed += other.resumed;
    }
}

/// People and rooms in a world.
pub struct RoomsSimulation {
    scene: Scene<Guest>,
    plans: Rc<[Plan]>,
    ledger: Rc<RefCell<Ledger>>,
    figures: Figures,
}

const NAMES: &[&str] = &["alice", "bob", "carol", "dave"];

impl RoomsSimulation {
    /// Two to eight devices of two to four people, and two or three rooms.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let accounts = 2 + dice.below(NAMES.len() - 1);
        let plans: Rc<[Plan]> = Plan::roll_all(&mut dice).into();
        let limits = AccountsConfig {
            // Small enough to be reached now and then.
            mailbox_events: 30 + u32::try_from(dice.below(90)).unwrap(),
            ..AccountsConfig::default()
        };
        let patience = XmppConfig {
            resume_seconds: 20,
            ping_seconds: 60,
            ping_timeout_seconds: 10,
            unacknowledged_stanzas: 10 + dice.below(60),
            ..XmppConfig::default()
        };
        // So that the log is seen after every single change.
        let one_by_one = JournalLimits {
            commit_batches: 1,
            ..JournalLimits::default()
        };
        let seed = dice.roll();
        let world = World::with_limits(seed, &NAMES[..accounts], limits, patience, one_by_one);
        let mut people = Vec::new();
        for name in &NAMES[..accounts] {
            for resource in ["phone", "laptop"].iter().take(1 + dice.below(2)) {
                let management = match dice.one_in(4) {
                    true => Management::Off,
                    false => Management::On,
                };
                let who = people.len();
                people.push(Guest::new(who, name, resource, management, &plans));
            }
        }
        let ledger = Rc::new(RefCell::new(Ledger::new(&plans)));
        let mut scene = Scene::new(dice, world, people);
        scene.most_bytes = 3000;
        let watching = Rc::clone(&ledger);
        scene.watch = Box::new(move |world| watching.borrow_mut().watch(world));
        Self {
            scene,
            plans,
            ledger,
            figures: Figures::default(),
        }
    }

    /// Lets `steps` things happen, then has everybody come back and everything
    /// arrive.
    ///
    /// # Panics
    /// Somebody saw what they should not have seen, or did not see what they
    /// should have.
    pub fn run(mut self, steps: usize) -> (Figures, String) {
        for _ in 0..steps {
            self.step();
            self.complain();
        }
        self.scene.world.space().grant(None);
        self.scene.come_to_rest();
        for guest in &mut self.scene.people {
            guest.wake();
            guest.ask_whether_inside();
        }
        self.scene.until_nothing_moves();
        self.complain();
        self.judge();
        (self.figures, self.scene.transcript)
    }

    /// Ends the story at the first thing that somebody saw and should not have.
    fn complain(&self) {
        for guest in &self.scene.people {
            if let Some(fault) = &guest.fault {
                panic!("{fault}\n{}", self.scene.transcript);
            }
        }
    }

    /// One thing happens.
    fn step(&mut self) {
        let scene = &mut self.scene;
        match scene.dice.below(100) {
            0..36 => scene.run_something(),
            36..46 => {
                let count = scene.commit();
                scene.note(format_args!("commit {count}"));
            }
            46..60 => scene.move_to_server(),
            60..77 => scene.move_to_client(),
            77..97 => self.somebody_acts(),
            97 => {
                let millis = scene.dice.below(3000) as u64;
                self.pass(Duration::from_millis(millis));
            }
            98 if scene.dice.one_in(3) => {
                let seconds = scene.dice.below(70) as u64;
                self.pass(Duration::from_secs(seconds));
            }
            _ => scene.fill_or_clear_disk(),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.scene.pass(time);
        let in_memory = self.scene.world.hub().room_count();
        let kept = self.ledger.borrow().rooms_kept();
        self.figures.unloaded += kept.saturating_sub(in_memory);
    }

    fn somebody_acts(&mut self) {
        let scene = &mut self.scene;
        let who = scene.dice.below(scene.people.len());
        let guest = &mut scene.people[who];
        if guest.device.link().is_none() {
            return scene.connect(who);
        }
        match scene.dice.below(60) {
            0..46 => guest.act(&mut scene.dice),
            46..52 => guest.device.ask(),
            52 if scene.dice.one_in(3) => guest.change_presence(&mut scene.dice),
            53 if scene.dice.one_in(3) => scene.break_connection(who),
            54 if scene.dice.one_in(3) => scene.leave_connection(who),
            56 => guest.change_state(&mut scene.dice),
            55 if scene.dice.one_in(6) => guest.device.say_goodbye(),
            _ => scene.run_something(),
        }
    }
}
