//! Streams: headers, features, errors (RFC 6120 §4).

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Condition, Element, Writer};
use bytes::{Bytes, BytesMut};

/// What the other side says when it opens a stream (RFC 6120 §4.7).
#[derive(Debug, Clone)]
pub struct StreamHeader {
    /// Which of our domains it wants.
    pub to: Option<Jid>,
    /// Who it says that it is.
    pub from: Option<Jid>,
    /// The language of its texts.
    pub lang: Option<String>,
}

/// A stream header that cannot be answered with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// It is not a stream header at all, or of another namespace.
    #[error("the stream is in another namespace than {}", ns::STREAM)]
    WrongNamespace,
    /// Its stanzas are in another namespace than that of clients.
    #[error("the stanzas are in another namespace than {}", ns::CLIENT)]
    WrongContentNamespace,
    /// `to` or `from` is not an address.
    #[error("an address of the stream is malformed")]
    Address,
    /// It is of a version before 1.0, or says none.
    #[error("the stream is not of version 1.0")]
    Version,
}

impl StreamHeader {
    /// Reads a client's stream header.
    ///
    /// # Errors
    /// [`HeaderFault`]
    pub fn read(header: &Element) -> Result<Self, HeaderFault> {
        if !header.is(ns::STREAM, "stream") {
            return Err(HeaderFault::WrongNamespace);
        }
        if header.default_namespace() != ns::CLIENT {
            return Err(HeaderFault::WrongContentNamespace);
        }
        let address = |name| match header.attribute(name) {
            None => Ok(None),
            Some(text) => match Jid::parse(&text) {
                Ok(jid) => Ok(Some(jid)),
                Err(_) => Err(HeaderFault::Address),
            },
        };
        let (to, from) = (address("to")?, address("from")?);
        if !is_supported(header.attribute("version").as_deref()) {
            return Err(HeaderFault::Version);
        }
        Ok(Self {
            to,
            from,
            lang: header.lang().map(Into::into),
        })
    }
}

/// Whether a stream's version is 1.0 or later; the minor number does not
/// matter (RFC 6120 §4.7.5).
fn is_supported(version: Option<&str>) -> bool {
    let major = version.and_then(|version| version.split_once('.')?.0.parse::<u32>().ok());
    major.is_some_and(|major| major >= 1)
}

/// Writes the header of our side of a stream (RFC 6120 §4.7).
pub fn write_header(output: &mut BytesMut, from: Option<&str>, to: Option<&Jid>, id: &str) {
    output.extend_from_slice(b"<?xml version='1.0'?>");
    Writer::new(output)
        .open("stream:stream")
        .namespace(ns::CLIENT)
        .attribute("xmlns:stream", ns::STREAM)
        .attribute("id", id)
        .attribute_opt("from", from)
        .attribute_opt("to", to.map(Jid::as_str))
        .attribute("version", "1.0")
        .attribute("xml:lang", "en")
        .leave_open();
}

/// Why a stream ends (RFC 6120 §4.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the clause")]
pub enum StreamCondition {
    BadFormat,
    BadNamespacePrefix,
    Conflict,
    ConnectionTimeout,
    HostUnknown,
    ImproperAddressing,
    InternalServerError,
    InvalidFrom,
    InvalidNamespace,
    NotAuthorized,
    NotWellFormed,
    PolicyViolation,
    ResourceConstraint,
    RestrictedXml,
    SystemShutdown,
    UndefinedCondition,
    UnsupportedEncoding,
    UnsupportedStanzaType,
    UnsupportedVersion,
}

impl StreamCondition {
    /// The name of its element.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::Conflict => "conflict",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::NotAuthorized => "not-authorized",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation => "policy-violation",
            Self::ResourceConstraint => "resource-constraint",
            Self::RestrictedXml => "restricted-xml",
            Self::SystemShutdown => "system-shutdown",
            Self::UndefinedCondition => "undefined-condition",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedStanzaType => "unsupported-stanza-type",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }
}

impl From<Condition> for StreamCondition {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::BadNamespacePrefix => Self::BadNamespacePrefix,
            Condition::InvalidNamespace => Self::InvalidNamespace,
            Condition::NotWellFormed => Self::NotWellFormed,
            Condition::PolicyViolation => Self::PolicyViolation,
            Condition::RestrictedXml => Self::RestrictedXml,
            Condition::UnsupportedEncoding => Self::UnsupportedEncoding,
        }
    }
}

