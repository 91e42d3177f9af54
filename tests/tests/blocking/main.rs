//! Blocking (XEP-0191): the list in `list.rs`, and in `passing.rs` what of
//! messages, presence and questions goes through; `rooms/blocking.rs` has the rooms.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod list;
mod passing;

use anser_tests::script::Script;

/// Alice and Bob, there, and friends.
fn friends() -> Script {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    for name in ["alice", "bob"] {
        script.appear(name, &format!("{name}@example.org/phone"));
    }
    script.befriend("alice", "bob");
    script
}

/// Alice blocks some addresses, and what Bob sees of it is forgotten.
fn with_blocked(addresses: &[&str]) -> Script {
    let mut script = friends();
    script.change_blocks("alice", "block", addresses);
    script.forget("bob");
    script
}
