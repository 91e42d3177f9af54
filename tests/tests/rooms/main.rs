//! Rooms (XEP-0045), what clients send and must receive.
//!
//! | file | about |
//! |---|---|
//! | `entering.rs` | coming into a room |
//! | `devices.rs` | several devices of an account, and entering once more |
//! | `returning.rs` | coming back after a broken connection |
//! | `history.rs` | what those who enter are told of the past |
//! | `presence.rs` | being seen, another nickname, leaving |
//! | `speaking.rs` | to all, to one, requests for voice |
//! | `subject.rs` | the subject |
//! | `whispering.rs` | what is said to one alone, and kept |
//! | `questions.rs` | questions to occupants and to oneself |
//! | `inviting.rs` | invitations |
//! | `slow_mode.rs` | whoever has spoken waits |
//! | `flooding.rs` | how much one and all may say and do |
//! | `roles.rs` | kicks, voice, moderators |
//! | `affiliations.rs` | bans, members, admins and owners |
//! | `registering.rs` | membership and nicknames by registration |
//! | `owning.rs` | making and configuring rooms |
//! | `ending.rs` | how rooms end |
//! | `archive.rs` | what was said, read again and counted |
//! | `blocking.rs` | who blocks an account or a room |
//! | `retraction.rs` | what was said, taken back |
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

mod affiliations;
mod archive;
mod avatar;
mod blocking;
mod devices;
mod ending;
mod entering;
mod finding;
mod flooding;
mod hats;
mod history;
mod inviting;
mod keeping;
mod owning;
mod presence;
mod questions;
mod racing;
mod refusing;
mod registering;
mod retraction;
mod returning;
mod roles;
mod search;
mod slow_mode;
mod speaking;
mod subject;
mod whispering;

use anser_tests::script::Script;
use anser_xml::Element;

/// The address of the room of most tests.
const COVEN: &str = "coven@rooms.example.org";

/// That of another.
const HEATH: &str = "heath@rooms.example.org";

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

/// The question for a list.
fn asks_for(item: &str) -> String {
    format!(
        "<iq type='get' id='list' to='{COVEN}'>\
         <query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
    )
}

/// Who is on a list, as Alice sees it.
fn listed(script: &mut Script, affiliation: &str) -> Vec<String> {
    let item = format!("<item affiliation='{affiliation}'/>");
    script.send("alice", &asks_for(&item));
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

/// Somebody asks for a list, and the next thing they get is the answer: address,
/// nickname, affiliation and role of each, or the name of the error.
fn list(script: &mut Script, actor: &str, item: &str) -> Result<Vec<String>, String> {
    script.send(actor, &asks_for(item));
    let answer = script.receive(actor);
    if answer.attribute("type").as_deref() == Some("error") {
        let error = answer.child("jabber:client", "error").unwrap().open();
        return Err(error.children().next().unwrap().name().to_owned());
    }
    let query = answer.children().next().unwrap().open();
    let items = query.children();
    Ok(items
        .map(|item| {
            let attributes = ["jid", "nick", "affiliation", "role"];
            let values = attributes.map(|name| item.attribute(name).unwrap_or_default());
            values.join(" ")
        })
        .collect())
}

/// What an administrative IQ asks for is done.
fn done(script: &mut Script, actor: &str) {
    script.expect(
        actor,
        &format!("<iq type='result' id='admin' from='{COVEN}'/>"),
    );
}

/// What an owner asks of a room.
fn owner(kind: &str, content: &str) -> String {
    format!(
        "<iq type='{kind}' id='owner' to='{COVEN}'>\
         <query xmlns='http://jabber.org/protocol/muc#owner'>{content}</query></iq>"
    )
}

/// Somebody asks what the room is like; the answer has this in it.
fn expect_info(script: &mut Script, actor: &str, content: &str) {
    let query = "query xmlns='http://jabber.org/protocol/disco#info'";
    script.send(
        actor,
        &format!("<iq type='get' id='info' to='{COVEN}'><{query}/></iq>"),
    );
    script.expect(
        actor,
        &format!("<iq type='result' id='info'><{query}>{content}</query></iq>"),
    );
}

/// Somebody says something; gives the id that the room has given it.
fn say(script: &mut Script, actor: &str, body: &str, listeners: &[&str]) -> String {
    let to = format!("to='{COVEN}' type='groupchat' id='{body}'");
    script.send(
        actor,
        &format!("<message {to}><body>{body}</body></message>"),
    );
    let heard = script.receive(actor);
    for listener in listeners {
        script.receive(listener);
    }
    let id = heard.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    id.attribute("id").unwrap().into_owned()
}

/// Asks for the archive; gives the messages of the answer, or the name of the
/// error.
fn read(script: &mut Script, actor: &str, content: &str) -> Result<Vec<Element>, String> {
    script.send(
        actor,
        &format!(
            "<iq type='set' id='q' to='{COVEN}'>\
             <query xmlns='urn:xmpp:mam:2' queryid='x'>{content}</query></iq>"
        ),
    );
    let mut messages = Vec::new();
    loop {
        let stanza = script.receive(actor);
        if stanza.name() == "iq" {
            if stanza.attribute("type").as_deref() == Some("error") {
                let error = stanza.child("jabber:client", "error").unwrap().open();
                return Err(error.children().next().unwrap().name().to_owned());
            }
            return Ok(messages);
        }
        assert_eq!(stanza.attribute("from").as_deref(), Some(COVEN));
        let result = stanza.child("urn:xmpp:mam:2", "result").unwrap().open();
        let forwarded = result
            .child("urn:xmpp:forward:0", "forwarded")
            .unwrap()
            .open();
        messages.push(forwarded.child("jabber:client", "message").unwrap().open());
    }
}

/// The texts of messages; `-` where there is none.
fn bodies(messages: &[Element]) -> Vec<String> {
    let body = |message: &Element| {
        let body = message.child("jabber:client", "body");
        body.map_or("-".to_owned(), |body| body.text().into_owned())
    };
    messages.iter().map(body).collect()
}

/// What a moderator sends who takes a message back.
fn moderate(id: &str) -> String {
    format!(
        "<iq type='set' id='m' to='{COVEN}'>\
         <moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'>\
         <retract xmlns='urn:xmpp:message-retract:1'/><reason>Spam</reason></moderate></iq>"
    )
}

/// Everybody leaves and the room leaves memory. Then somebody enters: what they
/// are told was said, with the text of what has one and the subject at the end.
fn told_anew(script: &mut Script, actors: &[&str]) -> Vec<Element> {
    for actor in actors {
        let leave = format!("<presence to='{COVEN}/{actor}' type='unavailable'/>");
        script.send(actor, &leave);
    }
    script.world.pass(std::time::Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    for actor in actors {
        script.forget(actor);
    }
    told(script, "dave")
}

/// What somebody is told who enters, and leaves again.
fn told(script: &mut Script, actor: &str) -> Vec<Element> {
    let presence = |kind: &str| format!("<presence to='{COVEN}/{actor}' {kind}>{JOIN}</presence>");
    script.send(actor, &presence(""));
    let mut messages = Vec::new();
    while let Some(stanza) = script.try_receive(actor) {
        messages.extend(Some(stanza).filter(|stanza| stanza.name() == "message"));
    }
    script.send(actor, &presence("type='unavailable'"));
    script.forget(actor);
    messages
}