impl From<HeaderFault> for StreamCondition {
    fn from(fault: HeaderFault) -> Self {
        match fault {
            HeaderFault::WrongNamespace | HeaderFault::WrongContentNamespace => {
                Self::InvalidNamespace
            }
            HeaderFault::Address => Self::ImproperAddressing,
            HeaderFault::Version => Self::UnsupportedVersion,
        }
    }
}

/// How a stream ends that does not end well (RFC 6120 §4.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The reason, out of those that there are.
    pub condition: StreamCondition,
    /// The reason in words.
    pub text: Option<String>,
    /// An element that a specification adds to the reason.
    pub specific: Option<Bytes>,
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self {
            condition,
            text: None,
            specific: None,
        }
    }
}

impl StreamCondition {
    /// The condition with a reason in words.
    #[must_use]
    pub fn because(self, reason: impl std::fmt::Display) -> StreamError {
        StreamError {
            text: Some(reason.to_string()),
            ..self.into()
        }
    }
}

impl StreamError {
    /// Writes the error and the end of the stream (RFC 6120 §4.9.1).
    pub fn write(&self, output: &mut BytesMut) {
        let mut writer = Writer::new(output);
        let mut error = writer.open("stream:error");
        error
            .open(self.condition.name())
            .namespace(ns::STREAM_ERRORS)
            .close();
        if let Some(reason) = &self.text {
            let mut text = error.open("text").namespace(ns::STREAM_ERRORS);
            text.text(reason);
        }
        if let Some(specific) = &self.specific {
            error.raw(specific);
        }
        error.close();
        writer.raw(b"</stream:stream>");
    }
}

/// Something that a stream offers (RFC 6120 §4.3.2).
#[derive(Debug, Clone, Copy)]
pub enum Feature<'a> {
    /// TLS, and whether there is no way around it (RFC 6120 §5.4.1).
    StartTls {
        /// Nothing else works before it.
        is_required: bool,
    },
    /// Ways to authenticate (RFC 6120 §6.4.1), and what can be bound to
    /// (XEP-0440 §3).
    Sasl {
        /// Names of mechanisms.
        mechanisms: &'a [&'a str],
        /// Names of channel-binding types.
        bindings: &'a [&'a str],
    },
    /// Resource binding (RFC 6120 §7.4).
    Bind,
    /// The session of old, which is not needed (RFC 3921 §3).
    OptionalSession,
    /// Stream management (XEP-0198 §2).
    StreamManagement,
    /// Whether somebody looks at the client (XEP-0352 §4.1).
    ClientState,
    /// Roster versions (RFC 6121 §2.6.1).
    RosterVersions,
    /// Subscriptions allowed in advance (RFC 6121 §3.4.1).
    PreApproval,
    /// What the server can do, in short (XEP-0115 §6.3).
    Capabilities {
        /// Names the software.
        node: &'a str,
        /// Hashes what it can do.
        version: &'a str,
    },
    /// How much one stanza may be, and how long silence may last
    /// (XEP-0478 §3).
    Limits {
        /// The largest stanza, in bytes.
        stanza_bytes: u32,
        /// The longest silence.
        idle_seconds: u32,
    },
}

