//! XML as XMPP uses it (RFC 6120 §11): a strict streaming parser and a writer.
//!
//! ```
//! use anser_xml::{Event, Limits, Scanner, Writer};
//! use bytes::BytesMut;
//!
//! let mut scanner = Scanner::new(Limits::BEFORE_AUTHENTICATION);
//! let mut input = BytesMut::from(
//!     "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
//!      <message to='romeo@example.net'><body>Wherefore art thou?</body></message>",
//! );
//! let Some(Event::Open(_)) = scanner.next(&mut input)? else { panic!("no header") };
//! let Some(Event::Element(message)) = scanner.next(&mut input)? else { panic!("no stanza") };
//! let body = message.child("jabber:client", "body").expect("it is there");
//! assert_eq!(body.text(), "Wherefore art thou?");
//!
//! // To forward it, only its start tag is written anew.
//! let mut out = BytesMut::new();
//! let mut writer = Writer::new(&mut out);
//! let to = message.attribute("to");
//! let mut forwarded = writer.open("message").attribute_opt("to", to.as_deref());
//! forwarded.raw(&message.content());
//! forwarded.close();
//! # Ok::<(), anser_xml::Fault>(())
//! ```
//!
//! # Two stages
//!
//! 1. [`Scanner`] reads a connection's bytes as they arrive, in one pass that checks everything
//!    and notes where things are. It tells of a fault at the byte that makes it certain, and of
//!    a stanza when its last byte is there.
//! 2. [`Element`] is a complete stanza: the received bytes, not copied, and an index of offsets to
//!    its attributes and direct children. What lies deeper, and what a value means, is found out
//!    when somebody asks. [`Element::content`] hands the bytes on as they are, to be sent and
//!    stored under another start tag.
//!
//! # Invariants
//!
//! - What an [`Element`] holds is well-formed, namespace-well-formed and without anything that RFC
//!   6120 §11.1 forbids, in all of its depth. So reading deeper cannot fail.
//! - Events and faults do not depend on how the input was split.
//! - Work is linear in the bytes of a stanza, also if they come one by one; memory is bounded by
//!   its [`Limits`], and what is made of it by whoever asks ([`Element::content_within`]). Between stanzas a scanner needs no memory but its own few words.
//! - Offsets are 32 bits wide; no stanza can be larger, whatever its limits.
//! - Nothing that is read is ever entered into a table that outlives the stream.
//! - What [`Writer`], [`Element::content`] and [`Element::to_bytes`] give is read as the same again
//!   by this parser and by any other.
//! - No input makes anything here panic.
//!
//! Not here: attribute defaults, entities and everything else that needs a DTD; comments and
//! processing instructions; encodings other than UTF-8; XML 1.1.

mod attribute;
mod chars;
mod child;
mod content;
mod declaration;
mod element;
mod escape;
mod fault;
mod index;
mod limits;
mod pass;
mod scanner;
mod scope;
mod value;
mod writer;

pub use attribute::Attribute;
pub use child::Child;
pub use content::ContentTooLarge;
pub use element::Element;
pub use fault::{Condition, Construct, Fault};
pub use limits::Limits;
pub use scanner::{Event, Scanner};
pub use writer::Writer;
