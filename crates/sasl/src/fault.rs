//! Why an exchange ended without success.

use crate::mechanism::Mechanism;

/// The server ends the exchange. None of these tells whether the account
/// exists. The front end maps them to its wire (XMPP: RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslFault {
    /// Unknown account or wrong password, and nobody is told which.
    #[error("not authorized")]
    NotAuthorized,
    /// The client wants to act as somebody else than it proves to be.
    #[error("not allowed to act as the requested identity")]
    InvalidAuthzid,
    /// The mechanism was not advertised to this client.
    #[error("mechanism {0} was not offered")]
    NotOffered(Mechanism),
    /// The channel binding is missing, wrong or tampered with.
    #[error(transparent)]
    Binding(#[from] BindingFault),
    /// The message is not what the mechanism defines.
    #[error(transparent)]
    Message(#[from] MessageFault),
    /// The client gave up. For the caller: the exchange is dropped then.
    #[error("aborted by the client")]
    Aborted,
    /// We cannot tell right now. For the caller, whose look-up failed.
    #[error("temporary failure")]
    Temporary,
}

/// What is wrong with the channel binding (RFC 5802 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindingFault {
    /// The client saw no -PLUS mechanism, yet we offered one: somebody between
    /// us took it off the list.
    #[error("the offer of channel binding did not reach the client")]
    Downgrade,
    /// A -PLUS mechanism was chosen, and no binding is used.
    #[error("a mechanism with channel binding is used without it")]
    NotUsed,
    /// A binding is used, and the mechanism has none.
    #[error("channel binding is used in a mechanism without it")]
    NotNegotiated,
    /// The type of binding was not advertised, or the connection has no data
    /// of that type.
    #[error("the type of channel binding was not offered")]
    UnsupportedType,
    /// The two ends are not at the ends of one connection.
    #[error("the channel bindings do not match")]
    Mismatch,
}

/// What is wrong with a message, positions in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// It is longer than any message has to be.
    #[error("message of {got} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Bytes received.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The grammar wants something else here.
    #[error("malformed message at byte {at}")]
    Malformed {
        /// Where.
        at: usize,
    },
    /// It is not UTF-8, or a field is not canonical base64.
    #[error("wrong encoding at byte {at}")]
    Encoding {
        /// Where.
        at: usize,
    },
    /// It demands an extension (RFC 5802 §5.1, attribute `m`); there are none.
    #[error("unknown mandatory extension at byte {at}")]
    MandatoryExtension {
        /// Where.
        at: usize,
    },
}
