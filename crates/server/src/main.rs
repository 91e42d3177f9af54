//! Anser: chat for people, rooms and devices in one program.

mod cli;
mod config;
mod control;
mod data;
mod descriptors;
mod front_ends;
mod reach;
mod room;
mod serve;
mod signals;
mod user;
mod writer;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
