//! What every engine must do. Each test runs once per engine, and once more on
//! SQLite with an index that is never behind.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_jid::BareJid;
use anser_store::{
    Change, Engine, EntryFlags, Expect, Journal, JournalLimits, LogEntry, MessageId, NewEntry,
    NodeId, Page, Record, Refusal, SqliteOptions, Store, StoreError, Timestamp, View,
};
use bytes::Bytes;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const INBOUND: EntryFlags = EntryFlags(1);
const UNREAD: EntryFlags = EntryFlags(2);

/// An engine, a journal in front of it, and a way to read.
struct World {
    engine: Engine,
    journal: Journal<()>,
    store: Store,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    fn memory() -> Self {
        let (engine, store) = Engine::memory();
        Self::new(engine, store, None)
    }

    fn sqlite(tail_entries: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            tail_entries,
            ..SqliteOptions::new(folder.path().join("anser.db"))
        };
        let (engine, store) = Engine::sqlite(&options).unwrap();
        Self::new(engine, store, Some(folder))
    }

    fn new(engine: Engine, store: Store, folder: Option<tempfile::TempDir>) -> Self {
        let newest = engine.newest().unwrap();
        let journal = Journal::new(NodeId::default(), newest, JournalLimits::default());
        Self {
            engine,
            journal,
            store,
            _folder: folder,
        }
    }

    fn try_commit(&mut self, changes: Vec<Change>) -> Result<(), Refusal> {
        self.journal.append(NOW, |_| (changes, ()));
        self.settle()
    }

    fn commit(&mut self, changes: Vec<Change>) {
        self.try_commit(changes).unwrap();
    }

    fn settle(&mut self) -> Result<(), Refusal> {
        let mut settled = Vec::new();
        self.journal.commit_group(&mut self.engine, &mut settled);
        settled.remove(0).outcome
    }

    /// Appends a message to the logs of both and returns its place.
    fn send(&mut self, from: &str, to: &str, body: &str) -> MessageId {
        let (from, to) = (jid(from), jid(to));
        let mut place = MessageId::FIRST;
        self.journal.append(NOW, |id| {
            place = id;
            let entry = |owner: &BareJid, counterpart: &BareJid, flags| NewEntry {
                owner: owner.clone(),
                counterpart: counterpart.clone(),
                flags,
            };
            let append = Change::Append {
                id,
                body: Bytes::from(body.to_owned()),
                entries: vec![
                    entry(&from, &to, EntryFlags::NONE),
                    entry(&to, &from, INBOUND.with(UNREAD)),
                ],
            };
            (vec![append], ())
        });
        self.settle().unwrap();
        place
    }

    async fn read<R: Send + 'static>(
        &self,
        reads: impl FnOnce(&View<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> R {
        self.store.read(reads).await.unwrap()
    }

    async fn record(
        &self,
        owner: &'static str,
        kind: &'static str,
        key: &'static str,
    ) -> Option<Record> {
        self.read(move |view| view.record(&jid(owner), kind, key))
            .await
    }

    /// Also checks that the places of a page are those of its messages.
    async fn page(&self, owner: &'static str, page: Page) -> Vec<LogEntry> {
        let (entries, places) = self
            .read(move |view| {
                let owner = jid(owner);
                Ok((view.page(&owner, &page)?, view.places(&owner, &page)?))
            })
            .await;
        assert!(places.into_iter().eq(entries.iter().map(|entry| entry.id)));
        entries
    }

    async fn bodies(&self, owner: &'static str, page: Page) -> Vec<String> {
        let entries = self.page(owner, page).await;
        assert!(entries.is_sorted_by(|a, b| a.id < b.id));
        let text = |body: &Bytes| String::from_utf8(body.to_vec()).unwrap();
        entries.iter().map(|entry| text(&entry.body)).collect()
    }
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.org";
const CAROL: &str = "carol@example.net";

fn put(owner: &str, kind: &'static str, key: &str, value: &'static str, expect: Expect) -> Change {
    Change::Put {
        owner: jid(owner),
        kind,
        key: key.to_owned(),
        value: Bytes::from_static(value.as_bytes()),
        expect,
    }
}

async fn a_record_counts_its_versions(mut world: World) {
    for version in 1..=3 {
        world.commit(vec![put(ALICE, "roster", BOB, "x", Expect::Anything)]);
        let record = world.record(ALICE, "roster", BOB).await;
        let record = record.unwrap();
        assert_eq!((record.version, &record.value[..]), (version, &b"x"[..]));
    }
    let delete = Change::Delete {
        owner: jid(ALICE),
        kind: "roster",
        key: BOB.to_owned(),
    };
    world.commit(vec![delete]);
    let gone = world.record(ALICE, "roster", BOB).await;
    assert_eq!(gone, None);
}

async fn an_unmet_expectation_refuses_the_whole_batch(mut world: World) {
    world.commit(vec![put(ALICE, "account", "", "1", Expect::Absent)]);
    for expect in [Expect::Absent, Expect::Version(2)] {
        let batch = vec![
            put(ALICE, "other", "", "2", Expect::Anything),
            put(ALICE, "account", "", "2", expect),
        ];
        let refusal = world.try_commit(batch).unwrap_err();
        assert!(
            matches!(
                refusal,
                Refusal::Conflict {
                    kind: "account",
                    ..
                }
            ),
            "{refusal}"
        );
    }
    let other = world.record(ALICE, "other", "").await;
    assert_eq!(other, None);
    world.commit(vec![put(ALICE, "account", "", "2", Expect::Version(1))]);
}

async fn records_are_listed_by_kind_in_the_order_of_their_keys(mut world: World) {
    world.commit(vec![
        put(ALICE, "roster", "b", "2", Expect::Anything),
        put(ALICE, "roster", "a", "1", Expect::Anything),
        put(ALICE, "rosters", "c", "3", Expect::Anything),
        put(BOB, "roster", "d", "4", Expect::Anything),
    ]);
    let records = world.read(|view| view.records(&jid(ALICE), "roster")).await;
    let keys: Vec<_> = records.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
}

async fn owners_are_listed_in_pages(mut world: World) {
    for owner in [CAROL, ALICE, BOB] {
        world.commit(vec![put(owner, "account", "", "", Expect::Absent)]);
    }
    world.commit(vec![put(
        "room@example.org",
        "room",
        "",
        "",
        Expect::Absent,
    )]);
    let first = world.read(|view| view.owners("account", None, 2)).await;
    assert_eq!(first, [jid(ALICE), jid(BOB)]);
    let last = first[1].clone();
    let rest = world
        .read(move |view| view.owners("account", Some(&last), 2))
        .await;
    assert_eq!(rest, [jid(CAROL)]);
}

async fn owners_are_found_by_the_key_of_a_record(mut world: World) {
    world.commit(vec![
        put(CAROL, "roster", "x", "", Expect::Absent),
        put(ALICE, "roster", "x", "", Expect::Absent),
        put(ALICE, "roster", "y", "", Expect::Absent),
        put(BOB, "other", "x", "", Expect::Absent),
        put(BOB, "roster", "xx", "", Expect::Absent),
    ]);
    let found = async |key: &'static str| {
        world
            .read(move |view| view.owners_by_key("roster", key))
            .await
    };
    assert_eq!(found("x").await, [jid(ALICE), jid(CAROL)]);
    assert_eq!(found("z").await, []);
}

