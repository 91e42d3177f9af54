//! A room in memory: who is in it, who may do what, and what was said last.

use super::activity::Activity;
use super::budget::{Budget, Rate};
use super::{
    Affiliation, ConfigNews, Deed, Departure, Hat, Look, OccupantId, Role, RoomConfig, RoomError,
    RoomEvent, RoomMessage, RoomPresence, RoomsConfig, Sight, Whois,
};
use crate::mailbox::Wakes;
use crate::{Event, Session};
use anser_jid::{BareJid, FullJid, Jid};
use anser_store::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

/// What stands for a nickname when two are compared: those that differ in case
/// only are the same (XEP-0045 §17.1 leaves that to us).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NickKey(Arc<str>);

impl NickKey {
    pub(crate) fn of(nick: &str) -> Self {
        Self(nick.trim().to_lowercase().into())
    }
}

/// What decides over a room, and what it shows.
#[derive(Debug)]
pub(crate) struct RoomState {
    pub(crate) address: BareJid,
    /// What occupant ids are made with.
    key: hmac::Key,
    pub(crate) config: RoomConfig,
    /// What the pictures on its card are known by.
    pub(crate) avatar: Vec<String>,
    /// The hats that there are in it.
    pub(crate) hats: Vec<Hat>,
    /// Its owner has not said yet what it shall be like (XEP-0045 §10.1.1).
    pub(crate) is_locked: bool,
    pub(crate) affiliations: BTreeMap<BareJid, Standing>,
    /// Who has a nickname for good.
    pub(crate) reserved: BTreeMap<NickKey, BareJid>,
    pub(crate) occupants: BTreeMap<NickKey, Occupant>,
    /// What everybody together may still send.
    pub(crate) budget: Option<Budget>,
    /// When accounts have spoken that have to wait until they may again: also
    /// when they have left and come back.
    pub(crate) spoke: BTreeMap<BareJid, Timestamp>,
    /// Under which nickname a session is here.
    pub(crate) seats: BTreeMap<FullJid, NickKey>,
    pub(crate) subject: Option<Arc<RoomMessage>>,
    /// What was said last, the oldest first.
    pub(crate) recent: VecDeque<Arc<RoomMessage>>,
    /// So much of it is kept.
    pub(crate) most_recent: usize,
    /// How much was said in the last hours, if anybody has counted.
    pub(crate) activity: Option<Activity>,
    /// That differs from what is written down, and the exchange has been told
    /// so.
    pub(crate) activity_is_dirty: bool,
}

/// What an account is in a room for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Standing {
    pub(crate) affiliation: Affiliation,
    /// A nickname that nobody else may have here.
    pub(crate) nick: Option<String>,
    /// What was said when it became so.
    pub(crate) reason: Option<String>,
    /// The hats that they wear here.
    pub(crate) hats: Vec<String>,
}

/// Somebody in the room, with one or more sessions of one account.
#[derive(Debug)]
pub(crate) struct Occupant {
    /// Their address in the room.
    pub(crate) address: FullJid,
    pub(crate) account: BareJid,
    pub(crate) id: OccupantId,
    pub(crate) affiliation: Affiliation,
    pub(crate) role: Role,
    pub(crate) hats: Arc<[Hat]>,
    pub(crate) seats: Vec<Seat>,
    /// What others see of them.
    pub(crate) shown: Arc<RoomPresence>,
}

/// A session in the room.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) session: Arc<Session>,
    pub(crate) look: Look,
}

impl Occupant {
    pub(crate) fn seat(&self, session: &Session) -> Option<&Seat> {
        self.seats
            .iter()
            .find(|seat| std::ptr::eq(Arc::as_ptr(&seat.session), session))
    }

    /// What is to be seen of them as they are now.
    pub(crate) fn presence(
        &self,
        address: &FullJid,
        look: &Look,
        departure: Option<Departure>,
        deed: Option<Deed>,
    ) -> Arc<RoomPresence> {
        let role = match departure {
            None | Some(Departure::Renamed { .. }) => self.role,
            Some(_) => Role::None,
        };
        Arc::new(RoomPresence {
            occupant: self.address.clone(),
            occupant_id: self.id,
            address: address.clone(),
            affiliation: self.affiliation,
            role,
            hats: match departure {
                None => Arc::clone(&self.hats),
                Some(_) => Arc::default(),
            },
            departure,
            deed,
            look: look.clone(),
            renderings: [OnceLock::new(), OnceLock::new()],
        })
    }

    /// What others are told when they may no longer see them.
    pub(crate) fn hidden(&self) -> Arc<RoomPresence> {
        let departure = Some(Departure::Left);
        self.presence(&self.shown.address, &Look::default(), departure, None)
    }

