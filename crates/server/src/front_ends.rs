//! The table of front ends: which doors there are, and who serves behind them.

use anser_net::Opening;
use std::net::SocketAddr;

/// A way into the server.
#[derive(Debug)]
pub(crate) struct DoorKind {
    /// Its name in the configuration and on the command line.
    pub(crate) name: &'static str,
    /// Its port if none is configured.
    pub(crate) port: u16,
    /// Whether TLS comes first.
    pub(crate) opening: Opening,
    /// The protocol's name in ALPN; none where TLS begins in the middle.
    pub(crate) alpn: &'static [&'static str],
}

#[rustfmt::skip] // a table reads as a table
pub(crate) const DOORS: &[DoorKind] = &[
    DoorKind { name: "xmpp", port: 5222, opening: Opening::Plain, alpn: &[] },
    DoorKind { name: "xmpps", port: 5223, opening: Opening::Secured, alpn: &["xmpp-client"] },
];

/// A door to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) kind: &'static DoorKind,
    pub(crate) address: SocketAddr,
    /// A port that is taken is passed over for the next free one.
    pub(crate) may_move: bool,
}

/// The door of this name.
pub(crate) fn door(name: &str) -> Option<&'static DoorKind> {
    DOORS.iter().find(|door| door.name == name)
}
