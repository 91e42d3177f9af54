//! What is wrong with an address, and where.

use crate::part::Part;

/// The text is not an address; nothing was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {part} at byte {at} {flaw}")]
pub struct JidError {
    /// The part that is at fault.
    pub part: Part,
    /// Where in the given text, in bytes: the character at fault if there is
    /// one, else where the part or its label starts.
    pub at: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It has no bytes (RFC 7622 §§3.2-3.4).
    #[error("is empty")]
    Empty,
    /// It is not there, and a full JID needs it.
    #[error("is missing")]
    Missing,
    /// It is there, and a bare JID has none.
    #[error("is not wanted")]
    Unwanted,
    /// It has more bytes than allowed (RFC 7622 §§3.2-3.4).
    #[error("has {got} bytes and the limit is {limit}")]
    TooLong {
        /// Bytes counted.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It contains a character that may not stand in it, or not at that place
    /// (RFC 8264 §8, RFC 5892 appendix A, RFC 7622 §3.3.1).
    #[error("may not contain {0:?}")]
    Forbidden(char),
    /// It mixes writing directions (RFC 5893 §2).
    #[error("mixes writing directions")]
    Direction,
    /// It has a label that no domain name may have (RFC 5890 §2.3).
    #[error("is not a valid label")]
    Label,
    /// It opens a bracket and no IPv6 address in brackets follows
    /// (RFC 7622 §3.2).
    #[error("is not an IPv6 address in brackets")]
    Address,
    /// Preparing it again and again changes it again and again (RFC 8266 §2.1).
    #[error("has no stable form")]
    Unstable,
}

/// A flaw and where in its part it is, before the place of the part is known.
#[derive(Debug)]
pub(crate) struct FlawAt {
    pub(crate) flaw: Flaw,
    pub(crate) offset: usize,
}

impl FlawAt {
    /// Says in which part, starting at byte `start` of the address.
    pub(crate) fn of(self, part: Part, start: usize) -> JidError {
        JidError {
            part,
            at: start + self.offset,
            flaw: self.flaw,
        }
    }
}

impl From<Flaw> for FlawAt {
    /// The part as a whole is at fault.
    fn from(flaw: Flaw) -> Self {
        Self { flaw, offset: 0 }
    }
}
