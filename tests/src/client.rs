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

use anser_jid::BareJid;
use anser_sasl::client::{self as sasl, Credentials};
use anser_sasl::{ChannelBindings, Mechanism, Nonce, Offer};
use anser_xml::{Child, Element, Event, Limits, Scanner};
use anser_xmpp_proto::ns;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::BytesMut;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
        let (Way::Plain(door) | Way::StartTls(door, _) | Way::DirectTls(door, _)) = way;
        let stream = TcpStream::connect(door)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut client = Self {
            wire: Wire::Plain(stream),
            scanner: Scanner::new(Limits::DEFAULT),
            input: BytesMut::new(),
            domain: domain.to_owned(),
            features: None,
            address: String::new(),
            handled: None,
        };
        if let Way::DirectTls(_, authority) = way {
            client.wire = client.wire.secure(domain, authority, &["xmpp-client"])?;
        }
        client.open_stream()?;
        if let Way::StartTls(_, authority) = way {
            client.send(&format!("<starttls xmlns='{}'/>", ns::TLS))?;
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

    /// The names of the mechanisms that the server offers.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<String> {
        let offered = self.features().child(ns::SASL, "mechanisms");
        let names = offered.iter().flat_map(Child::children);
        names.map(|name| name.text().into_owned()).collect()
    }

    /// Authenticates, with the strongest mechanism if none is named.
    ///
    /// # Errors
    /// [`Fault::Refused`] with the condition; the stream goes on.
    pub fn authenticate(
        &mut self,
        username: &str,
        password: &str,
        mechanism: Option<Mechanism>,
    ) -> Result<(), Fault> {
        let bindings = self.wire.bindings()?;
        let advertised = self
            .features()
            .child(ns::CHANNEL_BINDING, "sasl-channel-binding");
        let kinds = advertised.iter().flat_map(Child::children);
        let kinds: Vec<_> = kinds
            .filter_map(|kind| Some(kind.attribute("type")?.into_owned()))
            .collect();
        let names = self.mechanisms();
        let offer = Offer::new(
            names.iter().map(String::as_str),
            kinds.iter().map(String::as_str),
        );
        let mechanism = mechanism
            .or_else(|| sasl::choose(&offer, &bindings))
            .ok_or_else(|| protocol("no mechanism that we know"))?;
        let credentials = Credentials {
            username,
            password,
            authzid: None,
        };
        let nonce = Nonce::from_random(random());
        let (mut exchange, first) =
            sasl::Client::start(mechanism, credentials, &offer, &bindings, nonce)
                .map_err(protocol)?;
        self.send(&format!(
            "<auth xmlns='{}' mechanism='{}'>{}</auth>",
            ns::SASL,
            mechanism.name(),
            BASE64.encode(first)
        ))?;
        loop {
            let answer = self.next()?;
            let data = BASE64.decode(answer.text().as_bytes()).map_err(protocol);
            match answer.name() {
                "challenge" => {
                    let (next, response) = exchange.challenge(&data?).map_err(protocol)?;
                    exchange = next;
                    let response = BASE64.encode(response);
                    self.send(&format!(
                        "<response xmlns='{}'>{response}</response>",
                        ns::SASL
                    ))?;
                }
                "success" => {
                    let data = data?;
                    let data = (!data.is_empty()).then_some(&data[..]);
                    exchange.success(data).map_err(protocol)?;
                    return self.open_stream();
                }
                _ => return Err(Fault::Refused(condition(&answer))),
            }
        }
    }

    /// Binds a resource (RFC 6120 §7).
    ///
    /// # Errors
    /// [`Fault::Refused`] with the condition; the stream goes on.
    pub fn bind(&mut self, resource: Option<&str>) -> Result<(), Fault> {
        let resource = resource.map_or(String::new(), |resource| {
            format!("<resource>{resource}</resource>")
        });
        self.send(&format!(
            "<iq type='set' id='bind'><bind xmlns='{}'>{resource}</bind></iq>",
            ns::BIND
        ))?;
        let answer = self.next()?;
        let Some(bound) = answer.child(ns::BIND, "bind") else {
            return Err(Fault::Refused(error_of(&answer).unwrap_or_default()));
        };
        let address = bound
            .child(ns::BIND, "jid")
            .ok_or_else(|| protocol("no address"))?;
        self.address = address.text().into_owned();
        Ok(())
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
        self.wire.stream().write_all(xml.as_bytes())?;
        Ok(self.wire.stream().flush()?)
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
        let Event::Open(_) = self.event(Instant::now() + PATIENCE)? else {
            return Err(protocol("no stream header"));
        };
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
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Silence);
            }
            self.wire.tcp().set_read_timeout(Some(left))?;
            let mut bytes = [0; 16 << 10];
            match self.wire.stream().read(&mut bytes) {
                Ok(0) => return Err(Fault::Closed),
                Ok(count) => self.input.extend_from_slice(&bytes[..count]),
                Err(error) if is_silence(&error) => return Err(Fault::Silence),
                Err(error) => return Err(error.into()),
            }
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

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

enum Wire {
    Plain(TcpStream),
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(stream) => stream.get_ref(),
        }
    }

    fn stream(&mut self) -> &mut dyn Stream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(stream) => stream,
        }
    }

    /// The same connection with TLS on it.
    fn secure(&self, domain: &str, authority: &Path, alpn: &[&str]) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(authority).map_err(protocol)?;
        roots.add(certificate).map_err(protocol)?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| (*name).into()).collect();
        let name = ServerName::try_from(domain.to_owned()).map_err(protocol)?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(protocol)?;
        let mut stream = self.tcp().try_clone()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Self::Secured(Box::new(StreamOwned::new(
            connection, stream,
        ))))
    }

    /// What ties an exchange to this connection (RFC 9266).
    fn bindings(&self) -> Result<ChannelBindings, Fault> {
        let mut bindings = ChannelBindings::default();
        if let Self::Secured(stream) = self {
            let label = b"EXPORTER-Channel-Binding";
            let data = stream
                .conn
                .export_keying_material([0; 32], label, None)
                .map_err(protocol)?;
            bindings.exporter = Some(data);
        }
        Ok(bindings)
    }
}
