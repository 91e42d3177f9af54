//! Changing rosters: by the user, and by what contacts do
//! (RFC 6121 §2 and §3).

use crate::account::Account;
use crate::directory::Resident;
use crate::mailbox::Wakes;
use crate::roster::{self, Contact, Roster, SubscriptionStep};
use crate::{
    Event, Hub, NotKept, Presence, PresenceKind, RosterError, RosterPush, SendError, SessionHandle,
};
use anser_jid::{BareJid, Jid};
use anser_store::{StoreError, Timestamp};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::MutexGuard;

/// What came with a request is kept only up to this size; the request itself
/// always is.
const MOST_KEPT_OF_A_REQUEST: usize = 2048;

/// What follows from a step, in this order.
enum Next {
    /// Another step.
    Step(Move),
    /// The contact sees who is there, or no longer does.
    Show { account: Arc<Account>, to: BareJid },
}

/// A step of a subscription on its way.
struct Move {
    from: BareJid,
    to: BareJid,
    step: SubscriptionStep,
    payload: Bytes,
}

impl Hub {
    /// The roster, and from now on its changes (RFC 6121 §2.2).
    #[must_use]
    pub fn roster(&self, session: &SessionHandle) -> Roster {
        let session = session.session();
        let mut state = session.account().state();
        if let Some(device) = state.device_of(session) {
            device.wants_roster = true;
        }
        state.roster.clone()
    }

    /// Whether the account at an address allows another to see its presence,
    /// and with it what the account tells of itself.
    ///
    /// # Errors
    /// [`StoreError`] if the account could not be read.
    pub async fn is_seen_by(
        &self,
        address: &BareJid,
        other: &BareJid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if address == other {
            return Ok(true);
        }
        let account = self.account(address, now).await?;
        Ok(account.is_some_and(|account| account.state().roster.is_seen_by(other.as_str())))
    }

    /// Puts a contact into the roster, or changes its name and groups
    /// (RFC 6121 §2.3 and §2.4).
    ///
    /// # Errors
    /// [`RosterError`]; the roster is as it was.
    pub async fn set_contact(
        &self,
        session: &SessionHandle,
        address: Jid,
        name: Option<String>,
        groups: Vec<String>,
        now: Timestamp,
    ) -> Result<(), RosterError> {
        let account = session.session().account();
        let _alone = changing(account).await?;
        let contact = Contact {
            is_listed: true,
            name,
            groups,
            ..self.contact_or_new(account, &address)?
        };
        self.change_contact(account, &address, contact, now).await?;
        Ok(())
    }

    /// Takes a contact out of the roster and ends the subscriptions both ways
    /// (RFC 6121 §2.5). A contact whose own side could not be changed is not
    /// told, and keeps what it had.
    ///
    /// # Errors
    /// [`RosterError`]; the roster is as it was.
    pub async fn remove_contact(
        &self,
        session: &SessionHandle,
        address: &Jid,
        now: Timestamp,
    ) -> Result<(), RosterError> {
        let account = session.session().account();
        let alone = changing(account).await?;
        let contact = account.state().roster.contact(address).cloned();
        let contact = contact.filter(|contact| contact.is_listed);
        let contact = contact.ok_or(RosterError::NoContact)?;
        self.change_contact(account, address, Contact::default(), now)
            .await?;
        drop(alone);
        let to = address.to_bare();
        if contact.subscription.is_seen() {
            self.show(account, &to);
        }
        self.say_farewell(account, &to, &contact, now).await;
        Ok(())
    }

    /// Takes a step of a subscription from a session (RFC 6121 §3).
    ///
    /// # Errors
    /// [`RosterError`] if it could not be kept on either side. The user's may be
    /// by then; to take the step again is safe.
    pub async fn take_step(
        &self,
        session: &SessionHandle,
        to: &BareJid,
        step: SubscriptionStep,
        payload: Bytes,
        now: Timestamp,
    ) -> Result<(), RosterError> {
        let account = session.session().account();
        let alone = changing(account).await?;
        let address = Jid::from(to.clone());
        let before = self.contact_or_new(account, &address)?;
        let outcome = roster::outbound(&before, step);
        let was_seen = before.subscription.is_seen();
        let is_seen = outcome.contact.subscription.is_seen();
        if outcome.contact != before {
            self.change_contact(account, &address, outcome.contact, now)
                .await?;
        }
        drop(alone);
        if was_seen && !is_seen {
            self.show(account, to);
        }
        if outcome.passes {
            self.pass_step(account, to, step, payload, now).await?;
        }
        if is_seen && !was_seen {
            self.show(account, to);
        }
        Ok(())
    }

    /// Whether steps towards an address can be taken at all.
    ///
    /// # Errors
    /// [`SendError::Blocked`] if the session's account blocks the address, and
    /// [`SendError::NoRoute`] if it is on another server.
    pub fn has_route(&self, session: &SessionHandle, to: &Jid) -> Result<(), SendError> {
        session.check_addressee(to)?;
        if self.serves(to.domain()) {
            Ok(())
        } else {
            Err(SendError::NoRoute)
        }
    }

    /// Tells somebody who was a contact that there is nothing left between them.
    pub(crate) async fn say_farewell(
        &self,
        account: &Account,
        to: &BareJid,
        contact: &Contact,
        now: Timestamp,
    ) {
        for step in farewell(contact) {
            let passed = self.pass_step(account, to, step, Bytes::new(), now).await;
            if let Err(error) = passed {
                tracing::warn!(contact = %to, %error, "not told that a subscription has ended");
            }
        }
    }

