//! Somebody who writes to others, and counts.

use super::device::{Device, Management, News};
use super::log_of;
use super::scene::Client;
use super::seen::{Arriving, Seen};
use crate::world::{DOMAIN, Dice, World};
use anser_xml::{Child, Element};
use std::collections::{BTreeMap, BTreeSet};

/// One device of somebody's.
pub(super) struct Person {
    pub(super) account: usize,
    /// What it names is to which account a message is, and its number.
    pub(super) device: Device<(usize, u64)>,
    name: String,
    /// It asks for copies of what its account's other devices send and get.
    wants_copies: bool,
    /// What has come in the session that it has.
    seen: Seen,
    /// The number of the next message to each account.
    next: Vec<u64>,
    acknowledged: BTreeSet<(usize, u64)>,
    refused: BTreeSet<(usize, u64)>,
    /// What has arrived as itself and not as a copy before, by sender and each
    /// place once.
    arrived: BTreeMap<String, Vec<Arrival>>,
    /// Where all that is that has arrived or been copied to it.
    places: BTreeSet<String>,
    /// Messages to its account of which it has got a copy, by sender: number and
    /// place.
    copied: BTreeMap<String, Vec<(u64, String)>>,
}

/// A message that has arrived.
pub(super) struct Arrival {
    pub(super) number: u64,
    /// The address it was sent to.
    pub(super) to: String,
    /// Where it is in the log.
    pub(super) place: String,
}

impl Client for Person {
    type Name = (usize, u64);

    fn device(&mut self) -> &mut Device<(usize, u64)> {
        &mut self.device
    }

    fn hear(&mut self, news: News<(usize, u64)>, _dice: &mut Dice) {
        match news {
            News::Began => self.begin(),
            News::Stanza(stanza) => self.stanza(&stanza),
            News::Acknowledged(names) => self.acknowledged.extend(names),
        }
    }

    /// From where on it is complete, if it has just been told that it is.
    fn look(&mut self, world: &World) {
        if std::mem::take(&mut self.seen.is_to_be_complete) {
            let newest = log_of(world, &self.name).pop().unwrap_or_default();
            self.seen.complete_after.get_or_insert(newest);
        }
    }
}

impl Person {
    pub(super) fn new(
        account: usize,
        name: &str,
        resource: &str,
        accounts: usize,
        dice: &mut Dice,
    ) -> Self {
        Self {
            account,
            device: Device::new(name, resource, Management::On),
            name: name.to_owned(),
            wants_copies: dice.one_in(2),
            seen: Seen::default(),
            next: vec![0; accounts],
            acknowledged: BTreeSet::new(),
            refused: BTreeSet::new(),
            arrived: BTreeMap::new(),
            places: BTreeSet::new(),
            copied: BTreeMap::new(),
        }
    }

    fn begin(&mut self) {
        self.seen = Seen::default();
        if self.wants_copies {
            let enable = "<iq type='set' id='copies'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
            self.device.send_stanza(enable.to_owned(), None);
        }
    }

    pub(super) fn acknowledged_to(&self, account: usize) -> impl Iterator<Item = u64> {
        let of = move |(to, number): &(usize, u64)| (*to == account).then_some(*number);
        self.acknowledged.difference(&self.refused).filter_map(of)
    }

    pub(super) fn refused_to(&self, account: usize) -> impl Iterator<Item = u64> {
        let of = move |(to, number): &(usize, u64)| (*to == account).then_some(*number);
        self.refused.iter().filter_map(of)
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    /// Messages from an address to its account of which it has got a copy: number
    /// and place.
    pub(super) fn copies_from(&self, address: &str) -> &[(u64, String)] {
        self.copied.get(address).map_or(&[], Vec::as_slice)
    }

    /// What has come in the session that it has, if it has one.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.device.has_session().then_some(&self.seen)
    }

    pub(super) fn arrivals_from(&self, address: &str) -> &[Arrival] {
        self.arrived.get(address).map_or(&[], Vec::as_slice)
    }

