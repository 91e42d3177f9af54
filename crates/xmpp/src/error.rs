//! The one way from what the exchange refuses to what the client reads.

use anser_hub::{
    BlockError, HistoryError, PreferencesError, PrivateError, RoomError, RosterError, SendError,
};
use anser_xmpp_proto::{DefinedCondition, Detail, StanzaError, ns};

/// RFC 6120 §8.3.3, XEP-0191 §3.3
pub(crate) fn stanza_error(error: &SendError) -> StanzaError {
    match error {
        SendError::Unavailable => DefinedCondition::ServiceUnavailable.into(),
        SendError::Blocked => StanzaError::from(DefinedCondition::NotAcceptable)
            .cancel()
            .detailed(Detail::new(ns::BLOCKING_ERRORS, "blocked")),
        SendError::NoRoute => DefinedCondition::RemoteServerNotFound.into(),
        SendError::RecipientFull { .. } | SendError::TooManyDirected { .. } => {
            DefinedCondition::ResourceConstraint.because(error)
        }
        SendError::NotKept(_) => not_kept(),
    }
}

/// XEP-0313 §4.1.3, §4.3
pub(crate) fn history_error(error: &HistoryError) -> StanzaError {
    match error {
        HistoryError::NoMessage => DefinedCondition::ItemNotFound.because(error),
        HistoryError::TooManyIds { .. } => DefinedCondition::PolicyViolation.because(error),
        HistoryError::TooFar { .. } => DefinedCondition::ResourceConstraint.because(error),
        HistoryError::NotKept(_) => DefinedCondition::InternalServerError.into(),
    }
}

/// XEP-0441 §2.1
pub(crate) fn preferences_error(error: &PreferencesError) -> StanzaError {
    match error {
        PreferencesError::NoAccount => DefinedCondition::NotAuthorized.because(error),
        PreferencesError::TooMany { .. } => DefinedCondition::ResourceConstraint.because(error),
        PreferencesError::NotKept(_) => not_kept(),
    }
}

/// XEP-0191 §3.3
pub(crate) fn block_error(error: &BlockError) -> StanzaError {
    match error {
        BlockError::NoAccount => DefinedCondition::NotAuthorized.because(error),
        BlockError::TooMany { .. } => DefinedCondition::ResourceConstraint.because(error),
        BlockError::NotKept(_) => not_kept(),
    }
}

/// XEP-0049 names no error for what is too much: that of RFC 6120 §8.3.3.18.
pub(crate) fn private_error(error: &PrivateError) -> StanzaError {
    match error {
        PrivateError::NoAccount => DefinedCondition::NotAuthorized.because(error),
        PrivateError::TooMany { .. } | PrivateError::TooLarge { .. } => {
            DefinedCondition::ResourceConstraint.because(error)
        }
        PrivateError::NotKept(_) => not_kept(),
    }
}

/// RFC 6121 §2.3.3 and §2.5.3
pub(crate) fn roster_error(error: &RosterError) -> StanzaError {
    match error {
        RosterError::NoAccount => DefinedCondition::NotAuthorized.because(error),
        RosterError::NoContact => DefinedCondition::ItemNotFound.into(),
        RosterError::TooMany { .. } => DefinedCondition::ResourceConstraint.because(error),
        RosterError::NotKept(_) => not_kept(),
    }
}

/// XEP-0045 §7.2.17 and the clauses that [`RoomError`] names.
pub(crate) fn room_error(error: &RoomError) -> StanzaError {
    let condition = match error {
        RoomError::Send(error) => return stanza_error(error),
        RoomError::NotKept(_) => return not_kept(),
        // XEP-0500 §5
        RoomError::TooFast { .. } => {
            return DefinedCondition::PolicyViolation.because(error).wait();
        }
        // §7.2.9: others may leave.
        RoomError::Full { .. } => {
            return DefinedCondition::ServiceUnavailable.because(error).wait();
        }
        RoomError::NoRoom
        | RoomError::NoSuchOccupant
        | RoomError::NoAccount
        | RoomError::NoSuchMessage
        | RoomError::NoHat => DefinedCondition::ItemNotFound,
        RoomError::NoCreation
        | RoomError::NotAllowed
        | RoomError::NoRegistration
        | RoomError::InviteeBanned => DefinedCondition::NotAllowed,
        RoomError::Exists | RoomError::Repeated | RoomError::NickTaken | RoomError::Conflict => {
            DefinedCondition::Conflict
        }
        RoomError::NoNick | RoomError::Nick(_) => DefinedCondition::JidMalformed,
        RoomError::Unfit(_)
        | RoomError::UnfitNick
        | RoomError::UnfitConfig(_)
        | RoomError::UnfitHat(_)
        | RoomError::NotOccupant
        | RoomError::SubjectTooLarge { .. }
        | RoomError::CardTooLarge { .. } => DefinedCondition::NotAcceptable,
        RoomError::Banned | RoomError::NoVoice | RoomError::Forbidden => {
            DefinedCondition::Forbidden
        }
        RoomError::MembersOnly => DefinedCondition::RegistrationRequired,
        RoomError::Password => DefinedCondition::NotAuthorized,
        RoomError::TooManyRooms { .. }
        | RoomError::TooManyAffiliations { .. }
        | RoomError::TooManyHats { .. }
        | RoomError::TooManySearches { .. } => DefinedCondition::ResourceConstraint,
        RoomError::BadRequest(_) => DefinedCondition::BadRequest,
    };
    condition.because(error)
}

/// Nothing has changed, and trying again later may go well
/// (RFC 6120 §8.3.3.18).
fn not_kept() -> StanzaError {
    DefinedCondition::ResourceConstraint.because("the server cannot store anything now")
}
