//! Contact lists, and who may see whose presence (RFC 6121 §2 and §3).

use anser_jid::Jid;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who sees whose presence (RFC 6121 §2.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscription {
    /// Neither sees the other's.
    #[default]
    None,
    /// The user sees the contact's.
    To,
    /// The contact sees the user's.
    From,
    /// Each sees the other's.
    Both,
}

impl Subscription {
    /// Whether the user sees the contact's presence.
    #[must_use]
    pub fn sees_contact(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }

    /// Whether the contact sees the user's presence.
    #[must_use]
    pub fn is_seen(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }

    /// From the two halves.
    #[must_use]
    pub fn of(sees_contact: bool, is_seen: bool) -> Self {
        match (sees_contact, is_seen) {
            (false, false) => Self::None,
            (true, false) => Self::To,
            (false, true) => Self::From,
            (true, true) => Self::Both,
        }
    }
}

/// What an account knows of one contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Whether the user has put the contact into the roster. A stranger who
    /// asks is known, but not in it.
    pub is_listed: bool,
    /// The user's name for the contact.
    pub name: Option<String>,
    /// The groups the user put the contact in.
    pub groups: Vec<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// The user has asked to see the contact's presence and has no answer
    /// (RFC 6121 §2.1.2.2).
    pub is_asked: bool,
    /// The user has allowed in advance what the contact has not asked for
    /// (RFC 6121 §3.4).
    pub is_approved: bool,
    /// The contact has asked, and the user has not answered: what came with
    /// the request.
    pub request: Option<Request>,
}

/// A request to see the user's presence that waits for an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// XML children of the stanza that brought it.
    pub payload: String,
}

impl Contact {
    /// Whether the user sees the same in the roster: a request that waits for
    /// an answer is not shown there (RFC 6121 §3.1.3).
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let shown = |contact: &Self| Self {
            request: None,
            ..contact.clone()
        };
        if self.is_listed || other.is_listed {
            shown(self) == shown(other)
        } else {
            true
        }
    }

    /// Whether nothing is left to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An account's contacts.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    contacts: BTreeMap<Jid, Contact>,
    version: u64,
}

impl Roster {
    /// With what is known of each contact, and the number of changes so far.
    pub(crate) fn new(contacts: BTreeMap<Jid, Contact>, version: u64) -> Self {
        Self { contacts, version }
    }

    /// How often the list has changed; names its state (RFC 6121 §2.6).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The contacts that the user has put there.
    pub fn listed(&self) -> impl Iterator<Item = (&Jid, &Contact)> {
        self.contacts
            .iter()
            .filter(|(_, contact)| contact.is_listed)
    }

    /// Everybody known, also those who only asked.
    pub fn contacts(&self) -> impl Iterator<Item = (&Jid, &Contact)> {
        self.contacts.iter()
    }

    /// What is known of an address.
    #[must_use]
    pub fn contact(&self, address: &Jid) -> Option<&Contact> {
        self.contacts.get(address)
    }

    /// Whether the user may see the presence of an address.
    #[must_use]
    pub fn sees(&self, address: &str) -> bool {
        self.contacts
            .get(address)
            .is_some_and(|contact| contact.subscription.sees_contact())
    }

    /// Whether an address may see the user's presence.
    #[must_use]
    pub fn is_seen_by(&self, address: &str) -> bool {
        self.contacts
            .get(address)
            .is_some_and(|contact| contact.subscription.is_seen())
    }

    /// How many contacts there are, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there is no contact at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Puts a contact in the place of what was known; an empty one removes it.
    pub(crate) fn set(&mut self, address: Jid, contact: Contact, version: u64) {
        self.version = version;
        if contact.is_empty() {
            self.contacts.remove(&address);
        } else {
            self.contacts.insert(address, contact);
        }
    }
}

/// A change of the roster, for those of the user's sessions that asked for it.
#[derive(Debug, Clone)]
pub struct RosterPush {
    /// Which contact.
    pub address: Jid,
    /// How it stands now; `None` if it is no longer listed.
    pub contact: Option<Contact>,
    /// Names the state of the list after the change.
    pub version: u64,
}

/// The four stanzas with which subscriptions are managed (RFC 6121 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStep {
    /// "I want to see your presence."
    Subscribe,
    /// "You may see mine."
    Subscribed,
    /// "I no longer want to see yours."
    Unsubscribe,
    /// "You may not see mine", also as an answer to a request.
    Unsubscribed,
}

/// What follows from a step for the side that takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How the contact stands afterwards.
    pub(crate) contact: Contact,
    /// Whether the step goes on: to the contact when the user takes it, to the
    /// user's sessions when the contact does.
    pub(crate) passes: bool,
    /// What the server answers by itself.
    pub(crate) answer: Option<SubscriptionStep>,
}

/// The user takes a step (RFC 6121 appendix A.2).
pub(crate) fn outbound(contact: &Contact, step: SubscriptionStep) -> Outcome {
    let mut next = contact.clone();
    let subscription = contact.subscription;
    let passes = match step {
        SubscriptionStep::Subscribe => {
            next.is_listed = true;
            next.is_asked |= !subscription.sees_contact();
            true
        }
        SubscriptionStep::Unsubscribe => {
            next.is_asked = false;
            next.subscription = Subscription::of(false, subscription.is_seen());
            true
        }
        SubscriptionStep::Subscribed => match next.request.take() {
            Some(_) => {
                next.is_listed = true;
                next.subscription = Subscription::of(subscription.sees_contact(), true);
                true
            }
            None => {
                if !subscription.is_seen() {
                    next.is_listed = true;
                    next.is_approved = true;
                }
                false
            }
        },
        SubscriptionStep::Unsubscribed => {
            next.is_approved = false;
            next.subscription = Subscription::of(subscription.sees_contact(), false);
            next.request.take().is_some() || subscription.is_seen()
        }
    };
    Outcome {
        contact: next,
        passes,
        answer: None,
    }
}

/// The contact takes a step (RFC 6121 appendix A.3).
pub(crate) fn inbound(contact: &Contact, step: SubscriptionStep, payload: &Bytes) -> Outcome {
    let mut next = contact.clone();
    let subscription = contact.subscription;
    let mut answer = None;
    let passes = match step {
        SubscriptionStep::Subscribe if subscription.is_seen() => {
            answer = Some(SubscriptionStep::Subscribed);
            false
        }
        SubscriptionStep::Subscribe if contact.is_approved => {
            next.is_approved = false;
            next.subscription = Subscription::of(subscription.sees_contact(), true);
            answer = Some(SubscriptionStep::Subscribed);
            false
        }
        SubscriptionStep::Subscribe => {
            let payload = String::from_utf8_lossy(payload).into_owned();
            next.request.replace(Request { payload }).is_none()
        }
        SubscriptionStep::Unsubscribe => {
            next.subscription = Subscription::of(subscription.sees_contact(), false);
            next.request.take().is_some() || subscription.is_seen()
        }
        SubscriptionStep::Subscribed => {
            let was_asked = std::mem::take(&mut next.is_asked);
            if was_asked {
                next.subscription = Subscription::of(true, subscription.is_seen());
            }
            was_asked
        }
        SubscriptionStep::Unsubscribed => {
            let was_asked = std::mem::take(&mut next.is_asked);
            next.subscription = Subscription::of(false, subscription.is_seen());
            was_asked || subscription.sees_contact()
        }
    };
    Outcome {
        contact: next,
        passes,
        answer,
    }
}
