//! Accounts while the exchange is at work: made, changed and removed.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountError;
use anser_jid::BareJid;
use anser_tests::world::{World, credentials};
use std::sync::Arc;

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
