//! Whatever happens, SQLite and the engine in memory agree.

use super::{NOW, Opened, jid};
use anser_jid::BareJid;
use anser_store::{Change, Engine, EntryFlags, Expect, MessageId, Page, StoreError, View};
use bytes::Bytes;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::fmt::Debug;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Append { from: u8, to: u8, flags: u8 },
    Put { owner: u8, key: u8 },
    Delete { owner: u8, key: u8 },
    Trim { owner: u8, place: usize },
    Forget { owner: u8 },
    Commit,
    Tidy,
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0_u8..4;
    prop_oneof![
        8 => (user.clone(), user.clone(), 0_u8..4)
            .prop_map(|(from, to, flags)| Step::Append { from, to, flags }),
        2 => (user.clone(), 0_u8..3).prop_map(|(owner, key)| Step::Put { owner, key }),
        1 => (user.clone(), 0_u8..3).prop_map(|(owner, key)| Step::Delete { owner, key }),
        1 => (user.clone(), any::<usize>()).prop_map(|(owner, place)| Step::Trim { owner, place }),
        1 => user.prop_map(|owner| Step::Forget { owner }),
        4 => Just(Step::Commit),
        2 => Just(Step::Tidy),
    ]
}

async fn run(world: &mut Opened, step: &Step) {
    let change = match *step {
        Step::Append { from, to, flags } => return world.append(from, to, flags),
        Step::Commit => return world.commit(),
        Step::Tidy => {
            world.engine.tidy();
            return;
        }
        Step::Put { owner, key } => Change::Put {
            owner: jid(owner),
            kind: "thing",
            key: key.to_string(),
            value: Bytes::from_static(b"value"),
            expect: Expect::Anything,
        },
        Step::Delete { owner, key } => Change::Delete {
            owner: jid(owner),
            kind: "thing",
            key: key.to_string(),
        },
        Step::Trim { owner, place } => {
            let ids = world.ids(owner).await;
            let through = match ids.len() {
                0 => MessageId::FIRST,
                length => ids[place % length],
            };
            Change::Trim {
                owner: jid(owner),
                through,
            }
        }
        Step::Forget { owner } => Change::Forget { owner: jid(owner) },
    };
    world.journal.append(NOW, |_| (vec![change], ()));
}

/// Everything that can be read of all users.
async fn everything(world: &Opened) -> impl PartialEq + Debug + use<> {
    let pages = [
        Page::oldest(3),
        Page::newest(3),
        Page::oldest(1000),
        Page {
            flags: EntryFlags(2),
            counterpart: Some(jid(1)),
            ..Page::newest(2)
        },
        Page {
            counterpart: Some(jid(2)),
            ..Page::oldest(3)
        },
    ];
    let of_user = move |view: &View<'_>, owner: &BareJid| {
        let logs = pages.iter().map(|page| view.page(owner, page));
        Ok((
            view.records(owner, "thing")?,
            view.head(owner)?,
            logs.collect::<Result<Vec<_>, StoreError>>()?,
        ))
    };
    let of_all = move |view: &View<'_>| (0..4).map(|user| of_user(view, &jid(user))).collect();
    let all: Result<Vec<_>, StoreError> = world.store.read(of_all).await;
    all.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sqlite_and_memory_agree_on_every_history(
        steps in proptest::collection::vec(step(), 1..80),
        tail_entries in 1_usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let mut memory = Opened::new(Engine::memory());
            let mut sqlite = Opened::sqlite(folder.path(), tail_entries);
            for step in steps {
                run(&mut memory, &step).await;
                run(&mut sqlite, &step).await;
            }
            memory.commit();
            sqlite.commit();
            assert_eq!(everything(&memory).await, everything(&sqlite).await);
            drop(sqlite);
            let reopened = Opened::sqlite(folder.path(), tail_entries);
            assert_eq!(everything(&memory).await, everything(&reopened).await);
        });
    }
}
