//! Entering a room, being seen in it, and leaving (XEP-0045 §7.2, §7.6, §7.7,
//! §7.14).

use super::state::{NickKey, Occupant, RoomState, Seat, see};
use super::{
    Affiliation, Departure, Look, Role, RoomError, RoomEvent, RoomMessage, RoomPresence,
    RoomsConfig, Sight, Whois,
};
use crate::mailbox::Wakes;
use crate::{Event, Message, Session};
use anser_jid::{FullJid, Jid};
use anser_store::Timestamp;
use std::sync::Arc;

/// How a session wants to enter a room.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Under which address in the room.
    pub occupant: FullJid,
    /// What it says that the room's password is.
    pub password: Option<String>,
    /// How much it wants to hear of what was said before.
    pub past: PastWanted,
    /// What it says of itself.
    pub look: Look,
}

/// How much of what was said before is wanted (XEP-0045 §7.2.14). What is not
/// limited here is limited by the room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PastWanted {
    /// At most so many messages.
    pub messages: Option<u32>,
    /// At most so many characters in all, markup included.
    pub characters: Option<usize>,
    /// Only what was said after this moment.
    pub since: Option<Timestamp>,
}

/// What the markup around a message of the past adds to it, without the addresses
/// and what not every message has.
const MARKUP_CHARACTERS: usize = 268;

impl RoomState {
    /// Lets a session in, or tells it everything anew if it is in already.
    ///
    /// # Errors
    /// [`RoomError`]; nobody was told anything.
    pub(crate) fn enter(
        &mut self,
        session: &Arc<Session>,
        entrance: Entrance,
        newness: Sight,
        server: &RoomsConfig,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        let nick = nick_key(&entrance.occupant)?;
        if self.seats.contains_key(session.address()) {
            return self.enter_anew(session, &nick, &entrance, newness, wakes);
        }
        self.admit(session, &nick, &entrance, server)?;
        let others_of_this_nick = self.occupants.contains_key(&nick);
        let newness = newness.with(self.nick_given(&nick, &entrance.occupant));
        if others_of_this_nick {
            self.sit_down(session, &nick, entrance.look);
        } else {
            let role = self.role_for(session);
            self.take_nick(session, &nick, &entrance, role);
        }
        self.seats.insert(session.address().clone(), nick.clone());
        self.tell_rest(&nick, session, wakes);
        self.welcome(session, &nick, newness, entrance.past, wakes);
        Ok(())
    }

    /// Tells a session that is in already everything that it would be told on
    /// entering (XEP-0045 §17.3), once it has the nickname that it asks for.
    ///
    /// # Errors
    /// [`RoomError`]; nobody was told anything.
    fn enter_anew(
        &mut self,
        session: &Session,
        nick: &NickKey,
        entrance: &Entrance,
        newness: Sight,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        if self.seats.get(session.address()) != Some(nick) {
            self.rename(session, &entrance.occupant, &entrance.look, wakes)?;
        } else if self.set_look(session, &entrance.look) {
            self.tell_rest(nick, session, wakes);
        }
        let newness = newness.with(self.nick_given(nick, &entrance.occupant));
        self.welcome(session, nick, newness, entrance.past, wakes);
        Ok(())
    }

    /// Whether somebody who asks for a nickname has it in another form
    /// (XEP-0045 §7.2.2).
    fn nick_given(&self, nick: &NickKey, wanted: &FullJid) -> Sight {
        match self.occupants.get(nick) {
            Some(occupant) if occupant.address != *wanted => Sight::NICK_CHANGED,
            Some(_) | None => Sight::default(),
        }
    }

    /// Whether somebody may come in (XEP-0045 §7.2.5 to §7.2.10).
    fn admit(
        &self,
        session: &Session,
        nick: &NickKey,
        entrance: &Entrance,
        server: &RoomsConfig,
    ) -> Result<(), RoomError> {
        let account = session.address();
        let affiliation = self.affiliation(account);
        if self.is_locked && affiliation != Affiliation::Owner {
            return Err(RoomError::NoRoom);
        }
        if affiliation == Affiliation::Outcast {
            return Err(RoomError::Banned);
        }
        if self.config.members_only && affiliation < Affiliation::Member {
            return Err(RoomError::MembersOnly);
        }
        if let Some(password) = &self.config.password
            && entrance.password.as_deref() != Some(password)
        {
            return Err(RoomError::Password);
        }
        if self.is_taken(nick, account) {
            return Err(RoomError::NickTaken);
        }
        let limit = self.most_occupants(affiliation, server);
        if self.occupants.len() >= limit as usize && !self.occupants.contains_key(nick) {
            return Err(RoomError::Full { limit });
        }
        Ok(())
    }

