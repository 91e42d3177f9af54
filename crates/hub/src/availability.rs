//! Coming and going: who is told, and what waits for whoever comes
//! (RFC 6121 §4).

use crate::account::{Account, AccountState, Available, Device};
use crate::blocking::BlockList;
use crate::directory::Resident;
use crate::inbox::Taken;
use crate::mailbox::Wakes;
use crate::room::IsEnd;
use crate::roster::SubscriptionStep;
use crate::{Event, Hub, Look, Presence, PresenceKind, SendError, Session, SessionHandle};
use anser_jid::{BareJid, Jid};
use anser_store::MessageId;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whom a presence concerns.
struct Audience {
    /// The account's devices that are there.
    own: Vec<Arc<Session>>,
    /// Contacts who may see it, in the order of their addresses.
    contacts: Vec<Jid>,
    /// Who of them is not told.
    blocked: BlockList,
}

/// What a device leaves behind that is no longer there.
struct Leaving {
    /// Who was told that it is there; nobody if it has not broadcast that.
    audience: Option<Audience>,
    /// Who was told by a presence for them alone.
    directed: BTreeSet<Jid>,
}

impl Hub {
    /// Broadcasts that a session is there (RFC 6121 §4.2 and §4.4). The first
    /// time, it learns who else is there and who has asked to see it; and
    /// whenever it takes messages, it is told what waits ([`Event::Waiting`]).
    pub fn appear(&self, session: &SessionHandle, presence: Presence) {
        let PresenceKind::Available { priority } = presence.kind else {
            return;
        };
        let session = session.session();
        let account = session.account();
        let presence = Arc::new(presence);
        let mut wakes = Wakes::default();
        let turn = account.announce();
        let mut state = account.state();
        let available = Available {
            priority,
            presence: Arc::clone(&presence),
        };
        let mut audience = Audience::of(&state);
        audience.own.retain(|other| !Arc::ptr_eq(other, session));
        let Some(device) = state.device_of(session) else {
            return;
        };
        let is_first = device.presence.replace(available).is_none();
        let own = presence.readdressed(account.address().clone().into());
        let own = Event::Presence(Arc::new(own));
        session.mailbox().push(own, &mut wakes);
        if is_first {
            welcome(&state, account, session, &mut wakes);
        }
        if priority >= 0 {
            self.give_waiting(&mut state, session, &mut wakes);
        }
        drop(state);
        self.broadcast(account, &audience, &presence, &mut wakes);
        drop(turn);
        if is_first {
            self.probe_contacts(account, session, &mut wakes);
        }
    }

    /// Broadcasts that a session is no longer there (RFC 6121 §4.5). It stays
    /// open, and may come back.
    pub fn disappear(&self, session: &SessionHandle, presence: &Presence) {
        let session = session.session();
        let account = session.account();
        let mut wakes = Wakes::default();
        let _turn = account.announce();
        let leaving = Leaving::of(&mut account.state(), session);
        if let Some(leaving) = leaving {
            self.announce_end(account, &leaving, presence, &mut wakes);
        }
        let look = Look {
            id: None,
            lang: presence.lang.clone(),
            payload: presence.payload.clone(),
        };
        self.leave_rooms(session, IsEnd::No, &look);
    }

    /// Ends a session: those who saw it learn that it is gone, and messages
    /// that it did not acknowledge go to the account's other devices or wait.
    /// Ending it again does nothing.
    pub(crate) fn end_session(&self, session: &Arc<Session>) {
        self.leave_rooms(session, IsEnd::Yes, &Look::default());
        let account = session.account();
        let mut wakes = Wakes::default();
        let _turn = account.announce();
        let mut state = account.state();
        let Some(leaving) = Leaving::of(&mut state, session) else {
            return;
        };
        // With its presence, so that it cannot come again.
        state
            .devices
            .retain(|device| !Arc::ptr_eq(&device.session, session));
        self.hand_on(&mut state, session, &mut wakes);
        drop(state);
        let from = Jid::from(session.address().clone());
        let presence = Presence::unavailable(from, account.address().clone().into());
        self.announce_end(account, &leaving, &presence, &mut wakes);
    }

