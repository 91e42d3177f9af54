//! An XMPP client for tests: it blocks, says what it is told to say, and takes
//! whatever it cannot make sense of for a fault.
//!
//! ```no_run
//! # use anser_tests::{client::Client, program::Anser};
//! let anser = Anser::start();
//! anser.add_user("alice@localhost", "secret");
//! let mut alice = Client::log_in(&anser.starttls(), "alice@localhost", "secret")?;
//! alice.send("<presence/>")?;
//! let presence = alice.wait_for(|stanza| stanza.name() == "presence")?;
//! # Ok::<(), anser_tests::client::Fault>(())
//! ```

mod login;
mod wire;

use anser_jid::BareJid;
use anser_xml::{Element, Event, Limits, Scanner};
use anser_xmpp_proto::ns;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::BytesMut;
use ring::rand::{SecureRandom, SystemRandom};
use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wire::Wire;

/// Silence for so long is a fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a client comes in, and whom it trusts.
#[derive(Debug, Clone)]
pub enum Way {
    /// Without TLS.
    Plain(SocketAddr),
    /// With STARTTLS (RFC 6120 §5); the file has the authority's certificate.
    StartTls(SocketAddr, PathBuf),
    /// With TLS from the first byte (XEP-0368).
    DirectTls(SocketAddr, PathBuf),
}

/// Why a client cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The server has ended the stream or the connection.
    #[error("the server has closed")]
    Closed,
    /// The server has ended the stream with an error (RFC 6120 §4.9).
    #[error("stream error {0}")]
    Stream(String),
    /// The server does not believe the client (RFC 6120 §6.5), or refuses
    /// another step of the negotiation.
    #[error("refused with {0}")]
    Refused(String),
    /// Nothing came in time.
    #[error("nothing came in time")]
    Silence,
    /// The server does what it must not.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
}

#[expect(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
fn protocol(what: impl ToString) -> Fault {
    Fault::Protocol(what.to_string())
}

/// A client and its connection.
pub struct Client {
    wire: Wire,
    scanner: Scanner,
    input: BytesMut,
    domain: String,
    stream_id: String,
    features: Option<Element>,
    address: String,
    handled: Option<u32>,
}

