//! Messages as the exchange knows them, and as they stand in logs.

use anser_jid::{BareJid, Jid};
use bytes::Bytes;

/// What a message is for (RFC 6121 §5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A message outside of a conversation.
    Normal,
    /// Part of a conversation between two.
    Chat,
    /// Part of a conversation in a room.
    Groupchat,
    /// A notice that nobody answers.
    Headline,
    /// An earlier message could not be delivered.
    Error,
}

/// What decides over keeping and copying a message; the front end that reads it
/// knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits(u16);

impl Traits {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// There is something in it that is worth keeping: a text, a receipt, a
    /// reaction, anything but the news that somebody is typing.
    pub const CONTENT: Self = Self(1);
    /// The sender wants it kept (XEP-0334 §4.4).
    pub const STORE: Self = Self(1 << 1);
    /// The sender wants it kept nowhere (XEP-0334 §4.2).
    pub const NO_STORE: Self = Self(1 << 2);
    /// The sender wants it kept until it is delivered only (XEP-0334 §4.1).
    pub const NO_PERMANENT_STORE: Self = Self(1 << 3);
    /// It was taken back, and this stands in its place.
    pub const TOMBSTONE: Self = Self(1 << 10);
    /// It changes the subject of a room (XEP-0045 §8.1).
    pub const SUBJECT: Self = Self(1 << 7);
    /// Somebody says something in it: it has a text, if only one that nobody on
    /// its way can read.
    pub const TEXT: Self = Self(1 << 4);
    /// It belongs to a conversation even without a text: a receipt, a marker,
    /// the news that somebody is typing (XEP-0280 §6.1).
    pub const CONVERSATION: Self = Self(1 << 5);
    /// The sender wants it on no other device than those that it is for
    /// (XEP-0280 §9, XEP-0334 §4.3).
    pub const NO_COPY: Self = Self(1 << 6);
    /// Between two occupants of a room, which has given it to every device that
    /// is in there (XEP-0280 §6.1).
    pub const IN_ROOM: Self = Self(1 << 9);
    /// It changes an earlier message or says something of it; there is nothing
    /// new to read, whatever text it has for those who do not know better.
    pub const AMENDS: Self = Self(1 << 8);

    /// Both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every one of `other` is there.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A message on its way, or one read from a log.
///
/// It is kept in the form in which logs have it, so that the same bytes are
/// stored and delivered.
#[derive(Debug, Clone)]
pub struct Message {
    from: Jid,
    to: Jid,
    kind: MessageKind,
    traits: Traits,
    id: Span,
    lang: Span,
    text: Span,
    mentions: Span,
    payload_at: u32,
    encoded: Bytes,
}

/// Where a text stands in the encoded message; empty if there is none.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    at: u32,
    len: u32,
}

/// Between addresses, which cannot contain it (RFC 7622 §3).
const MENTIONS_END: &str = "\n";

impl Span {
    /// This text, or the one that is part of the payload.
    fn or_inside(self, inside: Self, payload_at: u32) -> Self {
        match inside.len {
            0 => self,
            len => Self {
                at: payload_at + inside.at,
                len,
            },
        }
    }

    fn of(self, encoded: &[u8]) -> Option<&str> {
        let bytes = &encoded[self.at as usize..(self.at + self.len) as usize];
        let text = std::str::from_utf8(bytes).expect("written from text and checked when read");
        (!text.is_empty()).then_some(text)
    }
}

/// What a new message is made of.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Who sends it, as its recipients see it.
    pub from: &'a Jid,
    /// To whom, as the sender wrote it.
    pub to: &'a Jid,
    /// What it is for.
    pub kind: MessageKind,
    /// What decides over keeping it.
    pub traits: Traits,
    /// The sender's own name for it.
    pub id: Option<&'a str>,
    /// The language of its texts.
    pub lang: Option<&'a str>,
    /// What people read of it, without any markup. Where it is part of `payload`
    /// as it is, in the same memory, it takes no more room.
    pub text: Option<&'a str>,
    /// Accounts that its sender has marked as mentioned.
    pub mentions: &'a [BareJid],
    /// XML children that need no declaration from outside but that of the
    /// default namespace `jabber:client`.
    pub payload: &'a [u8],
}

