//! Wire transcripts: what clients send and what they must receive, in process
//! and without waiting.
//!
//! ```text
//! alice C: <presence/>
//! alice S: <presence from='alice@example.org/phone'/>
//! bob   S: nothing
//! ```
//!
//! A received element has to have at least the attributes, the children and the
//! text that the line has; `id='*'` stands for any value. Lines that begin with
//! white space belong to the line before; `#` begins a comment.

mod transcript;

use crate::world::{DOMAIN, EXPORTER, LinkId, PASSWORD, World};
use anser_jid::FullJid;
use anser_sasl::client::{Client, ClientFault, Credentials};
use anser_sasl::{ChannelBindings, Mechanism, Nonce, Offer};
use anser_xml::{Child, Element, Event, Limits, Scanner};
use anser_xmpp::Entry;
use bytes::BytesMut;
use std::collections::{BTreeMap, VecDeque};
use transcript::{fits, lines, pattern};

/// Clients in a world, each with a name.
pub struct Script {
    /// The world.
    pub world: World,
    actors: BTreeMap<String, Actor>,
}

/// A client as a script knows it.
struct Actor {
    link: LinkId,
    scanner: Scanner,
    input: BytesMut,
    received: VecDeque<Received>,
    /// Of which domain it is a client.
    domain: String,
    /// What the server offered last.
    offer: Offer,
}

/// How somebody tries to log in.
pub struct Attempt<'a> {
    /// How they prove who they are.
    pub mechanism: Mechanism,
    /// Who they say they are.
    pub credentials: Credentials<'a>,
    /// What their end of the connection is bound to.
    pub bindings: ChannelBindings,
    /// What they were told that the server offers; `None` if nobody has changed
    /// that on its way.
    pub offer: Option<Offer>,
}

impl<'a> Attempt<'a> {
    /// By an honest client over an honest connection.
    #[must_use]
    pub fn new(mechanism: Mechanism, username: &'a str, password: &'a str) -> Self {
        Self {
            mechanism,
            credentials: Credentials {
                username,
                password,
                authzid: None,
            },
            bindings: ChannelBindings {
                exporter: mechanism.is_plus().then_some(EXPORTER),
                end_point: None,
            },
            offer: None,
        }
    }
}

/// What a client may receive.
#[derive(Debug, Clone)]
enum Received {
    Header(Element),
    Element(Element),
    Close,
}

impl Received {
    fn text(&self) -> String {
        match self {
            Self::Header(element) | Self::Element(element) => {
                String::from_utf8(element.raw().to_vec()).unwrap()
            }
            Self::Close => "</stream:stream>".to_owned(),
        }
    }
}

/// A way in that permits everything, as on loopback.
pub const PLAINTEXT: Entry = Entry {
    has_starttls: false,
    allows_plaintext_login: true,
};
/// The way in that servers offer on port 5222.
pub const STARTTLS: Entry = Entry {
    has_starttls: true,
    allows_plaintext_login: false,
};

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0'";

impl Script {
    /// A script in a world in which these users have accounts.
    #[must_use]
    pub fn new(users: &[&str]) -> Self {
        Self::in_world(World::new(1, users))
    }

    /// A script in a world made elsewhere.
    #[must_use]
    pub fn in_world(world: World) -> Self {
        Self {
            world,
            actors: BTreeMap::new(),
        }
    }

    /// A client connects, and says nothing yet.
    pub fn connect(&mut self, actor: &str, entry: Entry) {
        let link = self.world.connect(entry);
        let actor_state = Actor {
            link,
            scanner: Scanner::new(Limits::NONE),
            input: BytesMut::new(),
            received: VecDeque::new(),
            domain: DOMAIN.to_owned(),
            offer: Offer::new([], []),
        };
        self.actors.insert(actor.to_owned(), actor_state);
    }

    /// A client connects as on port 5222 and secures its connection. What the
    /// server offers then is next to be received.
    pub fn secure(&mut self, actor: &str) {
        self.connect(actor, STARTTLS);
        self.restart(actor);
        let starttls = format!("<starttls xmlns='{TLS}'/>");
        self.expect(
            actor,
            &format!("<stream:features>{starttls}</stream:features>"),
        );
        self.send(actor, &starttls);
        self.expect(actor, &format!("<proceed xmlns='{TLS}'/>"));
        self.restart(actor);
    }

    /// A client connects and logs in as `user`. Gives what is offered then.
    pub fn authenticate(&mut self, actor: &str, user: &str) -> Element {
        self.authenticate_at(actor, user, DOMAIN)
    }

