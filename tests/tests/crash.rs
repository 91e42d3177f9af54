//! Acknowledged means durable: killed at random moments under load,
//! the server loses nothing that it has acknowledged (XEP-0198 §4), and gives
//! nothing out twice.
//!
//! Two people are written to by fifty. One reads whenever the server runs, the
//! other only when all is over. After each crash the database is searched too.
//!
//! `ANSER_CRASHES` says how often the server is killed, `ANSER_SEED` when.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::Message;
use anser_jid::BareJid;
use anser_store::{MessageId, Page};
use anser_tests::client::{Client, Fault, Way};
use anser_tests::crash::{Random, Remains, assert_crashed, setting, wait_for_the_moment};
use anser_tests::program::Anser;
use anser_xml::Element;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::mpsc::{self, Sender};
use std::thread;

const SENDERS: u32 = 50;
/// Reads whenever the server runs.
const READER: &str = "reader@localhost";
/// Reads when all is over.
const SLEEPER: &str = "sleeper@localhost";
const RECIPIENTS: [&str; 2] = [READER, SLEEPER];

/// As much may wait for somebody as the test can bring about; passwords are
/// hashed as seldom as the rules allow.
const CONFIG: &str = "
[accounts]
waiting_messages = 10000000
mailbox_events = 10000000
mailbox_bytes = 1000000000
[auth]
scram_iterations = 4096
";

/// Who sent a message, and the how manieth of theirs it is.
type Name = (u32, u32);

#[test]
fn what_was_acknowledged_is_there_exactly_once_after_every_crash() {
    let mut random = Random(setting("ANSER_SEED", 1));
    let mut world = World::new();
    for _ in 0..setting("ANSER_CRASHES", 4) {
        world.live(&mut random);
        world.search_logs();
        world.anser.restart();
    }
    world.read_the_rest();
    world.anser.kill();
    world.search_logs();
    world.judge();
}

/// The server and what is known of every message.
struct World {
    anser: Anser,
    crashes: u32,
    /// How many messages each sender has sent.
    sent: Vec<u32>,
    acknowledged: BTreeSet<Name>,
    logs: Vec<Log>,
    given: Vec<Given>,
}

/// What a recipient's log has.
#[derive(Default)]
struct Log {
    /// Searched up to here.
    through: MessageId,
    found: BTreeMap<Name, u32>,
    newest: BTreeMap<u32, u32>,
    out_of_order: u32,
}

/// What a recipient has been given.
#[derive(Default)]
struct Given {
    /// By the ids of the messages in the log.
    seen: BTreeMap<String, Name>,
    names: BTreeMap<Name, u32>,
    newest: BTreeMap<u32, u32>,
    out_of_order: u32,
    /// Once more with the id that it had before: a crash may take back that the
    /// recipient had taken it, and the id is how clients know (XEP-0359 §1).
    again: u32,
}

