//! Accounts while the exchange is at work: made, changed and removed.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::{AccountError, Then};
use anser_jid::BareJid;
use anser_store::{Change, EntryFlags, Expect, NewEntry, Page};
use anser_tests::script::Script;
use anser_tests::world::{World, credentials};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::oneshot;

fn account(name: &str) -> BareJid {
    BareJid::new(Some(name), "example.org").unwrap()
}

fn make(world: &mut World, names: &[&str]) -> Result<(), AccountError> {
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    let new = |name: &&str| (account(name), credentials());
    let accounts: Vec<_> = names.iter().map(new).collect();
    world.complete(async move { hub.create_accounts(&accounts, now).await })
}

fn accounts(world: &mut World) -> Vec<BareJid> {
    let hub = Arc::clone(world.hub());
    let listed = world.complete(async move { hub.list_accounts(None, 10).await });
    listed.unwrap()
}

#[test]
fn an_account_that_is_named_twice_is_refused_with_all_that_came_with_it() {
    let mut world = World::new(1, &[]);
    let refused = make(&mut world, &["alice", "bob", "alice"]).unwrap_err();
    assert!(matches!(refused, AccountError::Repeated(address) if address == account("alice")));
    assert_eq!(accounts(&mut world), []);
    make(&mut world, &["alice", "bob"]).unwrap();
    assert_eq!(accounts(&mut world), [account("alice"), account("bob")]);
}

/// Begins to remove an account; the journal has it, and the disk takes its
/// time.
fn begin_to_remove(script: &mut Script, name: &str) {
    script.hold_commits(true);
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let address = account(name);
    script.world.spawn(async move {
        hub.delete_account(&address, now).await.unwrap();
    });
    script.world.settle();
}

/// How many records an account has, and how many messages are in its log.
fn left_of(world: &mut World, name: &str) -> (usize, usize) {
    let (store, owner) = (world.store().clone(), account(name));
    let read = world.complete(async move {
        let left = store.read(move |view| {
            let mut records = 0;
            for kind in ["account", "roster", "inbox"] {
                records += view.records(&owner, kind)?.len();
            }
            Ok((records, view.page(&owner, &Page::oldest(100))?.len()))
        });
        left.await
    });
    read.unwrap()
}

/// Alice and Bob see each other. A message of hers waits for him, and he has
/// taken another.
fn friends() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    let get = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    script.send("alice", get);
    script.appear("bob", "bob@example.org/phone");
    script.befriend("alice", "bob");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat'><body>one</body></message>
        bob   S: <message><body>one</body></message>
        bob   C: </stream:stream>
        alice C: <message to='bob@example.org' type='chat'><body>two</body></message>
        ",
    );
    script.world.pass(std::time::Duration::from_secs(1));
    script.forget("alice");
    script
}

#[test]
fn an_account_is_removed_in_one_commit_with_all_that_it_has() {
    let mut script = friends();
    assert_eq!(left_of(&mut script.world, "bob"), (4, 2));
    begin_to_remove(&mut script, "bob");
    script.world.commit();
    assert_eq!(left_of(&mut script.world, "bob"), (0, 0));
    script.hold_commits(false);
    script.world.settle();
    script.play(
        "
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='to'/></query></iq>
        alice S: <presence type='unsubscribe' from='bob@example.org'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='none'/></query></iq>
        alice S: <presence type='unsubscribed' from='bob@example.org'/>
        alice S: nothing
        ",
    );
}

#[test]
fn an_account_that_is_being_removed_gets_no_more_messages_and_no_session() {
    let mut script = friends();
    begin_to_remove(&mut script, "bob");
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='late'><body>three</body></message>
        alice S: <message type='error' from='bob@example.org' id='late'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ",
    );
    script.authenticate("late", "bob");
    script.play(
        "
        late C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        late S: <stream:error>
            <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        ",
    );
}

#[test]
fn an_account_that_cannot_be_removed_is_there_as_before() {
    let mut script = friends();
    script.world.space().grant(Some(0));
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let removed = script
        .world
        .complete(async move { hub.delete_account(&account("bob"), now).await });
    assert!(matches!(removed, Err(AccountError::NotKept(_))));
    assert_eq!(left_of(&mut script.world, "bob"), (4, 2));
    script.world.space().grant(None);
    script.appear("bob", "bob@example.org/phone");
    script.play("bob S: <message><body>two</body></message>");
}

#[test]
fn an_account_made_while_the_last_of_its_name_says_farewell_stays() {
    let mut script = friends();
    begin_to_remove(&mut script, "bob");
    script.world.commit();
    script.hold_commits(false);
    make(&mut script.world, &["bob"]).unwrap();
    assert_eq!(left_of(&mut script.world, "bob"), (1, 0));
    script.appear("bob", "bob@example.org/phone");
    script.expect_nothing("bob");
}

#[test]
fn a_new_account_has_nothing_of_what_was_written_for_an_earlier_one() {
    let mut script = Script::new(&["alice"]);
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let (written, _) = oneshot::channel();
    hub.journal().append(now, |id| {
        let record = Change::Put {
            owner: account("bob"),
            kind: "roster",
            key: "carol@example.org".to_owned(),
            value: Bytes::from_static(b"{}"),
            expect: Expect::Anything,
        };
        let message = Change::Append {
            id,
            body: Bytes::from_static(b"for the earlier one"),
            entries: vec![NewEntry {
                owner: account("bob"),
                counterpart: account("alice"),
                flags: EntryFlags(1),
            }],
        };
        (vec![record, message], Then::Answer(written))
    });
    script.world.settle();
    assert_eq!(left_of(&mut script.world, "bob"), (1, 1));
    make(&mut script.world, &["bob"]).unwrap();
    assert_eq!(left_of(&mut script.world, "bob"), (1, 0));
}