    /// How many occupants there may be before somebody comes. For admins and
    /// owners there is some room beyond what the room's owner has set
    /// (XEP-0045 §7.2.9).
    fn most_occupants(&self, affiliation: Affiliation, server: &RoomsConfig) -> u32 {
        const FOR_ADMINS: u32 = 10;
        let own = self.config.occupants.unwrap_or(server.occupants);
        let own = own.min(server.occupants);
        if affiliation >= Affiliation::Admin {
            own.saturating_add(FOR_ADMINS)
        } else {
            own
        }
    }

    /// The role that somebody comes with: the one they have under another
    /// nickname, or the one that follows from their affiliation.
    fn role_for(&self, session: &Session) -> Role {
        let affiliation = self.affiliation(session.address());
        let initial = affiliation.initial_role(self.config.is_moderated());
        let account = session.address().bare_str();
        let present = self.occupants.values();
        let mut roles = present
            .filter(|occupant| occupant.account.as_str() == account)
            .map(|occupant| occupant.role);
        roles.next().unwrap_or(initial)
    }

    fn take_nick(
        &mut self,
        session: &Arc<Session>,
        nick: &NickKey,
        entrance: &Entrance,
        role: Role,
    ) {
        let account = session.address().to_bare();
        let (id, affiliation) = (self.occupant_id(&account), self.affiliation(&account));
        let hats = self.hats_of(&account);
        let shown = Arc::new(RoomPresence {
            occupant: entrance.occupant.clone(),
            occupant_id: id,
            address: session.address().clone(),
            affiliation,
            role,
            hats: Arc::clone(&hats),
            departure: None,
            deed: None,
            look: entrance.look.clone(),
            renderings: Default::default(),
        });
        let occupant = Occupant {
            address: entrance.occupant.clone(),
            account,
            id,
            affiliation,
            role,
            hats,
            seats: vec![Seat {
                session: Arc::clone(session),
                look: entrance.look.clone(),
            }],
            shown,
        };
        self.occupants.insert(nick.clone(), occupant);
    }

    /// Another session of an account that is here under this nickname already.
    fn sit_down(&mut self, session: &Arc<Session>, nick: &NickKey, look: Look) {
        let Some(occupant) = self.occupants.get_mut(nick) else {
            return;
        };
        occupant.shown = occupant.presence(session.address(), &look, None, None);
        occupant.seats.push(Seat {
            session: Arc::clone(session),
            look,
        });
    }

    /// Tells everybody but one session of an occupant what is to be seen of
    /// them.
    fn tell_rest(&self, nick: &NickKey, except: &Session, wakes: &mut Wakes) {
        let occupant = &self.occupants[nick];
        if self.is_shown(occupant.role) {
            self.tell_others(&occupant.shown, wakes);
        }
        let sight = self.sight_of(occupant.role).with(Sight::OWN);
        let siblings = occupant.seats.iter().map(|seat| &seat.session);
        for sibling in siblings.filter(|sibling| sibling.address() != except.address()) {
            sibling.mailbox().push(see(&occupant.shown, sight), wakes);
        }
    }

