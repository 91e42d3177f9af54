//! What one element may cost.

/// Limits on one stanza (or one stream header), enforced while its bytes arrive.
///
/// Every count is of one element with all it contains, except where a field says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes from the `<` that opens the stanza to the `>` that closes it (XEP-0478).
    pub stanza_bytes: u32,
    /// Elements inside each other; the stanza itself is the first.
    pub depth: u32,
    /// Elements in a stanza, itself included.
    pub elements: u32,
    /// Attributes of any one element, namespace declarations included.
    pub attributes: u32,
    /// Namespace declarations in force at any one place, those of the stream not counted.
    pub namespaces: u32,
    /// Bytes of any one namespace name. A name is written once and used by many elements, each
    /// of which needs a copy when it is forwarded alone, so its length must stay small.
    pub namespace_bytes: u32,
}

impl Limits {
    /// For peers that have authenticated; 256 KiB is what other servers allow their clients.
    pub const DEFAULT: Self = Self {
        stanza_bytes: 256 * 1024,
        depth: 64,
        elements: 8192,
        attributes: 64,
        namespaces: 64,
        namespace_bytes: 256,
    };

    /// For peers that have not: enough for any negotiation, and for the 10,000 bytes that
    /// RFC 6120 §13.12 guarantees to everybody.
    pub const BEFORE_AUTHENTICATION: Self = Self {
        stanza_bytes: 10_000,
        depth: 12,
        elements: 128,
        attributes: 24,
        namespaces: 16,
        namespace_bytes: 256,
    };

    /// For bytes that were accepted under other limits before, perhaps in other surroundings.
    pub const NONE: Self = Self {
        stanza_bytes: u32::MAX,
        depth: u32::MAX,
        elements: u32::MAX,
        attributes: u32::MAX,
        namespaces: u32::MAX,
        namespace_bytes: u32::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
