//! `fill-history` and `history`: an account with a long log, and those who look things up in it.

mod page;
mod stamp;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::select;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clients::{Ends, LoadError, doing, enter};
use crate::figures::{Meter, Percentiles, per_thousand, round};
use crate::run::{Report, RunArgs, seconds};
use crate::xmpp::{Door, Error, Incoming, Session, Setting, log_in};

use page::{Item, Wanted};

/// Ids that are kept to ask for pages by.
const KEPT_IDS: usize = 1000;
/// The most that a message may take while the log is filled.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who writes to the one with the log.
#[derive(Debug, Clone, Copy, Args)]
struct Correspondence {
    /// Messages in the log of u0
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// Those who have written them: u1, u2, and so on, each an equal share
    #[arg(long, default_value_t = 50)]
    counterparts: usize,
}

/// Options of `fill-history`.
#[derive(Debug, Args)]
pub(crate) struct FillArgs {
    #[command(flatten)]
    correspondence: Correspondence,
    /// Messages of each that may be under way
    #[arg(long, default_value_t = 10)]
    window: usize,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `fill-history`.
#[derive(Debug, Serialize)]
pub(crate) struct Filled {
    load: &'static str,
    messages: usize,
    failed: u64,
    first_failure: Option<String>,
    seconds: f64,
}

/// Options of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    correspondence: Correspondence,
    /// Messages of a page
    #[arg(long, default_value_t = 50)]
    page: usize,
    /// Seconds for each kind of page, and for each kind of login
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `history`.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    messages: usize,
    page: usize,
    by_time: Lookups,
    by_counterpart: Lookups,
    by_id: Lookups,
    login_empty_log: Lookups,
    login_full_log: Lookups,
    /// Pages that were not what was asked for.
    wrong: u64,
}

/// The same thing again and again, one at a time.
#[derive(Debug, Serialize)]
struct Lookups {
    count: u64,
    server_cpu_s_per_1000: Option<f64>,
    latency_ms: Option<Percentiles>,
    #[serde(skip)]
    wrong: u64,
}

/// Fills the log of u0, who reads along.
pub(crate) async fn fill(args: FillArgs) -> Result<Filled, LoadError> {
    let door = Arc::new(args.run.door()?);
    let Correspondence {
        messages,
        counterparts,
    } = args.correspondence;
    let mut sessions = enter(&args.run, &door, counterparts + 1, 1).await?;
    let writers = sessions.split_off(1);
    let reader = sessions.remove(0);
    let started = Instant::now();
    let windows: Arc<[Semaphore]> = (0..counterparts)
        .map(|_| Semaphore::new(args.window))
        .collect();
    let (stop, stopped) = watch::channel(());
    let mut clients = JoinSet::new();
    for (number, session) in writers.into_iter().enumerate() {
        let share = (number..messages).step_by(counterparts).count();
        let (to, windows) = (door.accounts().address(0), windows.clone());
        clients.spawn(write(session, to, share, number, windows, stopped.clone()));
    }
    let read = read(reader, &door, messages, &windows).await;
    drop(stop);
    let ends = Ends::of(clients).await;
    let failures: Vec<String> = read
        .err()
        .into_iter()
        .map(|error| error.to_string())
        .collect();
    let mut failures = failures.into_iter().chain(ends.failures);
    let first_failure = failures.next();
    Ok(Filled {
        load: "fill-history",
        messages,
        failed: u64::from(first_failure.is_some()) + failures.count() as u64,
        first_failure,
        seconds: round(started.elapsed().as_secs_f64(), 1),
    })
}

/// Writes its share, as fast as it is read, and stays until told to stop.
async fn write(
    mut session: Session,
    to: String,
    share: usize,
    writer: usize,
    windows: Arc<[Semaphore]>,
    mut stopped: watch::Receiver<()>,
) -> Result<u32, Error> {
    let mut written = 0;
    loop {
        select! {
            biased;
            incoming = session.next() => drop(incoming?),
            turn = windows[writer].acquire(), if written < share => {
                turn.expect("nobody closes the windows").forget();
                written += 1;
                session.queue(&format!(
                    "<message to='{to}' type='chat' id='h{writer}-{written}'><body>message \
                     {written} of a long correspondence, which somebody will look for one day\
                     </body></message>"
                ));
            },
            _ = stopped.changed() => break,
        }
    }
    session.close().await;
    Ok(0)
}

/// Reads until everything has come; every arrival lets its writer go on.
async fn read(
    mut session: Session,
    door: &Door,
    messages: usize,
    windows: &[Semaphore],
) -> Result<(), Error> {
    let writers: Vec<String> = (1..=windows.len())
        .map(|number| door.accounts().address(number) + "/")
        .collect();
    let mut arrived = 0;
    while arrived < messages {
        let next = tokio::time::timeout(PATIENCE, session.next()).await;
        let silent = |_| Error::Silent {
            step: "filling the log",
            patience: PATIENCE,
        };
        let Incoming::Stanza(stanza) = next.map_err(silent)?? else {
            continue;
        };
        let from = stanza.attribute("from").unwrap_or_default();
        let writer = writers.iter().position(|writer| from.starts_with(writer));
        if stanza.name() == b"message"
            && let Some(writer) = writer
        {
            arrived += 1;
            windows[writer].add_permits(1);
        }
    }
    session.close().await;
    Ok(())
}

