//! Cuts the bytes of a stream into its top-level elements.

use bytes::{Buf, BytesMut};
use memchr::{memchr, memchr3};

use super::{Element, Error};

/// Longer elements are a fault: the loads cause a few KiB at most.
const MAX_ELEMENT_BYTES: usize = 1 << 20;

/// Room for one read. Left to itself, a buffer would grow by 64 bytes and cost a read for each.
const READ_BYTES: usize = 4096;

/// What a stream consists of.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// The stream's opening tag.
    Opened,
    /// A complete child of the stream.
    Element(Element),
    /// The stream's closing tag.
    Closed,
}

/// Collects bytes until an element is complete.
///
/// Attribute values may hold `>`; comments, CDATA and doctypes are refused, as RFC 6120 §11.1
/// forbids most of them and no server sends the others.
#[derive(Default)]
pub(crate) struct Splitter {
    /// Begins with the element under way, if there is one.
    buffer: BytesMut,
    /// Bytes of the buffer whose tags are counted.
    scanned: usize,
    /// Open elements, the stream itself included.
    depth: u32,
}

enum Tag {
    Start,
    End,
    Empty,
    Declaration,
}

impl Splitter {
    /// Where received bytes are appended.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        self.buffer.reserve(READ_BYTES);
        &mut self.buffer
    }

    /// Forgets everything and expects the opening tag of a new stream (RFC 6120 §4.3.3).
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The next complete piece, or nothing until more bytes have come.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Error> {
        while let Some(tag) = self.next_tag()? {
            match (tag, self.depth) {
                (Tag::Declaration, 0) => {
                    self.take();
                }
                (Tag::Start, 0) => {
                    self.depth = 1;
                    self.take();
                    return Ok(Some(Piece::Opened));
                }
                (Tag::Empty, 1) | (Tag::End, 2) => {
                    self.depth = 1;
                    return Ok(Some(Piece::Element(Element::new(self.take().freeze()))));
                }
                (Tag::End, 1) => return Ok(Some(Piece::Closed)),
                (Tag::Start, 1..) => self.depth += 1,
                (Tag::Empty, 2..) => {}
                (Tag::End, 3..) => self.depth -= 1,
                (Tag::End | Tag::Empty, 0) | (Tag::Declaration, 1..) => {
                    return Err(Error::Malformed("a tag out of place"));
                }
            }
        }
        if self.buffer.len() > MAX_ELEMENT_BYTES {
            return Err(Error::TooLarge {
                limit: MAX_ELEMENT_BYTES,
            });
        }
        Ok(None)
    }

    fn take(&mut self) -> BytesMut {
        self.buffer.split_to(std::mem::take(&mut self.scanned))
    }

    /// Moves past the next whole tag. Text between the elements is dropped on the way.
    fn next_tag(&mut self) -> Result<Option<Tag>, Error> {
        let Some(skipped) = memchr(b'<', &self.buffer[self.scanned..]) else {
            return Ok(None);
        };
        if self.depth <= 1 && self.scanned == 0 {
            self.buffer.advance(skipped);
        } else {
            self.scanned += skipped;
        }
        let rest = &self.buffer[self.scanned..];
        let Some(length) = tag_length(rest) else {
            return Ok(None);
        };
        let tag = match (rest[1], rest[length - 2]) {
            (b'/', _) => Tag::End,
            (b'?', _) => Tag::Declaration,
            (b'!' | b'>', _) => return Err(Error::Malformed("neither element nor declaration")),
            (_, b'/') => Tag::Empty,
            _ => Tag::Start,
        };
        self.scanned += length;
        Ok(Some(tag))
    }
}

/// Bytes up to and including the `>` that ends the tag, which is never one in quotes.
fn tag_length(tag: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr3(b'>', b'\'', b'"', &tag[at..])?;
        if tag[at] == b'>' {
            return Some(at + 1);
        }
        at += memchr(tag[at], &tag[at + 1..])? + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "<?xml version='1.0'?><stream:stream from='localhost' id=\"a>b\">\
        <stream:features><bind xmlns='b'/></stream:features> \n <r xmlns='sm'/>\
        <message to='a@b'><body>1 &lt; 2</body><x a='/'><y/><y></y></x></message></stream:stream>";

    fn names(pieces: &[Piece]) -> Vec<String> {
        let name = |piece: &Piece| match piece {
            Piece::Opened => "opened".to_owned(),
            Piece::Element(element) => String::from_utf8_lossy(element.name()).into_owned(),
            Piece::Closed => "closed".to_owned(),
        };
        pieces.iter().map(name).collect()
    }

    fn split(chunks: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Piece>, Error> {
        let (mut splitter, mut pieces) = (Splitter::default(), Vec::new());
        for chunk in chunks {
            splitter.buffer().extend_from_slice(&chunk);
            while let Some(piece) = splitter.next()? {
                let closed = piece == Piece::Closed;
                pieces.push(piece);
                if closed {
                    return Ok(pieces);
                }
            }
        }
        Ok(pieces)
    }

    #[test]
    fn elements_come_out_whole_wherever_the_bytes_are_cut() {
        let expected = ["opened", "stream:features", "r", "message", "closed"];
        for length in 1..STREAM.len() {
            let pieces = split(STREAM.as_bytes().chunks(length).map(<[u8]>::to_vec)).unwrap();
            assert_eq!(names(&pieces), expected, "in chunks of {length}");
        }
    }

    #[test]
    fn a_restarted_stream_begins_with_its_own_header() {
        let mut splitter = Splitter::default();
        for _ in 0..2 {
            splitter
                .buffer()
                .extend_from_slice(b"<stream:stream><success/>");
            assert_eq!(splitter.next().unwrap(), Some(Piece::Opened));
            assert!(matches!(splitter.next().unwrap(), Some(Piece::Element(_))));
            splitter.restart();
        }
    }

    #[test]
    fn what_no_server_may_send_is_refused() {
        for text in ["<a><!-- c -->", "</a>", "<a/>", "<a><?xml?>", "<>"] {
            let chunks = std::iter::once(text.as_bytes().to_vec());
            assert!(matches!(split(chunks), Err(Error::Malformed(_))), "{text}");
        }
    }
}
