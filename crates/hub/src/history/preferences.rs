//! Which messages an account wants to read again (XEP-0441).

use crate::account::to_json;
use crate::directory::Resident;
use crate::roster::Roster;
use crate::{Hub, NotKept, SessionHandle};
use anser_jid::{BareJid, Jid, JidError};
use anser_store::{Change, Expect, Refusal, StoreError, Timestamp, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The record of them.
const KIND: &str = "history";

/// So many addresses can be named: they are in memory with their account.
const MOST_ADDRESSES: usize = 1000;

/// Which messages an account wants to read again. By default all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryPreferences {
    /// What holds for whoever is not named.
    pub default: HistoryDefault,
    /// Messages from and to these are kept.
    pub always: BTreeSet<Jid>,
    /// Messages from and to these are not, also if they are named above.
    pub never: BTreeSet<Jid>,
}

/// What holds for whoever is not named (XEP-0441 §2.1.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryDefault {
    /// All messages are kept.
    #[default]
    Always,
    /// None are.
    Never,
    /// Those from and to contacts are.
    Roster,
}

/// What is written down about them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferencesRecord {
    default: HistoryDefault,
    always: Vec<String>,
    never: Vec<String>,
}

/// Preferences were not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PreferencesError {
    /// The account has been removed.
    #[error("the account is gone")]
    NoAccount,
    /// Too many addresses are named.
    #[error("{got} addresses are named, and {limit} can be")]
    TooMany {
        /// How many.
        got: usize,
        /// How many can be.
        limit: usize,
    },
    /// They could not be kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl From<Refusal> for PreferencesError {
    fn from(refusal: Refusal) -> Self {
        Self::NotKept(refusal.into())
    }
}

impl HistoryPreferences {
    fn record(&self) -> PreferencesRecord {
        let texts = |list: &BTreeSet<Jid>| list.iter().map(Jid::to_string).collect();
        PreferencesRecord {
            default: self.default,
            always: texts(&self.always),
            never: texts(&self.never),
        }
    }

    fn parse(record: &[u8]) -> Result<Self, Box<dyn std::error::Error>> {
        let record: PreferencesRecord = serde_json::from_slice(record)?;
        let jids = |list: &[String]| list.iter().map(|text| Jid::parse(text)).collect();
        let always: Result<_, JidError> = jids(&record.always);
        let never: Result<_, JidError> = jids(&record.never);
        Ok(Self {
            default: record.default,
            always: always?,
            never: never?,
        })
    }

    /// As an account has them in memory.
    fn unless_default(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// Whether a message from or to an address is kept (XEP-0441 §2.3).
    pub(crate) fn keeps(&self, roster: &Roster, address: &Jid) -> bool {
        let bare = Jid::from(address.to_bare());
        let names = |list: &BTreeSet<Jid>| list.contains(address) || list.contains(&bare);
        if names(&self.never) {
            return false;
        }
        if names(&self.always) {
            return true;
        }
        match self.default {
            HistoryDefault::Always => true,
            HistoryDefault::Never => false,
            HistoryDefault::Roster => roster
                .contact(&bare)
                .is_some_and(|contact| contact.is_listed),
        }
    }
}

impl Hub {
    /// Which messages the session's account wants to read again.
    #[must_use]
    pub fn history_preferences(&self, session: &SessionHandle) -> HistoryPreferences {
        let state = session.session().account().state();
        state.preferences.as_deref().cloned().unwrap_or_default()
    }

    /// Changes that for the messages that come from now on.
    ///
    /// # Errors
    /// [`PreferencesError`]; nothing has changed.
    pub async fn set_history_preferences(
        &self,
        session: &SessionHandle,
        preferences: HistoryPreferences,
        now: Timestamp,
    ) -> Result<(), PreferencesError> {
        let (got, limit) = (
            preferences.always.len() + preferences.never.len(),
            MOST_ADDRESSES,
        );
        if got > limit {
            return Err(PreferencesError::TooMany { got, limit });
        }
        let account = session.session().account();
        let _alone = account.changes.lock().await;
        if account.is_gone() {
            return Err(PreferencesError::NoAccount);
        }
        let put = Change::Put {
            owner: account.address().clone(),
            kind: KIND,
            key: String::new(),
            value: to_json(&preferences.record()),
            expect: Expect::Anything,
        };
        self.commit(vec![put], now).await?;
        account.state().preferences = preferences.unless_default();
        Ok(())
    }
}

/// `None` stands for the default, which those have too whose preferences cannot
/// be read.
pub(crate) fn read_preferences(
    view: &View<'_>,
    address: &BareJid,
) -> Result<Option<Box<HistoryPreferences>>, StoreError> {
    let Some(record) = view.record(address, KIND, "")? else {
        return Ok(None);
    };
    match HistoryPreferences::parse(&record.value) {
        Ok(preferences) => Ok(preferences.unless_default()),
        Err(error) => {
            tracing::error!(%address, %error, "preferences of history cannot be read: all is kept");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Contact;
    use std::collections::BTreeMap;

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    fn roster() -> Roster {
        let contact = |is_listed| Contact {
            is_listed,
            ..Contact::default()
        };
        let contacts = BTreeMap::from([
            (jid("friend@example.org"), contact(true)),
            (jid("asker@example.org"), contact(false)),
        ]);
        Roster::new(contacts, 1)
    }

    /// XEP-0441 §2.1.1, §2.3.1
    #[test]
    fn whoever_is_not_named_is_treated_by_the_default() {
        use HistoryDefault::{Always, Never, Roster};
        for (default, friend, asker) in [
            (Always, true, true),
            (Never, false, false),
            (Roster, true, false),
        ] {
            let preferences = HistoryPreferences {
                default,
                never: BTreeSet::from([jid("spammer@example.org")]),
                ..HistoryPreferences::default()
            };
            for (address, kept) in [
                ("friend@example.org/phone", friend),
                ("friend@example.org", friend),
                ("asker@example.org", asker),
            ] {
                let keeps = preferences.keeps(&roster(), &jid(address));
                assert_eq!(keeps, kept, "{default:?} {address}");
            }
        }
    }

    /// XEP-0441 §2.3.1: with a resource as it is, without for all of them.
    #[test]
    fn a_name_with_a_resource_is_one_session_and_without_all_of_them() {
        let preferences = HistoryPreferences {
            default: HistoryDefault::Never,
            always: BTreeSet::from([jid("a@example.org"), jid("b@example.org/phone")]),
            never: BTreeSet::from([jid("a@example.org/work")]),
        };
        for (address, kept) in [
            ("a@example.org", true),
            ("a@example.org/phone", true),
            ("a@example.org/work", false),
            ("b@example.org/phone", true),
            ("b@example.org/laptop", false),
            ("b@example.org", false),
        ] {
            let keeps = preferences.keeps(&roster(), &jid(address));
            assert_eq!(keeps, kept, "{address}");
        }
    }

    #[test]
    fn preferences_are_read_as_they_were_written() {
        let preferences = HistoryPreferences {
            default: HistoryDefault::Roster,
            always: BTreeSet::from([jid("a@example.org/x")]),
            never: BTreeSet::from([jid("b@example.org")]),
        };
        let written = to_json(&preferences.record());
        assert_eq!(HistoryPreferences::parse(&written).unwrap(), preferences);
        assert!(HistoryPreferences::parse(b"{}").is_err());
    }
}
