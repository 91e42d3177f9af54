//! Who may say what to whom.

use crate::device::{Stream, address};
use anser_jid::{BareJid, FullJid, Jid};
use anser_tests::world::DOMAIN;
use anser_xml::Element;
use anser_xmpp_proto::{Kind, ns};
use std::collections::BTreeSet;

pub(crate) const ALICE: &str = "alice@example.org";
pub(crate) const BOB: &str = "bob@example.org";
/// Where the rooms are that Alice may enter.
const ROOMS: &str = "rooms.example.org";
/// All that Bob ever writes.
pub(crate) const BOB_SAYS: &str = "this is bob";

/// The largest stanza that anybody may send.
pub(crate) const STANZA_BYTES: u32 = 10_000;
/// The longest roster.
pub(crate) const CONTACTS: usize = 8;
/// What becomes of a byte that is written as a reference.
const REFERENCE_BYTES: usize = 6;

/// What is known of a run.
#[derive(Default)]
pub(crate) struct Book {
    /// Everything that the server has said, and to whom.
    pub(crate) transcript: Vec<u8>,
    /// How many elements that was.
    pub(crate) stanzas: usize,
    /// The streams that are over.
    pub(crate) streams: Vec<Stream>,
    /// The id of the last stream that can be resumed.
    pub(crate) stream_id: String,
    /// The addresses that connections have been given.
    given: BTreeSet<FullJid>,
    /// The addresses that somebody has heard from.
    heard: BTreeSet<FullJid>,
}

impl Book {
    pub(crate) fn note(&mut self, device: usize, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.transcript.push(device as u8);
            self.transcript.extend_from_slice(bytes);
        }
    }

    /// Asserts that there is nobody but those who were let in. Known in the end only: a device
    /// may be heard while what it is told itself waits for the disk.
    pub(crate) fn check_addresses(&self) {
        let strangers: Vec<_> = self.heard.difference(&self.given).collect();
        assert!(strangers.is_empty(), "{strangers:?}");
    }

    fn hear(&mut self, address: Jid) {
        self.heard.extend(FullJid::try_from(address));
    }
}

/// Notes what the server gives to a device of `owner`.
pub(crate) fn note(element: &Element, owner: &BareJid, book: &mut Book) {
    book.stanzas += 1;
    if element.is(ns::SM, "enabled")
        && let Some(id) = element.attribute("id")
        && owner.as_str() == ALICE
    {
        book.stream_id = id.into_owned();
    }
    let is_answer = element.is(ns::CLIENT, "iq") && element.attribute("from").is_none();
    if is_answer && let Some(bound) = element.child(ns::BIND, "bind") {
        let bound = bound.open();
        let address = bound.child(ns::BIND, "jid").map(|jid| jid.text());
        let address = address.and_then(|text| FullJid::parse(&text).ok());
        let address = address.expect("an address is given");
        assert_eq!(address.to_bare(), *owner, "it knows no password of that");
        book.given.insert(address);
    }
}

/// Checks something that the server says to a device of `owner`.
pub(crate) fn check(element: &Element, owner: &BareJid, book: &mut Book) {
    let Some(kind) = Kind::of(element) else {
        return;
    };
    // A roster has what many stanzas have said.
    let sources = if kind == Kind::Iq { CONTACTS } else { 2 };
    let most = sources * STANZA_BYTES as usize * REFERENCE_BYTES;
    assert!(element.raw().len() <= most, "a stanza has grown");
    if let Some(to) = address(element, "to") {
        assert_eq!(to.to_bare(), *owner, "it is for somebody else");
    }
    check_sender(element, kind, owner, book);
    if kind == Kind::Message {
        check_claims(element, owner);
    }
}

/// Stanzas are from whoever has sent them (RFC 6120 §8.1.2.1).
fn check_sender(element: &Element, kind: Kind, owner: &BareJid, book: &mut Book) {
    let is_error = element.attribute("type").as_deref() == Some("error");
    let Some(from) = address(element, "from") else {
        assert!(kind == Kind::Iq || is_error, "it is from nobody");
        return;
    };
    match (kind, from.bare_str()) {
        // An answer comes from whatever was asked, and only Alice asks.
        (_, _) if is_error && owner.as_str() == ALICE => {}
        _ if from.domain() == ROOMS => check_room(element, kind, &from, owner),
        (Kind::Iq, _) if owner.as_str() == ALICE => {}
        (Kind::Iq, DOMAIN | BOB) => {}
        (_, ALICE) => book.hear(from),
        (Kind::Message, BOB) => assert_says_what_bob_says(element),
        (Kind::Presence, BOB) => {
            book.hear(from);
            assert_eq!(element.children().count(), 0, "Bob says no more");
        }
        (_, _) => panic!("from {from}"),
    }
}

/// Bob enters no room, though he may be asked to, and may be told that somebody does not come: the
/// room does not know whom it has asked in. What only the room may say of a message, it says
/// itself, and once (XEP-0359 §6, XEP-0421 §6).
fn check_room(element: &Element, kind: Kind, room: &Jid, owner: &BareJid) {
    let user = element.child(ns::MUC_USER, "x");
    let mediates = |name| user.is_some_and(|x| x.children().any(|it| it.is(ns::MUC_USER, name)));
    let is_mediated = mediates("invite") || mediates("decline");
    let may_hear = owner.as_str() == ALICE || (kind == Kind::Message && is_mediated);
    assert!(may_hear, "Bob is in no room");
    let ids = element
        .children()
        .filter(|child| child.is(ns::OCCUPANT_ID, "occupant-id"));
    assert!(ids.count() <= 1, "who is it?");
    let entries = element
        .children()
        .filter(|child| child.is(ns::STANZA_ID, "stanza-id"))
        .filter(|child| child.attribute("by").as_deref() == Some(room.bare_str()));
    assert!(entries.count() <= 1, "it is in one place of the log");
}

fn assert_says_what_bob_says(message: &Element) {
    let body = message.child(ns::CLIENT, "body");
    assert!(body.is_some_and(|body| body.text() == BOB_SAYS));
    let strange = message.children().find(|child| {
        ![
            (ns::CLIENT, "body"),
            (ns::STANZA_ID, "stanza-id"),
            (ns::DELAY, "delay"),
        ]
        .contains(&(child.namespace(), child.name()))
    });
    assert!(strange.is_none(), "Bob says no more");
}

/// What only the server may say of a message, it says itself, and once (XEP-0359 §6,
/// XEP-0203 §5).
fn check_claims(message: &Element, owner: &BareJid) {
    for (namespace, name, attribute, claimed) in [
        (ns::STANZA_ID, "stanza-id", "by", owner.as_str()),
        (ns::DELAY, "delay", "from", DOMAIN),
    ] {
        let claims = message
            .children()
            .filter(|child| child.is(namespace, name))
            .filter_map(|child| Some(child.attribute(attribute)?.into_owned()))
            .filter(|text| Jid::parse(text).is_ok_and(|jid| jid.as_str() == claimed));
        let claims: Vec<_> = claims.collect();
        assert!(claims.len() <= 1, "{claims:?}");
        assert!(claims.iter().all(|text| text == claimed), "{claims:?}");
    }
}