    /// The same of the session that others see already.
    pub(crate) fn shown_anew(&mut self, deed: Option<Deed>) -> Arc<RoomPresence> {
        let shown = self.presence(&self.shown.address, &self.shown.look, None, None);
        self.shown = shown;
        match deed {
            Some(_) => self.presence(&self.shown.address, &self.shown.look, None, deed),
            None => Arc::clone(&self.shown),
        }
    }
}

impl RoomState {
    pub(crate) fn new(address: BareJid, secret: &[u8; 32], config: RoomConfig) -> Self {
        Self {
            address,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            config,
            avatar: Vec::new(),
            hats: Vec::new(),
            is_locked: false,
            affiliations: BTreeMap::new(),
            reserved: BTreeMap::new(),
            occupants: BTreeMap::new(),
            budget: None,
            spoke: BTreeMap::new(),
            seats: BTreeMap::new(),
            subject: None,
            recent: VecDeque::new(),
            most_recent: 0,
            activity: None,
            activity_is_dirty: false,
        }
    }

    /// Names an account in this room (XEP-0421 §3).
    pub(crate) fn occupant_id(&self, account: &Jid) -> OccupantId {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(self.address.as_str().as_bytes());
        context.update(&[0]);
        context.update(account.bare_str().as_bytes());
        let tag = context.sign();
        let (id, _) = tag.as_ref().split_first_chunk().expect("a tag of 32 bytes");
        OccupantId::new(*id)
    }

    /// What an account is here for good.
    pub(crate) fn affiliation(&self, account: &Jid) -> Affiliation {
        self.with_own(account, self.own_affiliation(account))
    }

    /// The same without what it is because of its server.
    pub(crate) fn own_affiliation(&self, account: &Jid) -> Affiliation {
        let own = self.affiliations.get(account.bare_str());
        own.map_or(Affiliation::None, |standing| standing.affiliation)
    }

    /// What an account is whose own affiliation is this: whoever has none has
    /// that of their server (XEP-0045 §9.2).
    pub(crate) fn with_own(&self, account: &Jid, own: Affiliation) -> Affiliation {
        if own != Affiliation::None || account.local().is_none() {
            return own;
        }
        let server = self.affiliations.get(account.domain());
        server.map_or(Affiliation::None, |standing| standing.affiliation)
    }

    /// How many have an affiliation of this kind.
    pub(crate) fn count(&self, affiliation: Affiliation) -> usize {
        let standings = self.affiliations.values();
        standings
            .filter(|standing| standing.affiliation == affiliation)
            .count()
    }

    /// The occupant whose session this is.
    pub(crate) fn occupant_of(&self, session: &Session) -> Option<&Occupant> {
        let nick = self.seats.get(session.address())?;
        let occupant = self.occupants.get(nick)?;
        occupant.seat(session).map(|_| occupant)
    }

    pub(crate) fn occupant_of_mut(&mut self, session: &Session) -> Option<&mut Occupant> {
        let nick = self.seats.get(session.address())?;
        let occupant = self.occupants.get_mut(nick)?;
        occupant.seat(session).is_some().then_some(occupant)
    }

    /// The same of one who has to be here.
    pub(crate) fn occupant(&self, session: &Session) -> Result<&Occupant, RoomError> {
        self.occupant_of(session).ok_or(RoomError::NotOccupant)
    }

    /// The occupant with a nickname.
    pub(crate) fn named(&self, nick: &str) -> Result<&Occupant, RoomError> {
        let occupant = self.occupants.get(&NickKey::of(nick));
        occupant.ok_or(RoomError::NoSuchOccupant)
    }

    /// Whether a nickname is somebody else's, now or for good.
    pub(crate) fn is_taken(&self, nick: &NickKey, by_others_than: &Jid) -> bool {
        let account = by_others_than.bare_str();
        let present = self.occupants.get(nick);
        let reserved = self.reserved.get(nick);
        present.is_some_and(|occupant| occupant.account.as_str() != account)
            || reserved.is_some_and(|holder| holder.as_str() != account)
    }

    pub(crate) fn sight_of(&self, role: Role) -> Sight {
        match self.config.whois {
            Whois::Anyone => Sight::ADDRESSES,
            Whois::Moderators if role == Role::Moderator => Sight::ADDRESSES,
            Whois::Moderators => Sight::default(),
        }
    }

    /// Whether others are told of somebody with this role
    /// (`muc#roomconfig_presencebroadcast`).
    pub(crate) fn is_shown(&self, role: Role) -> bool {
        role >= self.config.presence_of
    }

    /// Tells everybody else of an occupant; those sessions only that are not
    /// the occupant's own.
    pub(crate) fn tell_others(&self, presence: &Arc<RoomPresence>, wakes: &mut Wakes) {
        let own = self.named(presence.occupant.resource()).ok();
        // They are known apart by where they are: comparing addresses would go
        // through the memory of all of them.
        let is_own = |other| own.is_some_and(|own| std::ptr::eq(own, other));
        for other in self.occupants.values().filter(|other| !is_own(*other)) {
            let sight = self.sight_of(other.role);
            for seat in &other.seats {
                seat.session.mailbox().push(see(presence, sight), wakes);
            }
        }
    }

