//! The phases inside tags (XML 1.0 §3.1).

use super::{Around, Pass, Phase, Stop};
use crate::chars::{self, Class, NAME, NAME_START, SPACE, VALUE};
use crate::fault::{Construct, Fault};
use crate::index::{AttributeRecord, Name, Purpose, Span};

impl Pass {
    pub(super) fn markup(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        match self.peek(bytes)? {
            b'/' if self.open.is_empty() && around.scope.parent().is_empty() => {
                Err(self.unexpected(b'/'))
            }
            b'/' => {
                self.at += 1;
                self.begin_name(Phase::EndName);
                self.end_name(bytes, around)
            }
            b'!' => {
                self.at += 1;
                self.mark = self.at;
                self.phase = Phase::Bang;
                Ok(())
            }
            b'?' => Err(self.restricted(Construct::ProcessingInstruction, self.at - 1)),
            _ => {
                self.begin_name(Phase::TagName);
                self.tag_name(bytes, around)
            }
        }
    }

    pub(super) fn restricted(&self, construct: Construct, at: usize) -> Stop {
        Stop::Fault(Fault::Restricted {
            construct,
            at: at as u32,
        })
    }

    fn begin_name(&mut self, phase: Phase) {
        self.mark = self.at;
        self.local = self.at;
        self.phase = phase;
    }

    /// Reads a `QName` (XML-NAMES §4) to its end.
    fn read_name(&mut self, bytes: &[u8]) -> Result<Name, Stop> {
        loop {
            if self.at == self.local {
                self.name_character(bytes, NAME_START)?;
            }
            self.at += chars::run(&bytes[self.at..], NAME);
            match self.peek(bytes)? {
                b':' if self.local == self.mark => {
                    self.at += 1;
                    self.local = self.at;
                }
                byte if byte.is_ascii() && byte != b':' => {
                    return Ok(Name {
                        start: self.mark as u32,
                        local: self.local as u32,
                        end: self.at as u32,
                    });
                }
                _ => self.name_character(bytes, NAME)?,
            }
        }
    }

    fn name_character(&mut self, bytes: &[u8], class: Class) -> Result<(), Stop> {
        let byte = self.peek(bytes)?;
        let length = if byte.is_ascii() {
            chars::is(byte, class).then_some(1)
        } else {
            let char = chars::first(&bytes[self.at..], self.at)?.ok_or(Stop::Starved)?;
            chars::is_in_name(char, class).then_some(char.len_utf8())
        };
        self.at += length.ok_or(Fault::MalformedName { at: self.at as u32 })?;
        Ok(())
    }

    pub(super) fn tag_name(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.name = self.read_name(bytes)?;
        self.phase = Phase::AfterPart;
        self.after_part(bytes, around)
    }

    pub(super) fn after_part(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        let byte = self.peek(bytes)?;
        if chars::is(byte, SPACE) {
            self.at += 1;
            self.phase = Phase::BetweenParts;
            return self.between_parts(bytes, around);
        }
        self.start_tag_end(byte, bytes, around)
    }

    pub(super) fn between_parts(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.skip_space(bytes);
        let byte = self.peek(bytes)?;
        if matches!(byte, b'>' | b'/') {
            return self.start_tag_end(byte, bytes, around);
        }
        self.begin_name(Phase::AttributeName);
        self.attribute_name(bytes, around)
    }

    fn start_tag_end(&mut self, byte: u8, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        match byte {
            b'>' => {
                self.at += 1;
                self.phase = Phase::Text;
                self.enter(bytes, around)
            }
            b'/' => {
                self.at += 1;
                self.phase = Phase::EmptyTag;
                Ok(())
            }
            _ => Err(self.unexpected(byte)),
        }
    }

    pub(super) fn empty_tag(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        let byte = self.peek(bytes)?;
        if byte != b'>' {
            return Err(self.unexpected(byte));
        }
        self.at += 1;
        self.phase = Phase::Text;
        self.enter(bytes, around)?;
        self.leave(self.at);
        Ok(())
    }

