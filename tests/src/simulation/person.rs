//! A client that does all it can not to lose a message (XEP-0198).

use super::seen::{Arriving, Seen};
use crate::script::{decode, encode, offer};
use crate::world::{DOMAIN, Dice, LinkId, PASSWORD};
use anser_sasl::client::{Client, Credentials};
use anser_sasl::{ChannelBindings, Mechanism, Nonce};
use anser_xml::{Child, Element, Event, Limits, Scanner};
use bytes::BytesMut;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";
const SM: &str = "urn:xmpp:sm:3";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// One device of somebody's.
pub(super) struct Person {
    pub(super) account: usize,
    pub(super) address: String,
    name: String,
    resource: String,
    /// It asks for copies of what its account's other devices send and get.
    wants_copies: bool,
    connection: Option<Connection>,
    stream: Option<Stream>,
    /// The number of the next message to each account.
    next: Vec<u64>,
    acknowledged: BTreeSet<(usize, u64)>,
    /// Counted as handled when the stream was resumed. Among them may be some
    /// that were refused, and the refusals come after.
    tentative: Vec<(usize, u64)>,
    refused: BTreeSet<(usize, u64)>,
    /// What has arrived, by sender and each place once.
    arrived: BTreeMap<String, Vec<Arrival>>,
    places: BTreeSet<String>,
    /// Messages to its account of which it has got a copy, by sender: number and
    /// place.
    copied: BTreeMap<String, Vec<(u64, String)>>,
    /// Sessions that went on in another connection.
    pub(super) resumed: usize,
    may_leave: bool,
}

/// A connection, from the first byte on.
struct Connection {
    link: LinkId,
    scanner: Scanner,
    input: BytesMut,
    outgoing: BytesMut,
    login: Option<Client>,
    stage: Stage,
    is_leaving: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Authenticating,
    Binding,
    Online,
}

/// A message that has arrived.
pub(super) struct Arrival {
    pub(super) number: u64,
    /// The address it was sent to.
    pub(super) to: String,
    /// Where it is in the log.
    pub(super) place: String,
}

/// What stream management keeps across connections.
#[derive(Default)]
struct Stream {
    id: Option<String>,
    /// Stanzas received.
    handled: u32,
    /// Stanzas sent and acknowledged.
    acknowledged: u32,
    unacknowledged: VecDeque<Sent>,
    seen: Seen,
}

/// A stanza that was sent.
#[derive(Clone)]
struct Sent {
    text: String,
    /// To which account, and its number, if it is a message that counts.
    message: Option<(usize, u64)>,
}

impl Person {
    pub(super) fn new(
        account: usize,
        name: &str,
        resource: &str,
        accounts: usize,
        dice: &mut Dice,
    ) -> Self {
        Self {
            wants_copies: dice.one_in(2),
            account,
            address: format!("{name}@{DOMAIN}/{resource}"),
            name: name.to_owned(),
            resource: resource.to_owned(),
            connection: None,
            stream: None,
            next: vec![0; accounts],
            acknowledged: BTreeSet::new(),
            tentative: Vec::new(),
            refused: BTreeSet::new(),
            arrived: BTreeMap::new(),
            places: BTreeSet::new(),
            copied: BTreeMap::new(),
            resumed: 0,
            may_leave: true,
        }
    }

    pub(super) fn link(&self) -> Option<LinkId> {
        self.connection.as_ref().map(|connection| connection.link)
    }

    pub(super) fn acknowledged_to(&self, account: usize) -> impl Iterator<Item = u64> {
        let of = move |(to, number): &(usize, u64)| (*to == account).then_some(*number);
        self.acknowledged.difference(&self.refused).filter_map(of)
    }

    pub(super) fn refused_to(&self, account: usize) -> impl Iterator<Item = u64> {
        let of = move |(to, number): &(usize, u64)| (*to == account).then_some(*number);
        self.refused.iter().filter_map(of)
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    pub(super) fn arrivals_from(&self, address: &str) -> &[Arrival] {
        self.arrived.get(address).map_or(&[], Vec::as_slice)
    }

    /// Messages from an address to its account of which it has got a copy: number
    /// and place.
    pub(super) fn copies_from(&self, address: &str) -> &[(u64, String)] {
        self.copied.get(address).map_or(&[], Vec::as_slice)
    }

    /// What has come in the session that it has, if it has one.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.stream.as_ref().map(|stream| &stream.seen)
    }

