//! What is true of SQLite only: files, crashes, schemas. In `forgetting.rs` how
//! logs go, in `agreement.rs` that it does as the engine in memory does.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod agreement;
mod forgetting;

use anser_jid::BareJid;
use anser_store::{
    Change, Engine, EntryFlags, Journal, JournalLimits, LogEntry, MessageId, NewEntry, NodeId,
    Page, SqliteOptions, Store, StoreError, Tidiness, Timestamp, View,
};
use bytes::Bytes;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn jid(number: u8) -> BareJid {
    format!("user{number}@example.org").parse().unwrap()
}

fn options(folder: &Path, tail_entries: usize) -> SqliteOptions {
    SqliteOptions {
        tail_entries,
        piece_entries: 3,
        ..SqliteOptions::new(folder.join("anser.db"))
    }
}

struct Opened {
    engine: Engine,
    journal: Journal<()>,
    store: Store,
}

impl Opened {
    fn new((engine, store): (Engine, Store)) -> Self {
        let newest = engine.newest().unwrap();
        Self {
            engine,
            journal: Journal::new(NodeId::default(), newest, JournalLimits::default()),
            store,
        }
    }

    fn sqlite(folder: &Path, tail_entries: usize) -> Self {
        Self::new(Engine::sqlite(&options(folder, tail_entries)).unwrap())
    }

    fn append(&self, from: u8, to: u8, flags: u8) {
        self.journal.append(NOW, |id| {
            let entry = |owner: u8, counterpart: u8| NewEntry {
                owner: jid(owner),
                counterpart: jid(counterpart),
                flags: EntryFlags(flags),
            };
            let mut entries = vec![entry(from, to)];
            if to != from {
                entries.push(entry(to, from));
            }
            let body = Bytes::from(format!("{from} to {to}"));
            (vec![Change::Append { id, body, entries }], ())
        });
    }

    fn commit(&mut self) {
        let mut settled = Vec::new();
        self.journal.commit_group(&mut self.engine, &mut settled);
        assert!(settled.iter().all(|one| one.outcome.is_ok()));
    }

    async fn ids(&self, owner: u8) -> Vec<MessageId> {
        let places = move |view: &View<'_>| view.places(&jid(owner), &Page::oldest(1000));
        self.store.read(places).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_settled_is_there_after_a_crash_in_the_same_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = Opened::sqlite(folder.path(), 7);
    for round in 0..20 {
        before.append(0, 1, 0);
        before.append(1, 2, round);
        before.commit();
    }
    let logs = [
        before.ids(0).await,
        before.ids(1).await,
        before.ids(2).await,
    ];
    assert_eq!([20, 40, 20], logs.each_ref().map(Vec::len));
    // The process is gone without a word; what it had open is just closed.
    drop(before);

    let mut after = Opened::sqlite(folder.path(), 7);
    assert_eq!(
        logs,
        [after.ids(0).await, after.ids(1).await, after.ids(2).await]
    );
    after.append(0, 1, 0);
    after.commit();
    assert!(after.ids(0).await.is_sorted());
    assert_eq!(after.ids(0).await.len(), 21);
}

/// What fails is the commit that puts the tail into the index: all of it goes on
/// being read, and goes there when there is room again.
#[tokio::test]
async fn a_full_disk_takes_nothing_out_of_the_tail_and_puts_nothing_twice_into_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = Opened::sqlite(folder.path(), 300);
    for _ in 0..150 {
        world.append(0, 1, 0);
    }
    world.commit();
    let before = world.ids(0).await;
    let used = rusqlite::Connection::open(folder.path().join("anser.db")).unwrap();
    let pages: u64 = used
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    world.engine.space().grant(Some(pages * 4096));
    for _ in 0..3 {
        world.append(0, 3, 0);
        let mut settled = Vec::new();
        world.journal.commit_group(&mut world.engine, &mut settled);
        assert!(settled.iter().all(|one| one.outcome.is_err()));
        assert_eq!(world.ids(0).await, before);
        assert!(world.ids(3).await.is_empty());
    }
    assert_eq!(rows(folder.path()), [150, 0]);

    world.engine.space().grant(None);
    world.append(0, 4, 0);
    world.commit();
    assert_eq!(rows(folder.path()), [151, 300]);
    let after = world.ids(0).await;
    assert_eq!(after[..150], before);
    assert_eq!(after.len(), 151);
    drop(world);
    assert_eq!(Opened::sqlite(folder.path(), 300).ids(0).await, after);
}