/// Writes what a stream offers (RFC 6120 §4.3.2).
pub fn write_features(output: &mut BytesMut, features: &[Feature<'_>]) {
    let mut writer = Writer::new(output);
    let mut all = writer.open("stream:features");
    for feature in features {
        feature.write(&mut all);
    }
    all.close();
}

impl Feature<'_> {
    fn write(&self, features: &mut Writer<'_>) {
        match *self {
            Self::StartTls { is_required } => {
                let mut tls = features.open("starttls").namespace(ns::TLS);
                if is_required {
                    tls.open("required").close();
                }
            }
            Self::Sasl {
                mechanisms,
                bindings,
            } => write_sasl(features, mechanisms, bindings),
            Self::Bind => features.open("bind").namespace(ns::BIND).close(),
            Self::OptionalSession => {
                let mut session = features.open("session").namespace(ns::SESSION);
                session.open("optional").close();
            }
            Self::StreamManagement => features.open("sm").namespace(ns::SM).close(),
            Self::ClientState => features.open("csi").namespace(ns::CLIENT_STATE).close(),
            Self::RosterVersions => features.open("ver").namespace(ns::ROSTER_VERSIONS).close(),
            Self::PreApproval => features.open("sub").namespace(ns::PRE_APPROVAL).close(),
            Self::Capabilities { node, version } => features
                .open("c")
                .namespace(ns::CAPS)
                .attribute("hash", "sha-1")
                .attribute("node", node)
                .attribute("ver", version)
                .close(),
            Self::Limits {
                stanza_bytes,
                idle_seconds,
            } => {
                let mut limits = features.open("limits").namespace(ns::LIMITS);
                limits.open("max-bytes").text_display(stanza_bytes);
                limits.open("idle-seconds").text_display(idle_seconds);
            }
        }
    }
}

