//! The phases outside tags: character data, references, CDATA sections (XML 1.0 §2.4, §4.1, §2.7).

use super::{Pass, Phase, Stop};
use crate::chars::{self, Class, NAME, SECTION, TEXT};
use crate::fault::{Construct, Fault};

/// The predefined entities (XML 1.0 §4.6).
const ENTITIES: [&[u8]; 5] = [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;"];

const SECTION_START: &[u8] = b"[CDATA[";
const SECTION_END: &[u8] = b"]]>";

impl Pass {
    pub(super) fn text(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        loop {
            self.at += chars::long_run(&bytes[self.at..], TEXT);
            match self.peek(bytes)? {
                b'<' => {
                    self.at += 1;
                    self.phase = Phase::Markup;
                    return Ok(());
                }
                b'&' => {
                    self.phase = Phase::Reference;
                    return Ok(());
                }
                b'>' => {
                    self.at += 1;
                    if bytes[..self.at].ends_with(SECTION_END) {
                        let at = (self.at - SECTION_END.len()) as u32;
                        return Err(Fault::SectionEndInText { at }.into());
                    }
                }
                byte => self.character(byte, TEXT, bytes)?,
            }
        }
    }

    /// Goes on at a `byte` that is not of `class` for no other reason than to be none of its
    /// ASCII characters.
    pub(super) fn character(&mut self, byte: u8, class: Class, bytes: &[u8]) -> Result<(), Stop> {
        if byte == b'<' {
            return Err(self.unexpected(byte));
        }
        if byte.is_ascii() {
            let (code, at) = (u32::from(byte), self.at as u32);
            return Err(Fault::ForbiddenCharacter { code, at }.into());
        }
        let known = match self.checked.saturating_sub(self.at) {
            0 => chars::check(&bytes[self.at..], self.at)?,
            known => known,
        };
        if known == 0 {
            return Err(Stop::Starved);
        }
        self.checked = self.at + known;
        self.at += chars::long_run_beyond_ascii(&bytes[self.at..self.checked], class);
        Ok(())
    }

    pub(super) fn reference(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let rest = &bytes[self.at..];
        if let Some(entity) = ENTITIES.iter().find(|entity| rest.starts_with(entity)) {
            self.at += entity.len();
            self.phase = self.around_reference();
            return Ok(());
        }
        if rest.starts_with(b"&#") {
            let is_hex = *rest.get(2).ok_or(Stop::Starved)? == b'x';
            self.at += if is_hex { 3 } else { 2 };
            self.code = 0;
            self.phase = if is_hex {
                Phase::HexReference
            } else {
                Phase::DecimalReference
            };
            return Ok(());
        }
        // How much of it could be the beginning of one of them.
        let is_known = |length: &usize| {
            ENTITIES
                .iter()
                .any(|entity| entity.starts_with(&rest[..*length]))
        };
        let known = (1..=rest.len()).take_while(is_known).count();
        match rest.get(known) {
            None => Err(Stop::Starved),
            Some(&byte) if chars::is(byte, NAME) || byte == b':' || !byte.is_ascii() => {
                Err(self.restricted(Construct::EntityReference, self.at))
            }
            Some(&byte) => Err(Fault::Unexpected {
                byte,
                at: (self.at + known) as u32,
            }
            .into()),
        }
    }

    fn around_reference(&self) -> Phase {
        if self.quote == 0 {
            Phase::Text
        } else {
            Phase::Value
        }
    }

    /// Reads the digits; the character must be one that XML allows (XML 1.0 §4.1, Legal
    /// Character).
    pub(super) fn character_reference(&mut self, bytes: &[u8], radix: u32) -> Result<(), Stop> {
        loop {
            let byte = self.peek(bytes)?;
            if let Some(digit) = char::from(byte).to_digit(radix) {
                self.code = self.code.saturating_mul(radix).saturating_add(digit);
                self.at += 1;
                continue;
            }
            let has_digits = bytes[self.at - 1].is_ascii_hexdigit();
            if byte != b';' || !has_digits {
                return Err(self.unexpected(byte));
            }
            if !chars::is_char(self.code) {
                let (code, at) = (self.code, self.at as u32);
                return Err(Fault::ForbiddenCharacter { code, at }.into());
            }
            self.at += 1;
            self.phase = self.around_reference();
            return Ok(());
        }
    }

    pub(super) fn bang(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        loop {
            let matched = self.at - self.mark;
            if matched == SECTION_START.len() {
                self.phase = Phase::Section;
                return Ok(());
            }
            let byte = self.peek(bytes)?;
            if byte == SECTION_START[matched] && !self.open.is_empty() {
                self.at += 1;
            } else if matched > 0 || byte == b'[' {
                return Err(self.unexpected(byte));
            } else if byte == b'-' {
                return Err(self.restricted(Construct::Comment, self.mark - 2));
            } else {
                return Err(self.restricted(Construct::MarkupDeclaration, self.mark - 2));
            }
        }
    }

    pub(super) fn section(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        loop {
            self.at += chars::long_run(&bytes[self.at..], SECTION);
            match self.peek(bytes)? {
                b'>' => {
                    self.at += 1;
                    if bytes[..self.at].ends_with(SECTION_END) {
                        self.phase = Phase::Text;
                        return Ok(());
                    }
                }
                byte => self.character(byte, SECTION, bytes)?,
            }
        }
    }
}
