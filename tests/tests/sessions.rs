//! Sessions as the exchange gives them out, where what happens at once matters.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::{
    AccountError, CloseReason, Credentials, Event, Hub, Login, OpenError, Presence, PresenceKind,
    SessionHandle, Then,
};
use anser_jid::BareJid;
use anser_store::{Change, Expect, Timestamp};
use anser_tests::script::Script;
use anser_tests::world::{DOMAIN, World};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use tokio::sync::oneshot;

/// What opens a session for Alice.
fn login(world: &mut World) -> Login {
    let hub = Arc::clone(world.hub());
    let known = world.complete(async move { hub.credentials(&alice()).await });
    known.unwrap().unwrap().1
}

fn alice() -> BareJid {
    "alice@example.org".parse().unwrap()
}

/// Opens a session, for which nothing has to be read.
fn open(
    hub: &Arc<Hub>,
    login: &Login,
    resource: &str,
    now: Timestamp,
) -> Result<SessionHandle, OpenError> {
    let opened = pin!(hub.open_session(login.clone(), resource, now));
    match opened.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(opened) => opened,
        Poll::Pending => panic!("the account is in memory"),
    }
}

/// Somebody who opens a session when another has just been ended.
struct Rival {
    hub: Arc<Hub>,
    now: Timestamp,
    login: Login,
    resource: &'static str,
    opened: Mutex<Option<Result<SessionHandle, OpenError>>>,
}

impl Wake for Rival {
    fn wake(self: Arc<Self>) {
        let opened = open(&self.hub, &self.login, self.resource, self.now);
        *self.opened.lock().unwrap() = Some(opened);
    }
}

