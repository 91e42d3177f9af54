//! XMPP without I/O: streams, stanzas, stream management, and one file per
//! extension for its XML.

#[cfg(test)]
mod sample;
mod sm;
mod stanza;
mod stream;

pub mod ns;
pub mod payload;
pub mod sasl;

pub use sm::{AckError, Outbox};
pub use stanza::{
    Advice, DefinedCondition, Detail, Iq, IqKind, Kind, MessageType, PresenceType, StanzaError,
    StanzaFault, StanzaHeader,
};
pub use stream::{
    Feature, HeaderFault, StreamCondition, StreamError, StreamHeader, write_features, write_header,
};
