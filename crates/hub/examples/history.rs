//! How long history takes in an account with a large log, on SQLite and a disk:
//!
//! ```sh
//! cargo run --release --package anser-hub --example history -- 100000
//! ```
//!
//! The number is how many messages are logged. Half of them are with one
//! contact, and twenty with one of whom there is hardly anything. Prints for
//! each question the median and the longest time of 200, with reading the
//! messages of the page, and how long it takes to read the account, as when
//! somebody logs in.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it measures, and ends with whatever goes wrong"
)]

use anser_hub::{
    AccountsConfig, Credentials, Domains, Draft, HistoryQuery, Hub, HubConfig, Message,
    MessageKind, Paging, RoomsConfig, Then, Traits, With,
};
use anser_jid::{BareJid, Jid};
use anser_store::{
    Change, Engine, EntryFlags, Expect, Journal, JournalLimits, MessageId, NewEntry, NodeId,
    Settled, SqliteOptions, Timestamp,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const BEGINNING: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const OWNER: &str = "alice@example.org";
const FREQUENT: &str = "bob@example.org";
const RARE: &str = "carol@example.org";
/// Messages that come in one commit, as under load.
const GROUP: usize = 100;
const ROUNDS: usize = 200;

struct World {
    hub: Arc<Hub>,
    journal: Journal<Then>,
    engine: Engine,
}

impl World {
    fn new(path: &std::path::Path) -> Self {
        let options = SqliteOptions::new(path.join("anser.db"));
        let (engine, store) = Engine::sqlite(&options).unwrap();
        let journal = Journal::new(
            NodeId::default(),
            engine.newest().unwrap(),
            JournalLimits::default(),
        );
        let config = HubConfig {
            domains: Domains::Any,
            accounts: AccountsConfig::default(),
            rooms: RoomsConfig::default(),
        };
        let hub = Hub::new(config, store, journal.clone(), [0; 32]);
        Self {
            hub,
            journal,
            engine,
        }
    }

    fn append(&self, now: Timestamp, changes: impl FnOnce(MessageId) -> Vec<Change>) -> MessageId {
        let mut place = MessageId::FIRST;
        self.journal.append(now, |id| {
            place = id;
            let nobody = tokio::sync::oneshot::channel().0;
            (changes(id), Then::Answer(nobody))
        });
        place
    }

    fn commit(&mut self) {
        let mut settled: Vec<Settled<Then>> = Vec::new();
        self.journal.commit_group(&mut self.engine, &mut settled);
        assert!(settled.iter().all(|settled| settled.outcome.is_ok()));
    }
}

fn counterpart(number: usize, count: usize) -> BareJid {
    let name = match number {
        _ if number % (count / 20).max(1) == 7 => RARE.to_owned(),
        _ if number.is_multiple_of(2) => FREQUENT.to_owned(),
        _ => format!("user{}@example.org", number % 97),
    };
    name.parse().unwrap()
}

/// By turns to and from others, one a second.
fn message(id: MessageId, number: usize, count: usize) -> Change {
    let own: BareJid = OWNER.parse().unwrap();
    let other = counterpart(number, count);
    let (from, to) = match number % 4 < 2 {
        true => (&own, &other),
        false => (&other, &own),
    };
    let text = "All work and no play makes Jack a dull boy. ".repeat(4);
    let message = Message::new(&Draft {
        from: &from.with_resource("phone").unwrap().into(),
        to: &Jid::from(to.clone()),
        kind: MessageKind::Chat,
        traits: Traits::CONTENT,
        id: Some("6f1c9a0e-0d0c-4a55-9a0e-6f1c9a0e0d0c"),
        lang: None,
        text: None,
        mentions: &[],
        payload: format!("<body>{text}</body>").as_bytes(),
    });
    let entry = |owner: &BareJid, counterpart: &BareJid, flags| NewEntry {
        owner: owner.clone(),
        counterpart: counterpart.clone(),
        flags: EntryFlags(flags),
    };
    // History, and for the recipient's devices.
    let entries = vec![entry(to, from, 3), entry(from, to, 2)];
    Change::Append {
        id,
        body: message.encoded().clone(),
        entries,
    }
}

/// Everything up to a place was taken.
fn inbox(from: MessageId) -> Change {
    Change::Put {
        owner: OWNER.parse().unwrap(),
        kind: "inbox",
        key: String::new(),
        value: format!(r#"{{"from":"{from}","taken":[]}}"#).into(),
        expect: Expect::Anything,
    }
}

fn account() -> Change {
    let credentials = serde_json::to_vec(&Credentials::new(&[])).unwrap();
    Change::Put {
        owner: OWNER.parse().unwrap(),
        kind: "account",
        key: String::new(),
        value: credentials.into(),
        expect: Expect::Anything,
    }
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let median = millis(times[times.len() / 2]);
    let longest = millis(times[times.len() - 1]);
    println!("{what:<44} median {median:>7.3} ms, longest {longest:>7.3} ms");
}

async fn ask(world: &World, what: &str, query: impl Fn(usize) -> HistoryQuery) {
    let owner: BareJid = OWNER.parse().unwrap();
    let (mut times, mut messages) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let began = Instant::now();
        let page = world.hub.history(&owner, query(round)).await.unwrap();
        messages += world.hub.messages(&page.places).await.unwrap().len();
        times.push(began.elapsed());
    }
    tell(&format!("{what} ({} messages)", messages / ROUNDS), times);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(100_000, |count| count.parse().expect("a number"));
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    world.append(BEGINNING, |_| vec![account()]);
    let mut places = Vec::with_capacity(count);
    let began = Instant::now();
    for number in 0..count {
        let now = BEGINNING.after(Duration::from_secs(number as u64));
        places.push(world.append(now, |id| vec![message(id, number, count)]));
        if number % GROUP == GROUP - 1 {
            world.commit();
        }
    }
    world.commit();
    let elapsed = began.elapsed();
    let rate = count as f64 / elapsed.as_secs_f64();
    println!(
        "{count} messages logged in {:.1} s, {rate:.0} a second",
        elapsed.as_secs_f64()
    );
    let files = std::fs::read_dir(folder.path()).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    println!("{} bytes of files for a message", bytes / count as u64);
    let last = places[count - 1];
    world.append(last.timestamp(), |_| vec![inbox(last)]);
    world.commit();
    questions(&world, &places).await;
    log_in(&world, last.timestamp()).await;
}

async fn questions(world: &World, places: &[MessageId]) {
    let count = places.len();
    let somewhere = |round: usize| places[(round * 7919) % count];
    let with = |address: &str| Some(With::Conversation(address.parse().unwrap()));
    ask(world, "the last page", |_| HistoryQuery {
        paging: Paging::Backward { before: None },
        ..HistoryQuery::default()
    })
    .await;
    ask(world, "by time", |round| HistoryQuery {
        start: Some(somewhere(round).timestamp()),
        ..HistoryQuery::default()
    })
    .await;
    ask(world, "after an id", |round| HistoryQuery {
        paging: Paging::Forward {
            after: Some(somewhere(round)),
        },
        ..HistoryQuery::default()
    })
    .await;
    ask(world, "before an id", |round| HistoryQuery {
        paging: Paging::Backward {
            before: Some(somewhere(round)),
        },
        ..HistoryQuery::default()
    })
    .await;
    ask(world, "by ids", |round| HistoryQuery {
        ids: (0..50).map(|number| somewhere(round + number)).collect(),
        ..HistoryQuery::default()
    })
    .await;
    for (what, address) in [("frequent", FREQUENT), ("rare", RARE)] {
        ask(world, &format!("the last with a {what} contact"), |_| {
            HistoryQuery {
                with: with(address),
                paging: Paging::Backward { before: None },
                ..HistoryQuery::default()
            }
        })
        .await;
        ask(world, &format!("a {what} contact, by time"), |round| {
            HistoryQuery {
                with: with(address),
                start: Some(somewhere(round).timestamp()),
                ..HistoryQuery::default()
            }
        })
        .await;
    }
    ask(world, "how many with a frequent contact", |_| {
        HistoryQuery {
            with: with(FREQUENT),
            most: Some(0),
            ..HistoryQuery::default()
        }
    })
    .await;
    ask(world, "with a session of a frequent contact", |round| {
        let address = format!("{FREQUENT}/phone").parse().unwrap();
        HistoryQuery {
            with: Some(With::in_account(&OWNER.parse().unwrap(), address)),
            start: Some(somewhere(round).timestamp()),
            ..HistoryQuery::default()
        }
    })
    .await;
}

/// The account is forgotten between two of them.
async fn log_in(world: &World, mut now: Timestamp) {
    let address: Jid = OWNER.parse().unwrap();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        world.hub.find_recipient(&address, now).await.unwrap();
        times.push(began.elapsed());
        now = now.after(Duration::from_secs(3600));
        world.hub.tick(now).await;
        assert_eq!(world.hub.account_count(), 0);
    }
    tell("reading the account", times);
}
