//! Stanzas: what their start tags say, and stanza errors (RFC 6120 §8).

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Element, Writer};
use bytes::BytesMut;

/// The three kinds of stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something sent to somebody (RFC 6120 §8.2.1).
    Message,
    /// Something broadcast (RFC 6120 §8.2.2).
    Presence,
    /// Something asked or answered (RFC 6120 §8.2.3).
    Iq,
}

impl Kind {
    /// The kind of stanza that an element is, if it is one.
    #[must_use]
    pub fn of(element: &Element) -> Option<Self> {
        if element.namespace() != ns::CLIENT {
            return None;
        }
        match element.name() {
            "message" => Some(Self::Message),
            "presence" => Some(Self::Presence),
            "iq" => Some(Self::Iq),
            _ => None,
        }
    }

    /// The name of its element.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
        }
    }
}

/// The attributes that all stanzas have in common (RFC 6120 §8.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StanzaHeader {
    /// For whom it is.
    pub to: Option<Jid>,
    /// From whom it says that it is.
    pub from: Option<Jid>,
    /// The sender's name for it.
    pub id: Option<String>,
    /// The language of its texts.
    pub lang: Option<String>,
}

/// A stanza whose start tag makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StanzaFault {
    /// `to` is not an address.
    #[error("'to' is not an address")]
    To,
    /// `from` is not an address.
    #[error("'from' is not an address")]
    From,
    /// The type is none of those that there are.
    #[error("there is no such type of stanza")]
    Type,
    /// An IQ has no id (RFC 6120 §8.2.3).
    #[error("an IQ needs an id")]
    NoId,
    /// A request has no child element, or more than one (RFC 6120 §8.2.3).
    #[error("an IQ of type get or set has exactly one child element")]
    Children,
}

impl StanzaHeader {
    /// Reads the start tag.
    ///
    /// # Errors
    /// [`StanzaFault::To`] or [`StanzaFault::From`]
    pub fn read(stanza: &Element) -> Result<Self, StanzaFault> {
        let address = |name, fault| match stanza.attribute(name) {
            None => Ok(None),
            Some(text) => Jid::parse(&text).map(Some).map_err(|_| fault),
        };
        Ok(Self {
            to: address("to", StanzaFault::To)?,
            from: address("from", StanzaFault::From)?,
            id: stanza.attribute("id").map(Into::into),
            lang: stanza.lang().map(Into::into),
        })
    }
}

macro_rules! types {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// The value of the attribute `type`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),*
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// What a message is for (RFC 6121 §5.2.2).
    MessageType {
        /// Part of a conversation between two.
        Chat = "chat",
        /// An earlier message could not be delivered.
        Error = "error",
        /// Part of a conversation in a room.
        Groupchat = "groupchat",
        /// A notice that nobody answers.
        Headline = "headline",
        /// A message outside of a conversation.
        Normal = "normal",
    }
}

impl MessageType {
    /// Reads the attribute; what is missing or unknown is normal.
    #[must_use]
    pub fn of(stanza: &Element) -> Self {
        let name = stanza.attribute("type");
        name.and_then(|name| Self::from_name(&name))
            .unwrap_or(Self::Normal)
    }
}

types! {
    /// What a presence says, if not that somebody is there (RFC 6121 §4.7.1).
    PresenceType {
        /// An earlier presence could not be handled.
        Error = "error",
        /// A question after somebody's presence.
        Probe = "probe",
        /// A request to see somebody's presence.
        Subscribe = "subscribe",
        /// Such a request is granted.
        Subscribed = "subscribed",
        /// The sender is no longer there.
        Unavailable = "unavailable",
        /// The sender no longer wants to see somebody's presence.
        Unsubscribe = "unsubscribe",
        /// A request is denied, or what was granted is taken back.
        Unsubscribed = "unsubscribed",
    }
}

impl PresenceType {
    /// Reads the attribute; there is none if the sender is there.
    ///
    /// # Errors
    /// [`StanzaFault::Type`] if it is unknown.
    pub fn of(stanza: &Element) -> Result<Option<Self>, StanzaFault> {
        match stanza.attribute("type") {
            None => Ok(None),
            Some(name) => Self::from_name(&name).map(Some).ok_or(StanzaFault::Type),
        }
    }
}

types! {
    /// What an IQ is (RFC 6120 §8.2.3).
    IqKind {
        /// Asks for something.
        Get = "get",
        /// Asks for something to be done.
        Set = "set",
        /// Says that it went well.
        Result = "result",
        /// Says that it did not.
        Error = "error",
    }
}