impl World {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("anser.toml");
        fs::write(&config, CONFIG).unwrap();
        let config = config.to_str().unwrap().to_owned();
        let arguments = ["--config", &config, "--allow-plaintext-login"];
        let anser = Anser::start_in(data, &arguments);
        let senders = (0..SENDERS).map(address);
        let everybody = senders.chain(RECIPIENTS.map(str::to_owned));
        let lines: String = everybody.map(|one| format!("{one} secret\n")).collect();
        let batch = anser.data().join("accounts.txt");
        fs::write(&batch, lines).unwrap();
        let batch = batch.to_str().unwrap();
        let add = ["user", "add", "--config", &config, "--batch", batch];
        anser.command(&add, "").succeeded();
        Self {
            anser,
            crashes: 0,
            sent: vec![0; SENDERS as usize],
            acknowledged: BTreeSet::new(),
            logs: RECIPIENTS.map(|_| Log::default()).into(),
            given: RECIPIENTS.map(|_| Given::default()).into(),
        }
    }

    /// From a start to the next crash.
    fn live(&mut self, random: &mut Random) {
        let way = self.anser.plain();
        let (tell, told) = mpsc::channel();
        let Self { anser, sent, .. } = self;
        let (lives, read) = thread::scope(|scope| {
            let way = &way;
            let senders: Vec<_> = (0..SENDERS)
                .zip(sent.iter().copied())
                .map(|(sender, first)| {
                    let (random, tell) = (Random(random.next()), tell.clone());
                    scope.spawn(move || {
                        let mut life = Life::new(sender, first, random);
                        let end = life.run(way, &tell);
                        (life, end)
                    })
                })
                .collect();
            let reader = scope.spawn(move || read(way, READER, |_| false));
            drop(tell);
            wait_for_the_moment(&told, random);
            anser.kill();
            let lives: Vec<_> = senders
                .into_iter()
                .map(|life| life.join().unwrap())
                .collect();
            (lives, reader.join().unwrap())
        });
        self.crashes += 1;
        for (life, end) in lives {
            assert_crashed(&end);
            self.sent[life.sender as usize] = life.first + life.sent;
            let acknowledged = life.first..life.first + life.acknowledged;
            let names = acknowledged.map(|number| (life.sender, number));
            self.acknowledged.extend(names);
        }
        let (messages, end) = read;
        assert_crashed(&end);
        self.given[0].add(&messages);
    }

    /// The server runs in peace, and both read what there is.
    fn read_the_rest(&mut self) {
        let way = self.anser.plain();
        let mut last = Client::log_in(&way, &address(0), "secret").unwrap();
        for (recipient, given) in RECIPIENTS.into_iter().zip(&mut self.given) {
            last.send(&message(recipient, (SENDERS, 0))).unwrap();
            let is_last = |name: &Name| name.0 == SENDERS;
            let (messages, end) = read(&way, recipient, is_last);
            assert!(end.is_none(), "{end:?}");
            given.add(&messages);
        }
    }

    /// Looks at what a restart will find, without touching it.
    fn search_logs(&mut self) {
        let remains = Remains::of(self.anser.data());
        for (recipient, log) in RECIPIENTS.into_iter().zip(&mut self.logs) {
            log.search(&remains, recipient);
        }
        let lost = self.lost();
        let some = &lost[..lost.len().min(10)];
        assert!(some.is_empty(), "lost: {some:?}…\n{}", self.figures());
    }

    /// What was acknowledged and is not where it belongs.
    fn lost(&self) -> Vec<Name> {
        let is_lost = |name: &&Name| !self.logs[recipient(name.1)].found.contains_key(*name);
        self.acknowledged.iter().filter(is_lost).copied().collect()
    }

    /// All that was counted, for people.
    fn figures(&self) -> String {
        let mut text = format!(
            "{} crashes: {} sent, {} acknowledged, {} of these lost\n",
            self.crashes,
            self.sent.iter().sum::<u32>(),
            self.acknowledged.len(),
            self.lost().len(),
        );
        for ((account, log), given) in RECIPIENTS.iter().zip(&self.logs).zip(&self.given) {
            text += &format!(
                "{account}: {} in the log, {} doubled, {} out of order; \
                 {} given, {} doubled, {} out of order, {} again after a crash\n",
                log.found.len(),
                doubled(&log.found),
                log.out_of_order,
                given.names.len(),
                doubled(&given.names),
                given.out_of_order,
                given.again,
            );
        }
        text
    }

    /// The end: everything is where it belongs, once and in order.
    fn judge(&self) {
        let figures = self.figures();
        println!("{figures}");
        assert!(!self.acknowledged.is_empty());
        for (recipient, (log, given)) in self.logs.iter().zip(&self.given).enumerate() {
            assert_eq!((doubled(&log.found), log.out_of_order), (0, 0), "{figures}");
            assert_eq!(
                (doubled(&given.names), given.out_of_order),
                (0, 0),
                "{figures}"
            );
            assert!(given.names.keys().eq(log.found.keys()), "{figures}");
            let is_here = |name: &Name| self::recipient(name.1) == recipient;
            assert!(log.found.keys().all(is_here), "{figures}");
        }
        // Nothing has crashed since the sleeper came.
        assert_eq!(self.given[1].again, 0, "{figures}");
    }
}

fn doubled(found: &BTreeMap<Name, u32>) -> usize {
    found.values().filter(|count| **count > 1).count()
}

/// One sender's session.
struct Life {
    sender: u32,
    /// The number of its first message.
    first: u32,
    sent: u32,
    acknowledged: u32,
    random: Random,
}

impl Life {
    fn new(sender: u32, first: u32, random: Random) -> Self {
        Self {
            sender,
            first,
            sent: 0,
            acknowledged: 0,
            random,
        }
    }