    /// What whoever enters is told, in the order of XEP-0045 §7.1: the others,
    /// themselves, what was said, the subject.
    fn welcome(
        &self,
        session: &Session,
        nick: &NickKey,
        newness: Sight,
        past: PastWanted,
        wakes: &mut Wakes,
    ) {
        let occupant = &self.occupants[nick];
        let mut sight = self.sight_of(occupant.role);
        let mailbox = session.mailbox();
        if let Some(others) = self.others_than(occupant) {
            mailbox.push(others, wakes);
        }
        if self.config.whois == Whois::Anyone {
            sight = sight.with(Sight::NOT_ANONYMOUS);
        }
        sight = sight.with(Sight::OWN).with(Sight::ENTERED).with(newness);
        mailbox.push(see(&occupant.shown, sight), wakes);
        for message in self.past(past, session.address()) {
            mailbox.push(said(message, true), wakes);
        }
        let subject = match &self.subject {
            Some(subject) => said(subject, true),
            None => Event::Room(RoomEvent::NoSubject {
                room: self.address.clone(),
            }),
        };
        mailbox.push(subject, wakes);
    }

    /// What tells an occupant who else is there, if anybody is.
    pub(super) fn others_than(&self, occupant: &Occupant) -> Option<Event> {
        let others = self
            .occupants
            .values()
            .filter(|other| other.address != occupant.address && self.is_shown(other.role));
        let presences: Arc<[_]> = others.map(|other| Arc::clone(&other.shown)).collect();
        let others = (!presences.is_empty()).then_some(RoomEvent::Others {
            presences,
            sight: self.sight_of(occupant.role),
            told: 0,
        });
        others.map(Event::Room)
    }

    /// The last of what was said, within what is wanted (XEP-0045 §7.2.14).
    fn past(&self, wanted: PastWanted, to: &Jid) -> impl Iterator<Item = &Arc<RoomMessage>> {
        let most = self.config.history_messages;
        let most = wanted.messages.map_or(most, |messages| messages.min(most)) as usize;
        let since = wanted.since.unwrap_or_default();
        let mut characters = wanted.characters.unwrap_or(usize::MAX);
        let mut fitting = 0;
        for message in self.recent.iter().rev().take(most) {
            let size = characters_of(&message.message, to);
            if message.at <= since || size > characters {
                break;
            }
            characters -= size;
            fitting += 1;
        }
        self.recent.iter().skip(self.recent.len() - fitting)
    }

    /// A session in the room looks otherwise now (XEP-0045 §7.7).
    ///
    /// # Errors
    /// [`RoomError::NotOccupant`]
    pub(crate) fn change_look(
        &mut self,
        session: &Session,
        look: &Look,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        self.occupant(session)?;
        if self.set_look(session, look) {
            let nick = &self.seats[session.address()];
            let occupant = &self.occupants[nick];
            self.tell_all(occupant, &Arc::clone(&occupant.shown), wakes);
        }
        Ok(())
    }

    /// Says whether there is anything new to be seen.
    fn set_look(&mut self, session: &Session, look: &Look) -> bool {
        let Some(occupant) = self.occupant_of_mut(session) else {
            return false;
        };
        let address = session.address();
        let is_news = occupant.shown.look != *look || occupant.shown.address != *address;
        let mut seats = occupant.seats.iter_mut();
        if let Some(seat) = seats.find(|seat| seat.session.address() == address) {
            seat.look = look.clone();
        }
        occupant.shown = occupant.presence(address, look, None, None);
        is_news
    }

