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
/// header, so it does not depend on how the bytes were split on their way here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the message of each variant says what its numbers are"
)]
pub enum Fault {
    #[error("byte {got} of a stanza limited to {limit}")]
    StanzaTooLarge { got: u32, limit: u32 },
    #[error("element {got} levels deep, the limit is {limit}")]
    TooDeep { got: u32, limit: u32 },
    #[error("element number {got} of a stanza, the limit is {limit}")]
    TooManyElements { got: u32, limit: u32 },
    #[error("attribute number {got} of an element, the limit is {limit}")]
    TooManyAttributes { got: u32, limit: u32 },
    #[error("{got} namespace declarations in force, the limit is {limit}")]
    TooManyNamespaces { got: u32, limit: u32 },
    #[error("namespace name of {got} bytes, the limit is {limit}")]
    NamespaceTooLong { got: u32, limit: u32 },

    #[error("{construct:?} at byte {at}")]
    Restricted { construct: Construct, at: u32 },
    #[error("the XML declaration names an encoding other than UTF-8")]
    UnsupportedEncoding,
    #[error("malformed XML declaration")]
    MalformedDeclaration,

    #[error("prefix at byte {at} is not bound to a namespace")]
    UnboundPrefix { at: u32 },
    #[error("declaration at byte {at} binds a reserved prefix or namespace")]
    ReservedNamespace { at: u32 },
    #[error("declaration at byte {at} binds a prefix to no namespace")]
    EmptyNamespace { at: u32 },

    #[error("invalid UTF-8 at byte {at}")]
    InvalidUtf8 { at: u32 },
    #[error("character U+{code:04X} at byte {at} is not allowed in XML")]
    ForbiddenCharacter { code: u32, at: u32 },
    #[error("malformed name at byte {at}")]
    MalformedName { at: u32 },
    #[error("unexpected byte 0x{byte:02X} at byte {at}")]
    Unexpected { byte: u8, at: u32 },
    #[error("end tag at byte {at} does not match its start tag")]
    EndTagMismatch { at: u32 },
    #[error("second attribute of the same name at byte {at}")]
    DuplicateAttribute { at: u32 },
    #[error("`]]>` in character data at byte {at}")]
    SectionEndInText { at: u32 },
    #[error("byte 0x{byte:02X} between stanzas")]
    TextBetweenStanzas { byte: u8 },
    #[error("byte 0x{byte:02X} after the end")]
    AfterEnd { byte: u8 },
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
