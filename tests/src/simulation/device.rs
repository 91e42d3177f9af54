//! A client's connections and its stream over them (XEP-0198): whatever breaks, it
//! does all it can not to lose a stanza.

use crate::script::{decode, encode, offer};
use crate::world::{DOMAIN, Dice, LinkId, PASSWORD};
use anser_sasl::client::{Client, Credentials};
use anser_sasl::{ChannelBindings, Mechanism, Nonce};
use anser_xml::{Element, Event, Limits, Scanner};
use bytes::BytesMut;
use std::collections::VecDeque;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";
const SM: &str = "urn:xmpp:sm:3";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// One device of somebody's. What it sends may have a name, which it gives back
/// once that is acknowledged.
pub(super) struct Device<T> {
    pub(super) address: String,
    name: String,
    resource: String,
    management: Management,
    connection: Option<Connection>,
    stream: Option<Stream<T>>,
    /// Counted as handled when the stream was resumed. Among them may be some
    /// that were refused, and the refusals come after.
    tentative: Vec<T>,
    /// Sessions that went on in another connection.
    pub(super) resumed: usize,
    may_leave: bool,
}

/// Whether a client manages its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Management {
    /// It does, and comes back to it.
    On,
    /// With the connection goes the session.
    Off,
}

/// What a device has to tell whoever uses it.
pub(super) enum News<T> {
    /// A new session has begun, and any earlier one is over.
    Began,
    /// A stanza has arrived.
    Stanza(Element),
    /// These were acknowledged, and not refused before that.
    Acknowledged(Vec<T>),
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

/// What stream management keeps across connections.
struct Stream<T> {
    id: Option<String>,
    /// Stanzas received.
    handled: u32,
    /// Stanzas sent and acknowledged.
    acknowledged: u32,
    unacknowledged: VecDeque<Sent<T>>,
}

/// A stanza that was sent.
#[derive(Clone)]
struct Sent<T> {
    text: String,
    /// Its name, if it has one.
    name: Option<T>,
}

impl<T: Clone> Device<T> {
    pub(super) fn new(name: &str, resource: &str, management: Management) -> Self {
        Self {
            address: format!("{name}@{DOMAIN}/{resource}"),
            name: name.to_owned(),
            resource: resource.to_owned(),
            management,
            connection: None,
            stream: None,
            tentative: Vec::new(),
            resumed: 0,
            may_leave: true,
        }
    }

    pub(super) fn management(&self) -> Management {
        self.management
    }

    pub(super) fn link(&self) -> Option<LinkId> {
        self.connection.as_ref().map(|connection| connection.link)
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
    pub(super) fn receive(&mut self, bytes: &[u8], dice: &mut Dice) -> Vec<News<T>> {
        let mut news = Vec::new();
        if let Some(connection) = &mut self.connection {
            connection.input.extend_from_slice(bytes);
        }
        while let Some(connection) = &mut self.connection {
            let next = connection.scanner.next(&mut connection.input);
            let next = next.unwrap_or_else(|fault| {
                let input = String::from_utf8_lossy(&connection.input);
                panic!("{fault} at {:?} of {input:?}", connection.stage)
            });
            match next {
                Some(Event::Element(element)) => news.extend(self.handle(element, dice)),
                Some(Event::Open(_)) => {}
                Some(Event::Close) => {
                    // The session is over, whoever said so first.
                    self.connection.as_mut().unwrap().is_leaving = true;
                    break;
                }
                None => break,
            }
        }
        news
    }

    fn handle(&mut self, element: Element, dice: &mut Dice) -> Option<News<T>> {
        match (self.stage(), element.name()) {
            (_, "error") if element.namespace() != "jabber:client" => self.give_up_stream(&element),
            (Stage::Authenticating, "features") => self.log_in(&element, dice),
            (Stage::Authenticating, "challenge") => self.answer(&element),
            (Stage::Authenticating, "success") => self.authenticated(),
            (Stage::Binding, "features") => self.bind_or_resume(),
            (Stage::Binding, "resumed") => self.go_on(&element),
            (Stage::Binding, "failed") => self.bind(),
            (Stage::Binding, "iq") => {
                self.begin();
                return Some(News::Began);
            }
            (Stage::Online, "enabled") => {
                let stream = self.stream.as_mut().unwrap();
                stream.id = element.attribute("id").map(Into::into);
                // What the server sent before, such as a ping, is not counted
                // (XEP-0198 §4).
                stream.handled = 0;
            }
            (Stage::Online, "r") => self.acknowledge(),
            (Stage::Online, "a") => {
                self.acknowledged(h(&element));
                return Some(News::Acknowledged(std::mem::take(&mut self.tentative)));
            }
            (Stage::Online, "message" | "presence" | "iq") => {
                self.stream.as_mut().unwrap().handled += 1;
                return Some(News::Stanza(element));
            }
            (stage, _) => panic!("{stage:?} {}", text(&element)),
        }
        None
    }

    fn stage(&self) -> Stage {
        self.connection.as_ref().unwrap().stage
    }

    /// A session that has begun, and of which it does not know that it is over.
    pub(super) fn has_session(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends what is no stanza.
    pub(super) fn send(&mut self, text: &str) {
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
        self.stream = Some(Stream {
            id: None,
            handled: 0,
            acknowledged: 0,
            unacknowledged: VecDeque::new(),
        });
        if self.management == Management::On {
            self.send(&format!("<enable xmlns='{SM}' resume='true'/>"));
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
            self.tentative.extend(sent.name);
        }
    }

    pub(super) fn is_online(&self) -> bool {
        let online =
            |connection: &Connection| connection.stage == Stage::Online && !connection.is_leaving;
        self.stream.is_some() && self.connection.as_ref().is_some_and(online)
    }

    /// Sends a stanza if there is a session; again if it is lost with a
    /// connection.
    pub(super) fn send_stanza(&mut self, text: String, name: Option<T>) {
        if !self.is_online() {
            return;
        }
        self.send(&text);
        if self.management == Management::On {
            let stream = self.stream.as_mut().unwrap();
            stream.unacknowledged.push_back(Sent { text, name });
        }
    }

    /// Asks how much has been handled; at the end, also comes back to where
    /// messages are taken.
    pub(super) fn ask(&mut self) {
        if self.is_online() {
            if !self.may_leave {
                self.send_stanza("<presence/>".to_owned(), None);
            }
            if self.management == Management::On {
                self.send(&format!("<r xmlns='{SM}'/>"));
            }
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

fn h(element: &Element) -> u32 {
    element.attribute("h").unwrap().parse().unwrap()
}

/// A stanza as it came.
pub(super) fn text(element: &Element) -> String {
    String::from_utf8_lossy(element.raw()).into_owned()
}
