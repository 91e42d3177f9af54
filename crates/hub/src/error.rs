//! What the exchange refuses, and why. Front ends turn these into their
//! protocol's own errors.

use anser_jid::JidError;
use anser_store::{Refusal, StoreError};
use std::sync::Arc;

/// Why something was not accepted from a session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// There is nobody at this address, or nobody who takes this.
    #[error("nobody at this address takes this")]
    Unavailable,
    /// Whoever sends it blocks the address (XEP-0191 §3.3).
    #[error("you have blocked this address")]
    Blocked,
    /// The address is on another server, and this one talks to no other.
    #[error("there is no way to the server of this address")]
    NoRoute,
    /// So many messages wait for the recipient that there is no room for more.
    #[error("too many messages wait for the recipient already (limit {limit})")]
    RecipientFull {
        /// How many may wait.
        limit: usize,
    },
    /// The session has told so many of its presence that it may tell no more.
    #[error("this session has told {limit} addresses of its presence already")]
    TooManyDirected {
        /// How many it may tell.
        limit: usize,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// A session could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The account does not exist.
    #[error("there is no such account")]
    NoAccount,
    /// The account has other credentials than those that were proved.
    #[error("the account is gone or has a new password")]
    Revoked,
    /// The resource is none.
    #[error(transparent)]
    Resource(#[from] JidError),
    /// The account has as many sessions as it may have.
    #[error("the account has {limit} sessions already")]
    TooManySessions {
        /// How many it may have.
        limit: usize,
    },
    /// The account could not be read.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// A change of the roster was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RosterError {
    /// The account has been removed.
    #[error("there is no such account any more")]
    NoAccount,
    /// There is no such contact.
    #[error("there is no such contact")]
    NoContact,
    /// The roster has as many contacts as it may have.
    #[error("the roster has {limit} contacts already")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// An account was not made or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// There is one with this address.
    #[error("{0} exists already")]
    Exists(anser_jid::BareJid),
    /// The same address was given twice.
    #[error("{0} is named twice")]
    Repeated(anser_jid::BareJid),
    /// There is none with this address.
    #[error("there is no account {0}")]
    Missing(anser_jid::BareJid),
    /// The address cannot be an account here.
    #[error("{address} cannot be an account: {reason}")]
    Unfit {
        /// Which address.
        address: anser_jid::BareJid,
        /// What stands against it.
        reason: &'static str,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// The store failed. Nothing was changed; a later attempt may succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it could not be stored: {0}")]
pub struct NotKept(Arc<dyn std::error::Error + Send + Sync>);

impl From<Refusal> for NotKept {
    fn from(refusal: Refusal) -> Self {
        Self(Arc::new(refusal))
    }
}

impl From<StoreError> for NotKept {
    fn from(error: StoreError) -> Self {
        Self(Arc::new(error))
    }
}

macro_rules! from_store {
    ($($error:ident),*) => { $(
        impl From<StoreError> for $error {
            fn from(error: StoreError) -> Self {
                Self::NotKept(error.into())
            }
        }

        impl From<Refusal> for $error {
            fn from(refusal: Refusal) -> Self {
                Self::NotKept(refusal.into())
            }
        }
    )* };
}

from_store!(SendError, OpenError, RosterError, AccountError);
