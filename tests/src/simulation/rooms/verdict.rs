//! Whether all agree in the end: views, rooms, and logs.

use super::RoomsSimulation;
use super::guest::{Guest, Kept};
use super::ledger::{Logged, RoomLog};
use super::plan::rank;
use super::view::{Seen, Stage, Visit};
use super::whispers;
use anser_hub::{Actor, Role, RoomError, Whois};
use anser_store::MessageId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Somebody in a room, as the room has it.
struct Truth {
    account: String,
    affiliation: &'static str,
    role: &'static str,
}

/// A room as it is.
struct Room {
    occupants: BTreeMap<String, Truth>,
    shown_from: &'static str,
    /// Who is to know who is behind a nickname.
    whois: Whois,
}

/// So much of the past a room tells.
const HISTORY: usize = 20;

impl RoomsSimulation {
    pub(super) fn judge(&mut self) {
        self.compare_marks();
        for index in 0..self.plans.len() {
            let room = self.room(index);
            self.check_presence(index, &room);
            self.check_log(index);
        }
        match whispers::check(&self.scene.world, &self.scene.people) {
            Ok(count) => self.figures.whispered += count,
            Err(fault) => self.fail(&fault),
        }
        let figures = &mut self.figures;
        figures.cuts = self.scene.cuts;
        for guest in &self.scene.people {
            figures.refused += guest.refused.len();
            figures.resumed += guest.device.resumed;
            figures.acknowledged += guest.kept().count();
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.scene.transcript)
    }

    /// Whatever happened in a room happened after the same message for all.
    fn compare_marks(&mut self) {
        let mut marks: BTreeMap<String, MessageId> = BTreeMap::new();
        for guest in &self.scene.people {
            for (what, last) in guest.views.iter().flat_map(|view| &view.marks) {
                let Some(last) = last else {
                    continue;
                };
                if let Some(other) = marks.insert(what.clone(), *last) {
                    self.figures.compared += 1;
                    if other != *last {
                        let who = &guest.device.address;
                        self.fail(&format!(
                            "{who} saw {what} after {last}, others after {other}"
                        ));
                    }
                }
            }
        }
    }

    /// The room as the exchange has it.
    fn room(&mut self, index: usize) -> Room {
        let address = self.plans[index].room.parse().unwrap();
        let (hub, now) = (Arc::clone(self.scene.world.hub()), self.scene.world.now());
        self.scene.world.complete(async move {
            let mut truth = Room {
                occupants: BTreeMap::new(),
                shown_from: "visitor",
                whois: Whois::Moderators,
            };
            let room = match hub.room(&address, now).await {
                Ok(room) => room,
                Err(RoomError::NoRoom) => return truth,
                Err(error) => panic!("{error}"),
            };
            let config = hub.room_config(&room, Actor::Operator).unwrap();
            truth.shown_from = config.presence_of.name();
            truth.whois = config.whois;
            for role in Role::ALL {
                for present in hub.present(&room, Actor::Operator, role).unwrap() {
                    let is = Truth {
                        account: present.address.bare_str().to_owned(),
                        affiliation: present.affiliation.name(),
                        role: role.name(),
                    };
                    truth
                        .occupants
                        .insert(present.occupant.resource().to_owned(), is);
                }
            }
            truth
        })
    }

    /// Whoever believes to be in a room is, and sees who else is; and the other
    /// way round.
    fn check_presence(&self, index: usize, room: &Room) {
        let mut statuses: BTreeMap<&str, &Option<String>> = BTreeMap::new();
        let mut unseen: Vec<_> = room.occupants.keys().collect();
        for guest in &self.scene.people {
            let view = &guest.views[index];
            let (who, of) = (&guest.device.address, &self.plans[index].room);
            let believes = view.stage == Stage::Inside;
            if guest.is_inside[index] != Some(believes) {
                let says = guest.is_inside[index];
                self.fail(&format!(
                    "{who} in {of}: {:?}, the room says {says:?}",
                    view.stage
                ));
            }
            if !believes {
                continue;
            }
            unseen.retain(|nick| **nick != view.nick);
            self.compare(guest, index, room);
            for (nick, seen) in &view.occupants {
                let first = statuses.entry(nick).or_insert(&seen.status);
                if *first != &seen.status {
                    self.fail(&format!("{who} sees {nick} in {of} otherwise than others"));
                }
            }
        }
        if !unseen.is_empty() {
            self.fail(&format!(
                "in {} only by name: {unseen:?}",
                self.plans[index].room
            ));
        }
    }