    fn authenticate_at(&mut self, actor: &str, user: &str, domain: &str) -> Element {
        self.connect(actor, PLAINTEXT);
        domain.clone_into(&mut self.actor(actor).domain);
        self.restart(actor);
        self.expect(
            actor,
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
        );
        self.sasl(
            actor,
            user,
            PASSWORD,
            Mechanism::from_name("SCRAM-SHA-256").unwrap(),
        );
        self.expect(actor, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        self.restart(actor);
        self.receive(actor)
    }

    /// Opens a new stream on the same connection, as after TLS or SASL.
    pub fn restart(&mut self, actor: &str) {
        let client = self.actor(actor);
        client.scanner.restart();
        let header = format!("{HEADER} to='{}'>", client.domain);
        self.send(actor, &header);
        self.expect_header(actor);
    }

    /// A client connects, logs in and binds the resource of its address. What
    /// is left of the negotiation is read.
    pub fn log_in(&mut self, actor: &str, address: &str) {
        let address = FullJid::parse(address).unwrap();
        self.authenticate_at(actor, address.local().unwrap(), address.domain());
        let resource = address.resource();
        self.send(
            actor,
            &format!(
                "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>{resource}</resource></bind></iq>"
            ),
        );
        let jid = format!(
            "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>{address}</jid></bind></iq>"
        );
        self.expect(actor, &jid);
    }

    /// Logs in and sends initial presence; everything received up to then is
    /// forgotten.
    pub fn appear(&mut self, actor: &str, address: &str) {
        self.log_in(actor, address);
        self.send(actor, "<presence/>");
        self.expect(actor, &format!("<presence from='{address}'/>"));
    }

    /// Goes through a SASL exchange up to the last message of the client.
    pub fn sasl(&mut self, actor: &str, user: &str, password: &str, mechanism: Mechanism) {
        self.attempt(actor, Attempt::new(mechanism, user, password))
            .unwrap();
    }

    /// The same for clients and connections that are not as they should be.
    ///
    /// # Errors
    /// The client does not go on.
    pub fn attempt(&mut self, actor: &str, attempt: Attempt<'_>) -> Result<(), ClientFault> {
        let Attempt {
            mechanism,
            credentials,
            bindings,
            offer,
        } = attempt;
        let offer = offer.unwrap_or_else(|| self.actor(actor).offer.clone());
        let nonce = Nonce::from_random([9; 18]);
        let (client, first) = Client::start(mechanism, credentials, &offer, &bindings, nonce)?;
        let first = encode(&first);
        let name = mechanism.name();
        self.send(
            actor,
            &format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>"),
        );
        if mechanism == Mechanism::Plain {
            return Ok(());
        }
        let challenge = match self.next(actor) {
            Some(Received::Element(element)) if element.name() == "challenge" => element,
            Some(failure) => {
                // Refused already: the test says whether it should be.
                self.actor(actor).received.push_front(failure);
                return Ok(());
            }
            None => panic!("{actor} got nothing for a challenge"),
        };
        let (_, last) = client.challenge(&decode(&challenge.text()))?;
        let last = encode(&last);
        self.send(
            actor,
            &format!("<response xmlns='{SASL}'>{last}</response>"),
        );
        Ok(())
    }

    /// Two clients subscribe to each other's presence; everything received
    /// meanwhile is forgotten. Each must be called as its account.
    pub fn befriend(&mut self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            self.send(
                from,
                &format!("<presence to='{to}@{DOMAIN}' type='subscribe'/>"),
            );
            self.send(
                to,
                &format!("<presence to='{from}@{DOMAIN}' type='subscribed'/>"),
            );
        }
        for actor in [one, other] {
            self.forget(actor);
        }
    }

    /// Somebody blocks or unblocks addresses (`block` and `unblock` are the
    /// commands); what they and others are told besides is left to be received.
    pub fn change_blocks(&mut self, actor: &str, command: &str, addresses: &[&str]) {
        let items = addresses.iter();
        let items: String = items.map(|jid| format!("<item jid='{jid}'/>")).collect();
        self.send(
            actor,
            &format!(
                "<iq type='set' id='{command}'><{command} xmlns='urn:xmpp:blocking'>{items}</{command}></iq>"
            ),
        );
        self.expect(actor, &format!("<iq type='result' id='{command}'/>"));
    }

    /// Forgets everything that the client has received.
    pub fn forget(&mut self, actor: &str) {
        while self.next(actor).is_some() {}
    }

    /// Whether the disk takes its time, until told otherwise.
    pub fn hold_commits(&mut self, is_held: bool) {
        self.world.hold_commits(is_held);
    }

    /// Sends text as it is.
    pub fn send(&mut self, actor: &str, text: &str) {
        self.send_bytes(actor, text.as_bytes());
    }

    /// Sends bytes, which need not be text.
    pub fn send_bytes(&mut self, actor: &str, bytes: &[u8]) {
        let link = self.actor(actor).link;
        self.world.arrive(link, bytes);
        self.world.settle();
    }

