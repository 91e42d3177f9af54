//! A room as one device sees it: from the stanzas that it received, and from
//! nothing else.

use super::plan::rank;
use crate::simulation::device::text;
use anser_store::MessageId;
use anser_xml::Element;
use std::borrow::Cow;
use std::collections::BTreeMap;

const MUC_USER: &str = "http://jabber.org/protocol/muc#user";

/// A room as one device sees it.
pub(super) struct View {
    room: String,
    /// The lowest role whose presence it may be told, where that never changes.
    shown_from: Option<&'static str>,
    pub(super) stage: Stage,
    /// The own nickname.
    pub(super) nick: String,
    pub(super) occupants: BTreeMap<String, Seen>,
    /// Everybody sees real addresses.
    is_open: bool,
    /// It has not always been looked at, and of somebody who came and went is
    /// told the latest (XEP-0352).
    pub(super) is_told_the_latest: bool,
    pub(super) visit: Visit,
    /// Those that are over.
    pub(super) visits: Vec<Visit>,
    /// What happened, and the last of what was said before, if that is known.
    pub(super) marks: Vec<(String, Option<MessageId>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not in the room.
    Outside,
    /// It is being told who is there.
    Looking,
    /// It has come in, and is being told what was said before.
    Catching,
    Inside,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) affiliation: String,
    pub(super) role: String,
    /// Their name under all nicknames.
    pub(super) id: String,
    /// The real address, where it was shown.
    pub(super) address: Option<String>,
    /// What they say of themselves.
    pub(super) status: Option<String>,
}

/// From entering a room to leaving it.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// It may have begun before the room was open.
    began_as_owner: bool,
    /// All that the room tells of the past was wanted.
    pub(super) wants_all: bool,
    /// All of that has been told: the connection did not break before.
    pub(super) has_all: bool,
    /// What was said before.
    pub(super) past: Vec<(MessageId, String)>,
    /// Who has set the subject that there was.
    pub(super) subject: Option<MessageId>,
    /// What was said meanwhile.
    pub(super) heard: Vec<(MessageId, String)>,
}

impl Visit {
    /// The last of what was said up to now, if that is known.
    fn last(&self) -> Option<MessageId> {
        let before = self.past.last().map(|(id, _)| *id).max(self.subject);
        let now = self.heard.last().map(|(id, _)| *id);
        now.or(before.filter(|_| self.wants_all))
    }
}

/// What a presence in a room says.
struct Sight {
    nick: String,
    is_gone: bool,
    id: Option<String>,
    seen: Seen,
    reason: Option<String>,
    new_nick: Option<String>,
    statuses: Vec<u16>,
}

type Fault = Result<(), String>;