/// Alice has a session as `phone`, and opens another; between the end of the one
/// and the beginning of the other, somebody else opens one as `rival`.
fn race(world: &mut World, rival: &'static str) -> (Arc<Rival>, Result<SessionHandle, OpenError>) {
    let login = login(world);
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    let first = open(&hub, &login, "phone", now).unwrap();
    let rival = Arc::new(Rival {
        hub: Arc::clone(&hub),
        now,
        login: login.clone(),
        resource: rival,
        opened: Mutex::default(),
    });
    let waker = Waker::from(Arc::clone(&rival));
    let polled = first.mailbox().poll_ready(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let opened = open(&hub, &login, "phone", now);
    (rival, opened)
}

/// RFC 6120 §7.7.2.2
#[test]
fn of_two_who_want_a_resource_at_the_same_moment_one_has_it() {
    let mut world = World::new(1, &["alice"]);
    let (rival, second) = race(&mut world, "phone");
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
    let (rival, second) = race(&mut world, "laptop");
    assert!(rival.opened.lock().unwrap().take().unwrap().is_ok());
    assert!(matches!(
        second,
        Err(OpenError::TooManySessions { limit: 1 })
    ));
}

/// Somebody who is seen by many who are not there and by one who is.
struct Seen {
    login: Login,
    address: BareJid,
    watcher: SessionHandle,
}

fn seen_by_many(world: &mut World, number: usize) -> Seen {
    let names = [format!("seen{number}"), format!("watcher{number}")];
    let [address, watcher] = names.map(|name| BareJid::new(Some(&name), DOMAIN).unwrap());
    let contact = |owner: &BareJid, key: String, value: &'static str| Change::Put {
        owner: owner.clone(),
        kind: "roster",
        key,
        value: value.into(),
        expect: Expect::Anything,
    };
    let strangers = (0..500).map(|number| format!("a{number}@example.org"));
    let everybody = strangers.chain([watcher.to_string()]);
    let is_seen = |by| contact(&address, by, r#"{"subscription":"from"}"#);
    let mut changes: Vec<_> = everybody.map(is_seen).collect();
    let sees = r#"{"subscription":"to"}"#;
    changes.push(contact(&watcher, address.to_string(), sees));
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    world.complete(async move {
        let new = [address.clone(), watcher.clone()].map(|of| (of, Credentials::new(&[])));
        hub.create_accounts(&new, now).await.unwrap();
        let (written, is_written) = oneshot::channel();
        hub.journal()
            .append(now, |_| (changes, Then::Answer(written)));
        is_written.await.unwrap().unwrap();
        let (_, login) = hub.credentials(&watcher).await.unwrap().unwrap();
        let watcher = hub.open_session(login, "phone", now).await.unwrap();
        hub.appear(&watcher, available(&watcher));
        let (_, login) = hub.credentials(&address).await.unwrap().unwrap();
        // So that it is in memory.
        hub.open_session(login.clone(), "phone", now).await.unwrap();
        Seen {
            login,
            address,
            watcher,
        }
    })
}

fn available(session: &SessionHandle) -> Presence {
    let (from, to) = (session.address().clone(), session.address().to_bare());
    Presence {
        kind: PresenceKind::Available { priority: 0 },
        ..Presence::unavailable(from.into(), to.into())
    }
}

/// One thread has somebody appear while another ends their session.
fn appear_and_end(hub: &Arc<Hub>, now: Timestamp, seen: &Seen) {
    let mut session = open(hub, &seen.login, "phone", now).unwrap();
    for round in 0..400 {
        session = thread::scope(|scope| {
            scope.spawn(|| hub.appear(&session, available(&session)));
            let newer = scope.spawn(|| open(hub, &seen.login, "phone", now));
            newer.join().unwrap().unwrap()
        });
        let mail = seen.watcher.mailbox().take();
        let last = mail.iter().rev().find_map(|event| match event {
            Event::Presence(presence) if presence.from.to_bare() == seen.address => {
                Some(presence.kind)
            }
            _ => None,
        });
        let is_gone = matches!(last, None | Some(PresenceKind::Unavailable));
        assert!(is_gone, "in round {round}");
    }
}

/// RFC 6121 §4.5.2: whoever has ended is seen to be there by nobody, also if
/// they had just come.
#[test]
fn whoever_ends_while_they_appear_is_seen_to_be_gone() {
    let mut world = World::new(1, &[]);
    // Enough of them for threads to be held up anywhere.
    let everybody: Vec<_> = (0..8)
        .map(|number| seen_by_many(&mut world, number))
        .collect();
    let (hub, now) = (world.hub(), world.now());
    thread::scope(|scope| {
        for seen in &everybody {
            scope.spawn(|| appear_and_end(hub, now, seen));
        }
    });
}

/// Has the exchange do something with an account.
fn administer<F>(world: &mut World, act: impl FnOnce(Arc<Hub>, Timestamp) -> F)
where
    F: Future<Output = Result<(), AccountError>> + 'static,
{
    let future = act(Arc::clone(world.hub()), world.now());
    world.complete(future).unwrap();
}

fn change_password(world: &mut World, of: &str) {
    let of = of.parse().unwrap();
    administer(world, |hub, now| async move {
        hub.set_credentials(&of, &Credentials::new(&[]), now).await
    });
}

/// A password that was changed opens no session, also if it was right when it
/// was asked for (RFC 6120 §6.4.6).
#[test]
fn whoever_has_logged_in_with_a_password_that_is_changed_then_gets_no_session() {
    let mut script = Script::new(&["alice", "bob"]);
    script.authenticate("alice", "alice");
    script.authenticate("bob", "bob");
    change_password(&mut script.world, "alice@example.org");
    let bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    script.send("alice", bind);
    script.expect(
        "alice",
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    script.expect("alice", "</stream:stream>");
    script.expect_closed("alice");
    script.send("bob", bind);
    script.expect("bob", "<iq type='result' id='b'/>");
}

#[test]
fn a_login_does_not_hold_for_a_later_account_of_the_same_name() {
    let mut world = World::new(1, &["alice"]);
    let login = login(&mut world);
    administer(&mut world, |hub, now| async move {
        hub.delete_account(&alice(), now).await
    });
    administer(&mut world, |hub, now| async move {
        let new = [(alice(), Credentials::new(&[]))];
        hub.create_accounts(&new, now).await
    });
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    let opened = world.complete(async move { hub.open_session(login, "phone", now).await });
    assert!(matches!(opened, Err(OpenError::Revoked)));
}

#[test]
fn a_login_holds_whoever_else_gets_a_new_password() {
    let mut world = World::new(1, &["alice", "bob"]);
    let login = login(&mut world);
    change_password(&mut world, "bob@example.org");
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    let opened = world.complete(async move { hub.open_session(login, "phone", now).await });
    assert!(opened.is_ok());
}