fn write_sasl(features: &mut Writer<'_>, mechanisms: &[&str], bindings: &[&str]) {
    let mut list = features.open("mechanisms").namespace(ns::SASL);
    for mechanism in mechanisms {
        list.open("mechanism").text(mechanism);
    }
    list.close();
    if bindings.is_empty() {
        return;
    }
    let mut list = features
        .open("sasl-channel-binding")
        .namespace(ns::CHANNEL_BINDING);
    for binding in bindings {
        list.open("channel-binding")
            .attribute("type", binding)
            .close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{jid, written};
    use anser_xml::{Event, Limits, Scanner};

    const HEADER: &str = "<stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>";

    fn read(header: &str) -> Result<StreamHeader, HeaderFault> {
        let mut input = BytesMut::from(header);
        let event = Scanner::new(Limits::NONE).next(&mut input).unwrap();
        let Some(Event::Open(header)) = event else {
            panic!("{event:?}");
        };
        StreamHeader::read(&header)
    }

    fn fault(of: &str, becomes: &str) -> Option<HeaderFault> {
        assert!(HEADER.contains(of), "{of}");
        read(&HEADER.replace(of, becomes)).err()
    }

    /// RFC 6120 §4.7
    #[test]
    fn a_header_says_who_wants_whom_in_which_language() {
        let header = read(HEADER).unwrap();
        assert_eq!(header.to, Some(jid("example.org")));
        assert_eq!((header.from, header.lang), (None, None));
        let more = "to='Example.ORG' from='alice@example.org' xml:lang='de'";
        let header = read(&HEADER.replace("to='example.org'", more)).unwrap();
        assert_eq!(header.to, Some(jid("example.org")));
        assert_eq!(header.from, Some(jid("alice@example.org")));
        assert_eq!(header.lang.as_deref(), Some("de"));
        assert_eq!(
            read(&HEADER.replace(" to='example.org'", "")).unwrap().to,
            None
        );
    }

    /// RFC 6120 §4.8, §4.9.3.10: prefixes are anybody's choice, namespaces are not.
    #[test]
    fn a_header_of_another_namespace_is_none() {
        for (of, becomes, expected) in [
            (
                "http://etherx.jabber.org/streams",
                "urn:x",
                HeaderFault::WrongNamespace,
            ),
            ("stream:stream ", "stream:x ", HeaderFault::WrongNamespace),
            (
                "jabber:client",
                "jabber:server",
                HeaderFault::WrongContentNamespace,
            ),
            (
                "xmlns='jabber:client' ",
                "",
                HeaderFault::WrongContentNamespace,
            ),
        ] {
            assert_eq!(fault(of, becomes), Some(expected), "{of}");
        }
        let other_prefix = HEADER
            .replace("<stream:", "<s:")
            .replace("xmlns:stream", "xmlns:s");
        assert!(read(&other_prefix).is_ok());
    }

    /// RFC 6120 §4.9.3.7
    #[test]
    fn a_header_to_or_from_what_is_no_address_is_refused() {
        let address = Some(HeaderFault::Address);
        assert_eq!(fault("to='example.org'", "to='@'"), address);
        assert_eq!(fault("to='example.org'", "to=''"), address);
        assert_eq!(
            fault("to='example.org'", "to='example.org' from='@'"),
            address
        );
    }

    /// RFC 6120 §4.7.5
    #[test]
    fn versions_from_1_0_on_are_spoken() {
        for (version, is_spoken) in [
            ("1.0", true),
            ("1.1", true),
            ("1.12", true),
            ("2.0", true),
            ("01.0", true),
            ("0.9", false),
            ("1", false),
            ("", false),
            ("x.0", false),
            ("-1.0", false),
        ] {
            let refused = (!is_spoken).then_some(HeaderFault::Version);
            let fault = fault("version='1.0'", &format!("version='{version}'"));
            assert_eq!(fault, refused, "{version}");
        }
        assert_eq!(fault(" version='1.0'", ""), Some(HeaderFault::Version));
    }

    /// RFC 6120 §4.7
    #[test]
    fn our_header_opens_a_stream_for_whoever_asked() {
        let header = written(|output| {
            write_header(output, Some("example.org"), Some(&jid("a@b/'")), "id");
        });
        assert_eq!(
            header,
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' id='id' from='example.org' \
             to='a@b/&apos;' version='1.0' xml:lang='en'>"
        );
        assert!(read(&header).is_ok());
    }

    /// RFC 6120 §4.9.1, §4.9.2
    #[test]
    fn an_error_has_its_condition_a_text_and_what_belongs_to_it_and_ends_the_stream() {
        let error = |error: StreamError| written(|output| error.write(output));
        assert_eq!(
            error(StreamCondition::Conflict.into()),
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>\
             </stream:stream>"
        );
        assert_eq!(
            error(StreamError {
                specific: Some("<x xmlns='urn:x'/>".into()),
                ..StreamCondition::BadFormat.because("a < b")
            }),
            "<stream:error><bad-format xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>a &lt; b</text>\
             <x xmlns='urn:x'/></stream:error></stream:stream>"
        );
    }

    fn features(features: &[Feature<'_>]) -> String {
        let features = written(|output| write_features(output, features));
        let content = features.strip_prefix("<stream:features>");
        let content = content.and_then(|content| content.strip_suffix("</stream:features>"));
        content.unwrap().to_owned()
    }

    /// RFC 6120 §5.4.1, §7.4; XEP-0198 §2, XEP-0478 §3
    #[test]
    fn features_are_written_as_their_specifications_say() {
        for (feature, text) in [
            (
                Feature::StartTls { is_required: true },
                "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
            ),
            (
                Feature::StartTls { is_required: false },
                "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ),
            (
                Feature::Bind,
                "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
            ),
            (
                Feature::OptionalSession,
                "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>",
            ),
            (Feature::StreamManagement, "<sm xmlns='urn:xmpp:sm:3'/>"),
            (Feature::ClientState, "<csi xmlns='urn:xmpp:csi:0'/>"),
            (
                Feature::RosterVersions,
                "<ver xmlns='urn:xmpp:features:rosterver'/>",
            ),
            (
                Feature::PreApproval,
                "<sub xmlns='urn:xmpp:features:pre-approval'/>",
            ),
            (
                Feature::Capabilities {
                    node: "n",
                    version: "v=",
                },
                "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v='/>",
            ),
            (
                Feature::Limits {
                    stanza_bytes: 10_000,
                    idle_seconds: 30,
                },
                "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes>\
                 <idle-seconds>30</idle-seconds></limits>",
            ),
        ] {
            assert_eq!(features(&[feature]), text);
        }
        assert_eq!(
            written(|output| write_features(output, &[])),
            "<stream:features/>"
        );
    }

    /// RFC 6120 §6.4.1, XEP-0440 §3
    #[test]
    fn mechanisms_come_in_their_order_and_bindings_only_if_there_are_some() {
        let sasl = |bindings| Feature::Sasl {
            mechanisms: &["SCRAM-SHA-1", "PLAIN"],
            bindings,
        };
        let mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
             <mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>";
        assert_eq!(features(&[sasl(&[])]), mechanisms);
        assert_eq!(
            features(&[sasl(&["tls-exporter"])]),
            format!(
                "{mechanisms}<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>\
                 <channel-binding type='tls-exporter'/></sasl-channel-binding>"
            )
        );
    }
}