impl IqKind {
    /// Whether somebody waits for an answer.
    #[must_use]
    pub fn is_request(self) -> bool {
        match self {
            Self::Get | Self::Set => true,
            Self::Result | Self::Error => false,
        }
    }
}

/// What the start tag of an IQ says beyond [`StanzaHeader`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iq {
    /// What it is.
    pub kind: IqKind,
    /// Tells which answer belongs to which request.
    pub id: String,
}

impl Iq {
    /// Reads and checks an IQ (RFC 6120 §8.2.3).
    ///
    /// # Errors
    /// [`StanzaFault`]
    pub fn read(stanza: &Element) -> Result<Self, StanzaFault> {
        let kind = stanza.attribute("type");
        let kind = kind.and_then(|name| IqKind::from_name(&name));
        let kind = kind.ok_or(StanzaFault::Type)?;
        let id = stanza.attribute("id").ok_or(StanzaFault::NoId)?;
        if kind.is_request() && stanza.children().count() != 1 {
            return Err(StanzaFault::Children);
        }
        Ok(Self {
            kind,
            id: id.into_owned(),
        })
    }
}

macro_rules! conditions {
    ($($variant:ident = $text:literal, $advice:ident;)*) => {
        /// Why a stanza was refused (RFC 6120 §8.3.3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are those of the clause")]
        pub enum DefinedCondition {
            $($variant),*
        }

        impl DefinedCondition {
            /// The name of its element.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),*
                }
            }

            /// What the sender should do about it (RFC 6120 §8.3.2).
            fn advice(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($advice)),*
                }
            }
        }
    };
}

conditions! {
    BadRequest = "bad-request", modify;
    Conflict = "conflict", cancel;
    FeatureNotImplemented = "feature-not-implemented", cancel;
    Forbidden = "forbidden", auth;
    InternalServerError = "internal-server-error", wait;
    ItemNotFound = "item-not-found", cancel;
    JidMalformed = "jid-malformed", modify;
    NotAcceptable = "not-acceptable", modify;
    NotAllowed = "not-allowed", cancel;
    NotAuthorized = "not-authorized", auth;
    PolicyViolation = "policy-violation", modify;
    RegistrationRequired = "registration-required", auth;
    RemoteServerNotFound = "remote-server-not-found", cancel;
    ResourceConstraint = "resource-constraint", wait;
    ServiceUnavailable = "service-unavailable", cancel;
    SubscriptionRequired = "subscription-required", auth;
    UnexpectedRequest = "unexpected-request", wait;
}

/// Why a stanza was refused, in the form in which its sender gets to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StanzaError {
    /// The reason, out of those that there are.
    pub condition: DefinedCondition,
    /// The reason in words.
    pub text: Option<String>,
    /// What the sender should do about it.
    pub advice: Advice,
    /// The reason more exactly, as a specification names it (RFC 6120 §8.3.4).
    pub detail: Option<Box<Detail>>,
}

/// An application-specific condition (RFC 6120 §8.3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Its namespace.
    pub namespace: &'static str,
    /// The name of its element.
    pub name: &'static str,
    /// An attribute, with its value.
    pub attribute: Option<(&'static str, String)>,
    /// Children, with their texts.
    pub children: Vec<(&'static str, String)>,
}

impl Detail {
    /// One that says nothing but its name.
    #[must_use]
    pub fn new(namespace: &'static str, name: &'static str) -> Self {
        Self {
            namespace,
            name,
            attribute: None,
            children: Vec::new(),
        }
    }

    fn write(&self, error: &mut Writer<'_>) {
        let mut element = error.open(self.name).namespace(self.namespace);
        if let Some((name, value)) = &self.attribute {
            element = element.attribute(name, value);
        }
        for (name, text) in &self.children {
            element.open(name).text(text);
        }
    }
}

/// What the sender of a stanza that was refused should do (RFC 6120 §8.3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Advice {
    /// What goes with the reason.
    #[default]
    Usual,
    /// Try again later.
    Wait,
    /// Change it and try again.
    Modify,
    /// Do not try again.
    Cancel,
}

impl From<DefinedCondition> for StanzaError {
    fn from(condition: DefinedCondition) -> Self {
        Self {
            condition,
            text: None,
            advice: Advice::Usual,
            detail: None,
        }
    }
}