    /// Tells an occupant's own sessions of themselves (XEP-0045 §7.2.2).
    pub(crate) fn tell_own(
        &self,
        occupant: &Occupant,
        presence: &Arc<RoomPresence>,
        wakes: &mut Wakes,
    ) {
        let sight = self.sight_of(occupant.role).with(Sight::OWN);
        for seat in &occupant.seats {
            seat.session.mailbox().push(see(presence, sight), wakes);
        }
    }

    /// Tells everybody of an occupant who has changed.
    pub(crate) fn tell_all(
        &self,
        occupant: &Occupant,
        presence: &Arc<RoomPresence>,
        wakes: &mut Wakes,
    ) {
        if self.is_shown(occupant.role) {
            self.tell_others(presence, wakes);
        }
        self.tell_own(occupant, presence, wakes);
    }

    /// Gives all sessions an event that is the same for all.
    pub(crate) fn give_all(&self, event: &RoomEvent, wakes: &mut Wakes) {
        for occupant in self.occupants.values() {
            for seat in &occupant.seats {
                let event = Event::Room(event.clone());
                seat.session.mailbox().push(event, wakes);
            }
        }
    }

    /// Tells everybody that something about the room is not what it was.
    pub(crate) fn tell_of_change(&self, wakes: &mut Wakes) {
        self.give_news(vec![ConfigNews::Other], wakes);
    }

    /// Tells everybody that the room is not what it was.
    pub(crate) fn give_news(&self, news: Vec<ConfigNews>, wakes: &mut Wakes) {
        if !news.is_empty() {
            let event = RoomEvent::Config {
                room: self.address.clone(),
                news: news.into(),
            };
            self.give_all(&event, wakes);
        }
    }

    /// Takes an occupant out, with all sessions, and tells everybody why.
    pub(crate) fn remove(
        &mut self,
        nick: &NickKey,
        departure: Departure,
        deed: Option<Deed>,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let Some(mut occupant) = self.occupants.remove(nick) else {
            return Vec::new();
        };
        let was_shown = self.is_shown(occupant.role);
        let (address, look) = (occupant.shown.address.clone(), Look::default());
        occupant.affiliation = self.affiliation(&occupant.account);
        let gone = occupant.presence(&address, &look, Some(departure), deed);
        self.tell_own(&occupant, &gone, wakes);
        if was_shown {
            self.tell_others(&gone, wakes);
        }
        let sessions: Vec<_> = occupant
            .seats
            .into_iter()
            .map(|seat| seat.session)
            .collect();
        for session in &sessions {
            self.seats.remove(session.address());
        }
        sessions
    }

    /// Sets what an account is here for good.
    pub(crate) fn set_standing(&mut self, account: &BareJid, standing: Standing) {
        self.reserved.retain(|_, holder| holder != account);
        if let Some(nick) = &standing.nick {
            self.reserved.insert(NickKey::of(nick), account.clone());
        }
        if standing == Standing::default() {
            self.affiliations.remove(account);
        } else {
            self.affiliations.insert(account.clone(), standing);
        }
    }

    /// Notes what was said, for those who come later, and forgets what was said
    /// long before.
    pub(crate) fn remember(&mut self, message: Arc<RoomMessage>) {
        if message.is_subject() {
            self.subject = Some(message);
            return;
        }
        if self.most_recent == 0 || message.place.is_none() {
            return;
        }
        while self.recent.len() >= self.most_recent {
            self.recent.pop_front();
        }
        self.recent.push_back(message);
    }

    /// The nicknames of an account's occupants.
    pub(crate) fn nicks_of(&self, account: &BareJid) -> Vec<NickKey> {
        let occupants = self.occupants.iter();
        occupants
            .filter(|(_, occupant)| occupant.account == *account)
            .map(|(nick, _)| nick.clone())
            .collect()
    }
}

/// An occupant's presence as an event for a session.
pub(crate) fn see(presence: &Arc<RoomPresence>, sight: Sight) -> Event {
    Event::Room(RoomEvent::Presence {
        presence: Arc::clone(presence),
        sight,
    })
}

/// How much one session may send to rooms.
pub(crate) fn session_rate(config: &RoomsConfig) -> Rate {
    Rate {
        burst: config.burst_messages,
        per_second: config.messages_per_second,
    }
}

/// How much a room takes.
pub(crate) fn room_rate(config: &RoomsConfig) -> Rate {
    Rate {
        burst: config.room_burst_messages,
        per_second: config.room_messages_per_second,
    }
}