    /// What has arrived at the client and was not looked at, as it is.
    pub fn receive_bytes(&mut self, actor: &str) -> BytesMut {
        self.world.settle();
        let link = self.actor(actor).link;
        self.world.link(link).outbound.split()
    }

    /// The server notices that the client's connection is gone.
    pub fn cut(&mut self, actor: &str) {
        let link = self.actor(actor).link;
        self.world.cut(link);
        self.world.settle();
    }

    /// Plays a transcript.
    pub fn play(&mut self, transcript: &str) {
        for line in lines(transcript) {
            let (actor, rest) = line.split_once(char::is_whitespace).unwrap();
            let (direction, text) = rest.trim_start().split_at(2);
            let text = text.trim();
            match direction {
                "C:" => self.send(actor, text),
                "S:" if text == "nothing" => self.expect_nothing(actor),
                "S:" if text == "closed" => self.expect_closed(actor),
                "S:" => self.expect(actor, text),
                other => panic!("neither C: nor S: but {other:?} in {line:?}"),
            }
        }
    }

    /// The next thing that the client receives must be this.
    pub fn expect(&mut self, actor: &str, expected: &str) {
        let received = self.next(actor);
        let received = received.unwrap_or_else(|| panic!("{actor} got nothing for {expected}"));
        let fits = match (&received, expected) {
            (received, "</stream:stream>") => matches!(received, Received::Close),
            (Received::Element(element), expected) => fits(element, &pattern(expected)),
            (Received::Close | Received::Header(_), _) => false,
        };
        assert!(
            fits,
            "{actor} got\n  {}\nfor\n  {expected}",
            received.text()
        );
    }

    /// The client receives a stream header.
    pub fn expect_header(&mut self, actor: &str) {
        let received = self.next(actor);
        assert!(
            matches!(received, Some(Received::Header(_))),
            "{received:?}"
        );
    }

    /// The client has received nothing more.
    pub fn expect_nothing(&mut self, actor: &str) {
        if let Some(received) = self.next(actor) {
            panic!("{actor} got\n  {}\nfor nothing", received.text());
        }
    }

    /// The server has closed the connection, and said nothing more before.
    pub fn expect_closed(&mut self, actor: &str) {
        self.expect_nothing(actor);
        let link = self.actor(actor).link;
        assert!(
            self.world.link(link).is_closed,
            "{actor} is still connected"
        );
    }

    /// The connection is open, whatever has arrived.
    pub fn expect_open(&mut self, actor: &str) {
        let link = self.actor(actor).link;
        assert!(!self.world.link(link).is_closed, "{actor} was cut off");
    }

    /// The next element that the client receives.
    ///
    /// # Panics
    /// There is none.
    pub fn receive(&mut self, actor: &str) -> Element {
        match self.next(actor) {
            Some(Received::Element(element)) => element,
            other => panic!("{actor} got {other:?} for an element"),
        }
    }

    /// The next element that the client receives, if there is one.
    pub fn try_receive(&mut self, actor: &str) -> Option<Element> {
        match self.next(actor)? {
            Received::Element(element) => Some(element),
            other => panic!("{actor} got {other:?} for an element"),
        }
    }

    fn next(&mut self, actor: &str) -> Option<Received> {
        self.world.settle();
        let actor = self.actors.get_mut(actor).unwrap();
        let arrived = self.world.link(actor.link).outbound.split();
        actor.input.extend_from_slice(&arrived);
        while let Some(event) = actor.scanner.next(&mut actor.input).unwrap() {
            actor.received.push_back(match event {
                Event::Open(header) => Received::Header(header),
                Event::Element(element) => {
                    if element.name() == "features" {
                        actor.offer = offer(&element);
                    }
                    Received::Element(element)
                }
                Event::Close => Received::Close,
            });
        }
        actor.received.pop_front()
    }

    fn actor(&mut self, name: &str) -> &mut Actor {
        self.actors
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name} has not connected"))
    }
}

/// The mechanisms and channel bindings in stream features.
#[must_use]
pub fn offer(features: &Element) -> Offer {
    let names = |list: &str, of: &dyn Fn(&Child<'_>) -> String| -> Vec<String> {
        let lists = features.children().filter(|child| child.name() == list);
        let open: Vec<_> = lists.map(|child| child.open()).collect();
        open.iter()
            .flat_map(|list| list.children().map(|child| of(&child)).collect::<Vec<_>>())
            .collect()
    };
    let mechanisms = names("mechanisms", &|child| child.text().into_owned());
    let bindings = names("sasl-channel-binding", &|child| {
        child.attribute("type").unwrap().into_owned()
    });
    Offer::new(
        mechanisms.iter().map(String::as_str),
        bindings.iter().map(String::as_str),
    )
}

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// The address of a user of the world.
#[must_use]
pub fn address(user: &str) -> String {
    format!("{user}@{DOMAIN}")
}

pub(crate) fn encode(data: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(data)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}