    /// Whether it was told that it gets copies, and has not been asked since.
    pub(super) fn begins_to_be_complete(&mut self) -> bool {
        let seen = self.stream.as_mut().map(|stream| &mut stream.seen);
        seen.is_some_and(|seen| std::mem::take(&mut seen.is_to_be_complete))
    }

    /// It gets everything that comes after this place.
    pub(super) fn is_complete_after(&mut self, place: String) {
        if let Some(stream) = &mut self.stream {
            stream.seen.complete_after.get_or_insert(place);
        }
    }

    /// Does not say goodbye any more.
    pub(super) fn stay(&mut self) {
        self.may_leave = false;
    }

    pub(super) fn connected(&mut self, link: LinkId) {
        let mut connection = Connection {
            link,
            scanner: Scanner::new(Limits::NONE),
            input: BytesMut::new(),
            outgoing: BytesMut::new(),
            login: None,
            stage: Stage::Authenticating,
            is_leaving: false,
        };
        connection.send(HEADER);
        self.connection = Some(connection);
    }

    /// The connection is gone, with what was on its way.
    pub(super) fn disconnected(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_leaving
        {
            self.stream = None;
        }
    }

    /// Up to `size` bytes that are on their way to the server.
    pub(super) fn take_outgoing(&mut self, size: usize) -> Option<(LinkId, BytesMut)> {
        let connection = self.connection.as_mut()?;
        let size = size.min(connection.outgoing.len());
        (size > 0).then(|| (connection.link, connection.outgoing.split_to(size)))
    }