/// Looks up pages of each kind, and logs in with and without a log.
pub(crate) async fn history(args: HistoryArgs) -> Result<History, LoadError> {
    let door = Arc::new(args.run.door()?);
    let what = || doing(|| "u0, looking something up".to_owned());
    let session = log_in(&door, 0).await.map_err(what())?;
    let mut reader = Reader::new(&args, &door, session).await.map_err(what())?;
    let by_time = reader.look_up(Reader::by_time).await.map_err(what())?;
    let by_counterpart = reader
        .look_up(Reader::by_counterpart)
        .await
        .map_err(what())?;
    let by_id = reader.look_up(Reader::by_id).await.map_err(what())?;
    reader.session.close().await;
    // Whoever comes after the counterparts has neither written nor received anything.
    let stranger = args.correspondence.counterparts + 1;
    let login_empty_log = args.log_in_again(&door, stranger).await.map_err(what())?;
    let login_full_log = args.log_in_again(&door, 0).await.map_err(what())?;
    Ok(History {
        load: "history",
        setting: door.setting().clone(),
        messages: args.correspondence.messages,
        page: args.page,
        wrong: by_time.wrong + by_counterpart.wrong + by_id.wrong,
        by_time,
        by_counterpart,
        by_id,
        login_empty_log,
        login_full_log,
    })
}

/// The one with the log.
struct Reader<'a> {
    args: &'a HistoryArgs,
    door: &'a Door,
    session: Session,
    owner: String,
    oldest: stamp::Stamp,
    newest: stamp::Stamp,
    /// Ids of pages that were read, to ask for what follows them.
    ids: VecDeque<String>,
    asked: usize,
}

impl<'a> Reader<'a> {
    async fn new(
        args: &'a HistoryArgs,
        door: &'a Door,
        mut session: Session,
    ) -> Result<Self, Error> {
        let owner = door.accounts().address(0);
        let mut ends = Vec::new();
        for (number, wanted) in [Wanted::Oldest, Wanted::Newest].into_iter().enumerate() {
            let page = wanted.page(&mut session, &owner, number, args.page).await?;
            if !wanted.is_met_by(&page, args.page) {
                return Err(Error::Refused {
                    step: "a page at an end of the log",
                    answer: format!("{page:?}"),
                });
            }
            ends.extend(page.items.into_iter().map(|item| item.stamp));
        }
        Ok(Self {
            args,
            door,
            session,
            owner,
            oldest: ends.first().copied().expect("a page is not empty"),
            newest: ends.last().copied().expect("a page is not empty"),
            ids: VecDeque::new(),
            asked: 2,
        })
    }

    /// Anywhere in the log, but not so near its end that the page could not be full.
    fn by_time(&mut self) -> Wanted {
        let share = 0.95 * scattered(self.asked);
        Wanted::Since(self.oldest.towards(self.newest, share))
    }

    /// What a client asks for when a conversation is opened.
    fn by_counterpart(&mut self) -> Wanted {
        let counterpart = 1 + self.asked % self.args.correspondence.counterparts;
        Wanted::With(self.door.accounts().address(counterpart))
    }

    /// What a client asks for when it scrolls.
    fn by_id(&mut self) -> Wanted {
        let id = self.ids.pop_front();
        Wanted::After(id.expect("every page gives an id back"))
    }

    /// One page after the other until the time is over.
    async fn look_up(&mut self, next: fn(&mut Self) -> Wanted) -> Result<Lookups, Error> {
        let meter = Meter::start(self.args.run.server());
        let (started, mut times, mut wrong) = (Instant::now(), Vec::new(), 0);
        while started.elapsed() < self.args.seconds {
            let wanted = next(self);
            self.asked += 1;
            let page = wanted.page(&mut self.session, &self.owner, self.asked, self.args.page);
            let page = page.await?;
            times.push(page.time);
            let is_met = wanted.is_met_by(&page, self.args.page);
            wrong += u64::from(!is_met);
            self.keep_id(&wanted, page.items);
        }
        Ok(Lookups::of(&meter, times, wrong))
    }

    /// Of pages by time alone are all places in the log; an id asked for goes back into the queue.
    fn keep_id(&mut self, wanted: &Wanted, items: Vec<Item>) {
        match wanted {
            Wanted::Oldest | Wanted::Newest | Wanted::With(_) => {}
            Wanted::Since(_) => self
                .ids
                .extend(items.into_iter().next().map(|first| first.id)),
            Wanted::After(id) => self.ids.push_back(id.clone()),
        }
        self.ids.truncate(KEPT_IDS);
    }
}

impl HistoryArgs {
    /// One account comes and goes until the time is over.
    async fn log_in_again(&self, door: &Door, number: usize) -> Result<Lookups, Error> {
        let meter = Meter::start(self.run.server());
        let (started, mut times) = (Instant::now(), Vec::new());
        while started.elapsed() < self.seconds {
            let began = Instant::now();
            let session = log_in(door, number).await?;
            times.push(began.elapsed());
            session.close().await;
        }
        Ok(Lookups::of(&meter, times, 0))
    }
}

impl Lookups {
    fn of(meter: &Meter, times: Vec<Duration>, wrong: u64) -> Self {
        let count = times.len() as u64;
        let cpu = meter.read().server_cpu;
        Self {
            count,
            server_cpu_s_per_1000: cpu.and_then(|cpu| per_thousand(cpu, count)),
            latency_ms: Percentiles::of(times),
            wrong,
        }
    }
}

/// Numbers between 0 and 1 that never come close together: multiples of the golden ratio.
fn scattered(number: usize) -> f64 {
    (number as f64 * 0.618_033_988_749_895).fract()
}

impl Report for Filled {
    fn is_sound(&self) -> bool {
        self.failed == 0
    }
}

impl Report for History {
    fn is_sound(&self) -> bool {
        self.wrong == 0
    }
}
