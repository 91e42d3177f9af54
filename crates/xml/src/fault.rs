//! Why input was refused, and which stream error says so.

/// A construct of XML that XMPP does without (RFC 6120 §11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    /// `<!--`
    Comment,
    /// `<!DOCTYPE` and every other `<!` that opens no comment and no CDATA section.
    MarkupDeclaration,
    /// `<?` anywhere but in an XML declaration that opens the stream.
    ProcessingInstruction,
    /// A reference to an entity that is not one of the five predefined ones (XML 1.0 §4.6).
    EntityReference,
}

/// What is wrong with the input.
///
/// `at` is the offset of the offending byte from the `<` that opens the stanza or the stream
/// header, so it does not depend on how the bytes were split on their way here. `got` is what
/// passed the `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "all fields are named `at`, `got`, `limit` or after their type"
)]
pub enum Fault {
    /// [`Limits::stanza_bytes`](crate::Limits::stanza_bytes) (RFC 6120 §13.12)
    #[error("byte {got} of a stanza, the limit is {limit}")]
    StanzaTooLarge { got: u32, limit: u32 },
    /// [`Limits::depth`](crate::Limits::depth) (RFC 6120 §13.12)
    #[error("element {got} levels deep, the limit is {limit}")]
    TooDeep { got: u32, limit: u32 },
    /// [`Limits::elements`](crate::Limits::elements) (RFC 6120 §13.12)
    #[error("element number {got} of a stanza, the limit is {limit}")]
    TooManyElements { got: u32, limit: u32 },
    /// [`Limits::attributes`](crate::Limits::attributes) (RFC 6120 §13.12)
    #[error("attribute number {got} of an element, the limit is {limit}")]
    TooManyAttributes { got: u32, limit: u32 },
    /// [`Limits::namespaces`](crate::Limits::namespaces) (RFC 6120 §13.12)
    #[error("{got} namespace declarations in force, the limit is {limit}")]
    TooManyNamespaces { got: u32, limit: u32 },
    /// [`Limits::namespace_bytes`](crate::Limits::namespace_bytes) (RFC 6120 §13.12)
    #[error("namespace name of {got} bytes, the limit is {limit}")]
    NamespaceTooLong { got: u32, limit: u32 },

    /// RFC 6120 §11.1
    #[error("{construct:?} at byte {at}")]
    Restricted { construct: Construct, at: u32 },
    /// RFC 6120 §11.6
    #[error("the XML declaration names an encoding other than UTF-8")]
    UnsupportedEncoding,
    /// XML 1.0 §2.8
    #[error("malformed XML declaration")]
    MalformedDeclaration,

    /// XML-NAMES §5 (Prefix Declared)
    #[error("prefix at byte {at} is not bound to a namespace")]
    UnboundPrefix { at: u32 },
    /// XML-NAMES §3 (Reserved Prefixes and Namespace Names)
    #[error("declaration at byte {at} binds a reserved prefix or namespace")]
    ReservedNamespace { at: u32 },
    /// XML-NAMES §5 (No Prefix Undeclaring)
    #[error("declaration at byte {at} binds a prefix to no namespace")]
    EmptyNamespace { at: u32 },

    /// RFC 3629 §3
    #[error("invalid UTF-8 at byte {at}")]
    InvalidUtf8 { at: u32 },
    /// XML 1.0 §2.2; a reference to such a character is no better (§4.1, Legal Character)
    #[error("character U+{code:04X} at byte {at} is not allowed in XML")]
    ForbiddenCharacter { code: u32, at: u32 },
    /// XML 1.0 §2.3, XML-NAMES §4
    #[error("malformed name at byte {at}")]
    MalformedName { at: u32 },
    /// Whatever else does not follow the productions of XML 1.0
    #[error("unexpected byte 0x{byte:02X} at byte {at}")]
    Unexpected { byte: u8, at: u32 },
    /// XML 1.0 §3 (Element Type Match)
    #[error("end tag at byte {at} does not match its start tag")]
    EndTagMismatch { at: u32 },
    /// XML 1.0 §3.1 (Unique Att Spec), XML-NAMES §6.3 (Attributes Unique)
    #[error("second attribute of the same name at byte {at}")]
    DuplicateAttribute { at: u32 },
    /// XML 1.0 §2.4
    #[error("`]]>` in character data at byte {at}")]
    SectionEndInText { at: u32 },
    /// RFC 6120 §11.7: there is only white space between stanzas
    #[error("byte 0x{byte:02X} between stanzas")]
    TextBetweenStanzas { byte: u8 },
    /// RFC 6120 §4.4: there is only white space after a stream, as after an element on its own
    #[error("byte 0x{byte:02X} after the end")]
    AfterEnd { byte: u8 },
    /// XML 1.0 §2.1: an element on its own has no end; in a stream it may still come
    #[error("the element is incomplete after {got} bytes")]
    Incomplete { got: u32 },
}

/// The stream error condition a fault corresponds to (RFC 6120 §4.9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `bad-namespace-prefix` (§4.9.3.2)
    BadNamespacePrefix,
    /// `invalid-namespace` (§4.9.3.10)
    InvalidNamespace,
    /// `not-well-formed` (§4.9.3.13)
    NotWellFormed,
    /// `policy-violation` (§4.9.3.14)
    PolicyViolation,
    /// `restricted-xml` (§4.9.3.18)
    RestrictedXml,
    /// `unsupported-encoding` (§4.9.3.22)
    UnsupportedEncoding,
}

impl Fault {
    /// The stream error that tells the peer (RFC 6120 §4.9.3).
    pub fn condition(&self) -> Condition {
        match self {
            Self::StanzaTooLarge { .. }
            | Self::TooDeep { .. }
            | Self::TooManyElements { .. }
            | Self::TooManyAttributes { .. }
            | Self::TooManyNamespaces { .. }
            | Self::NamespaceTooLong { .. } => Condition::PolicyViolation,
            Self::Restricted { .. } => Condition::RestrictedXml,
            Self::UnsupportedEncoding => Condition::UnsupportedEncoding,
            Self::UnboundPrefix { .. } => Condition::BadNamespacePrefix,
            Self::ReservedNamespace { .. } | Self::EmptyNamespace { .. } => {
                Condition::InvalidNamespace
            }
            Self::MalformedDeclaration
            | Self::InvalidUtf8 { .. }
            | Self::ForbiddenCharacter { .. }
            | Self::MalformedName { .. }
            | Self::Unexpected { .. }
            | Self::EndTagMismatch { .. }
            | Self::DuplicateAttribute { .. }
            | Self::SectionEndInText { .. }
            | Self::TextBetweenStanzas { .. }
            | Self::AfterEnd { .. }
            | Self::Incomplete { .. } => Condition::NotWellFormed,
        }
    }
}