impl Client {
    /// Connects, authenticates with the strongest mechanism and binds a
    /// resource that the server chooses.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn log_in(way: &Way, account: &str, password: &str) -> Result<Self, Fault> {
        let mut client = Self::authenticated(way, account, password)?;
        client.bind(None)?;
        Ok(client)
    }

    /// Connects and authenticates.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn authenticated(way: &Way, account: &str, password: &str) -> Result<Self, Fault> {
        let account: BareJid = account.parse().map_err(protocol)?;
        let mut client = Self::connect(way, account.domain())?;
        client.authenticate(account.local().unwrap_or_default(), password, None)?;
        Ok(client)
    }

    /// Opens a stream to a domain, with TLS if that is the way.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn connect(way: &Way, domain: &str) -> Result<Self, Fault> {
        Self::connect_after(way, domain, "")
    }

    /// The same after somebody has put something behind its `<starttls/>`, into
    /// the same segment.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn connect_after(way: &Way, domain: &str, injected: &str) -> Result<Self, Fault> {
        let mut client = Self {
            wire: Wire::connect(way)?,
            scanner: Scanner::new(Limits::DEFAULT),
            input: BytesMut::new(),
            domain: domain.to_owned(),
            stream_id: String::new(),
            features: None,
            address: String::new(),
            handled: None,
        };
        if let Way::DirectTls(_, authority) = way {
            client.wire = client.wire.secure(domain, authority, &["xmpp-client"])?;
        }
        client.open_stream()?;
        if let Way::StartTls(_, authority) = way {
            client.send(&format!("<starttls xmlns='{}'/>{injected}", ns::TLS))?;
            let answer = client.next()?;
            if !answer.is(ns::TLS, "proceed") {
                return Err(Fault::Refused(answer.name().to_owned()));
            }
            client.wire = client.wire.secure(domain, authority, &[])?;
            client.open_stream()?;
        }
        Ok(client)
    }

    /// What the server said it can do, of the stream as it is now.
    ///
    /// # Panics
    /// Never: every stream begins with it.
    #[must_use]
    pub fn features(&self) -> &Element {
        self.features.as_ref().unwrap()
    }

    /// The server's name for the stream as it is now (RFC 6120 §4.7.3).
    #[must_use]
    pub fn stream_id(&self) -> &str {
        &self.stream_id
    }

    /// The full address that the server gave.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Turns stream management on (XEP-0198 §3). Returns the id for resuming
    /// the stream, if that is possible.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn enable_management(&mut self, resume: bool) -> Result<Option<String>, Fault> {
        self.send(&format!("<enable xmlns='{}' resume='{resume}'/>", ns::SM))?;
        let enabled = self.wait_for(|element| element.namespace() == ns::SM)?;
        if enabled.name() != "enabled" {
            return Err(Fault::Refused(condition(&enabled)));
        }
        self.handled = Some(0);
        Ok(enabled.attribute("id").map(Cow::into_owned))
    }

    /// How many stanzas were received since stream management is on.
    #[must_use]
    pub fn handled(&self) -> u32 {
        self.handled.unwrap_or_default()
    }

    /// Acknowledges every stanza received so far.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn acknowledge(&mut self) -> Result<(), Fault> {
        self.send(&format!("<a xmlns='{}' h='{}'/>", ns::SM, self.handled()))
    }

    /// Asks how many stanzas the server has handled for good.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn ask(&mut self) -> Result<(), Fault> {
        self.send(&format!("<r xmlns='{}'/>", ns::SM))
    }

    /// Sends this as it is.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn send(&mut self, xml: &str) -> Result<(), Fault> {
        self.wire.write(xml.as_bytes())
    }

    /// The next child of the stream, whatever it is.
    ///
    /// # Errors
    /// [`Fault`]
    #[expect(
        clippy::should_implement_trait,
        reason = "it fails, and it ends with a reason"
    )]
    pub fn next(&mut self) -> Result<Element, Fault> {
        self.next_before(Instant::now() + PATIENCE)
    }

    /// The same, but [`Fault::Silence`] if it does not come before `deadline`.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn next_before(&mut self, deadline: Instant) -> Result<Element, Fault> {
        match self.event(deadline)? {
            Event::Element(error) if error.is(ns::STREAM, "error") => {
                Err(Fault::Stream(condition(&error)))
            }
            Event::Element(element) => {
                let is_stanza = element.namespace() == ns::CLIENT;
                if let Some(handled) = self.handled.as_mut().filter(|_| is_stanza) {
                    *handled = handled.wrapping_add(1);
                }
                Ok(element)
            }
            Event::Close => Err(Fault::Closed),
            Event::Open(_) => Err(protocol("a stream in the stream")),
        }
    }

    /// The first child of the stream that is wanted; others are passed over.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn wait_for(&mut self, is_wanted: impl Fn(&Element) -> bool) -> Result<Element, Fault> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let element = self.next_before(deadline)?;
            if is_wanted(&element) {
                return Ok(element);
            }
        }
    }

    /// Sends itself a message and waits for it. Returns what came before: all
    /// that the server had for the client when this was called.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn catch_up(&mut self) -> Result<Vec<Element>, Fault> {
        let to = self.address.clone();
        let id = BASE64.encode(random::<9>());
        self.send(&format!(
            "<message to='{to}' id='{id}'><body>.</body></message>"
        ))?;
        let mut before = Vec::new();
        loop {
            let element = self.next()?;
            if element.attribute("id").as_deref() == Some(&id) {
                return Ok(before);
            }
            before.push(element);
        }
    }

    /// Says goodbye, and hears the same from the server.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn close(mut self) -> Result<(), Fault> {
        self.send("</stream:stream>")?;
        match self.wait_for(|_| false) {
            Ok(_) | Err(Fault::Closed) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn open_stream(&mut self) -> Result<(), Fault> {
        if !self.input.is_empty() {
            return Err(protocol("more came than was asked for"));
        }
        self.scanner.restart();
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' to='{}' \
             version='1.0'>",
            ns::CLIENT,
            ns::STREAM,
            self.domain
        ))?;
        let Event::Open(header) = self.event(Instant::now() + PATIENCE)? else {
            return Err(protocol("no stream header"));
        };
        let id = header.attribute("id");
        self.stream_id = id.ok_or_else(|| protocol("no id"))?.into_owned();
        let features = self.next()?;
        if !features.is(ns::STREAM, "features") {
            return Err(protocol("no features"));
        }
        self.features = Some(features);
        Ok(())
    }

    fn event(&mut self, deadline: Instant) -> Result<Event, Fault> {
        loop {
            if let Some(event) = self.scanner.next(&mut self.input).map_err(protocol)? {
                return Ok(event);
            }
            self.wire.read(&mut self.input, deadline)?;
        }
    }
}

/// The condition of an error of a stream or a negotiation: its first child.
fn condition(element: &Element) -> String {
    let first = element.children().next();
    first.map_or(String::new(), |condition| condition.name().to_owned())
}

/// The condition of a stanza of type "error" (RFC 6120 §8.3.2).
#[must_use]
pub fn error_of(stanza: &Element) -> Option<String> {
    let error = stanza.child(ns::CLIENT, "error")?.open();
    let mut conditions = error.children();
    let condition = conditions.find(|child| child.namespace() == ns::STANZA_ERRORS)?;
    Some(condition.name().to_owned())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}
