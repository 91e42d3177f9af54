//! Rooms (XEP-0045), what clients send and must receive.
//!
//! | file | about |
//! |---|---|
//! | `entering.rs` | coming, being seen, another nickname, leaving |
//! | `speaking.rs` | to all, to one, the subject, invitations, requests for voice |
//! | `governing.rs` | roles and affiliations |
//! | `owning.rs` | making, configuring and ending rooms, membership by registration |
//! | `archive.rs` | what was said, read again and taken back |
//! | `avatar.rs` | the pictures of rooms |
//! | `search.rs` | searching for rooms |
//! | `hats.rs` | titles of occupants, and commands |
//! | `finding.rs` | what service discovery tells |
//! | `racing.rs` | several things at once |
//! | `refusing.rs` | what nobody is believed, and what is answered with an error |
//! | `keeping.rs` | what outlasts a restart, what is forgotten, what is counted |
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod archive;
mod avatar;
mod entering;
mod finding;
mod governing;
mod hats;
mod keeping;
mod owning;
mod racing;
mod refusing;
mod search;
mod speaking;
mod whispering;

use anser_tests::script::Script;

/// The address of the room of most tests.
const COVEN: &str = "coven@rooms.example.org";

/// What says that a presence is to enter a room.
const JOIN: &str = "<x xmlns='http://jabber.org/protocol/muc'/>";

/// Alice owns a room, and nobody is in it but her, as `alice`.
fn coven() -> Script {
    let mut script = Script::new(&["alice", "bob", "carol", "dave"]);
    for (actor, user) in [("alice", "alice"), ("bob", "bob"), ("carol", "carol")] {
        script.appear(actor, &format!("{user}@example.org/phone"));
    }
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice'>{JOIN}</presence>"),
    );
    script.forget("alice");
    configure(&mut script, "alice", "");
    script
}

/// An owner sets some fields of the configuration.
fn configure(script: &mut Script, owner: &str, fields: &str) {
    script.send(
        owner,
        &format!(
            "<iq type='set' id='config' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'>{fields}</x></query></iq>"
        ),
    );
    loop {
        let answer = script.receive(owner);
        if answer.attribute("id").as_deref() == Some("config") {
            assert_eq!(
                answer.attribute("type").as_deref(),
                Some("result"),
                "{answer:?}"
            );
            return;
        }
    }
}

/// A field of a form.
fn field(var: &str, value: &str) -> String {
    format!("<field var='{var}'><value>{value}</value></field>")
}

/// Somebody enters the room; what they and the others are told is forgotten.
fn join(script: &mut Script, actor: &str, nick: &str, others: &[&str]) {
    script.send(
        actor,
        &format!("<presence to='{COVEN}/{nick}'>{JOIN}</presence>"),
    );
    for actor in others.iter().chain([&actor]) {
        script.forget(actor);
    }
}

/// Alice, who owns the room, Bob and Carol are in it.
fn three_in_a_room() -> Script {
    let mut script = coven();
    join(&mut script, "bob", "bob", &["alice"]);
    join(&mut script, "carol", "carol", &["alice", "bob"]);
    script
}

/// What an administrative IQ looks like.
fn admin(item: &str) -> String {
    format!(
        "<iq type='set' id='admin' to='{COVEN}'>\
         <query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
    )
}

/// How an error to an IQ begins to be described in a script.
fn refused(kind: &str, condition: &str) -> String {
    format!(
        "<iq type='error' from='{COVEN}'><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
}

/// What registers a nickname with the room, or takes it back.
fn register(content: &str) -> String {
    format!(
        "<iq type='set' id='register' to='{COVEN}'>\
         <query xmlns='jabber:iq:register'>{content}</query></iq>"
    )
}

/// The form with which a nickname is registered.
fn registration(nick: &str) -> String {
    let about = field("FORM_TYPE", "http://jabber.org/protocol/muc#register");
    let nick = field("muc#register_roomnick", nick);
    format!("<x xmlns='jabber:x:data' type='submit'>{about}{nick}</x>")
}

/// Who is on a list, as Alice sees it.
fn listed(script: &mut Script, affiliation: &str) -> Vec<String> {
    script.send(
        "alice",
        &format!(
            "<iq type='get' id='list' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/muc#admin'>\
             <item affiliation='{affiliation}'/></query></iq>"
        ),
    );
    let answer = loop {
        let answer = script.receive("alice");
        if answer.name() == "iq" {
            break answer;
        }
    };
    let query = answer.children().next().unwrap().open();
    let items = query.children();
    items
        .map(|item| item.attribute("jid").unwrap().into_owned())
        .collect()
}