async fn a_message_is_in_the_log_of_both_and_of_nobody_else(mut world: World) {
    let id = world.send(ALICE, BOB, "hello");
    for (owner, counterpart) in [(ALICE, BOB), (BOB, ALICE)] {
        let log = world.page(owner, Page::oldest(10)).await;
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].id, id);
        assert_eq!(log[0].counterpart, jid(counterpart));
        assert_eq!(world.read(move |view| view.head(&jid(owner))).await, id);
    }
    assert!(world.bodies(CAROL, Page::oldest(10)).await.is_empty());
    let head = world.read(|view| view.head(&jid(CAROL))).await;
    assert_eq!(head, MessageId::FIRST);
}

async fn pages_go_both_ways_from_any_place(mut world: World) {
    let ids: Vec<_> = (0..10)
        .map(|n| world.send(ALICE, BOB, &n.to_string()))
        .collect();
    let page = |after, before, newest| Page {
        after,
        before,
        newest,
        ..Page::oldest(3)
    };
    let (first, last) = (MessageId::FIRST, MessageId::LAST);
    for (page, bodies) in [
        (page(first, last, false), "012"),
        (page(first, last, true), "789"),
        (page(ids[4], last, false), "567"),
        (page(first, ids[4], true), "123"),
        (page(ids[4], ids[7], false), "56"),
        (page(ids[9], last, false), ""),
        (page(first, ids[0], true), ""),
        (page(ids[5], ids[2], false), ""),
        (page(ids[5].previous(), last, false), "567"),
    ] {
        assert_eq!(
            world.bodies(BOB, page.clone()).await.concat(),
            bodies,
            "{page:?}"
        );
    }
}