    /// An occupant takes another nickname, with all sessions
    /// (XEP-0045 §7.6).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub(crate) fn rename(
        &mut self,
        session: &Session,
        to: &FullJid,
        look: &Look,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        self.occupant(session)?;
        let new = nick_key(to)?;
        let old = self.seats[session.address()].clone();
        let is_same = new == old;
        if self.is_taken(&new, session.address()) || !is_same && self.occupants.contains_key(&new) {
            return Err(RoomError::NickTaken);
        }
        let Some(mut occupant) = self.occupants.remove(&old) else {
            return Err(RoomError::NotOccupant);
        };
        let nick = to.resource().into();
        let gone = occupant.presence(
            session.address(),
            &Look::default(),
            Some(Departure::Renamed { nick }),
            None,
        );
        if self.is_shown(occupant.role) {
            self.tell_others(&gone, wakes);
        }
        self.tell_own(&occupant, &gone, wakes);
        occupant.address = to.clone();
        occupant.shown = occupant.presence(session.address(), look, None, None);
        for seat in &mut occupant.seats {
            if seat.session.address() == session.address() {
                seat.look = look.clone();
            }
            self.seats
                .insert(seat.session.address().clone(), new.clone());
        }
        self.occupants.insert(new.clone(), occupant);
        let occupant = &self.occupants[&new];
        self.tell_all(occupant, &Arc::clone(&occupant.shown), wakes);
        Ok(())
    }

    /// A session leaves; the occupant with the last of their sessions. Says
    /// whether it was there.
    pub(crate) fn leave(
        &mut self,
        session: &Session,
        departure: Departure,
        look: &Look,
        wakes: &mut Wakes,
    ) -> bool {
        let Some(nick) = self.seats.get(session.address()).cloned() else {
            return false;
        };
        let Some(occupant) = self.occupants.get_mut(&nick) else {
            return false;
        };
        let at = occupant
            .seats
            .iter()
            .position(|seat| std::ptr::eq(Arc::as_ptr(&seat.session), session));
        let Some(at) = at else {
            return false;
        };
        occupant.seats.remove(at);
        let departure = if self.is_locked && occupant.seats.is_empty() {
            // §10.1.3: a room that its owner does not open ends with them.
            occupant.affiliation = Affiliation::None;
            Departure::Destroyed(Box::default())
        } else {
            departure
        };
        let gone = occupant.presence(session.address(), look, Some(departure), None);
        let role = occupant.role;
        self.seats.remove(session.address());
        let sight = self.sight_of(role).with(Sight::OWN);
        session.mailbox().push(see(&gone, sight), wakes);
        self.after_leaving(&nick, &gone, wakes);
        true
    }

    /// Others are told that an occupant is gone, or what remains of them.
    fn after_leaving(&mut self, nick: &NickKey, gone: &Arc<RoomPresence>, wakes: &mut Wakes) {
        let Some(occupant) = self.occupants.get_mut(nick) else {
            return;
        };
        let Some(remaining) = occupant.seats.last() else {
            let role = occupant.role;
            self.occupants.remove(nick);
            if self.is_shown(role) {
                self.tell_others(gone, wakes);
            }
            return;
        };
        if occupant.shown.address == gone.address {
            let address = remaining.session.address().clone();
            let look = remaining.look.clone();
            occupant.shown = occupant.presence(&address, &look, None, None);
            let occupant = &self.occupants[nick];
            self.tell_all(occupant, &Arc::clone(&occupant.shown), wakes);
        }
    }
}

/// What stands for the nickname of an address in a room.
///
/// # Errors
/// [`RoomError::UnfitNick`] if nobody would see it (XEP-0045 §17.1).
fn nick_key(occupant: &FullJid) -> Result<NickKey, RoomError> {
    let nick = occupant.resource();
    if nick.trim().is_empty() {
        return Err(RoomError::UnfitNick);
    }
    Ok(NickKey::of(nick))
}

/// What a message of the past is for somebody as a whole stanza, in characters.
fn characters_of(message: &Message, to: &Jid) -> usize {
    let room = message.to().as_str();
    // The room says that it is late, and where it is in the archive.
    let texts = [to.as_str(), message.from().as_str(), room, room];
    let optional = [(message.id(), " id=''"), (message.lang(), " xml:lang=''")];
    let optional = optional.into_iter().filter_map(|(value, markup)| {
        let value = value?;
        Some(escaped_characters(value) + markup.len())
    });
    let payload = message.payload();
    let payload = payload.iter().filter(|byte| !is_continuation(**byte));
    let texts = texts.into_iter().map(escaped_characters);
    MARKUP_CHARACTERS + payload.count() + texts.sum::<usize>() + optional.sum::<usize>()
}

/// Whether a byte of UTF-8 belongs to a character that has begun before it.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// The characters of a text at most when it is the value of an attribute.
fn escaped_characters(text: &str) -> usize {
    const LONGEST: usize = "&quot;".len();
    let of_one = |one| if "&<>'\"".contains(one) { LONGEST } else { 1 };
    text.chars().map(of_one).sum()
}

/// Something said as an event for a session.
pub(crate) fn said(message: &Arc<RoomMessage>, is_past: bool) -> Event {
    Event::Room(RoomEvent::Message {
        message: Arc::clone(message),
        is_past,
    })
}