    /// Tells those who saw a device that it is no longer there.
    fn announce_end(
        &self,
        account: &Account,
        leaving: &Leaving,
        presence: &Presence,
        wakes: &mut Wakes,
    ) {
        // First those of them whom the broadcast will not reach: should they
        // become one of those whom it does, they are told twice.
        for to in &leaving.directed {
            let Some(other) = self.resident(to) else {
                continue;
            };
            let state = other.state();
            let will_be_told = match &leaving.audience {
                Some(_) if other.address() == account.address() => true,
                Some(audience) => audience.has(to) && state.roster.sees(presence.from.bare_str()),
                None => false,
            };
            // A broadcast is for those who are there.
            let devices = meant(&state, to, &presence.from)
                .filter(|device| !will_be_told || device.presence.is_none());
            hand_over(devices, to, presence, wakes);
        }
        if let Some(audience) = &leaving.audience {
            self.broadcast(account, audience, presence, wakes);
        }
    }

    /// Sends a presence to one address only (RFC 6121 §4.6). Whoever is told
    /// that the session is there is told too when it is no longer (§4.6.3).
    ///
    /// # Errors
    /// [`SendError::Blocked`] if the account blocks the address,
    /// [`SendError::NoRoute`] if it is on another server, and
    /// [`SendError::TooManyDirected`] if the session has told as many as it may.
    pub fn direct(&self, session: &SessionHandle, presence: &Presence) -> Result<(), SendError> {
        let to = &presence.to;
        session.check_addressee(to)?;
        if !self.serves(to.domain()) {
            return Err(SendError::NoRoute);
        }
        let session = session.session();
        let account = session.account();
        let most = self.config().accounts.directed_presences;
        let mut wakes = Wakes::default();
        let _turn = account.announce();
        let mut state = account.state();
        let Some(device) = state.device_of(session) else {
            // It has ended, and everybody knows.
            return Ok(());
        };
        note_directed(&mut device.directed, presence, most)?;
        let blocked = state.blocked.clone();
        drop(state);
        self.pass_presence(presence, &blocked, &mut wakes);
        Ok(())
    }

    /// Answers a question after somebody's presence with what the asker may
    /// see (RFC 6121 §4.3.2).
    ///
    /// # Errors
    /// [`SendError::Blocked`] if the asker's account blocks the address.
    pub fn probe(&self, session: &SessionHandle, of: &Jid) -> Result<(), SendError> {
        let session = session.session();
        session.check_addressee(of)?;
        let blocked = session.account().state().blocked.clone();
        let mut wakes = Wakes::default();
        if let Some(account) = self.resident(of) {
            tell_who_is_there(&account, session, &blocked, &mut wakes);
        }
        Ok(())
    }

    /// Notes that a session is sent these messages of its account's log because
    /// it has asked for them, and so need not be given them as what waits
    /// (XEP-0313 §6.1.1).
    pub fn give_history(&self, session: &Session, places: impl IntoIterator<Item = MessageId>) {
        let mut state = session.account().state();
        for place in places {
            state.inbox.show(place, session.slot());
        }
    }

    /// Notes that a session's device has taken messages. What it has read in the
    /// log counts as taken only if it takes messages, or as soon as it does: a
    /// program that looks into the log and goes leaves them to the next device
    /// (XEP-0160 §2).
    pub fn taken(&self, session: &Session, messages: impl IntoIterator<Item = Taken>) {
        let account = session.account();
        let mut state = account.state();
        let (mut is_news, mut has_read) = (false, false);
        for message in messages {
            match message {
                Taken::Mail(place) => is_news |= state.inbox.taken(place),
                Taken::History(place) => {
                    state.inbox.read(place, session.slot());
                    has_read = true;
                }
            }
        }
        let takes_messages = state.device_of(session).is_some_and(|d| d.takes_messages());
        if has_read && takes_messages {
            is_news |= state.inbox.settle_read(session.slot());
        }
        if is_news {
            self.inbox_changed(account, &mut state);
        }
    }

    /// Gives what a session has not acknowledged to the account's other devices.
    fn hand_on(&self, state: &mut AccountState, session: &Session, wakes: &mut Wakes) {
        let slot = session.slot();
        if state.inbox.release(slot).is_empty() {
            return;
        }
        let takers = state.devices.iter().filter(|d| d.takes_messages());
        let takers: Vec<_> = takers.map(|device| Arc::clone(&device.session)).collect();
        for taker in takers {
            self.give_waiting(state, &taker, wakes);
        }
    }