async fn a_page_can_be_of_one_conversation(mut world: World) {
    world.send(BOB, ALICE, "from bob");
    world.send(CAROL, ALICE, "from carol");
    world.send(ALICE, BOB, "to bob");
    let with = |counterpart| Page {
        counterpart: Some(jid(counterpart)),
        ..Page::oldest(10)
    };
    assert_eq!(world.bodies(ALICE, with(BOB)).await, ["from bob", "to bob"]);
    assert_eq!(world.bodies(ALICE, with(CAROL)).await, ["from carol"]);
    assert!(world.bodies(ALICE, with("x@y")).await.is_empty());
}

async fn pages_of_one_conversation_go_both_ways_from_any_place(mut world: World) {
    let mut places = Vec::new();
    for number in 0..20 {
        let with = if number % 5 == 0 { CAROL } else { BOB };
        places.push(world.send(with, ALICE, &number.to_string()));
    }
    let with_carol = |after, before, newest| Page {
        after,
        before,
        newest,
        counterpart: Some(jid(CAROL)),
        ..Page::oldest(2)
    };
    let (first, last) = (MessageId::FIRST, MessageId::LAST);
    for (page, bodies) in [
        (with_carol(first, last, false), ["0", "5"].as_slice()),
        (with_carol(first, last, true), &["10", "15"]),
        (with_carol(places[5], last, false), &["10", "15"]),
        (with_carol(first, places[10], true), &["0", "5"]),
        (with_carol(places[1], places[9], false), &["5"]),
        (with_carol(places[15], last, false), &[]),
        (with_carol(first, places[0], true), &[]),
    ] {
        assert_eq!(world.bodies(ALICE, page.clone()).await, bodies, "{page:?}");
    }
}

async fn a_page_can_be_of_flagged_entries(mut world: World) {
    world.send(ALICE, BOB, "sent");
    world.send(BOB, ALICE, "received");
    let flagged = |flags| Page {
        flags,
        ..Page::oldest(10)
    };
    let inbound = world.bodies(ALICE, flagged(INBOUND)).await;
    assert_eq!(inbound, ["received"]);
    let both = world.bodies(ALICE, flagged(INBOUND.with(UNREAD))).await;
    assert_eq!(both, ["received"]);
    let none = world.bodies(ALICE, flagged(EntryFlags(4))).await;
    assert!(none.is_empty());
}

async fn a_message_can_be_replaced_everywhere(mut world: World) {
    let id = world.send(ALICE, BOB, "regretted");
    world.commit(vec![Change::Replace {
        id,
        body: Bytes::from_static(b"tombstone"),
    }]);
    for owner in [ALICE, BOB] {
        assert_eq!(world.bodies(owner, Page::oldest(9)).await, ["tombstone"]);
    }
}

async fn messages_can_be_read_by_their_places(mut world: World) {
    let ids: Vec<_> = (0..3)
        .map(|n| world.send(ALICE, BOB, &n.to_string()))
        .collect();
    let places = vec![ids[2], MessageId::LAST, ids[0]];
    let found = world.read(move |view| view.messages(&places)).await;
    assert_eq!(found, [(ids[2], "2".into()), (ids[0], "0".into())]);
}

