//! A world left to chance: people who write to each other over connections that
//! break, while the disk takes its time and sometimes has no room. A seed tells
//! the whole story.
//!
//! Every message is numbered by its sender for each recipient. At the end, when
//! everybody has come back and everything has arrived, each account must have
//! every message that its sender saw acknowledged, once, in the order of the
//! numbers. Some devices ask for copies (XEP-0280); while their sessions last,
//! they must have both sides of every conversation, once and in the order of
//! the log.

mod device;
mod history;
mod person;
pub mod rooms;
mod scene;
mod seen;

use crate::world::{DOMAIN, Dice, World};
use anser_hub::{AccountsConfig, Message};
use anser_jid::BareJid;
use anser_store::{MessageId, Page};
use anser_xmpp::XmppConfig;
use person::Person;
use scene::Scene;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a run was like.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Messages that their senders saw acknowledged.
    pub acknowledged: usize,
    /// Messages that arrived.
    pub arrived: usize,
    /// Messages refused for want of room.
    pub refused: usize,
    /// Connections that broke.
    pub cuts: usize,
    /// Streams that went on in another connection.
    pub resumed: usize,
    /// Messages that sessions with copies had at the end, of those that they had
    /// to have.
    pub followed: usize,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.arrived += other.arrived;
        self.refused += other.refused;
        self.cuts += other.cuts;
        self.resumed += other.resumed;
        self.followed += other.followed;
    }
}

/// People in a world.
pub struct Simulation {
    scene: Scene<Person>,
    accounts: usize,
    figures: Figures,
}

