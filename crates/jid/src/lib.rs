//! XMPP addresses (RFC 7622): `localpart@domainpart/resourcepart`.
//!
//! [`Jid`] is any address, [`BareJid`] one without a resource, [`FullJid`] one
//! with a resource. Their text is prepared when they are made, so equality of
//! addresses is equality of bytes, and everything made from one address shares
//! one allocation with it.
//!
//! # How the parts are prepared
//! | part | rule |
//! |---|---|
//! | local | PRECIS UsernameCaseMapped (RFC 8265 §3.3), without ``"&'/:<>@`` (RFC 7622 §3.3.1) |
//! | domain | UTS #46 without transitional mapping, labels of letters, digits and hyphens, written as U-labels; one trailing dot dropped; IPv6 in brackets, written as RFC 5952 has it (RFC 7622 §3.2) |
//! | resource | PRECIS OpaqueString (RFC 8265 §4.2) |
//!
//! PRECIS derives what is allowed from the properties of a character
//! (RFC 8264 §8), here those of current Unicode, not of Unicode 6.3 at which
//! the registry of IANA stopped. A leading space in a resource is allowed: the
//! profile has no rule against it, and example 18 of RFC 7622 §3.5 is withdrawn
//! (erratum 4560).
//!
//! # What deployed peers do differently
//! Most servers still prepare with stringprep (RFC 6122). What one of them
//! sends is nearly always what we would have made of it; these are the
//! differences that people can meet:
//!
//! - Case: stringprep folds `ß` to `ss` and `ς` to `σ` in the local part. Here
//!   `fußball@` and `fussball@` are two accounts.
//! - Compatibility characters: stringprep turns `Ⅳ` into `iv` and `ﬁ` into
//!   `fi`. Here the local part refuses them, the resource keeps them as they
//!   are, and only full- and half-width letters of a local part are mapped.
//! - Invisible characters: stringprep drops zero-width joiners, soft hyphens
//!   and variation selectors. Here they are refused, save where a script needs
//!   the joiner (RFC 5892 appendix A), so a nickname with a variation selector
//!   after its emoji is not an address.
//! - Symbols: stringprep allows `♚@`; here symbols stand in resources only.
//! - Right to left: stringprep wants the first and last character of a name to
//!   be right-to-left ones; here the rule is the one of RFC 5893, which also
//!   allows a digit or a vowel sign at the end.
//! - Domains: IDNA2003 turns `ß` into `ss`; here `faß.example` is its own name.
//!   Unlike strict IDNA2008, UTS #46 lets symbols such as `☃` pass.

mod bidi;
mod class;
mod domain;
mod error;
mod jid;
mod part;
mod precis;

pub use error::{Flaw, JidError};
pub use jid::{BareJid, FullJid, Jid};
pub use part::{MAX_PART_BYTES, Part};
