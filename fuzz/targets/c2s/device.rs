//! One connection, and how the server speaks on it.

use crate::oracle::differences::read_what_we_wrote;
use crate::oracle::ours;
use crate::rules::{self, Book};
use anser_jid::{BareJid, Jid};
use anser_tests::world::{LinkId, World};
use anser_xml::{Element, Event, Limits, Scanner};
use anser_xmpp::Entry;
use anser_xmpp_proto::ns;
use bytes::BytesMut;

pub(crate) struct Device {
    link: LinkId,
    /// Whose it is.
    owner: &'static str,
    scanner: Scanner,
    input: BytesMut,
    stream: Stream,
    /// Not yet checked.
    news: Vec<Element>,
    stage: Stage,
    is_cut: bool,
}

/// What the server has said in one stream.
#[derive(Default)]
pub(crate) struct Stream {
    bytes: Vec<u8>,
    header: Option<Element>,
    elements: Vec<Element>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// There was a stream error.
    Failed,
    /// The server has closed the stream.
    Closed,
}

impl Device {
    pub(crate) fn connect(world: &mut World, entry: Entry, owner: &'static str) -> Self {
        Self {
            link: world.connect(entry),
            owner,
            scanner: Scanner::new(Limits::NONE),
            input: BytesMut::new(),
            stream: Stream::default(),
            news: Vec::new(),
            stage: Stage::Open,
            is_cut: false,
        }
    }

    pub(crate) fn is_of(&self, owner: &str) -> bool {
        self.owner == owner
    }

    pub(crate) fn owner(&self) -> BareJid {
        BareJid::parse(self.owner).expect("it is an address")
    }

    pub(crate) fn user(&self) -> &str {
        self.owner.split('@').next().unwrap_or_default()
    }

    /// The last that the server has said.
    pub(crate) fn last(&self) -> Option<&Element> {
        self.stream.elements.last()
    }

    pub(crate) fn say(&self, world: &World, bytes: &[u8]) {
        world.arrive(self.link, bytes);
    }

    pub(crate) fn cut(&mut self, world: &World) {
        self.is_cut = true;
        world.cut(self.link);
    }

    /// Takes what the server has said, and checks how it is said.
    pub(crate) fn listen(&mut self, number: usize, world: &World, book: &mut Book) {
        let mut link = world.link(self.link);
        let (arrived, is_closed) = (link.outbound.split(), link.is_closed);
        drop(link);
        book.note(number, &arrived);
        self.stream.bytes.extend_from_slice(&arrived);
        self.input.extend_from_slice(&arrived);
        while let Some(event) = self.next() {
            self.take(event, book);
        }
        assert!(self.input.is_empty(), "half a stanza was sent");
        assert!(
            self.stage != Stage::Failed,
            "the stream goes on after an error"
        );
        if self.stage == Stage::Closed {
            assert!(is_closed, "the stream is closed and the connection is not");
        } else {
            assert!(
                !is_closed || self.is_cut,
                "the connection is closed and the stream is not"
            );
        }
    }

    /// Checks what the server has said, when all devices have listened.
    pub(crate) fn check(&mut self, book: &mut Book) {
        let owner = self.owner();
        for element in self.news.drain(..) {
            rules::check(&element, &owner, book);
        }
    }

    fn next(&mut self) -> Option<Event> {
        let next = self.scanner.next(&mut self.input);
        next.unwrap_or_else(|fault| panic!("the server says what is not XML: {fault}"))
    }

    fn take(&mut self, event: Event, book: &mut Book) {
        self.stage = match (self.stage, event) {
            (Stage::Open, Event::Open(header)) => {
                self.stream.header = Some(header);
                Stage::Open
            }
            (Stage::Open, Event::Element(element)) => self.take_element(element, book),
            (Stage::Open | Stage::Failed, Event::Close) => Stage::Closed,
            (stage, event) => panic!("{event:?} when the stream is {stage:?}"),
        };
    }

    fn take_element(&mut self, element: Element, book: &mut Book) -> Stage {
        rules::note(&element, &self.owner(), book);
        self.news.push(element.clone());
        let is_error = element.is(ns::STREAM, "error");
        let begins_anew = element.is(ns::SASL, "success") || element.is(ns::TLS, "proceed");
        self.stream.elements.push(element);
        if begins_anew {
            self.end_stream(book);
            self.scanner.restart();
        }
        if is_error { Stage::Failed } else { Stage::Open }
    }

    /// Puts what was said in the stream into the book.
    pub(crate) fn end_stream(&mut self, book: &mut Book) {
        let mut stream = std::mem::take(&mut self.stream);
        // What is not read yet belongs to the next stream.
        let at = stream.bytes.len() - self.input.len();
        self.stream.bytes = stream.bytes.split_off(at);
        if self.stage != Stage::Closed {
            stream.bytes.extend_from_slice(b"</stream:stream>");
        }
        book.streams.push(stream);
    }
}

impl Stream {
    /// Asserts that rxml finds the same in it as we do.
    pub(crate) fn check(self) {
        let Some(header) = self.header else {
            return;
        };
        let stream = ours::Stream {
            header,
            stanzas: self.elements,
        };
        assert_eq!(stream.tree(), read_what_we_wrote(&self.bytes).flat());
    }
}

/// The address in an attribute.
pub(crate) fn address(element: &Element, name: &str) -> Option<Jid> {
    let text = element.attribute(name)?;
    Some(Jid::parse(&text).expect("the server writes addresses that are some"))
}