/// What was read is not a message that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored message cannot be read: {0}")]
pub struct DecodeError(&'static str);

/// The first byte of every stored message.
const FORMAT: u8 = 2;
/// What it was before messages knew their texts.
const FORMAT_WITHOUT_TEXT: u8 = 1;

impl Message {
    /// Puts a message together.
    #[must_use]
    pub fn new(draft: &Draft<'_>) -> Self {
        let (from, to) = (draft.from.as_str(), draft.to.as_str());
        let (id, lang) = (draft.id.unwrap_or(""), draft.lang.unwrap_or(""));
        let mentions: Vec<_> = draft.mentions.iter().map(|jid| jid.as_str()).collect();
        let mentions = mentions.join(MENTIONS_END);
        let text = draft.text.unwrap_or("");
        let (aside, inside) = match position(text.as_bytes(), draft.payload) {
            Some(inside) => ("", inside),
            None => (text, Span::default()),
        };
        let texts = [from, to, id, lang, &mentions, aside];
        let bytes: usize = texts.iter().map(|text| text.len() + 4).sum();
        let mut encoded = Vec::with_capacity(4 + 8 + bytes + draft.payload.len());
        encoded.extend([FORMAT, draft.kind.code()]);
        encoded.extend(draft.traits.0.to_le_bytes());
        let [_, _, id, lang, mentions, aside] = texts.map(|text| write_text(&mut encoded, text));
        encoded.extend(inside.at.to_le_bytes());
        encoded.extend(inside.len.to_le_bytes());
        let payload_at = length(encoded.len());
        encoded.extend(draft.payload);
        Self {
            from: draft.from.clone(),
            to: draft.to.clone(),
            kind: draft.kind,
            traits: draft.traits,
            id,
            lang,
            text: aside.or_inside(inside, payload_at),
            mentions,
            payload_at,
            encoded: encoded.into(),
        }
    }

    /// Reads what [`Message::encoded`] gave, in this version or an earlier one.
    ///
    /// # Errors
    /// [`DecodeError`] if it is from a later version, or damaged.
    pub fn decode(encoded: Bytes) -> Result<Self, DecodeError> {
        let (kind, traits, at) = match encoded[..] {
            [FORMAT, kind, low, high, ..] => (kind, u16::from_le_bytes([low, high]), 4),
            [FORMAT_WITHOUT_TEXT, kind, traits, ..] => (kind, traits.into(), 3),
            _ => return Err(DecodeError("unknown format")),
        };
        let has_text = encoded[0] == FORMAT;
        let mut reader = Reader {
            encoded: &encoded,
            at,
        };
        let jid = |span: Span| {
            let text = span.of(&encoded).unwrap_or("");
            Jid::parse(text).map_err(|_| DecodeError("address"))
        };
        let from = jid(reader.text()?)?;
        let to = jid(reader.text()?)?;
        let (id, lang) = (reader.text()?, reader.text()?);
        let (mentions, text) = match has_text {
            true => (reader.text()?, reader.text_aside_or_inside()?),
            false => (Span::default(), Span::default()),
        };
        let payload_at = reader.at;
        Ok(Self {
            from,
            to,
            kind: MessageKind::from_code(kind).ok_or(DecodeError("kind"))?,
            traits: Traits(traits),
            id,
            lang,
            text,
            mentions,
            payload_at,
            encoded,
        })
    }

    /// What stands in the place of this message once it was taken back: from the
    /// same sender, to the same recipient, of the same kind and with the same id,
    /// and nothing else of it but what `payload` says, which is XML children as
    /// in [`Draft`].
    #[must_use]
    pub fn tombstone(&self, payload: &[u8]) -> Self {
        Self::new(&Draft {
            from: &self.from,
            to: &self.to,
            kind: self.kind,
            traits: self.traits.with(Traits::TOMBSTONE),
            id: self.id(),
            lang: None,
            text: None,
            mentions: &[],
            payload,
        })
    }

    /// Whether it stands in the place of a message that was taken back.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.traits.contains(Traits::TOMBSTONE)
    }

    /// The form in which logs have it.
    #[must_use]
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// Who sent it.
    #[must_use]
    pub fn from(&self) -> &Jid {
        &self.from
    }

    /// To whom it was sent; an address without a resource stays one.
    #[must_use]
    pub fn to(&self) -> &Jid {
        &self.to
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// What decides over keeping it.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.traits
    }

    /// The sender's own name for it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.of(&self.encoded)
    }

    /// The language of its texts.
    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.lang.of(&self.encoded)
    }

    /// What people read of it, without any markup; a text that is encrypted for
    /// somebody is not here.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.of(&self.encoded)
    }

    /// The addresses of accounts that its sender has marked as mentioned.
    pub fn mentions(&self) -> impl Iterator<Item = &str> {
        let mentions = self.mentions.of(&self.encoded);
        mentions.into_iter().flat_map(|all| all.split(MENTIONS_END))
    }

    /// Its XML children.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.encoded.slice(self.payload_at as usize..)
    }

    /// Whether it goes into logs. Notices and errors have no place there, and
    /// a room's messages are in the room's log.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        let kept = match self.kind {
            MessageKind::Normal | MessageKind::Chat => true,
            MessageKind::Groupchat | MessageKind::Headline | MessageKind::Error => false,
        };
        kept && self.is_worth_keeping()
    }

    /// Whether there is something in it that its sender wants kept.
    #[must_use]
    pub fn is_worth_keeping(&self) -> bool {
        let wanted = self.traits.contains(Traits::CONTENT) || self.traits.contains(Traits::STORE);
        wanted && !self.traits.contains(Traits::NO_STORE)
    }

    /// Whether there is something new in it for people to read.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let is_text = self.traits.contains(Traits::TEXT);
        is_text && !self.traits.contains(Traits::AMENDS) && !self.is_tombstone()
    }
}

