use super::*;
use crate::{AccountsConfig, Domains, Draft, HubConfig, MessageKind, RoomsConfig, Then, Traits};
use anser_store::{Change, Engine, EntryFlags, Journal, JournalLimits, NewEntry, NodeId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use tokio::runtime::Builder;

const BEGINNING: u64 = 1_795_000_000_000;
const OWNER: &str = "alice@example.org";
const OTHERS: [&str; 3] = [
    "bob@example.org/phone",
    "bob@example.org/laptop",
    "carol@example.org/phone",
];

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn owner() -> BareJid {
    OWNER.parse().unwrap()
}

/// A message of Alice's log.
#[derive(Debug, Clone)]
struct Logged {
    with: usize,
    /// After the message before.
    millis: u64,
    flags: EntryFlags,
}

fn logged() -> impl Strategy<Value = Logged> {
    let flags = prop_oneof![5 => Just(FOR_HISTORY), 1 => Just(EntryFlags(1))];
    let parts = (0..OTHERS.len(), 0_u64..3, flags);
    parts.prop_map(|(with, millis, flags)| Logged {
        with,
        millis,
        flags,
    })
}

/// An exchange in which Alice has this log, and where its messages are.
fn hub(log: &[Logged]) -> (Arc<Hub>, Vec<MessageId>) {
    let (mut engine, store) = Engine::memory();
    let journal = Journal::new(
        NodeId::default(),
        MessageId::FIRST,
        JournalLimits::default(),
    );
    let mut now = Timestamp::from_millis(BEGINNING);
    let mut places = Vec::new();
    for logged in log {
        now = now.after(Duration::from_millis(logged.millis));
        journal.append(now, |id| {
            places.push(id);
            (
                vec![append(id, logged)],
                Then::Answer(tokio::sync::oneshot::channel().0),
            )
        });
    }
    while journal.commit_group(&mut engine, &mut Vec::new()) > 0 {}
    let config = HubConfig {
        domains: Domains::Any,
        accounts: AccountsConfig::default(),
        rooms: RoomsConfig::default(),
    };
    (Hub::new(config, store, journal, [0; 32]), places)
}

fn append(id: MessageId, logged: &Logged) -> Change {
    let from = jid(OTHERS[logged.with]);
    let message = Message::new(&Draft {
        from: &from,
        to: &owner().into(),
        kind: MessageKind::Chat,
        traits: Traits::CONTENT,
        id: None,
        lang: None,
        text: None,
        mentions: &[],
        payload: b"<body/>",
    });
    let mine = NewEntry {
        owner: owner(),
        counterpart: from.to_bare(),
        flags: logged.flags,
    };
    // Somebody else's log is beside it.
    let theirs = NewEntry {
        owner: from.to_bare(),
        counterpart: owner(),
        flags: FOR_HISTORY,
    };
    Change::Append {
        id,
        body: message.encoded().clone(),
        entries: vec![mine, theirs],
    }
}

fn run<R>(future: impl Future<Output = R>) -> R {
    let runtime = Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn history(hub: &Hub, query: HistoryQuery) -> Result<HistoryPage, HistoryError> {
    run(hub.history(&owner(), query))
}

/// Ten messages, one a minute, by turns with Bob's phone, Bob's laptop and
/// Carol.
fn ten() -> (Arc<Hub>, Vec<MessageId>) {
    let log: Vec<_> = (0..10)
        .map(|number| Logged {
            with: number % 3,
            millis: 60_000,
            flags: FOR_HISTORY,
        })
        .collect();
    hub(&log)
}

fn minute(number: u64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + number * 60_000)
}

/// XEP-0313 §4.1.1: without a resource all of them match, with one just that.
#[test]
fn history_can_be_of_one_conversation_or_one_session() {
    let (hub, places) = ten();
    for (with, numbers) in [
        ("bob@example.org", [0, 1, 3, 4, 6, 7, 9].as_slice()),
        ("bob@example.org/phone", &[0, 3, 6, 9]),
        ("carol@example.org", &[2, 5, 8]),
        ("carol@example.org/laptop", &[]),
        ("nobody@example.org", &[]),
        // What Alice has sent to herself.
        ("alice@example.org", &[]),
    ] {
        let query = HistoryQuery {
            with: Some(With::in_account(&owner(), jid(with))),
            ..HistoryQuery::default()
        };
        let page = history(&hub, query).unwrap();
        let expected: Vec<_> = numbers.iter().map(|number| places[*number]).collect();
        assert_eq!(page.places, expected, "{with}");
        assert!(page.is_complete);
        assert_eq!(page.count, Some(numbers.len()));
    }
}

/// XEP-0313 §4.1.2: both ends belong to it.
#[test]
fn history_can_be_of_a_time() {
    let (hub, places) = ten();
    let (third, fifth) = (Some(minute(3)), Some(minute(5)));
    for (start, end, expected) in [
        (third, fifth, &places[2..5]),
        (third, None, &places[2..]),
        (None, fifth, &places[..5]),
        (fifth, third, &[]),
        (Some(minute(100)), None, &[]),
        (None, Some(Timestamp::default()), &[]),
        (None, Some(Timestamp::from_millis(u64::MAX)), &places[..]),
        (Some(Timestamp::from_millis(u64::MAX)), None, &[]),
    ] {
        let query = HistoryQuery {
            start,
            end,
            ..HistoryQuery::default()
        };
        let page = history(&hub, query).unwrap();
        assert_eq!(page.places, expected, "{start:?} {end:?}");
    }
}

/// XEP-0313 §4.1.3
#[test]
fn history_can_be_of_what_lies_between_messages_or_of_named_ones() {
    let (hub, places) = ten();
    let between = HistoryQuery {
        after: Some(places[2]),
        before: Some(places[6]),
        ..HistoryQuery::default()
    };
    assert_eq!(history(&hub, between).unwrap().places, places[3..6]);
    let named = HistoryQuery {
        ids: vec![places[7], places[1], places[7]],
        ..HistoryQuery::default()
    };
    let page = history(&hub, named.clone()).unwrap();
    assert_eq!(page.places, [places[1], places[7]]);
    for (with, expected) in [
        ("bob@example.org", [places[1], places[7]].as_slice()),
        ("bob@example.org/laptop", &[places[1], places[7]]),
        ("bob@example.org/phone", &[]),
        ("carol@example.org", &[]),
    ] {
        let query = HistoryQuery {
            with: Some(With::in_account(&owner(), jid(with))),
            ..named.clone()
        };
        assert_eq!(history(&hub, query).unwrap().places, expected, "{with}");
    }
    let after = HistoryQuery {
        after: Some(places[1]),
        ..named
    };
    assert_eq!(history(&hub, after).unwrap().places, [places[7]]);
}

/// XEP-0313 §4.1.3, §4.3: what is named has to be in the archive.
#[test]
fn a_message_that_never_was_is_not_found() {
    let (hub, places) = ten();
    let never = places[3].next();
    let paging = |paging| HistoryQuery {
        paging,
        ..HistoryQuery::default()
    };
    for query in [
        HistoryQuery {
            after: Some(never),
            ..HistoryQuery::default()
        },
        HistoryQuery {
            before: Some(never),
            ..HistoryQuery::default()
        },
        HistoryQuery {
            ids: vec![places[3], never],
            ..HistoryQuery::default()
        },
        paging(Paging::Forward { after: Some(never) }),
        paging(Paging::Backward {
            before: Some(never),
        }),
        paging(Paging::Backward {
            before: Some(MessageId::LAST),
        }),
        paging(Paging::Forward {
            after: Some(MessageId::FIRST),
        }),
    ] {
        let error = history(&hub, query.clone()).unwrap_err();
        assert!(matches!(error, HistoryError::NoMessage), "{query:?}");
    }
    let other = run(hub.history(
        &"dave@example.org".parse().unwrap(),
        paging(Paging::Forward {
            after: Some(places[3]),
        }),
    ));
    assert!(matches!(other, Err(HistoryError::NoMessage)));
}

#[test]
fn a_page_is_no_larger_than_the_configuration_says() {
    let log = vec![
        Logged {
            with: 0,
            millis: 1,
            flags: FOR_HISTORY,
        };
        300
    ];
    let (hub, places) = hub(&log);
    for (most, size) in [
        (None, 50),
        (Some(7), 7),
        (Some(251), 250),
        (Some(usize::MAX), 250),
    ] {
        let query = HistoryQuery {
            most,
            ..HistoryQuery::default()
        };
        let page = history(&hub, query).unwrap();
        assert_eq!(page.places, places[..size]);
        assert!(!page.is_complete);
        assert_eq!(page.count, None);
    }
    let query = HistoryQuery {
        ids: places[..251].to_vec(),
        ..HistoryQuery::default()
    };
    let error = history(&hub, query).unwrap_err();
    assert!(matches!(
        error,
        HistoryError::TooManyIds {
            got: 251,
            limit: 250
        }
    ));
}

/// XEP-0059 §2.6
#[test]
fn whoever_wants_no_message_learns_how_many_there_are() {
    let count = |log: &[Logged]| {
        let (hub, _) = hub(log);
        let query = HistoryQuery {
            most: Some(0),
            ..HistoryQuery::default()
        };
        let page = history(&hub, query).unwrap();
        assert_eq!(page.places, []);
        (page.count, page.is_complete)
    };
    let logged = Logged {
        with: 0,
        millis: 0,
        flags: FOR_HISTORY,
    };
    assert_eq!(count(&[]), (Some(0), true));
    assert_eq!(count(&vec![logged.clone(); 300]), (Some(300), false));
    assert_eq!(
        count(&vec![logged.clone(); MOST_COUNTED]),
        (Some(MOST_COUNTED), false)
    );
    assert_eq!(count(&vec![logged; MOST_COUNTED + 1]), (None, false));
}

/// XEP-0313 §5
#[test]
fn the_ends_of_an_archive_are_its_first_and_last_message() {
    let (hub, places) = ten();
    let ends = |owner: &str| run(hub.history_ends(&owner.parse().unwrap())).unwrap();
    assert_eq!(ends(OWNER), Some((places[0], places[9])));
    assert_eq!(ends("dave@example.org"), None);
}

/// What only the messages themselves tell takes time, and is not looked for
/// without end.
#[test]
fn a_session_that_is_not_found_for_long_is_given_up() {
    let of = |with| Logged {
        with,
        millis: 0,
        flags: FOR_HISTORY,
    };
    let mut log = vec![of(1)];
    log.extend(vec![of(0); MOST_LOOKED_INTO]);
    log.push(of(1));
    let (hub, places) = hub(&log);
    let laptop = HistoryQuery {
        with: Some(With::in_account(&owner(), jid(OTHERS[1]))),
        ..HistoryQuery::default()
    };
    // The first is found, and from there the asker can go on.
    let page = history(&hub, laptop.clone()).unwrap();
    assert_eq!(page.places, places[..1]);
    assert!(!page.is_complete);
    let on = |after| HistoryQuery {
        paging: Paging::Forward { after: Some(after) },
        ..laptop.clone()
    };
    let error = history(&hub, on(places[0])).unwrap_err();
    assert!(matches!(error, HistoryError::TooFar { .. }));
    let page = history(&hub, on(places[2])).unwrap();
    assert_eq!(page.places, places[MOST_LOOKED_INTO + 1..]);
    assert!(page.is_complete);
}

fn query() -> impl Strategy<Value = HistoryQuery> {
    let with = option::of(prop_oneof![
        Just(jid("bob@example.org")),
        Just(jid("bob@example.org/laptop")),
        Just(jid("carol@example.org")),
    ]);
    let time =
        || option::of((0_u64..60).prop_map(|millis| Timestamp::from_millis(BEGINNING + millis)));
    (with, time(), time(), 1_usize..9).prop_map(|(with, start, end, most)| HistoryQuery {
        with: with.map(|with| With::in_account(&owner(), with)),
        start,
        end,
        most: Some(most),
        ..HistoryQuery::default()
    })
}

/// What a query is for, without any store.
fn expected(log: &[Logged], places: &[MessageId], query: &HistoryQuery) -> Vec<MessageId> {
    let fits = |logged: &Logged, place: MessageId| {
        let from = jid(OTHERS[logged.with]);
        let is_with = match &query.with {
            None => true,
            Some(With::Conversation(bare)) => from.bare_str() == bare.as_str(),
            Some(With::Exactly { address, .. }) => from == *address,
        };
        is_with
            && logged.flags.contains(FOR_HISTORY)
            && query.start.is_none_or(|start| place.timestamp() >= start)
            && query.end.is_none_or(|end| place.timestamp() <= end)
    };
    let log = log.iter().zip(places.iter().copied());
    log.filter(|(logged, place)| fits(logged, *place))
        .map(|(_, place)| place)
        .collect()
}

proptest! {
    /// Whoever pages through any log, with pages of any size, in either
    /// direction, gets every message once and in order.
    #[test]
    fn paging_gives_every_message_once_and_in_order(
        log in vec(logged(), 0..60),
        query in query(),
        is_backward in any::<bool>(),
    ) {
        let (hub, places) = hub(&log);
        let expected = expected(&log, &places, &query);
        let mut pages = Vec::new();
        let mut from = None;
        loop {
            let paging = match is_backward {
                true => Paging::Backward { before: from },
                false => Paging::Forward { after: from },
            };
            let page = history(&hub, HistoryQuery { paging, ..query.clone() }).unwrap();
            prop_assert!(page.places.len() <= query.most.unwrap());
            if let Some(count) = page.count {
                prop_assert_eq!(count, expected.len());
            }
            from = match is_backward {
                true => page.places.first(),
                false => page.places.last(),
            }
            .copied();
            let is_complete = page.is_complete;
            prop_assert!(is_complete || page.places.len() == query.most.unwrap());
            pages.push(page.places);
            if is_complete {
                break;
            }
        }
        if is_backward {
            pages.reverse();
        }
        prop_assert_eq!(pages.concat(), expected);
    }
}
