//! The XML of extensions, one file each.

pub mod bind;
pub mod blocking;
pub mod caps;
pub mod carbons;
pub mod channel_search;
pub mod client_state;
pub mod command;
pub mod delay;
pub mod disco;
pub mod form;
pub mod forward;
pub mod mam;
pub mod moderation;
pub mod muc;
pub mod muc_admin;
pub mod private;
pub mod reference;
pub mod retract;
pub mod roster;
pub mod rsm;
pub mod stanza_id;
pub mod stream_management;
pub mod time;
pub mod vcard;
pub mod version;
