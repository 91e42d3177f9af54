//! From the first byte to a bound session, one step after the other (RFC 6120 §4 to §7).

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::door::{Accounts, Credential, Door};
use super::scram::{Exchange, Secret};
use super::splitter::{Piece, Splitter};
use super::transport::{self, Tls, Transport};
use super::{Element, Error, Session};

const SASL: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

/// Logs the first device of an account in.
pub(crate) async fn log_in(door: &Door, number: usize) -> Result<Session, Error> {
    log_in_device(door, number, 0).await
}

/// Logs a device of an account in: connection, TLS, SASL, resource, and what [`Session::enter`] adds.
pub(crate) async fn log_in_device(
    door: &Door,
    number: usize,
    device: usize,
) -> Result<Session, Error> {
    let mut stream = Stream::open(door).await?;
    stream.authenticate(door, &Accounts::user(number)).await?;
    stream.restart(door).await?;
    stream.bind(device).await?;
    Session::enter(stream, door).await
}

/// A stream that is being negotiated: each request has one answer.
pub(crate) struct Stream {
    pub(super) transport: Transport,
    pub(super) splitter: Splitter,
}

impl Stream {
    /// Connects, starts TLS where the door wants it, and reads the features.
    pub(crate) async fn open(door: &Door) -> Result<Self, Error> {
        let mut transport = transport::connect(door.address).await?;
        if door.tls == Tls::Direct {
            transport = transport::secure(&door.connector, &door.name, transport).await?;
        }
        let mut stream = Self {
            transport,
            splitter: Splitter::default(),
        };
        stream.restart(door).await?;
        if door.tls == Tls::Starttls {
            let start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
            stream.request("STARTTLS", start, "proceed").await?;
            stream.transport =
                transport::secure(&door.connector, &door.name, stream.transport).await?;
            stream.restart(door).await?;
        }
        Ok(stream)
    }

    /// Sends a request; its one answer must be an element of this name, and no error.
    pub(crate) async fn request(
        &mut self,
        step: &'static str,
        xml: &str,
        answer: &str,
    ) -> Result<Element, Error> {
        self.transport.write_all(xml.as_bytes()).await?;
        self.transport.flush().await?;
        let element = self.next().await?;
        if element.name() == answer.as_bytes() && element.attribute("type") != Some("error") {
            Ok(element)
        } else {
            Err(Error::Refused {
                step,
                answer: element.to_string(),
            })
        }
    }

    async fn restart(&mut self, door: &Door) -> Result<Element, Error> {
        self.splitter.restart();
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
            door.accounts.domain
        );
        self.request("opening a stream", &header, "stream:features")
            .await
    }

    async fn authenticate(&mut self, door: &Door, user: &str) -> Result<(), Error> {
        match &door.credential {
            Credential::Plain => self.plain(user, &door.accounts.password).await,
            Credential::Scram(secret) => self.scram(secret, user).await,
        }
    }

    async fn plain(&mut self, user: &str, password: &str) -> Result<(), Error> {
        let message = BASE64.encode(format!("\0{user}\0{password}"));
        let auth = format!("<auth {SASL} mechanism='PLAIN'>{message}</auth>");
        self.request("SASL", &auth, "success").await.map(drop)
    }

    async fn scram(&mut self, secret: &Secret, user: &str) -> Result<(), Error> {
        let (mechanism, nonce) = (secret.mechanism(), nonce());
        let mut exchange = Exchange::new(secret, user, &nonce);
        let auth = format!(
            "<auth {SASL} mechanism='{mechanism}'>{}</auth>",
            exchange.first()
        );
        let challenge = self.request("SASL", &auth, "challenge").await?;
        let answer = exchange.answer(challenge.text_of("challenge").unwrap_or_default())?;
        let response = format!("<response {SASL}>{answer}</response>");
        let success = self.request("SASL", &response, "success").await?;
        exchange.verify(success.text_of("success").unwrap_or_default())
    }

    async fn bind(&mut self, device: usize) -> Result<(), Error> {
        let bind = format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>bench-{device}</resource></bind></iq>"
        );
        self.request("binding a resource", &bind, "iq")
            .await
            .map(drop)
    }

    async fn next(&mut self) -> Result<Element, Error> {
        loop {
            match self.splitter.next()? {
                Some(Piece::Opened) => {}
                Some(Piece::Element(element)) => return Ok(element),
                Some(Piece::Closed) => return Err(Error::Closed),
                None => {
                    if self.transport.read_buf(self.splitter.buffer()).await? == 0 {
                        return Err(Error::Closed);
                    }
                }
            }
        }
    }
}

/// Never the same twice, which is all that a load needs of it.
fn nonce() -> String {
    static LOGINS: AtomicU64 = AtomicU64::new(0);
    format!(
        "bench-{}-{}",
        process::id(),
        LOGINS.fetch_add(1, Ordering::Relaxed)
    )
}