    fn stanza(&mut self, element: &Element) {
        if element.attribute("id").as_deref() == Some("copies") {
            assert_eq!(element.attribute("type").as_deref(), Some("result"));
            self.seen.is_to_be_complete = true;
        }
        if element.name() != "message" {
            return;
        }
        let kind = element.attribute("type");
        if kind.as_deref() == Some("error") {
            return self.was_refused(element);
        }
        let copy = ["sent", "received"].map(|way| element.child("urn:xmpp:carbons:2", way));
        match copy.into_iter().flatten().next() {
            Some(copy) => self.copy(copy),
            None => self.message(element),
        }
    }

    fn message(&mut self, message: &Element) {
        let Some((number, place)) = content(message) else {
            return;
        };
        let is_late = message.child("urn:xmpp:delay", "delay").is_some();
        let arriving = if is_late {
            Arriving::Late
        } else {
            Arriving::Live
        };
        self.seen.note(&place, arriving);
        if self.places.insert(place.clone()) {
            let from = message.attribute("from").unwrap().into_owned();
            let to = message.attribute("to").unwrap().into_owned();
            let arrival = Arrival { number, to, place };
            self.arrived.entry(from).or_default().push(arrival);
        }
    }

    fn copy(&mut self, copy: Child<'_>) {
        assert!(self.wants_copies, "{} wants no copies", self.device.address);
        let forwarded = copy.child("urn:xmpp:forward:0", "forwarded").unwrap();
        let message = forwarded.child("jabber:client", "message").unwrap().open();
        let Some((number, place)) = content(&message) else {
            return;
        };
        self.seen.note(&place, Arriving::Live);
        let is_own = |address: &str| address.starts_with(&format!("{}@", self.name));
        if !is_own(&message.attribute("to").unwrap()) {
            return;
        }
        let from = message.attribute("from").unwrap().into_owned();
        // Should it come again in another session, as itself, it is no news.
        self.places.insert(place.clone());
        self.copied.entry(from).or_default().push((number, place));
    }

    /// The id of a message says to whom it was and which.
    fn was_refused(&mut self, error: &Element) {
        let id = error.attribute("id").unwrap();
        let (to, number) = id.split_once('-').unwrap();
        self.refused
            .insert((to.parse().unwrap(), number.parse().unwrap()));
    }

    /// Writes to somebody, mostly to all of their devices.
    pub(super) fn write(&mut self, to: usize, name: &str, dice: &mut Dice) {
        if !self.device.is_online() {
            return;
        }
        let resource = match dice.below(8) {
            0 => "/phone",
            1 => "/laptop",
            _ => "",
        };
        if dice.one_in(6) {
            let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
            let text = format!(
                "<message to='{name}@{DOMAIN}{resource}' type='chat' id='{to}-typing'>{typing}</message>"
            );
            return self.device.send_stanza(text, None);
        }
        let number = self.next[to];
        self.next[to] += 1;
        let text = format!(
            "<message to='{name}@{DOMAIN}{resource}' type='chat' id='{to}-{number}'>\
             <body>{number}</body></message>"
        );
        self.device.send_stanza(text, Some((to, number)));
    }

    pub(super) fn change_presence(&mut self, dice: &mut Dice) {
        if !self.device.is_online() {
            return;
        }
        let text = match dice.below(4) {
            0 => "<presence type='unavailable'/>",
            1 => "<presence><priority>-1</priority></presence>",
            _ => "<presence/>",
        };
        self.device.send_stanza(text.to_owned(), None);
    }

    /// Somebody looks at it, or nobody does (XEP-0352).
    pub(super) fn change_state(&mut self, dice: &mut Dice) {
        if self.device.is_online() {
            let state = if dice.one_in(2) { "active" } else { "inactive" };
            self.device
                .send(&format!("<{state} xmlns='urn:xmpp:csi:0'/>"));
        }
    }
}

/// The number of a message that counts, and its place in the log.
fn content(message: &Element) -> Option<(u64, String)> {
    let body = message.child("jabber:client", "body")?;
    let id = message.child("urn:xmpp:sid:0", "stanza-id")?;
    let place = id.attribute("id").unwrap().into_owned();
    Some((body.text().parse().unwrap(), place))
}
