//! `anser serve`: start, reload, stop.

use crate::cli::{Failure, Output};
use crate::config::{self, Config, Durability};
use crate::control;
use crate::data::{DataFolder, DataLock};
use crate::descriptors;
use crate::front_ends::{self, DOORS, DoorKind, Wanted};
use crate::signals::{Signals, Told};
use crate::writer::{Writer, WriterPanicked};
use anser_hub::{Domains, Hub, HubConfig, Then};
use anser_jid::BareJid;
use anser_net::{
    Certificates, Clock, Door, Guests, Identity, Opening, Terms, TlsAcceptor, Workers, drive,
    local_identity,
};
use anser_sasl::{Decoys, Iterations};
use anser_store::{Engine, Journal, JournalLimits, NodeId, Space, Timestamp};
use anser_xmpp::{Entry, Xmpp};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Serve {
    pub(crate) data: DataFolder,
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) config: Config,
    pub(crate) domains: Vec<String>,
    pub(crate) listen: Vec<(String, SocketAddr)>,
    pub(crate) allow_plaintext_login: bool,
}

/// How often clocks are looked at that nobody waits for.
const TICK: Duration = Duration::from_secs(1);
/// Connections get so long to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Ports that are tried when the usual one is taken.
const PORTS_TRIED: u16 = 50;

pub(crate) fn run(serve: Serve, output: &Output) -> Result<(), Failure> {
    start_log(&serve.config)?;
    let wanted = serve.doors()?;
    let lock = serve.data.lock()?.ok_or_else(|| {
        let folder = serve.data.path().display();
        Failure::Failed(format!(
            "another anser works in {folder}; stop it, or choose another folder with --data"
        ))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let server = Server::start(serve, &lock)?;
        server.run(&wanted, output).await
    })
}

fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.level)
        .map_err(|error| Failure::Failed(format!("log.level: {error}")))?;
    let is_unwanted = |no_color: std::ffi::OsString| !no_color.is_empty();
    let has_colours =
        io::stderr().is_terminal() && !std::env::var_os("NO_COLOR").is_some_and(is_unwanted);
    tracing_subscriber::fmt()
        .with_ansi(has_colours)
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    Ok(())
}

/// The queue in front of an engine.
pub(crate) fn new_journal(engine: &Engine) -> Result<Journal<Then>, Failure> {
    let newest = engine.newest()?;
    Ok(Journal::new(
        NodeId::default(),
        newest,
        JournalLimits::default(),
    ))
}

impl Serve {
    /// Its domains: from the command line, else from the configuration, else
    /// this machine only.
    fn domains(&self, config: &Config) -> Result<BTreeSet<String>, Failure> {
        let mut names = if self.domains.is_empty() {
            config.domains.clone()
        } else {
            self.domains.clone()
        };
        if names.is_empty() {
            names.push("localhost".to_owned());
        }
        names
            .iter()
            .map(|name| match BareJid::parse(name) {
                Ok(domain) if domain.is_domain() => Ok(domain.to_string()),
                Ok(_) => Err(Failure::Usage(format!("{name:?} is not a domain"))),
                Err(error) => Err(Failure::Usage(format!("{name:?} is not a domain: {error}"))),
            })
            .collect()
    }

    /// Which doors to open, and where.
    fn doors(&self) -> Result<Vec<Wanted>, Failure> {
        let named: Vec<_> = if self.listen.is_empty() {
            let doors = self.config.doors.iter();
            doors
                .map(|(name, address)| (name.clone(), *address))
                .collect()
        } else {
            self.listen.clone()
        };
        let is_public = !self.domains(&self.config)?.contains("localhost");
        let wanted: Vec<_> = if named.is_empty() {
            DOORS.iter().map(|kind| usual(kind, is_public)).collect()
        } else {
            named
                .into_iter()
                .map(named_door)
                .collect::<Result<_, _>>()?
        };
        let is_loopback = |wanted: &Wanted| wanted.address.ip().is_loopback();
        if self.allow_plaintext_login && !wanted.iter().all(is_loopback) {
            return Err(Failure::Usage(
                "--allow-plaintext-login is for loopback only: let every door listen at \
                 127.0.0.1 or [::1]"
                    .to_owned(),
            ));
        }
        Ok(wanted)
    }
}

/// A door at its usual port: on this machine only, or for everybody.
fn usual(kind: &'static DoorKind, is_public: bool) -> Wanted {
    let ip = if is_public {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    };
    Wanted {
        kind,
        address: SocketAddr::new(ip, kind.port),
        may_move: !is_public,
    }
}

fn named_door((name, address): (String, SocketAddr)) -> Result<Wanted, Failure> {
    let kind = front_ends::door(&name).ok_or_else(|| {
        let known: Vec<_> = DOORS.iter().map(|door| door.name).collect();
        let known = known.join(", ");
        Failure::Usage(format!("there is no door {name:?}, only {known}"))
    })?;
    Ok(Wanted {
        kind,
        address,
        may_move: false,
    })
}