    /// Sends as fast as the server acknowledges, until that is no more.
    fn run(&mut self, way: &Way, acknowledged: &Sender<()>) -> Option<Fault> {
        let mut run = || -> Result<(), Fault> {
            let mut client = Client::log_in(way, &address(self.sender), "secret")?;
            client.enable_management(false)?;
            loop {
                for _ in 0..=self.random.below(5) {
                    let number = self.first + self.sent;
                    // What is being written when the server dies may have arrived.
                    self.sent += 1;
                    let to = RECIPIENTS[recipient(number)];
                    client.send(&message(to, (self.sender, number)))?;
                }
                client.ask()?;
                while self.acknowledged < self.sent {
                    let answer = client.next()?;
                    assert_eq!(answer.name(), "a", "sender {}", self.sender);
                    self.acknowledged = answer.attribute("h").unwrap().parse().unwrap();
                    // Nobody listens any more once it is time for the crash.
                    let _ = acknowledged.send(());
                }
            }
        };
        run().err()
    }
}

/// A message that was received: its id in the log, and which it is.
type Received = (String, Name);

/// Takes messages, and acknowledges them, until one is the last, or the server
/// is no more.
fn read(
    way: &Way,
    account: &str,
    is_last: impl Fn(&Name) -> bool,
) -> (Vec<Received>, Option<Fault>) {
    let mut messages = Vec::new();
    let mut read = || -> Result<(), Fault> {
        let mut client = Client::log_in(way, account, "secret")?;
        client.enable_management(false)?;
        client.send("<presence/>")?;
        loop {
            let stanza = client.next()?;
            match stanza.name() {
                "message" => {
                    let message = received(&stanza);
                    let is_last = is_last(&message.1);
                    if is_last {
                        client.acknowledge()?;
                        return client.close();
                    }
                    messages.push(message);
                    if messages.len() % 20 == 0 {
                        client.acknowledge()?;
                    }
                }
                "r" => client.acknowledge()?,
                _ => {}
            }
        }
    };
    let end = read().err();
    (messages, end)
}

fn received(stanza: &Element) -> Received {
    let id = stanza.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let body = stanza.child("jabber:client", "body").unwrap();
    (id.attribute("id").unwrap().into_owned(), name(&body.text()))
}

impl Given {
    /// Adds what came in one session.
    fn add(&mut self, messages: &[Received]) {
        for (id, name) in messages {
            if self.seen.insert(id.clone(), *name).is_some() {
                self.again += 1;
                continue;
            }
            *self.names.entry(*name).or_default() += 1;
            let newest = self.newest.entry(name.0).or_insert(name.1);
            self.out_of_order += u32::from(name.1 < *newest);
            *newest = name.1;
        }
        let ids: BTreeSet<_> = messages.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), messages.len(), "twice in one session");
    }
}

impl Log {
    /// Reads on in a recipient's log.
    fn search(&mut self, remains: &Remains, recipient: &str) {
        let owner: BareJid = recipient.parse().unwrap();
        let page = Page {
            after: self.through,
            ..Page::oldest(usize::MAX >> 1)
        };
        let entries = remains.read(move |view| view.page(&owner, &page));
        for entry in entries {
            self.through = entry.id;
            let message = Message::decode(entry.body).unwrap();
            let payload = String::from_utf8(message.payload().to_vec()).unwrap();
            self.add(name(payload.split(['<', '>']).nth(2).unwrap()));
        }
    }

    fn add(&mut self, name: Name) {
        if name.0 == SENDERS {
            return;
        }
        *self.found.entry(name).or_default() += 1;
        let newest = self.newest.entry(name.0).or_insert(name.1);
        self.out_of_order += u32::from(name.1 < *newest);
        *newest = name.1;
    }
}

fn address(sender: u32) -> String {
    format!("sender{sender}@localhost")
}

/// To whom the message of this number goes: everybody writes to both in turn.
fn recipient(number: u32) -> usize {
    number as usize % RECIPIENTS.len()
}

fn message(to: &str, (sender, number): Name) -> String {
    format!("<message to='{to}' type='chat'><body>{sender} {number}</body></message>")
}

/// What a message's text says that it is.
fn name(text: &str) -> Name {
    let (sender, number) = text.split_once(' ').unwrap();
    (sender.parse().unwrap(), number.parse().unwrap())
}
