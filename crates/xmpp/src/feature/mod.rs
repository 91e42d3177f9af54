//! What the server can do, one file and one row each.

mod blocking;
mod carbons;
mod disco;
pub(crate) mod history;
mod ping;
mod private;
mod room;
mod roster;
mod session;
mod time;
mod version;

use crate::bound::ArchivePage;
use crate::front::Xmpp;
use anser_hub::SessionHandle;
use anser_jid::BareJid;
use anser_store::Timestamp;
use anser_xml::Child;
use anser_xmpp_proto::payload::caps;
use anser_xmpp_proto::payload::disco::Identity;
use anser_xmpp_proto::{Feature as StreamFeature, IqKind, StanzaError, ns};
use bytes::BytesMut;
use std::future::Future;
use std::pin::Pin;

/// Where a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// By the server, under this domain.
    Server(BareJid),
    /// By the server for the account that asks.
    Own,
    /// By the server for another account.
    Account(BareJid),
    /// By the service that has rooms at this domain.
    Rooms(BareJid),
    /// By a room.
    Room(BareJid),
}

/// In which scopes a row of the table answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// For the server only.
    Server,
    /// For the account that asks.
    Own,
    /// For the server and the account that asks.
    ServerAndOwn,
    /// For any account.
    Accounts,
    /// In all scopes.
    Anywhere,
}

impl At {
    fn covers(self, scope: &Scope) -> bool {
        match (self, scope) {
            (Self::Anywhere, Scope::Server(_) | Scope::Own | Scope::Account(_))
            | (Self::Server | Self::ServerAndOwn, Scope::Server(_))
            | (Self::Own | Self::ServerAndOwn, Scope::Own)
            | (Self::Accounts, Scope::Own | Scope::Account(_)) => true,
            (Self::Server, Scope::Own | Scope::Account(_))
            | (Self::Own, Scope::Server(_) | Scope::Account(_))
            | (Self::ServerAndOwn, Scope::Account(_))
            | (Self::Accounts, Scope::Server(_))
            | (_, Scope::Rooms(_) | Scope::Room(_)) => false,
        }
    }
}

/// What a handler has to work with. It writes the answer's child into `reply`,
/// and messages of an archive that come before it into `archive`.
pub(crate) struct Context<'a> {
    pub(crate) front: &'a Xmpp,
    pub(crate) session: &'a SessionHandle,
    pub(crate) scope: Scope,
    pub(crate) now: Timestamp,
    pub(crate) reply: BytesMut,
    pub(crate) archive: Option<ArchivePage>,
    pub(crate) turn: Turn,
}

/// What comes first: the answer, or what it has brought about for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The answer, as mostly.
    Answer,
    /// The rest.
    Mail,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), StanzaError>> + Send + 'a>>;
type Handler = for<'a> fn(&'a mut Context<'_>, Child<'a>) -> Answer<'a>;

/// A specification and what of it the server does.
struct Feature {
    specification: Specification,
    /// What the server says that it can do.
    server: &'static [&'static str],
    /// What the server says that an account can do.
    account: &'static [&'static str],
    /// What it answers: kind, namespace, name, scopes, handler.
    iq: &'static [(IqKind, &'static str, &'static str, At, Handler)],
}

/// A specification that the server follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specification {
    /// An RFC of this number.
    Rfc(u16),
    /// A XEP of this number, and the version that was read.
    Xep(u16, &'static str),
}

/// What the front end does: `docs/specifications.md` lists exactly this.
pub fn specifications() -> impl Iterator<Item = Specification> {
    let own = FEATURES.iter().map(|row| row.specification);
    let of_rooms = room::specifications();
    own.chain(of_rooms.filter(|one| !FEATURES.iter().any(|row| row.specification == *one)))
}

use IqKind::{Get, Set};
use Specification::{Rfc, Xep};