/// How many messages there are, and how many entries of logs in the index.
fn rows(folder: &Path) -> [u32; 2] {
    let mut file = rusqlite::Connection::open(folder.join("anser.db")).unwrap();
    let file = file.transaction().unwrap();
    let count = |what: &str| -> u32 {
        let count = format!("SELECT {what}");
        file.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    let entries = |chain| {
        count(&format!(
            "coalesce(sum(length(entries)) / 13, 0) FROM block WHERE {chain}"
        ))
    };
    let logs = entries("counterpart = 0");
    assert_eq!(logs, entries("counterpart > 0"));
    [count("count(*) FROM message"), logs]
}

/// Pages of every kind from places all over a log.
async fn pages(world: &Opened, owner: u8, places: &[MessageId]) -> Vec<Vec<MessageId>> {
    let mut pages = Vec::new();
    for (place, limit) in places
        .iter()
        .flat_map(|at| [(*at, 1), (*at, 50), (*at, 300)])
    {
        for counterpart in [None, Some(jid(1)), Some(jid(2)), Some(jid(9))] {
            let all = Page {
                counterpart,
                ..Page::oldest(limit)
            };
            let newest = true;
            pages.extend([
                Page {
                    after: place,
                    ..all.clone()
                },
                Page {
                    after: place,
                    newest,
                    ..all.clone()
                },
                Page {
                    before: place,
                    ..all.clone()
                },
                Page {
                    before: place,
                    newest,
                    ..all
                },
            ]);
        }
    }
    let of_owner = move |view: &View<'_>| {
        pages
            .iter()
            .map(|page| view.places(&jid(owner), page))
            .collect()
    };
    world.store.read(of_owner).await.unwrap()
}

#[tokio::test]
async fn pages_of_a_long_log_are_the_same_wherever_they_begin_and_after_parts_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = Opened::new(Engine::memory());
    let mut sqlite = Opened::sqlite(folder.path(), 250);
    for world in [&mut memory, &mut sqlite] {
        for number in 0..400 {
            world.append(0, if number % 5 == 0 { 2 } else { 1 }, number as u8 & 3);
            if number % 50 == 0 {
                world.commit();
            }
        }
        world.commit();
    }
    let places = memory.ids(0).await;
    assert_eq!(places.len(), 400);
    let some: Vec<_> = places.iter().copied().step_by(13).collect();
    assert_eq!(
        pages(&memory, 0, &some).await,
        pages(&sqlite, 0, &some).await
    );
    for through in [places[63], places[100], places[399]] {
        for world in [&mut memory, &mut sqlite] {
            let owner = jid(0);
            world
                .journal
                .append(NOW, |_| (vec![Change::Trim { owner, through }], ()));
            world.commit();
        }
        for _ in 0..4 {
            assert_eq!(
                pages(&memory, 0, &some).await,
                pages(&sqlite, 0, &some).await
            );
            sqlite.engine.tidy();
        }
        while sqlite.engine.tidy() == Tidiness::Untidy {}
        assert_eq!(
            pages(&memory, 0, &some).await,
            pages(&sqlite, 0, &some).await
        );
    }
    assert_eq!(rows(folder.path()), [400, 400]);
}

#[tokio::test]
async fn a_log_that_an_earlier_version_wrote_is_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = options(folder.path(), 1).path;
    let file = rusqlite::Connection::open(&path).unwrap();
    for migration in [
        include_str!("../../sql/0001_records_and_logs.sql"),
        include_str!("../../sql/0002_doomed.sql"),
        include_str!("../../sql/0003_conversations.sql"),
    ] {
        file.execute_batch(migration).unwrap();
    }
    file.execute_batch(
        "INSERT INTO address VALUES (1, 'user0@example.org'), (2, 'user1@example.org'),
             (3, 'user2@example.org');
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200)
         INSERT INTO message SELECT n << 30, 2, x'', CAST(n AS BLOB) FROM n;
         INSERT INTO entry SELECT 1, id, 2 + (id >> 30) % 2, (id >> 30) % 4 FROM message;
         INSERT INTO entry SELECT 2 + (id >> 30) % 2, id, 1, (id >> 30) % 4 FROM message;
         UPDATE indexed SET through = 200 << 30;
         PRAGMA user_version = 3;",
    )
    .unwrap();
    drop(file);

    let world = Opened::sqlite(folder.path(), 1);
    let read = |owner: u8, page: Page| {
        let page = world.store.read(move |view| view.page(&jid(owner), &page));
        async move {
            let entry = |entry: LogEntry| {
                let number: u8 = std::str::from_utf8(&entry.body).unwrap().parse().unwrap();
                (number, entry.counterpart, entry.flags.0)
            };
            page.await
                .unwrap()
                .into_iter()
                .map(entry)
                .collect::<Vec<_>>()
        }
    };
    let with = |number: u8| (number, jid(1 + number % 2), number % 4);
    assert_eq!(
        read(0, Page::oldest(300)).await,
        (1..=200).map(with).collect::<Vec<_>>()
    );
    let odd = Page {
        counterpart: Some(jid(2)),
        ..Page::newest(70)
    };
    let expected: Vec<_> = (61..200).step_by(2).map(with).collect();
    assert_eq!(read(0, odd).await, expected);
    assert_eq!(read(2, Page::oldest(1)).await, [(1, jid(0), 1)]);
    assert_eq!(rows(folder.path()), [200, 400]);
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), 1);
    let text = "these are the notes of my holiday ".repeat(200);
    std::fs::write(&options.path, &text).unwrap();
    let error = Engine::sqlite(&options).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("anser.db"), "{error}");
    assert_eq!(std::fs::read_to_string(&options.path).unwrap(), text);
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), 1);
    drop(Engine::sqlite(&options).unwrap());
    let file = rusqlite::Connection::open(&options.path).unwrap();
    file.pragma_update(None, "user_version", 1000).unwrap();
    drop(file);
    let error = Engine::sqlite(&options).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 1000, .. }),
        "{error}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Engine::sqlite(&options(&folder.path().join("missing"), 1)).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}