    /// Carries a step of the user to the contact.
    async fn pass_step(
        &self,
        account: &Account,
        to: &BareJid,
        step: SubscriptionStep,
        payload: Bytes,
        now: Timestamp,
    ) -> Result<(), RosterError> {
        let first = Move {
            from: account.address().clone(),
            to: to.clone(),
            step,
            payload,
        };
        let mut nexts = VecDeque::from([Next::Step(first)]);
        while let Some(next) = nexts.pop_front() {
            match next {
                Next::Step(step) => nexts.extend(self.receive_step(&step, now).await?),
                Next::Show { account, to } => self.show(&account, &to),
            }
        }
        Ok(())
    }

    /// A step arrives at the account it is for; returns what follows. Steps for
    /// nobody are dropped in silence (RFC 6121 §8.5.1), and so are those of
    /// somebody who is blocked (XEP-0191 §3.3); that a subscription has ended is
    /// noted all the same, so that both sides know the same of it.
    async fn receive_step(&self, step: &Move, now: Timestamp) -> Result<Vec<Next>, RosterError> {
        let Some(account) = self.account(&step.to, now).await? else {
            return Ok(Vec::new());
        };
        let Ok(alone) = changing(&account).await else {
            return Ok(Vec::new());
        };
        let from = Jid::from(step.from.clone());
        let is_blocked = account.state().blocked.covers(&from);
        if is_blocked && !step.step.ends_something() {
            return Ok(Vec::new());
        }
        let Ok(before) = self.contact_or_new(&account, &from) else {
            return Ok(Vec::new());
        };
        let kept = if step.payload.len() <= MOST_KEPT_OF_A_REQUEST {
            &step.payload
        } else {
            &Bytes::new()
        };
        let outcome = roster::inbound(&before, step.step, kept);
        let was_seen = before.subscription.is_seen();
        let is_seen = outcome.contact.subscription.is_seen();
        if outcome.contact != before {
            self.change_contact(&account, &from, outcome.contact, now)
                .await?;
        }
        drop(alone);
        if outcome.passes && !is_blocked {
            announce_step(&account, step);
        }
        let answer = outcome.answer.map(|answer| Move {
            from: step.to.clone(),
            to: step.from.clone(),
            step: answer,
            payload: Bytes::new(),
        });
        let to = step.from.clone();
        let show = was_seen != is_seen || answer.is_some();
        let show = show.then_some(Next::Show { account, to });
        // First that it is allowed, then what is (RFC 6121 §3.1.6).
        Ok(answer.map(Next::Step).into_iter().chain(show).collect())
    }

    fn contact_or_new(&self, account: &Account, address: &Jid) -> Result<Contact, RosterError> {
        let state = account.state();
        if let Some(contact) = state.roster.contact(address) {
            return Ok(contact.clone());
        }
        let limit = self.config().accounts.contacts;
        if state.roster.len() >= limit {
            return Err(RosterError::TooMany { limit });
        }
        Ok(Contact::default())
    }

    /// Writes a contact down, then puts it into the roster and tells the
    /// sessions that asked for it. To be called under the account's `changes`.
    async fn change_contact(
        &self,
        account: &Account,
        address: &Jid,
        contact: Contact,
        now: Timestamp,
    ) -> Result<(), NotKept> {
        let (before, version) = {
            let state = account.state();
            let before = state.roster.contact(address).cloned();
            (before.unwrap_or_default(), state.roster.version())
        };
        let is_shown = !contact.looks_like(&before);
        let version = match is_shown {
            true => roster::version_after(version, now),
            false => version,
        };
        let changes = account.save_contact(address, &contact, version);
        self.commit(changes, now).await?;
        let mut wakes = Wakes::default();
        let mut state = account.state();
        let push = Arc::new(RosterPush {
            address: address.clone(),
            contact: contact.is_listed.then(|| contact.clone()),
            version,
        });
        state.roster.set(address.clone(), contact, version);
        if is_shown {
            for device in state.devices.iter().filter(|device| device.wants_roster) {
                let event = Event::Roster(Arc::clone(&push));
                device.session.mailbox().push(event, &mut wakes);
            }
        }
        Ok(())
    }
}

/// Waits until nobody else changes an account's roster.
///
/// # Errors
/// [`RosterError::NoAccount`]: nothing may be written for it any more.
async fn changing(account: &Account) -> Result<MutexGuard<'_, ()>, RosterError> {
    let alone = account.changes.lock().await;
    if account.is_gone() {
        return Err(RosterError::NoAccount);
    }
    Ok(alone)
}

/// The steps that undo what there is between the user and a contact.
fn farewell(contact: &Contact) -> impl Iterator<Item = SubscriptionStep> {
    let sees = contact.subscription.sees_contact() || contact.is_asked;
    let is_seen = contact.subscription.is_seen() || contact.request.is_some();
    let unsubscribe = sees.then_some(SubscriptionStep::Unsubscribe);
    let unsubscribed = is_seen.then_some(SubscriptionStep::Unsubscribed);
    unsubscribe.into_iter().chain(unsubscribed)
}

/// Tells the account's sessions what a contact did: a request all that are
/// there, the rest those that asked for the roster (RFC 6121 §3.1.3, §3.1.6).
fn announce_step(account: &Account, step: &Move) {
    let presence = Arc::new(Presence {
        kind: PresenceKind::Subscription(step.step),
        payload: step.payload.clone(),
        ..Presence::unavailable(step.from.clone().into(), step.to.clone().into())
    });
    let mut wakes = Wakes::default();
    let state = account.state();
    let devices = state.devices.iter().filter(|device| match step.step {
        SubscriptionStep::Subscribe => device.presence.is_some(),
        SubscriptionStep::Subscribed
        | SubscriptionStep::Unsubscribe
        | SubscriptionStep::Unsubscribed => device.wants_roster,
    });
    for device in devices {
        let event = Event::Presence(Arc::clone(&presence));
        device.session.mailbox().push(event, &mut wakes);
    }
}