/// A server that runs.
struct Server {
    serve: Serve,
    clock: Arc<Clock>,
    hub: Arc<Hub>,
    xmpp: Arc<Xmpp>,
    certificates: Arc<Certificates>,
    space: Space,
    workers: Arc<Workers>,
    guests: Arc<Guests>,
    writer: Writer,
}

impl Server {
    fn start(serve: Serve, lock: &DataLock) -> Result<Self, Failure> {
        let config = &serve.config;
        let random = SystemRandom::new();
        let (engine, store) = serve.data.open_store(lock, |options| {
            options.durability = match config.store.durability {
                Durability::Durable => anser_store::Durability::Durable,
                Durability::Relaxed => anser_store::Durability::Relaxed,
            };
        })?;
        let space = engine.space();
        let journal = new_journal(&engine)?;
        let hub_config = hub_config(&serve, config)?;
        let clock = Arc::new(Clock::default());
        let certificates = Certificates::new(identity(&serve, config, clock.now())?);
        let secret = serve.data.secret(&random)?;
        let hub = Hub::new(hub_config, store, journal.clone(), secret);
        let writer = Writer::start(&journal, &hub, engine)?;
        let decoys = Decoys::new(&secret, Iterations::new(config.auth.scram_iterations)?);
        let fill = move |bytes: &mut [u8]| {
            random
                .fill(bytes)
                .expect("the system gave random numbers before");
        };
        let xmpp = Xmpp::new(
            Arc::clone(&hub),
            config.xmpp.clone(),
            decoys,
            Box::new(fill),
        );
        let workers = match config.network.workers {
            0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            workers => workers,
        };
        let server = Self {
            clock,
            hub,
            xmpp,
            certificates: Arc::new(certificates),
            space,
            workers: Arc::new(Workers::start(workers)?),
            guests: Guests::new(descriptors::connections(
                config.network.connections,
                workers,
            )),
            writer,
            serve,
        };
        server.grant_space(&server.serve.config);
        Ok(server)
    }

    async fn run(mut self, wanted: &[Wanted], output: &Output) -> Result<(), Failure> {
        let mut signals = Signals::install()?;
        let socket = self.serve.data.control_socket();
        let control = control::serve(&socket, Arc::clone(&self.hub), Arc::clone(&self.clock));
        let control = control.map_err(|error| {
            Failure::Failed(format!("{} cannot be made: {error}", socket.display()))
        })?;
        let control = tokio::spawn(control);
        let mut open = Vec::new();
        let mut serving = Vec::new();
        for wanted in wanted {
            let door = open_door(wanted).await?;
            open.push((wanted.kind.name, door.address()?));
            serving.push(tokio::spawn(self.serve_door(wanted.kind, door)));
        }
        self.announce(&open, output);
        self.until_told_to_stop(&mut signals).await?;
        control.abort();
        for door in serving {
            door.abort();
        }
        tokio::select! {
            () = self.stop() => Ok(()),
            () = signals.stop() => Err(Failure::Failed(
                "told to stop a second time: not everything was written down".to_owned(),
            )),
        }
    }

    /// Lets clients in through a door.
    fn serve_door(&self, kind: &'static DoorKind, door: Door) -> impl Future<Output = ()> + use<> {
        let tls = TlsAcceptor::new(Arc::clone(&self.certificates), kind.alpn);
        let write_timeout = self.serve.config.network.write_timeout_seconds;
        let terms = Arc::new(Terms {
            clock: Arc::clone(&self.clock),
            tls: Some(tls),
            write_timeout: Duration::from_secs(write_timeout.into()),
        });
        let entry = Entry {
            has_starttls: kind.opening == Opening::Plain,
            allows_plaintext_login: self.serve.allow_plaintext_login
                && kind.opening == Opening::Plain,
        };
        let xmpp = Arc::clone(&self.xmpp);
        door.serve(
            Arc::clone(&self.workers),
            Arc::clone(&self.guests),
            move |stream, _peer, guest| {
                let client = xmpp.connect(entry, terms.clock.now());
                drive(stream, kind.opening, client, Arc::clone(&terms), guest)
            },
        )
    }

    /// One line, for whoever waits for it.
    fn announce(&self, open: &[(&str, SocketAddr)], output: &Output) {
        let data = self.serve.data.path();
        let mut text = String::from("anser is ready:");
        let mut doors = Map::new();
        for (name, address) in open {
            write!(text, " {name} at {address},").expect("writing to memory does not fail");
            doors.insert((*name).to_owned(), Value::String(address.to_string()));
        }
        write!(text, " data in {}", data.display()).expect("writing to memory does not fail");
        output.done(&text, || json!({ "doors": doors, "data": data }));
    }

