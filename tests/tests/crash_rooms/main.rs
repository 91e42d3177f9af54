//! Acknowledged means durable in rooms too: killed at random moments under
//! load, the server loses nothing that was said, no room, no affiliation and no
//! subject (XEP-0198 §4, XEP-0045 §5.2), and nobody ever saw another order than
//! that of the log.
//!
//! Everybody speaks and listens in two of the rooms, and comes back after each
//! crash. `ANSER_CRASHES` says how often the server is killed, `ANSER_SEED`
//! when.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod hearing;
mod life;

use anser_tests::client::{Client, Way};
use anser_tests::crash::{Random, Remains, assert_crashed, setting, wait_for_the_moment};
use anser_tests::program::Anser;
use hearing::{Entry, Log, Visit};
use life::Life;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::mpsc;
use std::thread;

const SPEAKERS: u32 = 30;
const ROOMS: u32 = 3;

/// Nobody is kept from speaking; passwords are hashed as seldom as the rules
/// allow.
const CONFIG: &str = "
[accounts]
mailbox_events = 10000000
mailbox_bytes = 1000000000
[rooms]
burst_messages = 0
[auth]
scram_iterations = 4096
";

/// Who said something, and the how manieth of theirs it is.
type Name = (u32, u32);

#[test]
fn rooms_lose_nothing_and_all_heard_it_in_the_order_of_the_log_after_every_crash() {
    let mut random = Random(setting("ANSER_SEED", 1));
    let mut world = World::new();
    for _ in 0..setting("ANSER_CRASHES", 4) {
        world.live(&mut random);
        world.search();
        world.anser.restart();
    }
    world.visit_all_rooms();
    world.anser.kill();
    world.search();
    world.judge();
}

/// The server and what is known of every message.
struct World {
    anser: Anser,
    crashes: u32,
    /// How much each speaker has said.
    said: Vec<u32>,
    acknowledged: BTreeSet<Name>,
    /// The members that owners were told they have made, by room.
    members: Vec<BTreeSet<String>>,
    visits: Vec<Visit>,
    logs: Vec<Log>,
}