impl From<StanzaFault> for StanzaError {
    fn from(fault: StanzaFault) -> Self {
        let condition = match fault {
            StanzaFault::To | StanzaFault::From => DefinedCondition::JidMalformed,
            StanzaFault::Type | StanzaFault::NoId | StanzaFault::Children => {
                DefinedCondition::BadRequest
            }
        };
        condition.because(fault)
    }
}

impl DefinedCondition {
    /// The condition with a more exact one.
    #[must_use]
    pub fn detailed(self, detail: Detail) -> StanzaError {
        StanzaError::from(self).detailed(detail)
    }

    /// The condition with a reason in words.
    #[must_use]
    pub fn because(self, reason: impl std::fmt::Display) -> StanzaError {
        StanzaError {
            condition: self,
            text: Some(reason.to_string()),
            advice: Advice::Usual,
            detail: None,
        }
    }
}

impl StanzaError {
    /// The same, and it may go well later.
    #[must_use]
    pub fn wait(self) -> Self {
        Self {
            advice: Advice::Wait,
            ..self
        }
    }

    /// The same, and it will not go well later either.
    #[must_use]
    pub fn cancel(self) -> Self {
        Self {
            advice: Advice::Cancel,
            ..self
        }
    }

    /// The same, with the reason more exactly.
    #[must_use]
    pub fn detailed(self, detail: Detail) -> Self {
        Self {
            detail: Some(Box::new(detail)),
            ..self
        }
    }

    /// Writes the element `error` (RFC 6120 §8.3.2).
    pub fn write(&self, stanza: &mut Writer<'_>) {
        let advice = match self.advice {
            Advice::Usual => self.condition.advice(),
            Advice::Wait => "wait",
            Advice::Modify => "modify",
            Advice::Cancel => "cancel",
        };
        let mut error = stanza.open("error").attribute("type", advice);
        error
            .open(self.condition.name())
            .namespace(ns::STANZA_ERRORS)
            .close();
        if let Some(reason) = &self.text {
            let mut text = error.open("text").namespace(ns::STANZA_ERRORS);
            text.text(reason);
        }
        if let Some(detail) = &self.detail {
            detail.write(&mut error);
        }
    }

    /// Writes the stanza that tells the sender of another (RFC 6120 §8.3.1):
    /// it comes from where that was sent to.
    pub fn write_reply(
        &self,
        output: &mut BytesMut,
        kind: Kind,
        from: Option<&str>,
        to: Option<&str>,
        id: Option<&str>,
    ) {
        let mut writer = Writer::new(output);
        let mut stanza = writer
            .open(kind.name())
            .attribute("type", "error")
            .attribute_opt("from", from)
            .attribute_opt("to", to)
            .attribute_opt("id", id);
        self.write(&mut stanza);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, jid, written};

    /// RFC 6120 §8: a stanza is one by its namespace and its name.
    #[test]
    fn there_are_three_kinds_of_stanza() {
        for (text, kind) in [
            ("<message/>", Some(Kind::Message)),
            ("<presence/>", Some(Kind::Presence)),
            ("<iq/>", Some(Kind::Iq)),
            ("<c:iq xmlns:c='jabber:client'/>", Some(Kind::Iq)),
            ("<message xmlns='jabber:server'/>", None),
            ("<message xmlns=''/>", None),
            ("<Message/>", None),
            ("<x/>", None),
        ] {
            let element = element(text);
            assert_eq!(Kind::of(&element), kind, "{text}");
            if let Some(kind) = kind {
                assert_eq!(kind.name(), element.name());
            }
        }
    }

    /// RFC 6120 §8.1
    #[test]
    fn the_start_tag_says_whose_and_which_it_is() {
        let stanza = element(
            "<message to='Bob@Example.org' from='alice@example.org/a&amp;b' id='&lt;1&gt;' \
             xml:lang='de'/>",
        );
        let header = StanzaHeader {
            to: Some(jid("bob@example.org")),
            from: Some(jid("alice@example.org/a&b")),
            id: Some("<1>".to_owned()),
            lang: Some("de".to_owned()),
        };
        assert_eq!(StanzaHeader::read(&stanza), Ok(header));
        let nothing = StanzaHeader::read(&element("<message/>"));
        assert_eq!(nothing, Ok(StanzaHeader::default()));
        // An attribute of another namespace is not the stanza's.
        let other = StanzaHeader::read(&element("<message xmlns:x='urn:x' x:to='@' x:id='1'/>"));
        assert_eq!(other, Ok(StanzaHeader::default()));
    }

