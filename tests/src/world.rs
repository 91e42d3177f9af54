//! The exchange and the sessions of clients without sockets, threads or a real
//! clock: whoever holds the world decides what happens next, so what happened
//! once happens again.

use anser_hub::{AccountsConfig, Credentials, Domains, Hub, HubConfig, RoomsConfig, Then};
use anser_jid::BareJid;
use anser_net::{Next, Protocol, Secured};
use anser_sasl::{Decoys, Iterations, SALT_BYTES, Verifier};
use anser_store::{Engine, Journal, JournalLimits, MessageId, NodeId, Space, Store, Timestamp};
use anser_xmpp::{C2s, Entry, Xmpp, XmppConfig};
use bytes::BytesMut;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The domain of the world.
pub const DOMAIN: &str = "example.org";
/// Everybody's password.
pub const PASSWORD: &str = "pencil";
/// What the secured connections of the world are bound to.
pub const EXPORTER: [u8; 32] = [7; 32];

/// Pseudo-random numbers: the same seed gives the same ones (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A task, and whether it wants to run.
struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    awake: Arc<Awake>,
}

#[derive(Default)]
struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What connects a client with its session.
#[derive(Default)]
pub struct Link {
    /// From the client, arrived at the server.
    inbound: BytesMut,
    /// From the server, not yet at the client.
    pub outbound: BytesMut,
    /// The server has noticed that the connection is gone.
    is_cut: bool,
    /// The server has closed the connection.
    pub is_closed: bool,
    waker: Option<Waker>,
}

impl Link {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// One of the world's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkId(usize);

/// Everything but the clients.
pub struct World {
    clock: Arc<AtomicU64>,
    hub: Arc<Hub>,
    front: Arc<Xmpp>,
    store: Store,
    engine: Engine,
    journal: Journal<Then>,
    tasks: Vec<Option<Task>>,
    links: Vec<Arc<Mutex<Link>>>,
    settled: Vec<anser_store::Settled<Then>>,
    holds_commits: bool,
    secured: Secured,
}

/// When the world begins: 2026-11-20.
const BEGINNING: Timestamp = Timestamp::from_millis(1_795_132_800_000);

impl World {
    /// A world in which `users` have accounts. What is random in it follows
    /// from the seed.
    #[must_use]
    pub fn new(seed: u64, users: &[&str]) -> Self {
        Self::with_config(
            seed,
            users,
            AccountsConfig::default(),
            XmppConfig::default(),
        )
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_config(
        seed: u64,
        users: &[&str],
        accounts: AccountsConfig,
        xmpp: XmppConfig,
    ) -> Self {
        Self::with_limits(seed, users, accounts, xmpp, JournalLimits::default())
    }

    /// The same with another journal too.
    #[must_use]
    pub fn with_limits(
        seed: u64,
        users: &[&str],
        accounts: AccountsConfig,
        xmpp: XmppConfig,
        limits: JournalLimits,
    ) -> Self {
        let (engine, store) = Engine::memory();
        let journal = Journal::new(NodeId::default(), MessageId::FIRST, limits);
        let domains = Domains::Only(BTreeSet::from([DOMAIN.to_owned()]));
        let hub = Hub::new(
            HubConfig {
                domains,
                accounts,
                rooms: RoomsConfig::default(),
            },
            store.clone(),
            journal.clone(),
            [3; 32],
        );
        let dice = Mutex::new(Dice::new(seed));
        let random = move |bytes: &mut [u8]| {
            let mut dice = dice.lock().unwrap();
            bytes.fill_with(|| dice.roll() as u8);
        };
        let decoys = Decoys::new(b"decoys", iterations());
        let front = Xmpp::new(Arc::clone(&hub), xmpp, decoys, Box::new(random));
        let mut world = Self {
            clock: Arc::new(AtomicU64::new(BEGINNING.millis())),
            hub,
            front,
            store,
            engine,
            journal,
            tasks: Vec::new(),
            links: Vec::new(),
            settled: Vec::new(),
            holds_commits: false,
            secured: Secured {
                exporter: Some(EXPORTER),
                end_point: None,
            },
        };
        world.add_users(users);
        world
    }

    fn add_users(&mut self, users: &[&str]) {
        let accounts: Vec<_> = users
            .iter()
            .map(|user| {
                let address = BareJid::new(Some(user), DOMAIN).unwrap();
                (address, credentials())
            })
            .collect();
        let (hub, now) = (Arc::clone(&self.hub), self.now());
        self.spawn(async move {
            hub.create_accounts(&accounts, now).await.unwrap();
        });
        self.settle();
    }

    /// The time in the world.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed))
    }

    /// Lets time pass. Whoever has a deadline looks at the clock.
    pub fn pass(&mut self, time: Duration) {
        let now = self.now().after(time);
        self.clock.store(now.millis(), Ordering::Relaxed);
        for link in &self.links {
            link.lock().unwrap().wake();
        }
        self.front.tick(now);
        let hub = Arc::clone(&self.hub);
        self.spawn(async move { hub.tick(now).await });
    }

    /// The exchange.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The XMPP front end.
    #[must_use]
    pub fn front(&self) -> &Arc<Xmpp> {
        &self.front
    }

    /// What TLS says of the connections that begin from now on.
    pub fn set_secured(&mut self, secured: Secured) {
        self.secured = secured;
    }

    /// What is stored.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The room that there is for more.
    #[must_use]
    pub fn space(&self) -> Space {
        self.engine.space()
    }