async fn trimming_one_log_leaves_the_other(mut world: World) {
    let ids: Vec<_> = (0..4)
        .map(|n| world.send(ALICE, BOB, &n.to_string()))
        .collect();
    world.commit(vec![Change::Trim {
        owner: jid(ALICE),
        through: ids[1],
    }]);
    assert_eq!(world.bodies(ALICE, Page::oldest(9)).await, ["2", "3"]);
    assert_eq!(world.bodies(BOB, Page::newest(9)).await.concat(), "0123");
    world.commit(vec![Change::Trim {
        owner: jid(BOB),
        through: ids[2],
    }]);
    assert_eq!(world.bodies(BOB, Page::oldest(9)).await, ["3"]);
    assert_eq!(world.bodies(ALICE, Page::oldest(9)).await, ["2", "3"]);
}

async fn a_forgotten_owner_has_nothing_and_others_keep_theirs(mut world: World) {
    world.commit(vec![put(ALICE, "account", "", "", Expect::Absent)]);
    world.send(ALICE, BOB, "hello");
    world.commit(vec![Change::Forget { owner: jid(ALICE) }]);
    let account = world.record(ALICE, "account", "").await;
    assert_eq!(account, None);
    assert!(world.bodies(ALICE, Page::oldest(9)).await.is_empty());
    assert_eq!(world.bodies(BOB, Page::oldest(9)).await, ["hello"]);
}

async fn a_full_store_refuses_and_goes_on_when_there_is_room(mut world: World) {
    world.send(ALICE, BOB, "kept");
    world.engine.space().grant(Some(128 * 1024));
    let big = || Change::Put {
        owner: jid(ALICE),
        kind: "file",
        key: String::new(),
        value: Bytes::from(vec![b'x'; 256 * 1024]),
        expect: Expect::Anything,
    };
    let Err(Refusal::Store(error)) = world.try_commit(vec![big()]) else {
        panic!("accepted more than there is room for");
    };
    assert!(matches!(*error, StoreError::Full), "{error}");
    assert_eq!(world.bodies(BOB, Page::oldest(9)).await, ["kept"]);
    // What changes nothing needs no room.
    world.journal.append(NOW, |_| (vec![big()], ()));
    world.journal.append(NOW, |_| (Vec::new(), ()));
    let mut settled = Vec::new();
    world.journal.commit_group(&mut world.engine, &mut settled);
    assert_eq!(settled.len(), 2);
    assert!(settled[0].outcome.is_err() && settled[1].outcome.is_ok());
    world.engine.space().grant(None);
    world.commit(vec![big()]);
    world.send(ALICE, BOB, "resumed");
    assert_eq!(
        world.bodies(BOB, Page::oldest(9)).await,
        ["kept", "resumed"]
    );
}

/// One module per test, one test per engine in it.
macro_rules! contract {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            #[tokio::test]
            async fn memory() {
                super::$name(super::World::memory()).await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::$name(super::World::sqlite(8192)).await;
            }

            #[tokio::test]
            async fn sqlite_indexed() {
                super::$name(super::World::sqlite(1)).await;
            }
        }
    )* };
}

contract![
    a_record_counts_its_versions,
    an_unmet_expectation_refuses_the_whole_batch,
    records_are_listed_by_kind_in_the_order_of_their_keys,
    owners_are_listed_in_pages,
    owners_are_found_by_the_key_of_a_record,
    a_message_is_in_the_log_of_both_and_of_nobody_else,
    pages_go_both_ways_from_any_place,
    a_page_can_be_of_one_conversation,
    pages_of_one_conversation_go_both_ways_from_any_place,
    a_page_can_be_of_flagged_entries,
    a_message_can_be_replaced_everywhere,
    messages_can_be_read_by_their_places,
    trimming_one_log_leaves_the_other,
    a_forgotten_owner_has_nothing_and_others_keep_theirs,
    a_full_store_refuses_and_goes_on_when_there_is_room,
];
