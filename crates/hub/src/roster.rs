//! Contact lists, and who may see whose presence (RFC 6121 §2 and §3).

use anser_jid::Jid;
use anser_store::Timestamp;
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
    /// With what is known of each contact, and the version that this is.
    pub(crate) fn new(contacts: BTreeMap<Jid, Contact>, version: u64) -> Self {
        Self { contacts, version }
    }

    /// Names the state of the list, and no other that it ever had
    /// (RFC 6121 §2.6).
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

/// The version after a change: the time, so that it has not been there before
/// even if the list is that of a new account, or older than what clients have
/// because a backup was restored.
pub(crate) fn version_after(version: u64, now: Timestamp) -> u64 {
    now.millis().max(version + 1)
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

impl SubscriptionStep {
    /// Whether less is allowed after it than before.
    pub(crate) fn ends_something(self) -> bool {
        match self {
            Self::Subscribe | Self::Subscribed => false,
            Self::Unsubscribe | Self::Unsubscribed => true,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::SubscriptionStep::{Subscribe, Subscribed, Unsubscribe, Unsubscribed};
    use super::*;

    /// The states of RFC 6121 appendix A.1: what is agreed on, and which
    /// requests wait for an answer.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum State {
        None,
        NoneOut,
        NoneIn,
        NoneOutIn,
        To,
        ToIn,
        From,
        FromOut,
        Both,
    }

    use State::{Both, From, FromOut, None, NoneIn, NoneOut, NoneOutIn, To, ToIn};

    const STATES: [State; 9] = [
        None, NoneOut, NoneIn, NoneOutIn, To, ToIn, From, FromOut, Both,
    ];

    impl State {
        fn parts(self) -> (Subscription, bool, bool) {
            match self {
                None => (Subscription::None, false, false),
                NoneOut => (Subscription::None, true, false),
                NoneIn => (Subscription::None, false, true),
                NoneOutIn => (Subscription::None, true, true),
                To => (Subscription::To, false, false),
                ToIn => (Subscription::To, false, true),
                From => (Subscription::From, false, false),
                FromOut => (Subscription::From, true, false),
                Both => (Subscription::Both, false, false),
            }
        }

        /// A contact in this state; a stranger who has asked is not listed.
        fn contact(self) -> Contact {
            let (subscription, is_asked, has_request) = self.parts();
            Contact {
                is_listed: !matches!(self, None | NoneIn),
                subscription,
                is_asked,
                request: has_request.then(|| Request {
                    payload: "<status>please</status>".to_owned(),
                }),
                ..Contact::default()
            }
        }

        fn of(contact: &Contact) -> Self {
            let (subscription, is_asked) = (contact.subscription, contact.is_asked);
            let parts = (subscription, is_asked, contact.request.is_some());
            let mut states = STATES.into_iter();
            let state = states.find(|state| state.parts() == parts);
            state.unwrap_or_else(|| panic!("no state: {contact:?}"))
        }
    }

    /// What a table says of one state: whether the step goes on, and the state
    /// after it.
    type Row = (bool, State);

    const PASS: bool = true;
    const STOP: bool = false;

    #[rustfmt::skip] // a table reads as a table
    const OUTBOUND: [(State, [Row; 4]); 9] = [
        // RFC 6121:    A.2.1 subscribe    A.2.2 unsubscribe  A.2.3 subscribed   A.2.4 unsubscribed
        (None,      [(PASS, NoneOut),   (PASS, None),      (STOP, None),      (STOP, None)]),
        (NoneOut,   [(PASS, NoneOut),   (PASS, None),      (STOP, NoneOut),   (STOP, NoneOut)]),
        (NoneIn,    [(PASS, NoneOutIn), (PASS, NoneIn),    (PASS, From),      (PASS, None)]),
        (NoneOutIn, [(PASS, NoneOutIn), (PASS, NoneIn),    (PASS, FromOut),   (PASS, NoneOut)]),
        (To,        [(PASS, To),        (PASS, None),      (STOP, To),        (STOP, To)]),
        (ToIn,      [(PASS, ToIn),      (PASS, NoneIn),    (PASS, Both),      (PASS, To)]),
        (From,      [(PASS, FromOut),   (PASS, From),      (STOP, From),      (PASS, None)]),
        (FromOut,   [(PASS, FromOut),   (PASS, From),      (STOP, FromOut),   (PASS, NoneOut)]),
        (Both,      [(PASS, Both),      (PASS, From),      (STOP, Both),      (PASS, To)]),
    ];

    #[rustfmt::skip] // a table reads as a table
    const INBOUND: [(State, [Row; 4]); 9] = [
        // RFC 6121:    A.3.1 subscribe    A.3.2 unsubscribe  A.3.3 subscribed   A.3.4 unsubscribed
        (None,      [(PASS, NoneIn),    (STOP, None),      (STOP, None),      (STOP, None)]),
        (NoneOut,   [(PASS, NoneOutIn), (STOP, NoneOut),   (PASS, To),        (PASS, None)]),
        (NoneIn,    [(STOP, NoneIn),    (PASS, None),      (STOP, NoneIn),    (STOP, NoneIn)]),
        (NoneOutIn, [(STOP, NoneOutIn), (PASS, NoneOut),   (PASS, ToIn),      (PASS, NoneIn)]),
        (To,        [(PASS, ToIn),      (STOP, To),        (STOP, To),        (PASS, None)]),
        (ToIn,      [(STOP, ToIn),      (PASS, To),        (STOP, ToIn),      (PASS, NoneIn)]),
        (From,      [(STOP, From),      (PASS, None),      (STOP, From),      (STOP, From)]),
        (FromOut,   [(STOP, FromOut),   (PASS, NoneOut),   (PASS, Both),      (PASS, From)]),
        (Both,      [(STOP, Both),      (PASS, To),        (STOP, Both),      (PASS, From)]),
    ];

    const STEPS: [SubscriptionStep; 4] = [Subscribe, Unsubscribe, Subscribed, Unsubscribed];

    fn assert_follows(
        table: [(State, [Row; 4]); 9],
        take: impl Fn(&Contact, SubscriptionStep) -> Outcome,
    ) {
        assert_eq!(table.map(|(state, _)| state), STATES);
        for (before, rows) in table {
            for (step, expected) in STEPS.into_iter().zip(rows) {
                let outcome = take(&before.contact(), step);
                let got = (outcome.passes, State::of(&outcome.contact));
                assert_eq!(got, expected, "{step:?} in {before:?}");
            }
        }
    }

    fn receive(contact: &Contact, step: SubscriptionStep) -> Outcome {
        inbound(
            contact,
            step,
            &Bytes::from_static(b"<status>hello</status>"),
        )
    }

    /// RFC 6121 appendix A.2
    #[test]
    fn what_the_user_does_follows_the_tables() {
        assert_follows(OUTBOUND, outbound);
    }

    /// RFC 6121 appendix A.3
    #[test]
    fn what_the_contact_does_follows_the_tables() {
        assert_follows(INBOUND, receive);
    }

    /// RFC 6121 appendix A.3.1, note 1; §3.1.3
    #[test]
    fn a_request_for_what_is_granted_is_answered_at_once_and_no_other_step_is() {
        for state in STATES {
            for step in STEPS {
                let is_granted = matches!(state, From | FromOut | Both) && step == Subscribe;
                let answer = is_granted.then_some(Subscribed);
                assert_eq!(receive(&state.contact(), step).answer, answer);
                assert_eq!(outbound(&state.contact(), step).answer, Option::None);
            }
        }
    }

    /// RFC 6121 §3.1.2, §3.1.5: whoever is asked or granted something is in the
    /// roster; a stranger who asks is not.
    #[test]
    fn the_user_lists_contacts_and_strangers_do_not_list_themselves() {
        for state in STATES {
            for step in STEPS {
                let was_listed = state.contact().is_listed;
                let lists = matches!(step, Subscribe | Subscribed);
                let taken = outbound(&state.contact(), step).contact;
                assert_eq!(
                    taken.is_listed,
                    was_listed || lists,
                    "{step:?} in {state:?}"
                );
                let received = receive(&state.contact(), step).contact;
                assert_eq!(received.is_listed, was_listed, "{step:?} in {state:?}");
            }
        }
    }

    /// RFC 6121 §3.4.2: approval of what was not asked for is noted, and the
    /// contact is not told.
    #[test]
    fn approval_comes_in_advance_where_there_is_no_request_and_nothing_granted() {
        for state in STATES {
            let outcome = outbound(&state.contact(), Subscribed);
            let is_in_advance = matches!(state, None | NoneOut | To);
            assert_eq!(outcome.contact.is_approved, is_in_advance, "{state:?}");
            assert!(!(is_in_advance && outcome.passes), "{state:?}");
        }
    }

    fn approved(state: State) -> Contact {
        Contact {
            is_approved: true,
            ..state.contact()
        }
    }

    /// RFC 6121 §3.4.2, §3.1.3: the server answers, and the user is not asked.
    #[test]
    fn a_request_that_was_approved_in_advance_is_granted_and_the_approval_used_up() {
        for (before, after) in [(None, From), (NoneOut, FromOut), (To, Both)] {
            let outcome = receive(&approved(before), Subscribe);
            assert_eq!(State::of(&outcome.contact), after);
            assert_eq!(outcome.answer, Some(Subscribed));
            assert!(!outcome.passes && !outcome.contact.is_approved);
        }
    }

    /// RFC 6121 §3.4.2
    #[test]
    fn approval_in_advance_can_be_taken_back_and_the_contact_is_not_told() {
        for state in [None, NoneOut, To] {
            let outcome = outbound(&approved(state), Unsubscribed);
            assert!(!outcome.contact.is_approved && !outcome.passes);
            assert_eq!(State::of(&outcome.contact), state);
        }
    }

    /// RFC 6121 §3.4: approval in advance stays whatever else happens.
    #[test]
    fn other_steps_leave_an_approval_in_advance_alone() {
        for state in [None, NoneOut, To] {
            for step in [Unsubscribe, Subscribed, Unsubscribed] {
                assert!(receive(&approved(state), step).contact.is_approved);
            }
            for step in [Subscribe, Unsubscribe, Subscribed] {
                assert!(outbound(&approved(state), step).contact.is_approved);
            }
        }
    }

    /// RFC 6121 §3.1.3: of many requests one is kept.
    #[test]
    fn a_request_keeps_what_came_with_it_last() {
        let outcome = receive(&NoneIn.contact(), Subscribe);
        let request = outcome.contact.request.unwrap();
        assert_eq!(request.payload, "<status>hello</status>");
    }

    /// RFC 6121 §2.1.2.5
    #[test]
    fn a_subscription_is_made_of_its_halves() {
        for state in STATES {
            let (subscription, _, _) = state.parts();
            let (sees, is_seen) = (subscription.sees_contact(), subscription.is_seen());
            assert_eq!(Subscription::of(sees, is_seen), subscription);
        }
    }

    /// RFC 6121 §2.6.1
    #[test]
    fn versions_rise_and_do_not_repeat_when_an_older_list_is_back() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let first = version_after(0, now);
        let second = version_after(first, now);
        assert!(second > first);
        let later = Timestamp::from_millis(now.millis() + 1000);
        for restored in [0, first] {
            assert!(version_after(restored, later) > second);
        }
    }

    /// RFC 6121 §3.1.3: a request that waits does not show in the roster.
    #[test]
    fn a_stranger_who_asks_changes_nothing_that_the_user_sees() {
        let stranger = NoneIn.contact();
        assert!(stranger.looks_like(&Contact::default()));
        assert!(!stranger.is_empty());
        assert!(!To.contact().looks_like(&Contact::default()));
        assert!(To.contact().looks_like(&ToIn.contact()));
        assert!(!To.contact().looks_like(&Both.contact()));
    }
}
