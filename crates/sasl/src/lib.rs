//! SASL exchanges as state machines (RFC 4422), for both ends: PLAIN (RFC 4616)
//! and SCRAM with and without channel binding (RFC 5802, RFC 7677, RFC 9266).
//!
//! No I/O: messages come in and go out as bytes without base64, randomness is an
//! argument, and the look-up of an account is a pause between two states.
//!
//! ```text
//! Exchange::new ── step(client first) ──> Lookup ── resume(verifier) ──> Challenge
//!                                           │                               │
//!                                         (PLAIN)                  step(client final)
//!                                           └───────────> Success <─────────┘
//! ```
//!
//! # What an attacker does not learn or reach
//! - Whether an account exists: [`Decoys`] answer for those that do not, through
//!   the same code to the same error.
//! - A weaker mechanism: a client that saw no -PLUS mechanism although one was
//!   offered is refused (RFC 5802 §6), and the server's first message carries a
//!   hash of everything that was offered (XEP-0474).
//! - Another account: an authorization identity that is not the account's own is
//!   refused in every mechanism.
//! - The password: what is stored is a [`Verifier`].

mod binding;
pub mod client;
mod crypto;
mod decoy;
mod exchange;
mod fault;
mod mechanism;
mod message;
mod nonce;
mod offer;
mod plain;
mod prepare;
mod scram;
mod verifier;

pub use binding::{BindingType, ChannelBindings};
pub use decoy::Decoys;
pub use exchange::{Exchange, Lookup, Step};
pub use fault::{BindingFault, MessageFault, SaslFault};
pub use mechanism::{Hash, Mechanism};
pub use nonce::{InvalidNonce, Nonce};
pub use offer::Offer;
pub use prepare::PasswordFault;
pub use verifier::{Iterations, IterationsFault, SALT_BYTES, StoredFault, Verifier};
