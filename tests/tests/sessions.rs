//! Sessions as the exchange gives them out, where what happens at once matters.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::{CloseReason, Hub, OpenError, SessionHandle};
use anser_jid::FullJid;
use anser_store::Timestamp;
use anser_tests::world::World;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Opens a session, for which nothing has to be read.
fn open(hub: &Arc<Hub>, address: &str, now: Timestamp) -> Result<SessionHandle, OpenError> {
    let address = FullJid::parse(address).unwrap();
    let opened = pin!(hub.open_session(address, now));
    match opened.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(opened) => opened,
        Poll::Pending => panic!("the account is in memory"),
    }
}

/// Somebody who opens a session when another has just been ended.
struct Rival {
    hub: Arc<Hub>,
    now: Timestamp,
    address: &'static str,
    opened: Mutex<Option<Result<SessionHandle, OpenError>>>,
}

impl Wake for Rival {
    fn wake(self: Arc<Self>) {
        let opened = open(&self.hub, self.address, self.now);
        *self.opened.lock().unwrap() = Some(opened);
    }
}

/// Alice has a session as `phone`, and opens another; between the end of the one
/// and the beginning of the other, somebody else opens one as `rival`.
fn race(world: &mut World, rival: &'static str) -> (Arc<Rival>, Result<SessionHandle, OpenError>) {
    const PHONE: &str = "alice@example.org/phone";
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    let first = open(&hub, PHONE, now).unwrap();
    let rival = Arc::new(Rival {
        hub: Arc::clone(&hub),
        now,
        address: rival,
        opened: Mutex::default(),
    });
    let waker = Waker::from(Arc::clone(&rival));
    let polled = first.mailbox().poll_ready(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let opened = open(&hub, PHONE, now);
    (rival, opened)
}

/// RFC 6120 §7.7.2.2
#[test]
fn of_two_who_want_a_resource_at_the_same_moment_one_has_it() {
    let mut world = World::new(1, &["alice"]);
    let (rival, second) = race(&mut world, "alice@example.org/phone");
    let second = second.unwrap();
    assert_eq!(world.hub().session_count(), 1);
    let rival = rival.opened.lock().unwrap().take().unwrap().unwrap();
    assert_eq!(rival.mailbox().closed(), Some(CloseReason::Replaced));
    drop((rival, second));
    assert_eq!(world.hub().session_count(), 0);
}

/// Every input has a limit.
#[test]
fn those_who_come_at_the_same_moment_are_no_more_than_an_account_may_have() {
    let mut world = World::new(1, &["alice"]);
    let mut config = (*world.hub().config()).clone();
    config.accounts.sessions = 1;
    world.hub().configure(config);
    let (rival, second) = race(&mut world, "alice@example.org/laptop");
    assert!(rival.opened.lock().unwrap().take().unwrap().is_ok());
    assert!(matches!(
        second,
        Err(OpenError::TooManySessions { limit: 1 })
    ));
}
