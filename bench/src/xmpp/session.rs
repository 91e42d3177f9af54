//! A bound session: reads and writes at the same time, and keeps stream management (XEP-0198).

use std::time::Duration;
use std::{future, io};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::{select, time};

use super::negotiation::Stream;
use super::splitter::{Piece, Splitter};
use super::transport::Transport;
use super::{Door, Element, Error};

const ACK_REQUEST: &str = "<r xmlns='urn:xmpp:sm:3'/>";

/// A client that is logged in.
pub(crate) struct Session {
    reader: ReadHalf<Transport>,
    splitter: Splitter,
    outbox: Outbox,
    management: Option<Management>,
}

/// What is on its way out.
struct Outbox {
    writer: WriteHalf<Transport>,
    bytes: BytesMut,
    flush: Flush,
}

/// Whether written bytes may still lie in the transport.
enum Flush {
    Done,
    Due,
}

/// What [`Session::next`] waits for.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message, presence or IQ; IQ requests are already answered.
    Stanza(Element),
    /// The server has told how much it has acknowledged.
    Acknowledgement,
}

/// The counters of XEP-0198 §4.
#[derive(Default)]
struct Management {
    sent: u32,
    acknowledged: u32,
    /// Counts from `<enabled/>` on.
    handled: Option<u32>,
}

