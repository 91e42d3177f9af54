//! Logs that are forgotten: gone at once, and taken apart in pieces.

use super::{NOW, Opened, jid, rows};
use anser_store::{Change, MessageId, Tidiness};

fn forget(world: &Opened, owner: u8) {
    let owner = jid(owner);
    world
        .journal
        .append(NOW, |_| (vec![Change::Forget { owner }], ()));
}

#[tokio::test]
async fn a_forgotten_log_is_gone_at_once_and_taken_apart_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = Opened::sqlite(folder.path(), 1);
    for _ in 0..10 {
        world.append(0, 1, 0);
        world.append(0, 0, 0);
    }
    forget(&world, 0);
    world.append(0, 1, 0);
    world.commit();
    // What came after it is there, and what the other side has.
    assert_eq!(world.ids(0).await.len(), 1);
    assert_eq!(world.ids(1).await.len(), 11);
    // The newest message is not in the index yet.
    assert_eq!(rows(folder.path()), [21, 30]);
    for entries in [27, 24, 21, 18, 15, 12, 10] {
        assert_eq!(world.engine.tidy(), Tidiness::Untidy);
        assert_eq!(rows(folder.path())[1], entries);
        assert_eq!(world.ids(0).await.len(), 1);
    }
    assert_eq!(world.engine.tidy(), Tidiness::Tidy);
    assert_eq!(rows(folder.path()), [11, 10]);
    assert_eq!(world.ids(1).await.len(), 11);
}

#[tokio::test]
async fn a_crash_between_two_pieces_brings_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = Opened::sqlite(folder.path(), 1);
    for _ in 0..10 {
        before.append(0, 0, 0);
    }
    let newest = before.engine.newest().unwrap();
    forget(&before, 0);
    before.commit();
    before.engine.tidy();
    drop(before);

    let mut after = Opened::sqlite(folder.path(), 1);
    assert!(after.ids(0).await.is_empty());
    let head = after.store.read(|view| view.head(&jid(0))).await.unwrap();
    assert_eq!(head, MessageId::FIRST);
    assert!(rows(folder.path())[1] > 0);
    while after.engine.tidy() == Tidiness::Untidy {}
    assert_eq!(rows(folder.path()), [0, 0]);
    // Nor is an id given again that somebody may remember.
    assert!(after.engine.newest().unwrap() >= newest);
}

/// Every room and every account begins by forgetting what an earlier one of its
/// name has left.
#[tokio::test]
async fn forgetting_what_has_no_log_leaves_nothing_to_take_apart_and_the_tail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = Opened::sqlite(folder.path(), 100);
    world.append(0, 1, 0);
    world.commit();
    for owner in [2, 3] {
        forget(&world, owner);
    }
    world.commit();
    assert_eq!(rows(folder.path()), [1, 0]);
    assert_eq!(world.engine.tidy(), Tidiness::Tidy);
    // Nor does one whose log is in the index already disturb the tail.
    forget(&world, 0);
    world.append(1, 2, 0);
    world.commit();
    assert_eq!(rows(folder.path()), [2, 2]);
    forget(&world, 0);
    world.commit();
    assert_eq!(rows(folder.path()), [2, 2]);
    assert!(world.ids(0).await.is_empty());
    assert_eq!(world.ids(1).await.len(), 2);
    while world.engine.tidy() == Tidiness::Untidy {}
    assert_eq!(rows(folder.path()), [2, 1]);
}

/// Nothing else needs to be committed for it to go on.
#[test]
fn the_writer_thread_takes_apart_what_is_forgotten_while_it_has_nothing_else_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let world = Opened::sqlite(folder.path(), 1);
    for _ in 0..10 {
        world.append(0, 0, 0);
    }
    forget(&world, 0);
    let (journal, engine) = (world.journal.clone(), world.engine);
    let writer = std::thread::spawn(move || journal.run(engine, |_| {}));
    while rows(folder.path()) != [0, 0] {
        assert!(!writer.is_finished());
        std::thread::yield_now();
    }
    world.journal.close();
    writer.join().unwrap();
}
