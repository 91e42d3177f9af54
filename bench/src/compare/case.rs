//! What is measured: one row for each case.

/// A load that every server is put under, in the same way.
#[derive(Debug)]
pub(crate) struct Case {
    /// As named on the command line.
    pub(crate) name: &'static str,
    /// What the load is.
    pub(crate) title: &'static str,
    /// What is run.
    pub(crate) load: Load,
    /// What is run for a first look.
    pub(crate) quick: Load,
    /// Run before it; nothing is kept of it.
    pub(crate) warm_up: Option<&'static str>,
    /// Where the clients come in.
    pub(crate) door: DoorName,
    /// Whether keeping history changes anything; where not, peers run without.
    pub(crate) history: Matter,
    /// The columns of its table.
    pub(crate) columns: &'static [Column],
}

/// A command of this program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Its arguments, apart from those that name the server.
    pub(crate) arguments: &'static str,
    /// Accounts that must exist.
    pub(crate) accounts: usize,
}

impl Load {
    /// As a person would type it, who knows where the server is.
    pub(crate) fn command(&self, options: &[String]) -> String {
        let options: String = options.iter().flat_map(|option| [option, " "]).collect();
        format!(
            "anser-bench {} {options}--to ADDRESS --server-pid PID",
            self.arguments
        )
    }
}

/// The two ways in that a case can take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DoorName {
    /// TCP, without TLS.
    Xmpp,
    /// Direct TLS.
    Xmpps,
}

/// Whether something makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matter {
    /// It does.
    Matters,
    /// It does not.
    Indifferent,
}

/// A figure of the load's report.
#[derive(Debug)]
pub(crate) struct Column {
    /// With its unit.
    pub(crate) heading: &'static str,
    /// Where the report has it (RFC 6901).
    pub(crate) pointer: &'static str,
    /// How the runs become one cell.
    pub(crate) cell: Cell,
}

/// How the figures of several runs are told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    /// The median.
    Median,
    /// The median, and from where to where the runs went.
    Range,
    /// The sum: a fault in one run is a fault.
    Sum,
}

/// Processor time for each thousand messages.
pub(crate) const CPU_PER_MESSAGE: &str = "/server_cpu_s_per_1000_messages";
/// Processor time for each thousand logins.
pub(crate) const CPU_PER_LOGIN: &str = "/server_cpu_s_per_1000_logins";
/// Memory of a session.
pub(crate) const RSS_PER_SESSION: &str = "/rss_kib_per_session";
/// The latency that one message of a hundred exceeds.
pub(crate) const P99: &str = "/latency_ms/p99";

const fn column(heading: &'static str, pointer: &'static str, cell: Cell) -> Column {
    Column {
        heading,
        pointer,
        cell,
    }
}

/// Columns of the cases with messages.
const MESSAGES: &[Column] = &[
    column("CPU-s/1,000", CPU_PER_MESSAGE, Cell::Range),
    column("delivered/s", "/delivered_per_s", Cell::Range),
    column("p50 ms", "/latency_ms/p50", Cell::Median),
    column("p95 ms", "/latency_ms/p95", Cell::Median),
    column("p99 ms", P99, Cell::Range),
    column("max ms", "/latency_ms/max", Cell::Median),
    column("lost", "/lost", Cell::Sum),
    column("twice", "/duplicated", Cell::Sum),
    column("misordered", "/misordered", Cell::Sum),
    column("unacknowledged", "/unacknowledged", Cell::Sum),
    column("generator's CPU", "/generator_cpu_share", Cell::Median),
];

/// Columns of the cases with logins.
const LOGINS: &[Column] = &[
    column("CPU-s/1,000", CPU_PER_LOGIN, Cell::Range),
    column("logins/s", "/logins_per_s", Cell::Range),
    column("p50 ms", "/setup_ms/p50", Cell::Median),
    column("p99 ms", "/setup_ms/p99", Cell::Range),
    column("failed", "/failed", Cell::Sum),
];

/// Columns of the cases with idle sessions.
const SESSIONS: &[Column] = &[
    column("KiB/session (RSS)", RSS_PER_SESSION, Cell::Range),
    column("KiB/session (PSS)", "/pss_kib_per_session", Cell::Median),
    column("RSS before, KiB", "/memory_before/rss_kib", Cell::Median),
    column("idle CPU share", "/idle_server_cpu_share", Cell::Median),
    column("CPU-s/1,000 logins", CPU_PER_LOGIN, Cell::Range),
    column("failed", "/failed", Cell::Sum),
    column("dropped", "/dropped", Cell::Sum),
];

const fn load(arguments: &'static str, accounts: usize) -> Load {
    Load {
        arguments,
        accounts,
    }
}

/// All cases, in the order in which they are run.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "chat",
        title: "50 pairs, everyone writes, 10 messages under way for each sender",
        load: load("chat --pairs 50 --window 10 --seconds 10", 100),
        quick: load("chat --pairs 50 --window 10 --seconds 3", 100),
        warm_up: Some("chat --pairs 50 --window 10 --seconds 3"),
        door: DoorName::Xmpp,
        history: Matter::Matters,
        columns: MESSAGES,
    },
    Case {
        name: "chat-500",
        title: "50 pairs, 500 messages a second offered; the latency to compare",
        load: load("chat --pairs 50 --rate 500 --seconds 20", 100),
        quick: load("chat --pairs 50 --rate 500 --seconds 5", 100),
        warm_up: Some("chat --pairs 50 --rate 500 --seconds 3"),
        door: DoorName::Xmpp,
        history: Matter::Matters,
        columns: MESSAGES,
    },
    Case {
        name: "login",
        title: "500 accounts log in by SCRAM-SHA-1, 64 at a time, again and again",
        load: load("login --users 500 --times 6 --warm-up 1 --hold 0", 500),
        quick: load("login --users 500 --times 2 --warm-up 1 --hold 0", 500),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Indifferent,
        columns: LOGINS,
    },
    Case {
        name: "idle",
        title: "sessions that do nothing, on TCP",
        load: load("login --users 10000 --hold 5", 10_000),
        quick: load("login --users 1000 --hold 5", 1000),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Indifferent,
        columns: SESSIONS,
    },
    Case {
        name: "idle-tls",
        title: "sessions that do nothing, on TLS 1.3",
        load: load("login --users 10000 --hold 5 --tls direct", 10_000),
        quick: load("login --users 1000 --hold 5 --tls direct", 1000),
        warm_up: None,
        door: DoorName::Xmpps,
        history: Matter::Indifferent,
        columns: SESSIONS,
    },
];