    /// A client connects.
    pub fn connect(&mut self, entry: Entry) -> LinkId {
        let link = Arc::new(Mutex::new(Link::default()));
        let id = LinkId(self.links.len());
        self.links.push(Arc::clone(&link));
        let protocol = self.front.connect(entry, self.now());
        let clock = Arc::clone(&self.clock);
        self.spawn(drive(protocol, link, clock, self.secured.clone()));
        id
    }

    /// A connection.
    pub fn link(&self, id: LinkId) -> MutexGuard<'_, Link> {
        self.links[id.0].lock().unwrap()
    }

    /// Bytes arrive at the server.
    pub fn arrive(&self, id: LinkId, bytes: &[u8]) {
        let mut link = self.link(id);
        link.inbound.extend_from_slice(bytes);
        link.wake();
    }

    /// The server notices that a connection is gone.
    pub fn cut(&self, id: LinkId) {
        let mut link = self.link(id);
        link.is_cut = true;
        link.wake();
    }

    /// Runs something beside the connections.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let awake = Arc::new(Awake(AtomicBool::new(true)));
        let task = Task {
            future: Box::pin(future),
            awake,
        };
        match self.tasks.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(task),
            None => self.tasks.push(Some(task)),
        }
    }

    /// Runs something beside the connections until it is done.
    ///
    /// # Panics
    /// It waits for what only others can bring about.
    pub fn complete<R: 'static>(&mut self, future: impl Future<Output = R> + 'static) -> R {
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        self.spawn(async move { *slot.borrow_mut() = Some(future.await) });
        self.settle();
        result.take().expect("nothing keeps it from its end")
    }

    /// How many tasks have not ended: one for each connection that is open.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tasks.iter().flatten().count()
    }

    /// How many tasks want to run.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.tasks.iter().filter(|task| is_awake(task)).count()
    }

    /// Runs the `choice`th of the tasks that want to run, as far as it gets.
    pub fn run(&mut self, choice: usize) {
        let mut awake = self.tasks.iter_mut().filter(|task| is_awake(task));
        let Some(slot) = awake.nth(choice) else {
            return;
        };
        let Some(task) = slot else {
            return;
        };
        task.awake.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.awake));
        let mut context = Context::from_waker(&waker);
        if task.future.as_mut().poll(&mut context).is_ready() {
            *slot = None;
        }
    }

    /// Commits what waits in the journal; says how much that was.
    pub fn commit(&mut self) -> usize {
        let count = self
            .journal
            .commit_group(&mut self.engine, &mut self.settled);
        self.hub.settle(&mut self.settled);
        count
    }

    /// Has [`World::settle`] leave the journal alone, as if the disk were slow.
    pub fn hold_commits(&mut self, is_held: bool) {
        self.holds_commits = is_held;
    }

    /// Runs and commits until nothing is left to do.
    pub fn settle(&mut self) {
        loop {
            if self.awake() > 0 {
                self.run(0);
            } else if self.holds_commits || self.commit() == 0 {
                return;
            }
        }
    }
}

fn is_awake(task: &Option<Task>) -> bool {
    let awake = |task: &Task| task.awake.0.load(Ordering::Relaxed);
    task.as_ref().is_some_and(awake)
}

fn iterations() -> Iterations {
    Iterations::new(Iterations::MIN).unwrap()
}

/// Everybody's credentials: derived once, because that is slow on purpose.
#[must_use]
pub fn credentials() -> Credentials {
    thread_local! {
        static CREDENTIALS: RefCell<Option<Credentials>> = const { RefCell::new(None) };
    }
    CREDENTIALS.with_borrow_mut(|credentials| {
        let derive = || {
            let salt = [1; SALT_BYTES];
            Credentials::new(&Verifier::derive_all(PASSWORD, salt, iterations()).unwrap())
        };
        credentials.get_or_insert_with(derive).clone()
    })
}

/// What the driver of real connections does, over a link of the world.
async fn drive(mut protocol: C2s, link: Arc<Mutex<Link>>, clock: Arc<AtomicU64>, secured: Secured) {
    enum Event {
        Bytes,
        Mail,
        Deadline,
        Over,
    }
    let now = || Timestamp::from_millis(clock.load(Ordering::Relaxed));
    let mut input = BytesMut::new();
    let mut has_more = false;
    loop {
        let event = poll_fn(|context| {
            let mut wire = link.lock().unwrap();
            if wire.is_cut || protocol.poll_abandoned(context).is_ready() {
                return Poll::Ready(Event::Over);
            }
            wire.waker = Some(context.waker().clone());
            let has_input = has_more || !wire.inbound.is_empty();
            if has_input && protocol.poll_receivable(context).is_ready() {
                let arrived = wire.inbound.split();
                input.extend_from_slice(&arrived);
                return Poll::Ready(Event::Bytes);
            }
            drop(wire);
            if protocol.poll_mail(context).is_ready() {
                return Poll::Ready(Event::Mail);
            }
            match protocol.deadline() {
                Some(deadline) if deadline <= now() => Poll::Ready(Event::Deadline),
                _ => Poll::Pending,
            }
        })
        .await;
        let mut output = BytesMut::new();
        let next = match event {
            Event::Bytes => protocol.receive(&mut input, &mut output, now()).await,
            Event::Mail => protocol.mail(&mut output, now()).await,
            Event::Deadline => protocol.time_out(&mut output, now()),
            Event::Over => {
                protocol.lost(&mut output, now()).await;
                Next::Close
            }
        };
        let mut wire = link.lock().unwrap();
        wire.outbound.extend_from_slice(&output);
        has_more = next == Next::More;
        match next {
            Next::Continue | Next::More => {}
            Next::Secure => {
                input.clear();
                wire.inbound.clear();
                protocol.secured(secured.clone());
            }
            Next::Close => {
                wire.is_closed = true;
                return;
            }
        }
    }
}
