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

mod history;
mod person;
mod seen;

use crate::script::PLAINTEXT;
use crate::world::{DOMAIN, Dice, World};
use anser_hub::{AccountsConfig, Message};
use anser_jid::BareJid;
use anser_store::{MessageId, Page};
use anser_xmpp::XmppConfig;
use person::Person;
use std::collections::BTreeMap;
use std::fmt::Write;
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
    dice: Dice,
    world: World,
    people: Vec<Person>,
    accounts: usize,
    /// Everything that happened, one line each.
    pub transcript: String,
    figures: Figures,
}

/// What a store in memory has read: nothing has to be waited for.
fn at_once<T>(read: impl Future<Output = T>) -> T {
    match pin!(read).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
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
            dice,
            world,
            people,
            accounts,
            transcript: String::new(),
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
        self.world.space().grant(None);
        self.come_to_rest();
        self.check();
        self.check_history();
        (self.figures, self.transcript)
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        writeln!(self.transcript, "{what}").unwrap();
    }

    /// One thing happens.
    fn step(&mut self) {
        match self.dice.below(100) {
            0..40 => self.run_something(),
            40..48 => {
                let count = self.world.commit();
                self.note(format_args!("commit {count}"));
            }
            48..64 => self.move_to_server(),
            64..80 => self.move_to_client(),
            80..97 => self.somebody_acts(),
            97 => {
                let millis = self.dice.below(3000) as u64;
                self.pass(Duration::from_millis(millis));
            }
            98 if self.dice.one_in(4) => {
                let seconds = self.dice.below(40) as u64;
                self.pass(Duration::from_secs(seconds));
            }
            _ => {
                let is_full = self.dice.one_in(5);
                self.world.space().grant(is_full.then_some(0));
                self.note(format_args!("disk full: {is_full}"));
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.world.pass(time);
        self.note(format_args!("{time:?} pass"));
    }

    fn run_something(&mut self) {
        let awake = self.world.awake();
        if awake > 0 {
            let choice = self.dice.below(awake);
            self.world.run(choice);
            self.note(format_args!("task {choice} of {awake}"));
        }
    }

    /// Some of what a client has sent arrives, cut anywhere.
    fn move_to_server(&mut self) {
        let who = self.dice.below(self.people.len());
        let size = 1 + self.dice.below(400);
        let Some((link, bytes)) = self.people[who].take_outgoing(size) else {
            return;
        };
        self.world.arrive(link, &bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.note(format_args!("{who} > {text}"));
    }

    /// Some of what the server has sent arrives.
    fn move_to_client(&mut self) {
        let who = self.dice.below(self.people.len());
        let size = 1 + self.dice.below(400);
        self.bring(who, size);
    }

    /// Brings up to `size` bytes to a client; says whether there were any.
    fn bring(&mut self, who: usize, size: usize) -> bool {
        let person = &mut self.people[who];
        let Some(link) = person.link() else {
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
        person.receive(&bytes, &mut self.dice);
        if person.begins_to_be_complete() {
            let account = person.account;
            let newest = self.log_of(account).pop().unwrap_or_default();
            self.people[who].is_complete_after(newest);
        }
        if is_over {
            self.people[who].disconnected();
        }
        size > 0
    }

    /// The places of the messages in an account's log.
    fn log_of(&self, account: usize) -> Vec<String> {
        let owner = BareJid::new(Some(NAMES[account]), DOMAIN).unwrap();
        let store = self.world.store().clone();
        let read = store.read(move |view| view.places(&owner, &Page::oldest(1_000_000)));
        let places = at_once(read).unwrap();
        places.iter().map(ToString::to_string).collect()
    }

    fn somebody_acts(&mut self) {
        let who = self.dice.below(self.people.len());
        if self.people[who].link().is_none() {
            return self.connect(who);
        }
        match self.dice.below(40) {
            0..24 => {
                let to = self.dice.below(self.accounts);
                let name = NAMES[to];
                self.people[who].write(to, name, &mut self.dice);
            }
            24..32 => self.people[who].ask(),
            32..34 => self.people[who].change_presence(&mut self.dice),
            37 => self.people[who].change_state(&mut self.dice),
            34 => self.break_connection(who),
            35 => self.leave_connection(who),
            36 if self.dice.one_in(3) => self.people[who].say_goodbye(),
            _ => self.run_something(),
        }
    }

    fn connect(&mut self, who: usize) {
        let link = self.world.connect(PLAINTEXT);
        self.people[who].connected(link);
        self.note(format_args!("{who} connects"));
    }

    /// Both sides notice.
    fn break_connection(&mut self, who: usize) {
        if let Some(link) = self.people[who].link() {
            self.figures.cuts += 1;
            self.world.cut(link);
            self.people[who].disconnected();
            self.note(format_args!("{who} is cut off"));
        }
    }

    /// Only the client notices: the server goes on talking to nobody.
    fn leave_connection(&mut self, who: usize) {
        if self.people[who].link().is_some() {
            self.figures.cuts += 1;
            self.people[who].disconnected();
            self.note(format_args!("{who} is gone"));
        }
    }

    /// Everybody comes back and stays. What waits for a deadline comes, down to
    /// the end of the streams that nobody came back to.
    fn come_to_rest(&mut self) {
        for _ in 0..4 {
            self.until_nothing_moves();
            self.pass(Duration::from_secs(15));
            for person in &mut self.people {
                person.ask();
            }
        }
        self.until_nothing_moves();
    }

    fn until_nothing_moves(&mut self) {
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
            if self.people[who].link().is_none() {
                self.connect(who);
                moved = true;
            }
            self.people[who].stay();
            while let Some((link, bytes)) = self.people[who].take_outgoing(usize::MAX) {
                self.world.arrive(link, &bytes);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.note(format_args!("{who} > {text}"));
                moved = true;
            }
        }
        self.world.settle();
        for who in 0..self.people.len() {
            moved |= self.bring(who, usize::MAX);
        }
        moved
    }

    fn check(&mut self) {
        for sender in 0..self.accounts {
            for recipient in 0..self.accounts {
                self.check_pair(sender, recipient);
            }
        }
        for who in 0..self.people.len() {
            self.check_copies(who);
        }
        for person in &self.people {
            self.figures.refused += person.refused();
            self.figures.resumed += person.resumed;
        }
    }

    /// Whoever gets copies has everything that was said since, on whatever device,
    /// but what they said themselves (XEP-0280 §2).
    fn check_copies(&mut self, who: usize) {
        let person = &self.people[who];
        let since = person.seen().and_then(|seen| seen.complete_after.clone());
        let Some(since) = since else {
            return;
        };
        let log = self.log_of(person.account);
        let others: Vec<_> = log.into_iter().filter(|place| *place > since).collect();
        for place in others {
            let person = &self.people[who];
            let seen = person.seen().is_some_and(|seen| seen.has(&place));
            assert!(
                seen || self.sender_of(&place) == person.address,
                "{place} did not come to {}\n{}",
                person.address,
                self.transcript
            );
            self.figures.followed += usize::from(seen);
        }
    }

    /// Who has sent a message.
    fn sender_of(&self, place: &str) -> String {
        let place: MessageId = place.parse().unwrap();
        let store = self.world.store().clone();
        let read = store.read(move |view| view.messages(&[place]));
        let (_, body) = at_once(read).unwrap().pop().unwrap();
        Message::decode(body).unwrap().from().to_string()
    }

    /// What one account has written to another.
    fn check_pair(&mut self, sender: usize, recipient: usize) {
        let senders = self.people.iter().filter(|person| person.account == sender);
        for device in senders {
            let mut places = BTreeMap::new();
            let devices = self
                .people
                .iter()
                .filter(|person| person.account == recipient);
            for reader in devices {
                for (number, place) in reader.copies_from(&device.address) {
                    let first = places.insert(*number, place.clone());
                    assert!(first.is_none_or(|first| first == *place));
                }
                // Order is promised between two addresses (RFC 6120 §10.1).
                let mut last = BTreeMap::new();
                for arrival in reader.arrivals_from(&device.address) {
                    let number = arrival.number;
                    let before = last.insert(arrival.to.clone(), number);
                    assert!(
                        before.is_none_or(|before| number > before),
                        "{} got {number} after {before:?} from {} for {}\n{}",
                        reader.address,
                        device.address,
                        arrival.to,
                        self.transcript
                    );
                    let place = arrival.place.clone();
                    let first = places.insert(number, place.clone());
                    assert!(
                        first.is_none_or(|first| first == place),
                        "{number} from {} is twice in the log of {}\n{}",
                        device.address,
                        reader.address,
                        self.transcript
                    );
                }
            }
            for number in device.acknowledged_to(recipient) {
                assert!(
                    places.contains_key(&number),
                    "{number} from {} to {recipient} was acknowledged and is lost\n{}",
                    device.address,
                    self.transcript
                );
                self.figures.acknowledged += 1;
            }
            for number in device.refused_to(recipient) {
                assert!(
                    !places.contains_key(&number),
                    "{number} from {} to {recipient} was refused and came all the same\n{}",
                    device.address,
                    self.transcript
                );
            }
            self.figures.arrived += places.len();
        }
    }
}