    /// Tells a session that takes messages of those that it has not got yet, in
    /// whatever way.
    fn give_waiting(&self, state: &mut AccountState, session: &Session, wakes: &mut Wakes) {
        let slot = session.slot();
        if state.inbox.settle_read(slot) {
            self.inbox_changed(session.account(), state);
        }
        let places = state.inbox.give_all(slot);
        if !places.is_empty() {
            session.mailbox().push(Event::Waiting(places), wakes);
        }
    }

    fn broadcast(
        &self,
        account: &Account,
        audience: &Audience,
        presence: &Presence,
        wakes: &mut Wakes,
    ) {
        let own = Arc::new(presence.readdressed(account.address().clone().into()));
        for session in &audience.own {
            session
                .mailbox()
                .push(Event::Presence(Arc::clone(&own)), wakes);
        }
        for contact in &audience.contacts {
            if let Some(account) = self.resident(contact) {
                let state = account.state();
                // Whoever does not want to see it is not told, even if allowed
                // to (RFC 6121 §4.2.3).
                if state.roster.sees(presence.from.bare_str()) {
                    let devices = meant(&state, contact, &presence.from);
                    let devices = devices.filter(|device| !audience.hides_from(device));
                    hand_over(devices, contact, presence, wakes);
                }
            }
        }
    }

    /// Passes a presence on to whoever is at its address, without those whom its
    /// sender blocks.
    pub(crate) fn pass_presence(
        &self,
        presence: &Presence,
        blocked: &BlockList,
        wakes: &mut Wakes,
    ) {
        let to = &presence.to;
        if let Some(account) = self.resident(to) {
            let state = account.state();
            let devices = meant(&state, to, &presence.from);
            let devices = devices.filter(|device| !blocked.covers(device.session.address()));
            hand_over(devices, to, presence, wakes);
        }
    }

    /// Asks after every contact whose presence the user may see.
    fn probe_contacts(&self, account: &Account, session: &Session, wakes: &mut Wakes) {
        let state = account.state();
        let seen: Vec<_> = state
            .roster
            .contacts()
            .filter(|(_, contact)| contact.subscription.sees_contact())
            .map(|(address, _)| address.clone())
            .collect();
        let blocked = state.blocked.clone();
        drop(state);
        for contact in seen {
            if let Some(account) = self.resident(&contact) {
                tell_who_is_there(&account, session, &blocked, wakes);
            }
        }
    }

    /// Tells a contact who of the account is there, after it has become
    /// allowed, or that nobody is, after it no longer is.
    pub(crate) fn show(&self, account: &Account, to: &BareJid) {
        let mut wakes = Wakes::default();
        let _turn = account.announce();
        let state = account.state();
        let is_allowed = state.roster.is_seen_by(to.as_str());
        let there = state.devices.iter().filter_map(|d| d.presence.as_ref());
        let there: Vec<_> = there
            .map(|available| Arc::clone(&available.presence))
            .collect();
        let blocked = state.blocked.clone();
        drop(state);
        for presence in there {
            let to = Jid::from(to.clone());
            let shown = if is_allowed {
                presence.readdressed(to)
            } else {
                Presence::unavailable(presence.from.clone(), to)
            };
            self.pass_presence(&shown, &blocked, &mut wakes);
        }
    }
}

impl Audience {
    fn of(state: &AccountState) -> Self {
        let own = state.devices.iter().filter(|d| d.presence.is_some());
        let seen_by = state
            .roster
            .contacts()
            .filter(|(_, contact)| contact.subscription.is_seen());
        Self {
            own: own.map(|device| Arc::clone(&device.session)).collect(),
            contacts: seen_by.map(|(address, _)| address.clone()).collect(),
            blocked: state.blocked.clone(),
        }
    }

    /// Whether a contact's device is one of those that are blocked.
    fn hides_from(&self, device: &Device) -> bool {
        self.blocked.covers(device.session.address())
    }