    pub(super) fn attribute_name(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.attribute = self.read_name(bytes)?;
        self.phase = Phase::Equals;
        self.equals(bytes, around)
    }

    pub(super) fn equals(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.skip_space(bytes);
        match self.peek(bytes)? {
            b'=' => {
                self.at += 1;
                self.phase = Phase::Quote;
                self.quote(bytes, around)
            }
            byte => Err(self.unexpected(byte)),
        }
    }

    pub(super) fn quote(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        self.skip_space(bytes);
        match self.peek(bytes)? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                self.quote = quote;
                self.mark = self.at;
                self.is_literal = true;
                self.phase = Phase::Value;
                self.value(bytes, around)
            }
            byte => Err(self.unexpected(byte)),
        }
    }

    /// `AttValue` (XML 1.0 §2.3).
    pub(super) fn value(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        loop {
            self.at += chars::long_run(&bytes[self.at..], VALUE);
            match self.peek(bytes)? {
                byte if byte == self.quote => break,
                b'"' | b'\'' => self.at += 1,
                b'\t' | b'\n' | b'\r' => {
                    self.at += 1;
                    self.is_literal = false;
                }
                b'&' => {
                    self.is_literal = false;
                    self.phase = Phase::Reference;
                    return Ok(());
                }
                byte => self.character(byte, VALUE, bytes)?,
            }
        }
        self.add_attribute(bytes, around)?;
        self.at += 1;
        self.quote = 0;
        self.phase = Phase::AfterPart;
        Ok(())
    }

    /// The attribute's value ends here. Names as written must differ (XML 1.0 §3.1, Unique Att
    /// Spec); whether they differ when expanded is seen at the end of the tag.
    fn add_attribute(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Fault> {
        let (got, limit) = (self.attributes.len() as u32 + 1, around.limits.attributes);
        if got > limit {
            return Err(Fault::TooManyAttributes { got, limit });
        }
        let name = self.attribute.whole(bytes);
        if self
            .attributes
            .iter()
            .any(|other| other.name.whole(bytes) == name)
        {
            return Err(Fault::DuplicateAttribute {
                at: self.attribute.start,
            });
        }
        let purpose = Purpose::of(self.attribute, bytes);
        self.are_plain &= purpose == Purpose::Plain;
        self.attributes.push(AttributeRecord {
            name: self.attribute,
            value: Span::new(self.mark, self.at),
            purpose,
            is_literal: self.is_literal,
        });
        Ok(())
    }

    /// Reads the name of an end tag, which must be that of the start tag (XML 1.0 §3, Element
    /// Type Match). So it needs no check of its own.
    pub(super) fn end_name(&mut self, bytes: &[u8], around: Around<'_>) -> Result<(), Stop> {
        let expected = match self.open.last() {
            Some(open) => open.name.whole(bytes),
            None => around.scope.parent(),
        };
        let missing = &expected[self.at - self.mark..];
        let there = &bytes[self.at..bytes.len().min(self.at + missing.len())];
        if !missing.starts_with(there) {
            return Err(self.mismatch());
        }
        self.at += there.len();
        match self.peek(bytes)? {
            b'>' => {}
            byte if chars::is(byte, SPACE) => {}
            _ => return Err(self.mismatch()),
        }
        self.phase = Phase::EndTag;
        self.end_tag(bytes)
    }

    fn mismatch(&self) -> Stop {
        Stop::Fault(Fault::EndTagMismatch {
            at: self.mark as u32,
        })
    }

    pub(super) fn end_tag(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.skip_space(bytes);
        match self.peek(bytes)? {
            b'>' => {
                self.at += 1;
                self.phase = Phase::Text;
                self.leave(self.mark - 2);
                Ok(())
            }
            byte => Err(self.unexpected(byte)),
        }
    }
}