    fn compare(&self, guest: &Guest, index: usize, room: &Room) {
        let view = &guest.views[index];
        let is_shown =
            |nick: &String, role| *nick == view.nick || rank(role) >= rank(room.shown_from);
        let occupants = room.occupants.iter();
        let expected: Vec<_> = occupants
            .filter(|(nick, truth)| is_shown(nick, truth.role))
            .map(|(nick, truth)| (nick.as_str(), truth.affiliation, truth.role))
            .collect();
        let brief = |(nick, seen): (&'_ String, &'_ Seen)| {
            (nick.clone(), seen.affiliation.clone(), seen.role.clone())
        };
        let seen: Vec<_> = view.occupants.iter().map(brief).collect();
        let seen: Vec<_> = seen.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
        let who = &guest.device.address;
        if seen != expected {
            let of = &self.plans[index].room;
            self.fail(&format!(
                "{who} sees in {of} {seen:?}, there are {expected:?}"
            ));
        }
        let own = &room.occupants[&view.nick];
        for (nick, seen) in &view.occupants {
            let account = &room.occupants[nick].account;
            let is_theirs = |address: &String| address.split('/').next() == Some(account);
            if !seen.address.as_ref().is_none_or(is_theirs) {
                self.fail(&format!("{who} believes {nick} to be {:?}", seen.address));
            }
            let may_know = own.role == "moderator" || room.whois == Whois::Anyone;
            if *nick != view.nick && may_know && seen.address.is_none() {
                self.fail(&format!(
                    "{who} is to know who {nick} is, and knows the name only"
                ));
            }
        }
        if own.account != who.split('/').next().unwrap() {
            self.fail(&format!("{who} is {} in name only", view.nick));
        }
    }

    /// Everything acknowledged is in the log, nothing refused is, and everybody
    /// heard what it has of their visits.
    fn check_log(&mut self, index: usize) {
        let ledger = self.ledger.borrow();
        let log = ledger.log(index);
        if !log.is_as_stored(&self.scene.world) {
            self.fail(&format!(
                "the log of {} has changed",
                self.plans[index].room
            ));
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &log.entries {
            *counts.entry(&entry.text).or_default() += 1;
        }
        if let Some((text, count)) = counts.iter().find(|(_, count)| **count > 1) {
            self.fail(&format!("{text} is {count} times in the log"));
        }
        let mut figures = self.figures;
        figures.logged += log.entries.len();
        figures.ended += log.life;
        for guest in &self.scene.people {
            let here = guest.kept().filter_map(|kept| match kept {
                Kept::Said(room, text) if *room == index => Some(text),
                Kept::Said(..) | Kept::Whispered(_) => None,
            });
            for text in here {
                if !counts.contains_key(text.as_str()) {
                    self.fail(&format!("{text} was acknowledged and is lost"));
                }
            }
            if let Some(text) = guest
                .refused
                .iter()
                .find(|text| counts.contains_key(text.as_str()))
            {
                self.fail(&format!("{text} was refused and is in the log"));
            }
            let view = &guest.views[index];
            let is_there = view.stage == Stage::Inside;
            let current = is_there.then_some((&view.visit, true));
            let over = view.visits.iter().map(|visit| (visit, false));
            for (visit, is_there) in over.chain(current) {
                figures.visits += 1;
                figures.heard += visit.heard.len();
                if let Err(fault) = check_visit(visit, is_there, log) {
                    let who = &guest.device.address;
                    self.fail(&format!("{who} in {}: {fault}", self.plans[index].room));
                }
            }
        }
        drop(ledger);
        self.figures = figures;
    }
}

/// Whether somebody heard what was said while they were there, and before that
/// the end of what was said before.
fn check_visit(visit: &Visit, is_there: bool, log: &RoomLog) -> Result<(), String> {
    let said: Vec<_> = log
        .entries
        .iter()
        .filter(|entry| !entry.is_subject)
        .collect();
    let all: Vec<_> = log.entries.iter().collect();
    let past = stretch(&visit.past, &said)?;
    let heard = stretch(&visit.heard, &all)?;
    if let (Some(last), Some(first)) = (past.last(), heard.first()) {
        let mut between = said.iter();
        let missed = between.find(|entry| entry.id > last.id && entry.id < first.id);
        if let Some(missed) = missed {
            return Err(format!("missed {} on entering", missed.text));
        }
    }
    if visit.wants_all && visit.has_all && !past.is_empty() {
        let life = past.last().unwrap().life;
        let last = past.last().unwrap().id;
        let there_were = said
            .iter()
            .filter(|entry| entry.life == life && entry.id <= last);
        let expected = there_were.count().min(HISTORY);
        if past.len() != expected {
            return Err(format!("was told {} of {expected} of the past", past.len()));
        }
    }
    let newest = heard.last().or(past.last()).map(|entry| entry.id);
    let newest = match newest {
        Some(newest) => Some(newest).max(visit.subject),
        None => visit.subject.filter(|_| visit.wants_all),
    };
    if let (true, Some(newest)) = (is_there, newest)
        && let Some(missed) = all.iter().find(|entry| entry.id > newest)
    {
        return Err(format!("missed {} at the end", missed.text));
    }
    Ok(())
}

/// The part of a log that somebody was told: all of it between the first and
/// the last, in its order, as it was said.
fn stretch<'a>(
    told: &[(MessageId, String)],
    log: &[&'a Logged],
) -> Result<Vec<&'a Logged>, String> {
    let Some((first, _)) = told.first() else {
        return Ok(Vec::new());
    };
    let from = log.iter().position(|entry| entry.id == *first);
    let from = from.ok_or_else(|| format!("heard {first}, which is in no log"))?;
    let part = &log[from..(from + told.len()).min(log.len())];
    let as_said = part.iter().map(|entry| (entry.id, entry.text.clone()));
    if !as_said.eq(told.iter().cloned()) {
        let texts: Vec<_> = part.iter().map(|entry| &entry.text).collect();
        return Err(format!("was told {told:?} of {texts:?}"));
    }
    Ok(part.to_vec())
}