impl MessageKind {
    fn code(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Chat => 1,
            Self::Groupchat => 2,
            Self::Headline => 3,
            Self::Error => 4,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [
            Self::Normal,
            Self::Chat,
            Self::Groupchat,
            Self::Headline,
            Self::Error,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a message is far smaller than 4 GiB")
}

fn write_text(encoded: &mut Vec<u8>, text: &str) -> Span {
    encoded.extend(length(text.len()).to_le_bytes());
    let at = length(encoded.len());
    encoded.extend(text.as_bytes());
    Span {
        at,
        len: length(text.len()),
    }
}

/// Where a text stands in a payload, if it is part of the same memory.
fn position(text: &[u8], payload: &[u8]) -> Option<Span> {
    let at = (text.as_ptr() as usize).checked_sub(payload.as_ptr() as usize)?;
    let end = at.checked_add(text.len())?;
    let is_part = !text.is_empty() && end <= payload.len();
    is_part.then(|| Span {
        at: length(at),
        len: length(text.len()),
    })
}

struct Reader<'a> {
    encoded: &'a [u8],
    at: u32,
}

impl Reader<'_> {
    fn text(&mut self) -> Result<Span, DecodeError> {
        let cut = || DecodeError("cut short");
        let rest = self.encoded.get(self.at as usize..).ok_or_else(cut)?;
        let (len, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let len = u32::from_le_bytes(*len);
        let text = rest.get(..len as usize).ok_or_else(cut)?;
        std::str::from_utf8(text).map_err(|_| DecodeError("text"))?;
        let span = Span {
            at: self.at + 4,
            len,
        };
        self.at = span.at + len;
        Ok(span)
    }

    /// A text that stands here, or where in the payload it stands.
    fn text_aside_or_inside(&mut self) -> Result<Span, DecodeError> {
        let aside = self.text()?;
        let inside = Span {
            at: self.number()?,
            len: self.number()?,
        };
        let payload = self.encoded.get(self.at as usize..).unwrap_or_default();
        let part = payload.get(inside.at as usize..);
        let part = part.and_then(|part| part.get(..inside.len as usize));
        let part = part.ok_or(DecodeError("cut short"))?;
        std::str::from_utf8(part).map_err(|_| DecodeError("text"))?;
        Ok(aside.or_inside(inside, self.at))
    }

    fn number(&mut self) -> Result<u32, DecodeError> {
        let rest = self.encoded.get(self.at as usize..).unwrap_or_default();
        let (number, _) = rest.split_first_chunk().ok_or(DecodeError("cut short"))?;
        self.at += 4;
        Ok(u32::from_le_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    fn message(kind: MessageKind, traits: Traits) -> Message {
        Message::new(&Draft {
            from: &jid("alice@example.org/phone"),
            to: &jid("bob@example.org"),
            kind,
            traits,
            id: Some("m1"),
            lang: None,
            text: Some("hello"),
            mentions: &[],
            payload: b"<body>hello</body>",
        })
    }

    /// With this text, and two accounts that are mentioned.
    fn with_text(text: &str, payload: &[u8]) -> Message {
        Message::new(&Draft {
            from: &jid("alice@example.org/phone"),
            to: &jid("bob@example.org"),
            kind: MessageKind::Chat,
            traits: Traits::CONTENT.with(Traits::TEXT),
            id: None,
            lang: Some("en"),
            text: Some(text),
            mentions: &["bob@example.org", "carol@example.org"].map(|a| a.parse().unwrap()),
            payload,
        })
    }

    #[test]
    fn a_message_read_from_a_log_is_the_one_that_was_written() {
        let written = message(MessageKind::Chat, Traits::CONTENT);
        let read = Message::decode(written.encoded().clone()).unwrap();
        assert_eq!(read.from(), written.from());
        assert_eq!(read.to(), written.to());
        assert_eq!(read.kind(), MessageKind::Chat);
        assert_eq!(read.traits(), Traits::CONTENT);
        assert_eq!((read.id(), read.lang()), (Some("m1"), None));
        assert_eq!(read.payload(), "<body>hello</body>");
    }

    #[test]
    fn a_text_is_kept_once_where_it_is_part_of_what_the_message_carries() {
        let payload = b"<body>hello</body>";
        let part = std::str::from_utf8(&payload[6..11]).unwrap();
        let inside = with_text(part, payload);
        let aside = with_text("hello", payload);
        let difference = aside.encoded().len() - inside.encoded().len();
        assert_eq!(difference, "hello".len());
        for message in [inside, aside] {
            let read = Message::decode(message.encoded().clone()).unwrap();
            for message in [message, read] {
                assert_eq!(message.text(), Some("hello"));
                assert_eq!(message.lang(), Some("en"));
                assert_eq!(message.payload(), &payload[..]);
                let mentions: Vec<_> = message.mentions().collect();
                assert_eq!(mentions, ["bob@example.org", "carol@example.org"]);
            }
        }
    }

    #[test]
    fn a_message_of_the_first_format_is_read_as_one_without_a_text() {
        let mut encoded = vec![FORMAT_WITHOUT_TEXT, MessageKind::Chat.code(), 1];
        for text in ["alice@example.org/phone", "bob@example.org", "m1", ""] {
            write_text(&mut encoded, text);
        }
        encoded.extend(b"<body>hello</body>");
        let read = Message::decode(encoded.into()).unwrap();
        assert_eq!(read.from(), &jid("alice@example.org/phone"));
        assert_eq!((read.traits(), read.id()), (Traits::CONTENT, Some("m1")));
        assert_eq!((read.text(), read.mentions().count()), (None, 0));
        assert_eq!(read.payload(), "<body>hello</body>");
    }

    #[test]
    fn what_changes_an_earlier_message_is_nothing_new_to_read() {
        let text = Traits::CONTENT.with(Traits::TEXT);
        for (traits, is_news) in [
            (text, true),
            (text.with(Traits::AMENDS), false),
            (Traits::CONTENT.with(Traits::CONVERSATION), false),
        ] {
            assert_eq!(message(MessageKind::Chat, traits).is_news(), is_news);
        }
    }

    /// XEP-0424 §4
    #[test]
    fn a_tombstone_has_nothing_of_a_message_but_who_sent_it_to_whom_and_its_id() {
        let message = message(MessageKind::Chat, Traits::CONTENT);
        let tombstone = message.tombstone(b"<retracted xmlns='urn:x'/>");
        let read = Message::decode(tombstone.encoded().clone()).unwrap();
        assert!(read.is_tombstone() && !message.is_tombstone());
        assert_eq!(read.from(), message.from());
        assert_eq!(read.to(), message.to());
        assert_eq!(read.kind(), MessageKind::Chat);
        assert_eq!(read.id(), Some("m1"));
        assert_eq!(read.payload(), "<retracted xmlns='urn:x'/>");
        let hello = b"hello";
        let mut parts = read.encoded().windows(hello.len());
        assert!(!parts.any(|part| part == hello));
    }

    /// XEP-0313 §5.1.1, XEP-0334 §4
    #[test]
    fn what_is_worth_keeping_is_logged_unless_its_sender_objects() {
        use MessageKind::{Chat, Error, Groupchat, Headline, Normal};
        let typing = Traits::NONE;
        let text = Traits::CONTENT;
        for (kind, traits, logged) in [
            (Chat, text, true),
            (Normal, text, true),
            (Chat, typing, false),
            (Chat, typing.with(Traits::STORE), true),
            (Chat, text.with(Traits::NO_STORE), false),
            (Chat, text.with(Traits::NO_PERMANENT_STORE), true),
            (Headline, text, false),
            (Groupchat, text, false),
            (Error, text, false),
        ] {
            let message = message(kind, traits);
            assert_eq!(message.is_logged(), logged, "{kind:?} {traits:?}");
        }
    }

    proptest! {
        #[test]
        fn no_stored_bytes_make_reading_panic(bytes in any::<Vec<u8>>(), head in 0_usize..60) {
            let mut encoded = message(MessageKind::Chat, Traits::CONTENT).encoded().to_vec();
            encoded.truncate(head);
            encoded.extend(bytes);
            if let Ok(message) = Message::decode(encoded.into()) {
                let _ = (message.id(), message.lang(), message.payload());
                let _ = (message.text(), message.mentions().count());
            }
        }
    }
}
