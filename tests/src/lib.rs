//! What end-to-end tests share.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

pub mod client;
pub mod conformance;
pub mod crash;
pub mod foreign;
pub mod link;
pub mod process;
pub mod program;
pub mod script;
pub mod simulation;
pub mod world;
