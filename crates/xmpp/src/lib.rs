//! The XMPP front end: streams of clients on one side, the exchange on the
//! other.
//!
//! [`C2s`] is one client's connection. It runs behind the driver of
//! `anser-net`, or behind anything else that feeds it bytes and time.

mod bound;
mod c2s;
mod config;
mod content;
mod error;
mod feature;
mod forgery;
mod front;
mod iq;
mod management;
mod message;
mod negotiation;
mod outbound;
mod presence;
mod resumption;
mod retraction;
mod room;
mod traits;

pub use c2s::C2s;
pub use config::XmppConfig;
pub use feature::{Specification, specifications};
pub use front::{Entry, Random, Xmpp};
