//! The crate from outside, both ends of it.

#![allow(clippy::unwrap_used, reason = "the helpers are tests too")]

mod binding;
mod client;
mod common;
mod decoy;
mod faults;
mod round_trip;
mod verifier;