/// What a store in memory has read: nothing has to be waited for.
fn at_once<T>(read: impl Future<Output = T>) -> T {
    match pin!(read).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

/// The places of the messages in somebody's log.
fn log_of(world: &World, name: &str) -> Vec<String> {
    let owner = BareJid::new(Some(name), DOMAIN).unwrap();
    let store = world.store().clone();
    let read = store.read(move |view| view.places(&owner, &Page::oldest(1_000_000)));
    let places = at_once(read).unwrap();
    places.iter().map(ToString::to_string).collect()
}

const NAMES: &[&str] = &["alice", "bob", "carol", "dave", "eve"];

impl Simulation {
    /// Two to ten devices of two to five people.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let accounts = 2 + dice.below(NAMES.len() - 1);
        let limits = AccountsConfig {
            // Small enough to be reached now and then.
            mailbox_events: 8 + u32::try_from(dice.below(60)).unwrap(),
            ..AccountsConfig::default()
        };
        let patience = XmppConfig {
            resume_seconds: 20,
            ping_seconds: 60,
            ping_timeout_seconds: 10,
            unacknowledged_stanzas: 3 + dice.below(30),
            ..XmppConfig::default()
        };
        let world = World::with_config(dice.roll(), &NAMES[..accounts], limits, patience);
        let mut people = Vec::new();
        for (account, name) in NAMES[..accounts].iter().enumerate() {
            for resource in ["phone", "laptop"].iter().take(1 + dice.below(2)) {
                people.push(Person::new(account, name, resource, accounts, &mut dice));
            }
        }
        Self {
            scene: Scene::new(dice, world, people),
            accounts,
            figures: Figures::default(),
        }
    }

    /// Lets `steps` things happen, then has everybody come back and everything
    /// arrive.
    ///
    /// # Panics
    /// A message was lost, doubled or out of order.
    pub fn run(mut self, steps: usize) -> (Figures, String) {
        for _ in 0..steps {
            self.step();
        }
        self.scene.world.space().grant(None);
        self.scene.come_to_rest();
        self.check();
        self.check_history();
        (self.figures, self.scene.transcript)
    }

    /// One thing happens.
    fn step(&mut self) {
        let scene = &mut self.scene;
        match scene.dice.below(100) {
            0..40 => scene.run_something(),
            40..48 => {
                let count = scene.commit();
                scene.note(format_args!("commit {count}"));
            }
            48..64 => scene.move_to_server(),
            64..80 => scene.move_to_client(),
            80..97 => self.somebody_acts(),
            97 => {
                let millis = scene.dice.below(3000) as u64;
                scene.pass(Duration::from_millis(millis));
            }
            98 if scene.dice.one_in(4) => {
                let seconds = scene.dice.below(40) as u64;
                scene.pass(Duration::from_secs(seconds));
            }
            _ => scene.fill_or_clear_disk(),
        }
    }

    fn somebody_acts(&mut self) {
        let scene = &mut self.scene;
        let who = scene.dice.below(scene.people.len());
        let person = &mut scene.people[who];
        if person.device.link().is_none() {
            return scene.connect(who);
        }
        match scene.dice.below(40) {
            0..24 => {
                let to = scene.dice.below(self.accounts);
                person.write(to, NAMES[to], &mut scene.dice);
            }
            24..32 => person.device.ask(),
            32..34 => person.change_presence(&mut scene.dice),
            37 => person.change_state(&mut scene.dice),
            34 => scene.break_connection(who),
            35 => scene.leave_connection(who),
            36 if scene.dice.one_in(3) => person.device.say_goodbye(),
            _ => scene.run_something(),
        }
    }

    fn check(&mut self) {
        for sender in 0..self.accounts {
            for recipient in 0..self.accounts {
                self.check_pair(sender, recipient);
            }
        }
        for who in 0..self.scene.people.len() {
            self.check_copies(who);
        }
        self.figures.cuts = self.scene.cuts;
        for person in &self.scene.people {
            self.figures.refused += person.refused();
            self.figures.resumed += person.device.resumed;
        }
    }

    /// Whoever gets copies has everything that was said since, on whatever device,
    /// but what they said themselves (XEP-0280 §2).
    fn check_copies(&mut self, who: usize) {
        let person = &self.scene.people[who];
        let since = person.seen().and_then(|seen| seen.complete_after.clone());
        let Some(since) = since else {
            return;
        };
        let log = log_of(&self.scene.world, NAMES[person.account]);
        let others: Vec<_> = log.into_iter().filter(|place| *place > since).collect();
        for place in others {
            let person = &self.scene.people[who];
            let seen = person.seen().is_some_and(|seen| seen.has(&place));
            assert!(
                seen || self.sender_of(&place) == person.device.address,
                "{place} did not come to {}\n{}",
                person.device.address,
                self.scene.transcript
            );
            self.figures.followed += usize::from(seen);
        }
    }

    /// Who has sent a message.
    fn sender_of(&self, place: &str) -> String {
        let place: MessageId = place.parse().unwrap();
        let store = self.scene.world.store().clone();
        let read = store.read(move |view| view.messages(&[place]));
        let (_, body) = at_once(read).unwrap().pop().unwrap();
        Message::decode(body).unwrap().from().to_string()
    }

    /// What one account has written to another.
    fn check_pair(&mut self, sender: usize, recipient: usize) {
        let people = &self.scene.people;
        let senders = people.iter().filter(|person| person.account == sender);
        for device in senders {
            let mut places = BTreeMap::new();
            let devices = people.iter().filter(|person| person.account == recipient);
            for reader in devices {
                for (number, place) in reader.copies_from(&device.device.address) {
                    let first = places.insert(*number, place.clone());
                    assert!(first.is_none_or(|first| first == *place));
                }
                // Order is promised between two addresses (RFC 6120 §10.1).
                let mut last = BTreeMap::new();
                for arrival in reader.arrivals_from(&device.device.address) {
                    let number = arrival.number;
                    let before = last.insert(arrival.to.clone(), number);
                    assert!(
                        before.is_none_or(|before| number > before),
                        "{} got {number} after {before:?} from {} for {}\n{}",
                        reader.device.address,
                        device.device.address,
                        arrival.to,
                        self.scene.transcript
                    );
                    let place = arrival.place.clone();
                    let first = places.insert(number, place.clone());
                    assert!(
                        first.is_none_or(|first| first == place),
                        "{number} from {} is twice in the log of {}\n{}",
                        device.device.address,
                        reader.device.address,
                        self.scene.transcript
                    );
                }
            }
            for number in device.acknowledged_to(recipient) {
                assert!(
                    places.contains_key(&number),
                    "{number} from {} to {recipient} was acknowledged and is lost\n{}",
                    device.device.address,
                    self.scene.transcript
                );
                self.figures.acknowledged += 1;
            }
            for number in device.refused_to(recipient) {
                assert!(
                    !places.contains_key(&number),
                    "{number} from {} to {recipient} was refused and came all the same\n{}",
                    device.device.address,
                    self.scene.transcript
                );
            }
            self.figures.arrived += places.len();
        }
    }
}