#[rustfmt::skip] // a table reads as a table
const FEATURES: &[Feature] = &[
    Feature { specification: Rfc(3921), server: &[], account: &[], iq: &[
        (Set, ns::SESSION, "session", At::ServerAndOwn, |ctx, iq| Box::pin(session::establish(ctx, iq))),
    ] },
    Feature { specification: Rfc(6120), server: &[], account: &[], iq: &[] },
    Feature { specification: Rfc(6121), server: &[], account: &[], iq: &[
        (Get, ns::ROSTER, "query", At::Own, |ctx, iq| Box::pin(roster::get(ctx, iq))),
        (Set, ns::ROSTER, "query", At::Own, |ctx, iq| Box::pin(roster::set(ctx, iq))),
    ] },
    Feature { specification: Rfc(7590), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(4, "2.13.2"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(30, "2.5.0"), server: &[ns::DISCO_INFO, ns::DISCO_ITEMS], account: &[ns::DISCO_INFO, ns::DISCO_ITEMS], iq: &[
        (Get, ns::DISCO_INFO, "query", At::Anywhere, |ctx, iq| Box::pin(disco::info(ctx, iq))),
        (Get, ns::DISCO_ITEMS, "query", At::Anywhere, |ctx, iq| Box::pin(disco::items(ctx, iq))),
    ] },
    Feature { specification: Xep(49, "1.2"), server: &[ns::PRIVATE], account: &[], iq: &[
        (Get, ns::PRIVATE, "query", At::Accounts, |ctx, iq| Box::pin(private::get(ctx, iq))),
        (Set, ns::PRIVATE, "query", At::Accounts, |ctx, iq| Box::pin(private::set(ctx, iq))),
    ] },
    Feature { specification: Xep(59, "1.0"), server: &[], account: &[ns::RSM], iq: &[] },
    Feature { specification: Xep(82, "1.1.1"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(92, "1.1"), server: &[ns::VERSION], account: &[], iq: &[
        (Get, ns::VERSION, "query", At::Server, |ctx, iq| Box::pin(version::tell(ctx, iq))),
    ] },
    Feature { specification: Xep(115, "1.6.0"), server: &[ns::CAPS], account: &[], iq: &[] },
    Feature { specification: Xep(122, "1.0.2"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(160, "1.0.1"), server: &[ns::OFFLINE], account: &[], iq: &[] },
    Feature { specification: Xep(191, "1.3"), server: &[ns::BLOCKING], account: &[], iq: &[
        (Get, ns::BLOCKING, "blocklist", At::Own, |ctx, iq| Box::pin(blocking::list(ctx, iq))),
        (Set, ns::BLOCKING, "block", At::Own, |ctx, iq| Box::pin(blocking::block(ctx, iq))),
        (Set, ns::BLOCKING, "unblock", At::Own, |ctx, iq| Box::pin(blocking::unblock(ctx, iq))),
    ] },
    Feature { specification: Xep(198, "1.6.3"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(199, "2.0.1"), server: &[ns::PING], account: &[ns::PING], iq: &[
        (Get, ns::PING, "ping", At::ServerAndOwn, |ctx, iq| Box::pin(ping::reply(ctx, iq))),
    ] },
    Feature { specification: Xep(202, "2.0"), server: &[ns::TIME], account: &[], iq: &[
        (Get, ns::TIME, "time", At::Server, |ctx, iq| Box::pin(time::tell(ctx, iq))),
    ] },
    Feature { specification: Xep(203, "2.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(280, "1.0.1"), server: &[ns::CARBONS], account: &[], iq: &[
        (Set, ns::CARBONS, "enable", At::Own, |ctx, iq| Box::pin(carbons::enable(ctx, iq))),
        (Set, ns::CARBONS, "disable", At::Own, |ctx, iq| Box::pin(carbons::disable(ctx, iq))),
    ] },
    Feature { specification: Xep(297, "1.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(313, "1.1.3"), server: &[], account: &[ns::MAM, ns::MAM_EXTENDED, ns::MAM_GROUPCHAT_FIELD], iq: &[
        (Set, ns::MAM, "query", At::Accounts, |ctx, iq| Box::pin(history::query(ctx, iq))),
        (Get, ns::MAM, "query", At::Accounts, |ctx, iq| Box::pin(history::form(ctx, iq))),
        (Get, ns::MAM, "metadata", At::Accounts, |ctx, iq| Box::pin(history::metadata(ctx, iq))),
    ] },
    Feature { specification: Xep(334, "1.0.0"), server: &[ns::HINTS], account: &[], iq: &[] },
    Feature { specification: Xep(352, "1.0.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(359, "0.7.0"), server: &[], account: &[ns::STANZA_ID], iq: &[] },
    Feature { specification: Xep(368, "1.1.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(424, "0.4.2"), server: &[ns::RETRACT, ns::RETRACT_TOMBSTONE], account: &[ns::RETRACT, ns::RETRACT_TOMBSTONE], iq: &[] },
    Feature { specification: Xep(440, "1.0.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(441, "0.2.0"), server: &[], account: &[], iq: &[
        (Get, ns::MAM, "prefs", At::Accounts, |ctx, iq| Box::pin(history::preferences(ctx, iq))),
        (Set, ns::MAM, "prefs", At::Accounts, |ctx, iq| Box::pin(history::set_preferences(ctx, iq))),
    ] },
    Feature { specification: Xep(474, "0.5.0"), server: &[], account: &[], iq: &[] },
    Feature { specification: Xep(478, "0.2.0"), server: &[], account: &[], iq: &[] },
];

/// Names this software, for clients that remember what it can do.
const NODE: &str = "https://anser.im/server";

/// The table, with what follows from it.
#[derive(Debug)]
pub(crate) struct Catalogue {
    server: Vec<&'static str>,
    account: Vec<&'static str>,
    verification: String,
}

const SERVER: Identity<'static> = Identity {
    category: "server",
    kind: "im",
    name: "Anser",
};

const ACCOUNT: Identity<'static> = Identity {
    category: "account",
    kind: "registered",
    name: "",
};

impl Catalogue {
    pub(crate) fn new() -> Self {
        let server: Vec<_> = FEATURES
            .iter()
            .flat_map(|row| row.server)
            .copied()
            .collect();
        Self {
            verification: caps::verification(&[SERVER], &server),
            account: FEATURES
                .iter()
                .flat_map(|row| row.account)
                .copied()
                .collect(),
            server,
        }
    }

    /// The server's capabilities in short (XEP-0115 §6.3).
    pub(crate) fn capabilities(&self) -> StreamFeature<'_> {
        StreamFeature::Capabilities {
            node: NODE,
            version: &self.verification,
        }
    }

    /// Whether a node of service discovery stands for these capabilities.
    fn is_own_node(&self, node: &str) -> bool {
        node.strip_prefix(NODE)
            .and_then(|rest| rest.strip_prefix('#'))
            .is_some_and(|version| version == self.verification)
    }

    /// Who answers a question, if anybody does.
    pub(crate) fn handler(&self, kind: IqKind, child: Child<'_>, scope: &Scope) -> Option<Handler> {
        if matches!(scope, Scope::Rooms(_) | Scope::Room(_)) {
            return room::handler(kind, child, scope);
        }
        let rows = FEATURES.iter().flat_map(|feature| feature.iq);
        let mut fitting = rows.filter(|(of_kind, namespace, name, at, _)| {
            *of_kind == kind && child.is(namespace, name) && at.covers(scope)
        });
        fitting.next().map(|(_, _, _, _, handler)| *handler)
    }
}