impl World {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("anser.toml");
        fs::write(&config, CONFIG).unwrap();
        let config = config.to_str().unwrap().to_owned();
        let arguments = ["--config", &config, "--allow-plaintext-login"];
        let anser = Anser::start_in(data, &arguments);
        let lines = (0..SPEAKERS).map(|speaker| format!("{} secret\n", address(speaker)));
        let batch = anser.data().join("accounts.txt");
        fs::write(&batch, lines.collect::<String>()).unwrap();
        let batch = batch.to_str().unwrap();
        let add = ["user", "add", "--config", &config, "--batch", batch];
        anser.command(&add, "").succeeded();
        for room in 0..ROOMS {
            make_room(&anser.plain(), room);
        }
        Self {
            anser,
            crashes: 0,
            said: vec![0; SPEAKERS as usize],
            acknowledged: BTreeSet::new(),
            members: vec![BTreeSet::new(); ROOMS as usize],
            visits: Vec::new(),
            logs: (0..ROOMS).map(|_| Log::default()).collect(),
        }
    }

    /// From a start to the next crash.
    fn live(&mut self, random: &mut Random) {
        let way = self.anser.plain();
        let (tell, told) = mpsc::channel();
        let Self { anser, said, .. } = self;
        let lives: Vec<_> = thread::scope(|scope| {
            let way = &way;
            let speakers: Vec<_> = (0..SPEAKERS)
                .zip(said.iter().copied())
                .map(|(speaker, first)| {
                    let (random, tell) = (Random(random.next()), tell.clone());
                    scope.spawn(move || {
                        let mut life = Life::new(speaker, first, random);
                        let end = life.run(way, &tell);
                        (life, end)
                    })
                })
                .collect();
            drop(tell);
            wait_for_the_moment(&told, random);
            anser.kill();
            let lives = speakers.into_iter().map(|life| life.join().unwrap());
            lives.collect()
        });
        self.crashes += 1;
        for (life, end) in lives {
            assert_crashed(&end);
            self.said[life.speaker as usize] = life.next;
            self.acknowledged.extend(life.acknowledged);
            self.members[(life.speaker % ROOMS) as usize].extend(life.members);
            self.visits.extend(life.visits.into_values());
        }
    }

    /// The server runs in peace, and somebody looks into every room.
    fn visit_all_rooms(&mut self) {
        let way = self.anser.plain();
        for room in 0..ROOMS {
            let mut client = Client::log_in(&way, &address(0), "secret").unwrap();
            client.send(&join(room, 0)).unwrap();
            let mut visit = Visit::of(room);
            while !visit.has_all {
                let stanza = client.next().unwrap();
                visit.hear(&stanza);
            }
            client.close().unwrap();
            self.visits.push(visit);
        }
    }

    /// Looks at what a restart will find.
    fn search(&mut self) {
        let remains = Remains::of(self.anser.data());
        for room in 0..ROOMS {
            let log = &mut self.logs[room as usize];
            log.search(&remains, room);
            log.check_records(&remains, room, &self.members[room as usize]);
        }
        let lost = self.lost();
        let some = &lost[..lost.len().min(10)];
        assert!(some.is_empty(), "lost: {some:?}…\n{}", self.figures());
    }

    /// What was acknowledged and is not where it belongs.
    fn lost(&self) -> Vec<Name> {
        let found: BTreeSet<_> = (0..ROOMS)
            .flat_map(|room| {
                let entries = self.logs[room as usize].entries.iter();
                let here = entries.filter(move |entry| room_of(entry.name) == room);
                here.map(|entry| entry.name)
            })
            .collect();
        self.acknowledged.difference(&found).copied().collect()
    }

    /// All that was counted, for people.
    fn figures(&self) -> String {
        let heard = |visit: &Visit| visit.heard.len();
        let logged = self.logs.iter().map(|log| log.entries.len());
        let subjects = self.logs.iter().map(Log::subjects);
        format!(
            "{} crashes: {} said, {} acknowledged, {} of these lost, {} logged, \
             {} subjects, {} members; {} visits, {} heard\n",
            self.crashes,
            self.said.iter().sum::<u32>(),
            self.acknowledged.len(),
            self.lost().len(),
            logged.sum::<usize>(),
            subjects.sum::<usize>(),
            self.members.iter().map(BTreeSet::len).sum::<usize>(),
            self.visits.len(),
            self.visits.iter().map(heard).sum::<usize>(),
        )
    }

    /// The end: everything is where it belongs, once, and nobody heard it
    /// otherwise.
    fn judge(&self) {
        let figures = self.figures();
        println!("{figures}");
        assert!(!self.acknowledged.is_empty());
        for log in &self.logs {
            let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
            for Entry { name, .. } in &log.entries {
                let before = newest.insert(name.0, name.1);
                let is_next = before.is_none_or(|before| before < name.1);
                assert!(is_next, "{name:?} after {before:?}\n{figures}");
            }
        }
        for visit in &self.visits {
            visit.check(&self.logs[visit.room as usize]);
        }
    }
}

/// Its owner makes a room and opens it.
fn make_room(way: &Way, room: u32) {
    let mut client = Client::log_in(way, &address(room), "secret").unwrap();
    client.send(&join(room, room)).unwrap();
    let open = format!(
        "<iq type='set' id='open' to='{}'>\
         <query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'/></query></iq>",
        room_address(room)
    );
    client.send(&open).unwrap();
    let answer = client.wait_for(|stanza| stanza.name() == "iq").unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"));
    client.close().unwrap();
}

fn address(speaker: u32) -> String {
    format!("speaker{speaker}@localhost")
}

fn room_address(room: u32) -> String {
    format!("room{room}@rooms.localhost")
}

/// Everybody is in two rooms, and the owner of a room is in theirs.
fn rooms_of(speaker: u32) -> [u32; 2] {
    [speaker % ROOMS, (speaker + 1) % ROOMS]
}

/// Where something is said: in both rooms in turn.
fn room_of((speaker, number): Name) -> u32 {
    rooms_of(speaker)[number as usize % 2]
}

fn join(room: u32, speaker: u32) -> String {
    let room = room_address(room);
    format!(
        "<presence to='{room}/speaker{speaker}'>\
         <x xmlns='http://jabber.org/protocol/muc'/></presence>"
    )
}

/// What a text says that it is.
fn name(text: &str) -> Name {
    let (speaker, number) = text.split_once(' ').unwrap();
    (speaker.parse().unwrap(), number.parse().unwrap())
}