    /// Bytes arrive.
    pub(super) fn receive(&mut self, bytes: &[u8], dice: &mut Dice) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        connection.input.extend_from_slice(bytes);
        while let Some(connection) = &mut self.connection {
            let next = connection.scanner.next(&mut connection.input);
            let next = next.unwrap_or_else(|fault| {
                let input = String::from_utf8_lossy(&connection.input);
                panic!("{fault} at {:?} of {input:?}", connection.stage)
            });
            match next {
                Some(Event::Element(element)) => self.handle(&element, dice),
                Some(Event::Open(_)) => {}
                Some(Event::Close) => {
                    // The session is over, whoever said so first.
                    self.connection.as_mut().unwrap().is_leaving = true;
                    return;
                }
                None => return,
            }
        }
    }

    fn handle(&mut self, element: &Element, dice: &mut Dice) {
        match (self.stage(), element.name()) {
            (_, "error") if element.namespace() != "jabber:client" => self.give_up_stream(element),
            (Stage::Authenticating, "features") => self.log_in(element, dice),
            (Stage::Authenticating, "challenge") => self.answer(element),
            (Stage::Authenticating, "success") => self.authenticated(),
            (Stage::Binding, "features") => self.bind_or_resume(),
            (Stage::Binding, "resumed") => self.go_on(element),
            (Stage::Binding, "failed") => self.bind(),
            (Stage::Binding, "iq") => self.begin(),
            (Stage::Online, "enabled") => {
                let stream = self.stream.as_mut().unwrap();
                stream.id = element.attribute("id").map(Into::into);
                // What the server sent before, such as a ping, is not counted
                // (XEP-0198 §4).
                stream.handled = 0;
            }
            (Stage::Online, "r") => self.acknowledge(),
            (Stage::Online, "a") => {
                self.acknowledged(h(element));
                self.acknowledged.extend(self.tentative.drain(..));
            }
            (Stage::Online, "message" | "presence" | "iq") => self.stanza(element),
            (stage, _) => panic!("{stage:?} {}", text(element)),
        }
    }

    fn stage(&self) -> Stage {
        self.connection.as_ref().unwrap().stage
    }

    fn send(&mut self, text: &str) {
        self.connection.as_mut().unwrap().send(text);
    }

    /// A conflict with one's own newer connection leaves the stream alone;
    /// anything else ends it.
    fn give_up_stream(&mut self, error: &Element) {
        let is_taken_over = error.children().any(|child| child.name() == "conflict");
        let is_silence = error
            .children()
            .any(|child| child.name() == "connection-timeout");
        if !is_taken_over && !is_silence {
            self.stream = None;
        }
    }

    fn log_in(&mut self, features: &Element, dice: &mut Dice) {
        let mechanism = Mechanism::from_name("SCRAM-SHA-256").unwrap();
        let credentials = Credentials {
            username: &self.name,
            password: PASSWORD,
            authzid: None,
        };
        let mut nonce = [0; 18];
        nonce.fill_with(|| dice.roll() as u8);
        let nonce = Nonce::from_random(nonce);
        let bindings = ChannelBindings::default();
        let (client, first) =
            Client::start(mechanism, credentials, &offer(features), &bindings, nonce).unwrap();
        self.connection.as_mut().unwrap().login = Some(client);
        let (name, first) = (mechanism.name(), encode(&first));
        self.send(&format!(
            "<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>"
        ));
    }

    fn answer(&mut self, challenge: &Element) {
        let login = self.connection.as_mut().unwrap().login.take().unwrap();
        let (_, last) = login.challenge(&decode(&challenge.text())).unwrap();
        let last = encode(&last);
        self.send(&format!("<response xmlns='{SASL}'>{last}</response>"));
    }

    fn authenticated(&mut self) {
        let connection = self.connection.as_mut().unwrap();
        connection.stage = Stage::Binding;
        connection.scanner.restart();
        self.send(HEADER);
    }

    fn bind_or_resume(&mut self) {
        let stream = self.stream.as_ref();
        match stream.and_then(|stream| Some((stream.id.clone()?, stream.handled))) {
            Some((id, h)) => self.send(&format!("<resume xmlns='{SM}' previd='{id}' h='{h}'/>")),
            None => self.bind(),
        }
    }

    /// Nobody knows what became of the stanzas that were not acknowledged.
    fn bind(&mut self) {
        self.stream = None;
        self.tentative.clear();
        let resource = self.resource.clone();
        self.send(&format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        ));
    }

    fn begin(&mut self) {
        self.connection.as_mut().unwrap().stage = Stage::Online;
        self.stream = Some(Stream::default());
        self.send(&format!("<enable xmlns='{SM}' resume='true'/>"));
        if self.wants_copies {
            let enable = "<iq type='set' id='copies'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
            self.send_stanza(enable.to_owned(), None);
        }
        self.send_stanza("<presence/>".to_owned(), None);
    }

    fn go_on(&mut self, resumed: &Element) {
        self.resumed += 1;
        self.connection.as_mut().unwrap().stage = Stage::Online;
        self.acknowledged(h(resumed));
        let again = self.stream.as_ref().unwrap().unacknowledged.clone();
        for sent in again {
            self.send(&sent.text);
        }
    }

    fn acknowledge(&mut self) {
        let h = self.stream.as_ref().unwrap().handled;
        self.send(&format!("<a xmlns='{SM}' h='{h}'/>"));
    }

    fn acknowledged(&mut self, h: u32) {
        let stream = self.stream.as_mut().unwrap();
        let newly = h - stream.acknowledged;
        stream.acknowledged = h;
        for sent in stream.unacknowledged.drain(..newly as usize) {
            self.tentative.extend(sent.message);
        }
    }

    fn stanza(&mut self, element: &Element) {
        let stream = self.stream.as_mut().unwrap();
        stream.handled += 1;
        if element.attribute("id").as_deref() == Some("copies") {
            assert_eq!(element.attribute("type").as_deref(), Some("result"));
            stream.seen.is_to_be_complete = true;
        }
        if element.name() != "message" {
            return;
        }
        let kind = element.attribute("type");
        if kind.as_deref() == Some("error") {
            return self.was_refused(element);
        }
        let copy = ["sent", "received"].map(|way| element.child("urn:xmpp:carbons:2", way));
        match copy.into_iter().flatten().next() {
            Some(copy) => self.copy(copy),
            None => self.message(element),
        }
    }

    fn message(&mut self, message: &Element) {
        let Some((number, place)) = content(message) else {
            return;
        };
        let is_late = message.child("urn:xmpp:delay", "delay").is_some();
        let arriving = if is_late {
            Arriving::Late
        } else {
            Arriving::Live
        };
        self.see(&place, arriving);
        if self.places.insert(place.clone()) {
            let from = message.attribute("from").unwrap().into_owned();
            let to = message.attribute("to").unwrap().into_owned();
            let arrival = Arrival { number, to, place };
            self.arrived.entry(from).or_default().push(arrival);
        }
    }

    fn copy(&mut self, copy: Child<'_>) {
        assert!(self.wants_copies, "{} wants no copies", self.address);
        let forwarded = copy.child("urn:xmpp:forward:0", "forwarded").unwrap();
        let message = forwarded.child("jabber:client", "message").unwrap().open();
        let Some((number, place)) = content(&message) else {
            return;
        };
        self.see(&place, Arriving::Live);
        let is_own = |address: &str| address.starts_with(&format!("{}@", self.name));
        if !is_own(&message.attribute("to").unwrap()) {
            return;
        }
        let from = message.attribute("from").unwrap().into_owned();
        self.copied.entry(from).or_default().push((number, place));
    }

    fn see(&mut self, place: &str, arriving: Arriving) {
        self.stream.as_mut().unwrap().seen.note(place, arriving);
    }

    /// The id of a message says to whom it was and which.
    fn was_refused(&mut self, error: &Element) {
        let id = error.attribute("id").unwrap();
        let (to, number) = id.split_once('-').unwrap();
        self.refused
            .insert((to.parse().unwrap(), number.parse().unwrap()));
    }

    fn is_online(&self) -> bool {
        let online =
            |connection: &Connection| connection.stage == Stage::Online && !connection.is_leaving;
        self.connection.as_ref().is_some_and(online)
    }

    /// Writes to somebody, mostly to all of their devices.
    pub(super) fn write(&mut self, to: usize, name: &str, dice: &mut Dice) {
        if !self.is_online() {
            return;
        }
        let resource = match dice.below(8) {
            0 => "/phone",
            1 => "/laptop",
            _ => "",
        };
        if dice.one_in(6) {
            let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
            let text = format!(
                "<message to='{name}@{DOMAIN}{resource}' type='chat' id='{to}-typing'>{typing}</message>"
            );
            return self.send_stanza(text, None);
        }
        let number = self.next[to];
        self.next[to] += 1;
        let text = format!(
            "<message to='{name}@{DOMAIN}{resource}' type='chat' id='{to}-{number}'>\
             <body>{number}</body></message>"
        );
        self.send_stanza(text, Some((to, number)));
    }

    pub(super) fn change_presence(&mut self, dice: &mut Dice) {
        if !self.is_online() {
            return;
        }
        let text = match dice.below(4) {
            0 => "<presence type='unavailable'/>",
            1 => "<presence><priority>-1</priority></presence>",
            _ => "<presence/>",
        };
        self.send_stanza(text.to_owned(), None);
    }

    /// Somebody looks at it, or nobody does (XEP-0352).
    pub(super) fn change_state(&mut self, dice: &mut Dice) {
        if self.is_online() {
            let state = if dice.one_in(2) { "active" } else { "inactive" };
            self.send(&format!("<{state} xmlns='urn:xmpp:csi:0'/>"));
        }
    }

    fn send_stanza(&mut self, text: String, message: Option<(usize, u64)>) {
        self.send(&text);
        let stream = self.stream.as_mut().unwrap();
        stream.unacknowledged.push_back(Sent { text, message });
    }

    /// Asks how much has been handled; at the end, also comes back to where
    /// messages are taken.
    pub(super) fn ask(&mut self) {
        if self.is_online() {
            if !self.may_leave {
                self.send_stanza("<presence/>".to_owned(), None);
            }
            self.send(&format!("<r xmlns='{SM}'/>"));
        }
    }

    /// Ends the session.
    pub(super) fn say_goodbye(&mut self) {
        if self.may_leave && self.is_online() {
            self.send("</stream:stream>");
            self.connection.as_mut().unwrap().is_leaving = true;
        }
    }
}

impl Connection {
    fn send(&mut self, text: &str) {
        self.outgoing.extend_from_slice(text.as_bytes());
    }
}

/// The number of a message that counts, and its place in the log.
fn content(message: &Element) -> Option<(u64, String)> {
    let body = message.child("jabber:client", "body")?;
    let id = message.child("urn:xmpp:sid:0", "stanza-id")?;
    let place = id.attribute("id").unwrap().into_owned();
    Some((body.text().parse().unwrap(), place))
}

fn h(element: &Element) -> u32 {
    element.attribute("h").unwrap().parse().unwrap()
}

fn text(element: &Element) -> String {
    String::from_utf8_lossy(element.raw()).into_owned()
}