    /// Whether the account at an address is one of the contacts.
    fn has(&self, address: &Jid) -> bool {
        let address = Jid::from(address.to_bare());
        self.contacts.binary_search(&address).is_ok()
    }
}

impl Leaving {
    /// Takes away what a device has told of itself; `None` if its session has
    /// ended. Whoever leaves is told too, as one of the account's devices.
    fn of(state: &mut AccountState, session: &Session) -> Option<Self> {
        let audience = Audience::of(state);
        let device = state.device_of(session)?;
        let was_there = device.presence.take().is_some();
        Some(Self {
            audience: was_there.then_some(audience),
            directed: std::mem::take(&mut device.directed),
        })
    }
}

/// Notes whom a presence tells that the session is there, or no longer is.
fn note_directed(
    directed: &mut BTreeSet<Jid>,
    presence: &Presence,
    most: usize,
) -> Result<(), SendError> {
    match presence.kind {
        PresenceKind::Available { .. } => {
            if directed.len() >= most && !directed.contains(&presence.to) {
                return Err(SendError::TooManyDirected { limit: most });
            }
            directed.insert(presence.to.clone());
        }
        PresenceKind::Unavailable => {
            directed.remove(&presence.to);
        }
        PresenceKind::Subscription(_) | PresenceKind::Probe | PresenceKind::Error => {}
    }
    Ok(())
}

/// The device at a full address, or all devices that are there at a bare one. None
/// of an account that blocks whoever it comes from (XEP-0191 §3.3).
fn meant<'a>(state: &'a AccountState, to: &Jid, from: &Jid) -> impl Iterator<Item = &'a Device> {
    let is_blocked = state.blocked.covers(from);
    state
        .devices
        .iter()
        .filter(move |_| !is_blocked)
        .filter(move |device| match to.resource() {
            Some(resource) => device.session.address().resource() == resource,
            None => device.presence.is_some(),
        })
}

/// Gives devices a presence for the address that they are at.
fn hand_over<'a>(
    devices: impl Iterator<Item = &'a Device>,
    to: &Jid,
    presence: &Presence,
    wakes: &mut Wakes,
) {
    let mut event = None;
    for device in devices {
        let event = event.get_or_insert_with(|| Arc::new(presence.readdressed(to.clone())));
        let event = Event::Presence(Arc::clone(event));
        device.session.mailbox().push(event, wakes);
    }
}

/// A session's first presence: it learns of the account's other devices, and
/// of those who have asked and still wait for an answer (RFC 6121 §3.1.3).
fn welcome(state: &AccountState, account: &Account, session: &Session, wakes: &mut Wakes) {
    let own = Jid::from(account.address().clone());
    for device in &state.devices {
        if std::ptr::eq(Arc::as_ptr(&device.session), session) {
            continue;
        }
        if let Some(available) = &device.presence {
            let presence = available.presence.readdressed(own.clone());
            session
                .mailbox()
                .push(Event::Presence(Arc::new(presence)), wakes);
        }
    }
    for (address, contact) in state.roster.contacts() {
        if let Some(request) = &contact.request
            && !state.blocked.covers(address)
        {
            let presence = Presence {
                kind: PresenceKind::Subscription(SubscriptionStep::Subscribe),
                payload: Bytes::from(request.payload.clone()),
                ..Presence::unavailable(address.clone(), own.clone())
            };
            session
                .mailbox()
                .push(Event::Presence(Arc::new(presence)), wakes);
        }
    }
}

/// Tells a session which devices of an account are there, if it may know and does
/// not block them.
fn tell_who_is_there(account: &Account, session: &Session, blocked: &BlockList, wakes: &mut Wakes) {
    let asker = session.account().address();
    let state = account.state();
    let is_own = account.address() == asker;
    let is_allowed = state.roster.is_seen_by(asker.as_str());
    if !is_own && (!is_allowed || state.blocked.covers(session.address())) {
        return;
    }
    for available in state.devices.iter().filter_map(|d| d.presence.as_ref()) {
        if blocked.covers(&available.presence.from) {
            continue;
        }
        let presence = available.presence.readdressed(asker.clone().into());
        session
            .mailbox()
            .push(Event::Presence(Arc::new(presence)), wakes);
    }
}