    /// RFC 6120 §8.3.3.8
    #[test]
    fn an_address_that_is_none_is_a_fault() {
        for (text, fault) in [
            ("<message to='@'/>", StanzaFault::To),
            ("<message to=''/>", StanzaFault::To),
            ("<message from='a@'/>", StanzaFault::From),
        ] {
            assert_eq!(StanzaHeader::read(&element(text)), Err(fault));
            let error = StanzaError::from(fault);
            assert_eq!(error.condition, DefinedCondition::JidMalformed);
        }
    }

    /// RFC 6121 §5.2.2: what is missing or unknown is normal.
    #[test]
    fn a_message_has_one_of_five_types() {
        for (text, kind) in [
            ("<message type='chat'/>", MessageType::Chat),
            ("<message type='error'/>", MessageType::Error),
            ("<message type='groupchat'/>", MessageType::Groupchat),
            ("<message type='headline'/>", MessageType::Headline),
            ("<message type='normal'/>", MessageType::Normal),
            ("<message/>", MessageType::Normal),
            ("<message type=''/>", MessageType::Normal),
            ("<message type='Chat'/>", MessageType::Normal),
        ] {
            assert_eq!(MessageType::of(&element(text)), kind, "{text}");
        }
    }

    /// RFC 6121 §4.7.1
    #[test]
    fn a_presence_has_no_type_or_one_of_seven() {
        for name in [
            "error",
            "probe",
            "subscribe",
            "subscribed",
            "unavailable",
            "unsubscribe",
            "unsubscribed",
        ] {
            let kind = PresenceType::of(&element(&format!("<presence type='{name}'/>")));
            assert_eq!(kind.unwrap().unwrap().name(), name);
        }
        assert_eq!(PresenceType::of(&element("<presence/>")), Ok(None));
        for unknown in ["", "available", "Probe"] {
            let presence = element(&format!("<presence type='{unknown}'/>"));
            assert_eq!(PresenceType::of(&presence), Err(StanzaFault::Type));
        }
    }

    /// RFC 6120 §8.2.3
    #[test]
    fn a_question_has_one_child_and_an_answer_any_number() {
        let iq = |kind, id: &str| {
            let id = id.to_owned();
            Ok(Iq { kind, id })
        };
        for (text, expected) in [
            ("<iq type='get' id='1'><x/></iq>", iq(IqKind::Get, "1")),
            ("<iq type='set' id=''><x/> </iq>", iq(IqKind::Set, "")),
            ("<iq type='result' id='1'/>", iq(IqKind::Result, "1")),
            (
                "<iq type='result' id='1'><x/></iq>",
                iq(IqKind::Result, "1"),
            ),
            (
                "<iq type='error' id='1'><x/><error/></iq>",
                iq(IqKind::Error, "1"),
            ),
            ("<iq id='1'><x/></iq>", Err(StanzaFault::Type)),
            ("<iq type='ask' id='1'><x/></iq>", Err(StanzaFault::Type)),
            ("<iq type='get'><x/></iq>", Err(StanzaFault::NoId)),
            ("<iq type='get' id='1'/>", Err(StanzaFault::Children)),
            (
                "<iq type='set' id='1'><x/><y/></iq>",
                Err(StanzaFault::Children),
            ),
        ] {
            assert_eq!(Iq::read(&element(text)), expected, "{text}");
        }
    }

    /// RFC 6120 §8.3.2, §8.3.3
    #[test]
    fn an_error_has_advice_a_condition_and_a_text() {
        let reply = |error: StanzaError| {
            written(|output| {
                error.write_reply(output, Kind::Iq, Some("a@b/'"), None, Some("<1>"));
            })
        };
        assert_eq!(
            reply(DefinedCondition::ServiceUnavailable.into()),
            "<iq type='error' from='a@b/&apos;' id='&lt;1&gt;'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        );
        assert_eq!(
            reply(StanzaError {
                advice: Advice::Cancel,
                ..DefinedCondition::BadRequest.detailed(Detail {
                    attribute: Some(("after", "<".into())),
                    children: vec![("var", "a&".into())],
                    ..Detail::new("urn:x", "odd")
                })
            }),
            "<iq type='error' from='a@b/&apos;' id='&lt;1&gt;'><error type='cancel'>\
             <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <odd xmlns='urn:x' after='&lt;'><var>a&amp;</var></odd></error></iq>"
        );
        assert_eq!(
            reply(DefinedCondition::ResourceConstraint.because("1 < 2")),
            "<iq type='error' from='a@b/&apos;' id='&lt;1&gt;'><error type='wait'>\
             <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>1 &lt; 2</text></error></iq>"
        );
    }
}
