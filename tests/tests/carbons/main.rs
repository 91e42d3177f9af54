//! Copies of messages for one's other devices (XEP-0280).
//!
//! | file | about |
//! |---|---|
//! | `devices.rs` | which devices get copies |
//! | `messages.rs` | which messages are copied, and what a copy looks like |
//! | `delivery.rs` | when a copy comes, and what waits if it is lost |
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod delivery;
mod devices;
mod messages;

use anser_tests::script::Script;

const ENABLE: &str = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

/// Alice at her phone and, with copies, at her laptop and her tablet, where she
/// takes no messages; Bob at his phone and, with copies, at his laptop.
fn conversation() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    for (actor, address) in [
        ("alice", "alice@example.org/phone"),
        ("laptop", "alice@example.org/laptop"),
        ("bob", "bob@example.org/phone"),
        ("desk", "bob@example.org/desk"),
    ] {
        script.appear(actor, address);
    }
    script.log_in("tablet", "alice@example.org/tablet");
    for actor in ["laptop", "tablet", "desk"] {
        enable(&mut script, actor);
    }
    for actor in ["alice", "laptop", "bob", "desk"] {
        script.forget(actor);
    }
    script
}

/// Whatever the device has received so far is forgotten.
fn enable(script: &mut Script, actor: &str) {
    script.forget(actor);
    script.send(actor, ENABLE);
    script.expect(actor, "<iq type='result' id='c'/>");
}

/// What a device gets as a copy.
fn copy(direction: &str, of: &str, to: &str, message: &str) -> String {
    let message = message.replacen("<message ", "<message xmlns='jabber:client' ", 1);
    format!(
        "<message from='{of}@example.org' to='{of}@example.org/{to}'>\
         <{direction} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         {message}</forwarded></{direction}></message>"
    )
}