impl View {
    pub(super) fn new(room: &str, shown_from: Option<&'static str>) -> Self {
        Self {
            room: room.to_owned(),
            shown_from,
            stage: Stage::Outside,
            nick: String::new(),
            occupants: BTreeMap::new(),
            is_open: false,
            is_told_the_latest: false,
            visit: Visit::default(),
            visits: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// What the device may do here, as far as it knows.
    pub(super) fn own(&self) -> Option<&Seen> {
        let is_inside = matches!(self.stage, Stage::Catching | Stage::Inside);
        self.occupants.get(&self.nick).filter(|_| is_inside)
    }

    /// It is no longer in the room.
    pub(super) fn end(&mut self) {
        if matches!(self.stage, Stage::Catching | Stage::Inside) {
            self.visits.push(std::mem::take(&mut self.visit));
        }
        self.stage = Stage::Outside;
        self.occupants.clear();
        self.is_open = false;
    }

    /// A stanza from the room or from somebody in it.
    pub(super) fn receive(&mut self, stanza: &Element) -> Fault {
        let kind = stanza.attribute("type");
        let received = match (stanza.name(), kind.as_deref()) {
            (_, Some("error")) | ("iq", _) => Ok(()),
            ("presence", _) => self.presence(&read(stanza)),
            (_, Some("groupchat")) => self.message(stanza),
            _ => self.private(stanza),
        };
        received.map_err(|fault| format!("{fault} in {}: {}", self.room, text(stanza)))
    }

    fn presence(&mut self, sight: &Sight) -> Fault {
        let is_own = sight.statuses.contains(&110);
        match (is_own, sight.is_gone) {
            (true, true) => self.own_departure(sight),
            (true, false) => self.own_presence(sight),
            (false, true) => self.departure(sight),
            (false, false) => self.others_presence(sight),
        }
    }

    fn own_departure(&mut self, sight: &Sight) -> Fault {
        // Said to whoever believed to be in the room and is not.
        if self.stage == Stage::Outside && sight.statuses.contains(&333) {
            return Ok(());
        }
        check(self.stage == Stage::Inside, "leaves without being there")?;
        check(sight.nick == self.nick, "leaves as somebody else")?;
        self.mark(sight);
        match &sight.new_nick {
            Some(nick) => {
                self.occupants.remove(&self.nick);
                self.nick.clone_from(nick);
            }
            None => self.end(),
        }
        Ok(())
    }

    fn own_presence(&mut self, sight: &Sight) -> Fault {
        check(self.stage != Stage::Catching, "hears of itself too early")?;
        if self.stage == Stage::Inside {
            check(sight.nick == self.nick, "is somebody else")?;
            self.mark(sight);
        } else {
            let id = sight.id.as_deref().unwrap_or_default();
            self.visit = Visit {
                wants_all: id.ends_with("all"),
                began_as_owner: sight.seen.affiliation == "owner",
                ..Visit::default()
            };
            self.stage = Stage::Catching;
            self.nick.clone_from(&sight.nick);
            self.is_open = sight.statuses.contains(&100);
            let sees_somebody = self.occupants.values().any(|seen| seen.address.is_some());
            let may_see = self.is_open || sight.seen.role == "moderator";
            check(may_see || !sees_somebody, "sees real addresses on entering")?;
            for seen in self.occupants.values() {
                self.check_shown(seen)?;
            }
        }
        self.occupants
            .insert(sight.nick.clone(), sight.seen.clone());
        Ok(())
    }

    fn departure(&mut self, sight: &Sight) -> Fault {
        check(
            self.stage == Stage::Inside,
            "sees somebody leave from outside",
        )?;
        self.check_address(sight)?;
        let left = self.occupants.remove(&sight.nick);
        let was_there = left.is_some() || self.is_told_the_latest;
        check(was_there, "sees somebody leave who was not there")?;
        self.mark(sight);
        Ok(())
    }

    fn others_presence(&mut self, sight: &Sight) -> Fault {
        match self.stage {
            Stage::Outside => {
                self.stage = Stage::Looking;
                self.occupants.clear();
            }
            Stage::Looking => {}
            Stage::Catching => return Err("sees others while it is told of the past".into()),
            Stage::Inside => {
                self.check_address(sight)?;
                self.check_shown(&sight.seen)?;
                self.mark(sight);
            }
        }
        check(
            sight.nick != self.nick || self.stage == Stage::Looking,
            "is not told it is itself",
        )?;
        // What was known of a real address is not forgotten.
        let mut seen = sight.seen.clone();
        let before = self.occupants.remove(&sight.nick);
        let before = before.filter(|before| before.id == seen.id);
        seen.address = seen.address.or(before.and_then(|before| before.address));
        self.occupants.insert(sight.nick.clone(), seen);
        Ok(())
    }

    /// What the plan says holds once the room is open, and only its owners are
    /// there before.
    fn check_shown(&self, seen: &Seen) -> Fault {
        let is_shown = |from| rank(&seen.role) >= rank(from);
        let holds = self.visit.began_as_owner || self.shown_from.is_none_or(is_shown);
        check(holds, "sees whom nobody may see")
    }

    fn check_address(&self, sight: &Sight) -> Fault {
        let is_moderator = self.own().is_some_and(|own| own.role == "moderator");
        let may_see = self.is_open || is_moderator;
        check(
            may_see || sight.seen.address.is_none(),
            "sees a real address",
        )
    }

    /// Whatever has a name of its own happens to all at the same time.
    fn mark(&mut self, sight: &Sight) {
        let own = sight.id.clone().filter(|_| sight.is_gone);
        for name in own.into_iter().chain(sight.reason.clone()) {
            let name = format!("{name} in {}", self.room);
            self.marks.push((name, self.visit.last()));
        }
    }

    fn message(&mut self, stanza: &Element) -> Fault {
        check(self.own().is_some(), "hears something from outside")?;
        let content = |name| {
            let child = stanza.child("jabber:client", name)?;
            Some(child.text().into_owned())
        };
        let subject = content("subject");
        let place = stanza.child("urn:xmpp:sid:0", "stanza-id");
        let place = place.and_then(|id| Some(id.attribute("id")?.parse().unwrap()));
        // What was said while the connection was broken is late by the server.
        let late = stanza.child("urn:xmpp:delay", "delay");
        let is_past =
            late.is_some_and(|late| late.attribute("from").as_deref() == Some(&self.room));
        match (place, content("body"), is_past) {
            (None, _, _) => {
                if subject.is_some() {
                    self.come_in();
                }
                self.news(stanza);
                Ok(())
            }
            (Some(id), Some(body), true) => self.past(id, body),
            (Some(id), None, true) => {
                if self.stage == Stage::Catching {
                    self.visit.subject = Some(id);
                }
                self.come_in();
                Ok(())
            }
            (Some(id), body, false) => {
                check(
                    self.stage == Stage::Inside,
                    "hears somebody before the past",
                )?;
                let last = self.visit.last();
                check(last.is_none_or(|last| last < id), "hears what is not new")?;
                let said = body.or(subject).unwrap_or_default();
                self.visit.heard.push((id, said));
                Ok(())
            }
        }
    }

    /// It knows all that there was.
    fn come_in(&mut self) {
        self.stage = Stage::Inside;
        self.visit.has_all = true;
    }

    /// What is told of the past; to those who are in already and ask once more,
    /// it is nothing new.
    fn past(&mut self, id: MessageId, body: String) -> Fault {
        if self.stage == Stage::Catching {
            self.visit.past.push((id, body));
            return Ok(());
        }
        let last = self.visit.last();
        check(
            last.is_none_or(|last| id <= last),
            "is told as past what it never heard",
        )
    }

    /// XEP-0045 §10.2.1
    fn news(&mut self, stanza: &Element) {
        let x = stanza.child(MUC_USER, "x");
        for status in x.iter().flat_map(|x| statuses(&x.open())) {
            match status {
                172 => self.is_open = true,
                173 => self.is_open = false,
                _ => {}
            }
        }
    }

    /// From the room itself.
    fn private(&mut self, stanza: &Element) -> Fault {
        let is_request = stanza.child("jabber:x:data", "x").is_some();
        let is_moderator = self.own().is_some_and(|own| own.role == "moderator");
        check(is_moderator || !is_request, "is asked for a voice")
    }
}

fn check(holds: bool, fault: &str) -> Fault {
    if holds { Ok(()) } else { Err(fault.to_owned()) }
}

fn statuses(x: &Element) -> Vec<u16> {
    let statuses = x.children().filter(|child| child.name() == "status");
    let codes = statuses.filter_map(|status| status.attribute("code")?.parse().ok());
    codes.collect()
}

fn read(stanza: &Element) -> Sight {
    let from = stanza.attribute("from").unwrap();
    let (_, nick) = from.split_once('/').unwrap();
    let x = stanza.child(MUC_USER, "x").unwrap().open();
    let item = x.children().find(|child| child.name() == "item").unwrap();
    let of_item = |name| item.attribute(name).map(Cow::into_owned);
    let content = item.open();
    let reason = content.children().find(|child| child.name() == "reason");
    let status = stanza.child("jabber:client", "status");
    let id = stanza.child("urn:xmpp:occupant-id:0", "occupant-id");
    let id = id.map(|id| id.attribute("id").unwrap().into_owned());
    Sight {
        nick: nick.to_owned(),
        is_gone: stanza.attribute("type").as_deref() == Some("unavailable"),
        id: stanza.attribute("id").map(Cow::into_owned),
        seen: Seen {
            affiliation: of_item("affiliation").unwrap(),
            role: of_item("role").unwrap(),
            id: id.unwrap_or_default(),
            address: of_item("jid"),
            status: status.map(|status| status.text().into_owned()),
        },
        reason: reason.map(|reason| reason.text().into_owned()),
        new_nick: of_item("nick"),
        statuses: statuses(&x),
    }
}