    /// Until SIGTERM or SIGINT. SIGHUP reads the configuration again.
    ///
    /// # Errors
    /// [`WriterPanicked`]: nothing can be acknowledged any more, and the next
    /// start finds all that was.
    async fn until_told_to_stop(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        // By itself, since it waits for the disk.
        let mut ticking = pin!(tick(Arc::clone(&self.hub), Arc::clone(&self.clock)));
        let mut ticks = ticks();
        loop {
            tokio::select! {
                told = signals.next() => match told {
                    Told::Stop => return Ok(()),
                    Told::Reload => self.reload(),
                },
                () = self.writer.ended() => return Err(WriterPanicked.into()),
                _ = ticks.tick() => self.xmpp.tick(self.clock.now()),
                never = &mut ticking => match never {},
            }
        }
    }

    /// Reads the configuration again: it is applied whole, or not at all.
    fn reload(&mut self) {
        match self.try_reload() {
            Ok(()) => tracing::info!("the configuration was read again"),
            Err(Failure::Usage(text) | Failure::Failed(text)) => {
                tracing::error!(reason = text, "the configuration is as it was");
            }
        }
    }

    fn try_reload(&mut self) -> Result<(), Failure> {
        let config = match &self.serve.config_file {
            Some(file) => config::read(file)?,
            None => self.serve.config.clone(),
        };
        let hub_config = hub_config(&self.serve, &config)?;
        let identity = identity(&self.serve, &config, self.clock.now())?;
        // Nothing from here on can fail.
        self.certificates.replace(identity, HashMap::new());
        self.hub.configure(hub_config);
        self.xmpp.configure(config.xmpp.clone());
        self.grant_space(&config);
        self.serve.config = config;
        Ok(())
    }

    fn grant_space(&self, config: &Config) {
        let megabytes = config.store.limit_megabytes;
        self.space.grant((megabytes > 0).then_some(megabytes << 20));
    }

    /// Says goodbye to everybody, and writes down what there is to write down.
    async fn stop(mut self) {
        tracing::info!("stopping");
        self.xmpp.stop();
        self.hub.close_all();
        if timeout(DRAIN, self.sessions_ended()).await.is_err() {
            tracing::warn!(left = self.guests.count(), "some connections did not end");
        }
        self.hub.save_inboxes(self.clock.now()).await;
        self.hub.save_activities(self.clock.now()).await;
        self.hub.journal().close();
        self.writer.ended().await;
        if let Err(error) = self.writer.join() {
            tracing::error!("{error}");
        }
    }

    /// Connections whose clients have not logged in are not waited for.
    async fn sessions_ended(&self) {
        let mut ticks = interval(Duration::from_millis(20));
        while self.guests.count() > 0 && self.hub.session_count() > 0 {
            ticks.tick().await;
        }
        // The last words are on their way.
        let _ = timeout(Duration::from_millis(500), self.guests.gone()).await;
    }
}

/// Has the exchange write down what it has in memory only, now and then.
async fn tick(hub: Arc<Hub>, clock: Arc<Clock>) -> Infallible {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        hub.tick(clock.now()).await;
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn hub_config(serve: &Serve, config: &Config) -> Result<HubConfig, Failure> {
    Ok(HubConfig {
        domains: Domains::Only(serve.domains(config)?),
        accounts: config.accounts.clone(),
        rooms: config.rooms.clone(),
    })
}

/// The configured certificate, or one of our own making.
fn identity(serve: &Serve, config: &Config, now: Timestamp) -> Result<Identity, Failure> {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        return Ok(Identity::read(certificate, key)?);
    }
    let domains: Vec<_> = serve.domains(config)?.into_iter().collect();
    Ok(local_identity(&serve.data.tls(), &domains, now)?)
}

/// Opens a door; where it may, at the next port that is free.
async fn open_door(wanted: &Wanted) -> Result<Door, Failure> {
    let mut address = wanted.address;
    let last = wanted.address.port().saturating_add(PORTS_TRIED);
    loop {
        let error = match Door::open(address).await {
            Ok(door) => return Ok(door),
            Err(error) => error,
        };
        let is_taken = error.kind() == io::ErrorKind::AddrInUse;
        if is_taken && wanted.may_move && address.port() < last {
            address.set_port(address.port() + 1);
            continue;
        }
        if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !is_taken {
            // A machine without IPv6.
            address.set_ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            continue;
        }
        let name = wanted.kind.name;
        let hint = if is_taken {
            format!("; choose another port with --listen {name}=ADDRESS:PORT")
        } else {
            String::new()
        };
        return Err(Failure::Failed(format!(
            "door {name} cannot be opened at {address}: {error}{hint}"
        )));
    }
}
