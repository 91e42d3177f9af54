//! From the bytes of a stream to its header, its stanzas and its end.

use bytes::{Buf, BytesMut};

use crate::chars::{self, SPACE};
use crate::declaration;
use crate::element::Element;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::pass::{Around, Extent, Pass};
use crate::scope::Scope;

/// What a stream consists of (RFC 6120 §4.2).
#[derive(Clone, Debug)]
pub enum Event {
    /// The stream header: a start tag with attributes and nothing in it.
    Open(Element),
    /// A stanza, or any other direct child of the stream.
    Element(Element),
    /// The end tag of the stream.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// An earlier stream has ended; white space after its last element may follow.
    Restart,
    /// Nothing has come yet, so an XML declaration may.
    Start,
    /// In an XML declaration, and it does not end in the first `seen` bytes.
    Declaration { seen: u32 },
    /// The stream header is next, or being read.
    Header,
    /// The header was an empty-element tag, and its end is still to be told.
    EmptyStream,
    /// In the stream.
    Stanzas,
    /// The stream has ended, by its end tag or by a fault.
    Over,
}

/// Takes a stream apart as its bytes arrive; one per connection.
///
/// Between stanzas it is a few words. What it needs to know within one is on the heap, is used
/// again for the next, and is given back by [`Scanner::release`].
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    stage: Stage,
    /// What the stream header declared.
    scope: Scope,
    pass: Option<Box<Pass>>,
    is_reading: bool,
}

impl Scanner {
    /// Ready for the first byte of a stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            stage: Stage::Start,
            scope: Scope::NOTHING,
            pass: None,
            is_reading: false,
        }
    }

    /// Sets the limits for what is read from now on, as after authentication.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Ready for the first byte of another stream on the same connection, as after TLS or SASL
    /// (RFC 6120 §4.3.3). What was read of an unfinished stanza has to be dropped from the input
    /// by the caller.
    ///
    /// White space before that byte is taken for the end of the earlier stream, though clients
    /// must not send any there (RFC 6120 §6.3.5): some send a line feed after each element.
    pub fn restart(&mut self) {
        *self = Self::new(self.limits);
        self.stage = Stage::Restart;
    }

    /// Gives back memory that is only needed within a stanza. Does nothing within one.
    pub fn release(&mut self) {
        if self.is_between_stanzas() {
            self.pass = None;
        }
    }

    /// Whether no stanza, header or end tag has begun that is not finished.
    pub fn is_between_stanzas(&self) -> bool {
        !self.is_reading
    }

    /// Takes the next complete event off the front of `input`, with white space before it.
    /// Returns `None` if more bytes have to come; `input` then begins with what there is of the
    /// event, and only bytes after it may change until the next call.
    ///
    /// # Errors
    /// The first fault of the stream, as soon as the token that is at fault is complete. The
    /// stream is over then: all that can follow is [`Fault::AfterEnd`].
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Fault> {
        let event = self.read(input);
        if event.is_err() {
            self.stage = Stage::Over;
            self.is_reading = false;
            self.pass = None;
        }
        event
    }

    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Fault> {
        if self.stage == Stage::EmptyStream {
            self.stage = Stage::Over;
            return Ok(Some(Event::Close));
        }
        if !self.is_reading && !self.begin(input)? {
            return Ok(None);
        }
        let is_header = self.stage == Stage::Header;
        let extent = if is_header {
            Extent::StartTag
        } else {
            Extent::Whole
        };
        let around = Around {
            scope: &self.scope,
            limits: &self.limits,
            extent,
        };
        let pass = self.pass.get_or_insert_with(|| Box::new(Pass::new()));
        if !pass.run(input, around)? {
            return Ok(None);
        }
        self.is_reading = false;
        let bytes = input.split_to(pass.length()).freeze();
        Ok(Some(match pass.take(bytes, &self.scope) {
            Some(header) if is_header => {
                self.open(&header);
                Event::Open(header)
            }
            Some(element) => Event::Element(element),
            None => {
                self.stage = Stage::Over;
                Event::Close
            }
        }))
    }

    fn open(&mut self, header: &Element) {
        // The scope lives as long as the stream, so it must not hold on to the buffer.
        self.scope = header.copied().scope_inside();
        let is_empty = header.raw().ends_with(b"/>");
        self.stage = if is_empty {
            Stage::EmptyStream
        } else {
            Stage::Stanzas
        };
    }

    /// Skips what may stand before a `<`; returns whether there is one.
    fn begin(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        if self.stage == Stage::Restart {
            input.advance(chars::run(input, SPACE));
            if input.is_empty() {
                return Ok(false);
            }
            self.stage = Stage::Start;
        }
        if !self.skip_declaration(input)? {
            return Ok(false);
        }
        input.advance(chars::run(input, SPACE));
        match input.first() {
            None => return Ok(false),
            Some(&byte) if self.stage == Stage::Over => return Err(Fault::AfterEnd { byte }),
            Some(b'<') => self.is_reading = true,
            Some(&byte) => return Err(Fault::TextBetweenStanzas { byte }),
        }
        Ok(true)
    }

    /// Skips an XML declaration, which only the very first bytes can be (RFC 6120 §11.5).
    /// Returns whether it is known that there is none, or no more.
    fn skip_declaration(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let seen = match self.stage {
            Stage::Start => match declaration::begins(input) {
                Some(true) => 0,
                Some(false) => {
                    self.stage = Stage::Header;
                    return Ok(true);
                }
                None => return Ok(false),
            },
            Stage::Declaration { seen } => seen as usize,
            Stage::Restart | Stage::Header | Stage::EmptyStream | Stage::Stanzas | Stage::Over => {
                return Ok(true);
            }
        };
        let limit = self.limits.stanza_bytes;
        let allowed = input.len().min(limit as usize);
        let unseen = input.get(seen..allowed).unwrap_or_default();
        if let Some(end) = memchr::memchr(b'>', unseen) {
            declaration::check(&input.split_to(seen + end + 1))?;
            self.stage = Stage::Header;
            return Ok(true);
        }
        if input.len() > allowed {
            return Err(Fault::StanzaTooLarge {
                got: limit.saturating_add(1),
                limit,
            });
        }
        self.stage = Stage::Declaration {
            seen: allowed as u32,
        };
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
