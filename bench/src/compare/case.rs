//! What is measured: one row for each case.

use super::variant::Product;

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
    /// Peers that it is not run with, since they would take hours.
    pub(crate) without: &'static [Product],
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
    /// What else there must be.
    pub(crate) given: Given,
}

/// What a load finds on the server, besides accounts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    /// Nothing.
    Nothing,
    /// What another load leaves, made once for each server; every run begins with a copy.
    Left {
        /// Its arguments.
        by: &'static str,
    },
    /// The same, and the load meets the server as it starts. What the server needs without it is
    /// measured before every run, and told to the load.
    Sleeping {
        /// The arguments of the load that leaves it.
        by: &'static str,
        /// The arguments of the load that finds nothing.
        empty: &'static str,
    },
}

impl Given {
    /// The arguments of the load that leaves it.
    pub(crate) fn by(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Left { by } | Self::Sleeping { by, .. } => Some(by),
        }
    }
}

impl Load {
    const fn given(mut self, given: Given) -> Self {
        self.given = given;
        self
    }

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
    /// It is what the case is about: peers run with it alone.
    Required,
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
/// Processor time for each thousand messages at one of their receivers.
pub(crate) const CPU_PER_DELIVERY: &str = "/server_cpu_s_per_1000_deliveries";
/// Processor time for each thousand occupants who enter.
pub(crate) const CPU_PER_JOIN: &str = "/joins/server_cpu_s_per_1000";
/// Processor time of one who enters a full room.
pub(crate) const CPU_PER_LATE_JOIN: &str = "/late/server_cpu_ms_per_join";
/// Memory of an occupant, beyond the session.
pub(crate) const RSS_PER_OCCUPANT: &str = "/rss_kib_per_occupant";
/// From the start of the process to the first login.
pub(crate) const START_UP: &str = "/start_up_s";
/// Memory of a room that nobody is in.
pub(crate) const RSS_PER_SLEEPING_ROOM: &str = "/rss_kib_per_sleeping_room";
/// Processor time of a thousand pages.
pub(crate) const CPU_PER_PAGE_BY_TIME: &str = "/by_time/server_cpu_s_per_1000";
/// The same, for pages of one counterpart.
pub(crate) const CPU_PER_PAGE_BY_COUNTERPART: &str = "/by_counterpart/server_cpu_s_per_1000";
/// The same, for pages that follow a message.
pub(crate) const CPU_PER_PAGE_BY_ID: &str = "/by_id/server_cpu_s_per_1000";
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

/// Columns of the cases with rooms and messages.
const ROOMS: &[Column] = &[
    column("CPU-s/1,000 deliveries", CPU_PER_DELIVERY, Cell::Range),
    column("delivered/s", "/delivered_per_s", Cell::Range),
    column("p50 ms", "/latency_ms/p50", Cell::Median),
    column("p99 ms", P99, Cell::Range),
    column("lost", "/lost", Cell::Sum),
    column("twice", "/duplicated", Cell::Sum),
    column("misordered", "/misordered", Cell::Sum),
    column("disagreeing", "/disagreeing", Cell::Sum),
    column("unacknowledged", "/unacknowledged", Cell::Sum),
    column("generator's CPU", "/generator_cpu_share", Cell::Median),
    column("CPU-s/1,000 joins", CPU_PER_JOIN, Cell::Range),
    column("join p50 ms", "/joins/latency_ms/p50", Cell::Median),
    column(
        "full room: join p50 ms",
        "/joins/by_occupants/9/latency_ms/p50",
        Cell::Median,
    ),
    column("presences missing", "/joins/presences_missing", Cell::Sum),
];

/// Columns of the cases with one very large room.
const CROWDS: &[Column] = &[
    column("CPU-s/1,000 joins", CPU_PER_JOIN, Cell::Range),
    column("join p50 ms", "/joins/latency_ms/p50", Cell::Median),
    column("late join CPU-ms", CPU_PER_LATE_JOIN, Cell::Range),
    column("late join p50 ms", "/late/latency_ms/p50", Cell::Range),
    column(
        "presences to who is late",
        "/late/presences_to_joiner",
        Cell::Median,
    ),
    column("to the others", "/late/presences_to_others", Cell::Median),
    column("KiB/occupant (RSS)", RSS_PER_OCCUPANT, Cell::Range),
    column("missing", "/joins/presences_missing", Cell::Sum),
    column("missing, late", "/late/presences_missing", Cell::Sum),
];

/// Columns of the case with rooms that nobody is in.
const SLEEPERS: &[Column] = &[
    column("start-up s", START_UP, Cell::Range),
    column(
        "KiB/sleeping room (RSS)",
        RSS_PER_SLEEPING_ROOM,
        Cell::Range,
    ),
    column("RSS at rest, KiB", "/memory_at_rest/rss_kib", Cell::Median),
    column(
        "CPU-s/1,000 visits",
        "/server_cpu_s_per_1000_visits",
        Cell::Range,
    ),
    column("join p50 ms", "/join_ms/p50", Cell::Median),
    column("join p99 ms", "/join_ms/p99", Cell::Median),
    column("message p50 ms", "/message_ms/p50", Cell::Median),
    column("missing", "/missing", Cell::Sum),
];

/// Columns of the case with a long log.
const HISTORY: &[Column] = &[
    column(
        "by time: CPU-s/1,000 pages",
        CPU_PER_PAGE_BY_TIME,
        Cell::Range,
    ),
    column("by time: p50 ms", "/by_time/latency_ms/p50", Cell::Median),
    column("by time: p99 ms", "/by_time/latency_ms/p99", Cell::Median),
    column(
        "by counterpart: CPU-s/1,000",
        CPU_PER_PAGE_BY_COUNTERPART,
        Cell::Range,
    ),
    column(
        "by counterpart: p50 ms",
        "/by_counterpart/latency_ms/p50",
        Cell::Median,
    ),
    column(
        "by counterpart: p99 ms",
        "/by_counterpart/latency_ms/p99",
        Cell::Median,
    ),
    column("by id: CPU-s/1,000", CPU_PER_PAGE_BY_ID, Cell::Range),
    column("by id: p50 ms", "/by_id/latency_ms/p50", Cell::Median),
    column("by id: p99 ms", "/by_id/latency_ms/p99", Cell::Median),
    column("wrong", "/wrong", Cell::Sum),
    column(
        "empty log: CPU-s/1,000 logins",
        "/login_empty_log/server_cpu_s_per_1000",
        Cell::Range,
    ),
    column(
        "full log: CPU-s/1,000 logins",
        "/login_full_log/server_cpu_s_per_1000",
        Cell::Range,
    ),
];

const fn load(arguments: &'static str, accounts: usize) -> Load {
    Load {
        arguments,
        accounts,
        given: Given::Nothing,
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
        without: &[],
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
        without: &[],
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
        without: &[],
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
        without: &[],
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
        without: &[],
        columns: SESSIONS,
    },
    Case {
        name: "chat-carbons",
        title: "`chat` with carbons on: what they cost whoever has one device",
        load: load("chat --pairs 50 --window 10 --seconds 10 --carbons", 100),
        quick: load("chat --pairs 50 --window 10 --seconds 3 --carbons", 100),
        warm_up: Some("chat --pairs 50 --window 10 --seconds 3 --carbons"),
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[],
        columns: MESSAGES,
    },
    Case {
        name: "chat-devices",
        title: "`chat` with two devices for each account; every message goes to three",
        load: load(
            "chat --pairs 50 --window 10 --seconds 10 --carbons --devices 2",
            100,
        ),
        quick: load(
            "chat --pairs 50 --window 10 --seconds 3 --carbons --devices 2",
            100,
        ),
        warm_up: Some("chat --pairs 50 --window 10 --seconds 3 --carbons --devices 2"),
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[],
        columns: MESSAGES,
    },
    Case {
        name: "rooms-10x50",
        title: "10 rooms with 50 occupants each and one writer in each, 5 messages under way",
        load: load(
            "rooms --rooms 10 --occupants 50 --window 5 --seconds 10",
            500,
        ),
        quick: load(
            "rooms --rooms 10 --occupants 50 --window 5 --seconds 3",
            500,
        ),
        warm_up: Some("rooms --rooms 4 --occupants 20 --window 5 --seconds 3"),
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[],
        columns: ROOMS,
    },
    Case {
        name: "rooms-1x1000",
        title: "1 room with 1,000 occupants and one writer, 5 messages under way; only moderators' presence is told",
        load: load(
            "rooms --rooms 1 --occupants 1000 --window 5 --seconds 10 --broadcast moderators",
            1000,
        ),
        quick: load(
            "rooms --rooms 1 --occupants 200 --window 5 --seconds 3 --broadcast moderators",
            200,
        ),
        warm_up: Some("rooms --rooms 4 --occupants 20 --window 5 --seconds 3"),
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[],
        columns: ROOMS,
    },
    Case {
        name: "crowd",
        title: "10,000 occupants in one room that tells only of moderators; then 20 more, whom everybody is told of and who are told of everybody",
        load: load(
            "crowd --occupants 10000 --late 20 --broadcast revealed",
            10_020,
        ),
        quick: load("crowd --occupants 1000 --late 5 --broadcast revealed", 1005),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[Product::Prosody],
        columns: CROWDS,
    },
    Case {
        name: "crowd-all",
        title: "2,000 occupants in one room, each of whom is told of all others",
        load: load("crowd --occupants 2000 --late 20 --broadcast all", 2020),
        quick: load("crowd --occupants 200 --late 5 --broadcast all", 205),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[Product::Prosody],
        columns: CROWDS,
    },
    Case {
        name: "sleepers",
        title: "100,000 rooms that last; a restart; then someone enters 1,000 of them and writes",
        load: load("sleepers --rooms 100000 --active 1000", 10).given(Given::Sleeping {
            by: "make-rooms --rooms 100000",
            empty: "sleepers --rooms 0",
        }),
        quick: load("sleepers --rooms 2000 --active 100", 10).given(Given::Sleeping {
            by: "make-rooms --rooms 2000",
            empty: "sleepers --rooms 0",
        }),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[Product::Prosody],
        columns: SLEEPERS,
    },
    Case {
        name: "history",
        title: "pages of 50 from a log of 100,000 messages, one at a time; logins with it and without",
        load: load("history --messages 100000 --seconds 10", 60).given(Given::Left {
            by: "fill-history --messages 100000",
        }),
        quick: load("history --messages 5000 --seconds 2", 60).given(Given::Left {
            by: "fill-history --messages 5000",
        }),
        warm_up: None,
        door: DoorName::Xmpp,
        history: Matter::Required,
        without: &[],
        columns: HISTORY,
    },
];

/// Everything that is run for the cases, for a test that it can be.
#[cfg(test)]
pub(crate) fn all_arguments() -> Vec<&'static str> {
    let loads = CASES.iter().flat_map(|case| [case.load, case.quick]);
    let of_load = |load: Load| {
        let empty = match load.given {
            Given::Nothing | Given::Left { .. } => None,
            Given::Sleeping { empty, .. } => Some(empty),
        };
        std::iter::once(load.arguments)
            .chain(load.given.by())
            .chain(empty)
    };
    let warm_ups = CASES.iter().filter_map(|case| case.warm_up);
    loads.flat_map(of_load).chain(warm_ups).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn cases_and_the_columns_of_each_have_names_of_their_own() {
        let names: HashSet<_> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
        for case in CASES {
            let headings: HashSet<_> = case.columns.iter().map(|column| column.heading).collect();
            assert_eq!(headings.len(), case.columns.len(), "{}", case.name);
        }
    }
}