impl Session {
    /// What clients do once they are bound, in one write: carbons and stream management if asked
    /// for, roster, presence, and a ping whose answer says that all of it is done.
    pub(crate) async fn enter(stream: Stream, door: &Door) -> Result<Self, Error> {
        let (reader, writer) = tokio::io::split(stream.transport);
        let mut session = Self {
            reader,
            splitter: stream.splitter,
            outbox: Outbox {
                writer,
                bytes: BytesMut::new(),
                flush: Flush::Done,
            },
            management: None,
        };
        if door.setting().carbons {
            session.queue("<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
        }
        if door.setting().stream_management {
            session
                .outbox
                .push("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
            session.management = Some(Management::default());
        }
        session.queue("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
        session.queue("<presence/>");
        session.queue(&format!(
            "<iq type='get' id='ping' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
            door.accounts().domain
        ));
        session.entered().await?;
        Ok(session)
    }

    async fn entered(&mut self) -> Result<(), Error> {
        loop {
            let Incoming::Stanza(stanza) = self.next().await? else {
                continue;
            };
            let refused = |step| {
                Err(Error::Refused {
                    step,
                    answer: stanza.to_string(),
                })
            };
            match (stanza.attribute("id"), stanza.attribute("type")) {
                (Some("carbons"), Some("error")) => return refused("carbons"),
                (Some("roster"), Some("error")) => return refused("roster"),
                (Some("ping"), Some("result")) => break,
                (Some("ping"), _) => return refused("ping"),
                _ => {}
            }
        }
        match &self.management {
            Some(Management { handled: None, .. }) => Err(Error::Refused {
                step: "stream management",
                answer: "nothing".to_owned(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Queues a stanza; [`Session::next`] writes it.
    pub(crate) fn queue(&mut self, stanza: &str) {
        self.outbox.push(stanza);
        if let Some(management) = &mut self.management {
            management.sent = management.sent.wrapping_add(1);
        }
    }

    /// Queues a request for acknowledgement, if stream management is on.
    pub(crate) fn request_acknowledgement(&mut self) {
        if self.management.is_some() {
            self.outbox.push(ACK_REQUEST);
        }
    }

    /// Stanzas that the server has not acknowledged; zero without stream management.
    pub(crate) fn unacknowledged(&self) -> u32 {
        self.management.as_ref().map_or(0, |management| {
            management.sent.wrapping_sub(management.acknowledged)
        })
    }

    /// Writes what is queued and waits for the next thing that a load wants to know of.
    ///
    /// Safe to cancel: nothing is lost and nothing is written twice.
    pub(crate) async fn next(&mut self) -> Result<Incoming, Error> {
        loop {
            while let Some(piece) = self.splitter.next()? {
                match piece {
                    Piece::Element(element) => {
                        if let Some(incoming) = self.take(element)? {
                            return Ok(incoming);
                        }
                    }
                    Piece::Opened | Piece::Closed => return Err(Error::Closed),
                }
            }
            self.exchange_bytes().await?;
        }
    }

    /// Ends the stream and waits until the server has done so too, but not for long.
    ///
    /// Without the acknowledgement before it, a server must take the last stanzas for undelivered.
    pub(crate) async fn close(mut self) {
        self.acknowledge();
        self.outbox.push("</stream:stream>");
        let gone = async { while self.next().await.is_ok() {} };
        // A server that does not answer loses nothing but its politeness.
        let _ = time::timeout(Duration::from_secs(5), gone).await;
    }

    async fn exchange_bytes(&mut self) -> Result<(), Error> {
        select! {
            biased;
            written = self.outbox.write() => Ok(written?),
            read = self.reader.read_buf(self.splitter.buffer()) => match read? {
                0 => Err(Error::Closed),
                _ => Ok(()),
            },
        }
    }

    fn take(&mut self, element: Element) -> Result<Option<Incoming>, Error> {
        match element.name() {
            b"message" | b"presence" | b"iq" => {
                if let Some(Management {
                    handled: Some(handled),
                    ..
                }) = &mut self.management
                {
                    *handled = handled.wrapping_add(1);
                }
                self.answer_request(&element);
                Ok(Some(Incoming::Stanza(element)))
            }
            b"r" => {
                self.acknowledge();
                Ok(None)
            }
            b"a" => self.on_acknowledgement(&element).map(Some),
            b"enabled" => {
                if let Some(management) = &mut self.management {
                    management.handled = Some(0);
                }
                Ok(None)
            }
            _ => Err(Error::Refused {
                step: "a session",
                answer: element.to_string(),
            }),
        }
    }

    fn acknowledge(&mut self) {
        if let Some(Management {
            handled: Some(handled),
            ..
        }) = &self.management
        {
            self.outbox
                .push(&format!("<a xmlns='urn:xmpp:sm:3' h='{handled}'/>"));
        }
    }

    fn on_acknowledgement(&mut self, element: &Element) -> Result<Incoming, Error> {
        let h = element.attribute("h").and_then(|h| h.parse::<u32>().ok());
        let (Some(h), Some(management)) = (h, &mut self.management) else {
            let answer = element.to_string();
            return Err(Error::Refused {
                step: "stream management",
                answer,
            });
        };
        // Both counters wrap at 2^32.
        let newly = h.wrapping_sub(management.acknowledged);
        if newly > management.sent.wrapping_sub(management.acknowledged) {
            return Err(Error::AcknowledgedTooMuch {
                h,
                sent: management.sent,
            });
        }
        management.acknowledged = h;
        Ok(Incoming::Acknowledgement)
    }

    /// Pings are answered, anything else is not for us (RFC 6120 §8.4).
    fn answer_request(&mut self, stanza: &Element) {
        if stanza.name() != b"iq" || !matches!(stanza.attribute("type"), Some("get" | "set")) {
            return;
        }
        let id = stanza.attribute("id").unwrap_or_default();
        let to = stanza
            .attribute("from")
            .map(|from| format!(" to='{from}'"))
            .unwrap_or_default();
        let answer = if stanza.mentions("urn:xmpp:ping") {
            format!("<iq type='result' id='{id}'{to}/>")
        } else {
            format!(
                "<iq type='error' id='{id}'{to}><error type='cancel'>\
                 <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            )
        };
        self.queue(&answer);
    }
}

impl Outbox {
    fn push(&mut self, xml: &str) {
        self.bytes.extend_from_slice(xml.as_bytes());
        self.flush = Flush::Due;
    }

    /// Writes everything; never ends if there is nothing. Safe to cancel.
    async fn write(&mut self) -> io::Result<()> {
        if matches!(self.flush, Flush::Done) {
            return future::pending().await;
        }
        while !self.bytes.is_empty() {
            self.writer.write_buf(&mut self.bytes).await?;
        }
        self.writer.flush().await?;
        self.flush = Flush::Done;
        Ok(())
    }
}
