//! Somebody who writes to others, and counts.

use super::device::{Device, Management, News};
use super::scene::Client;
use crate::world::{DOMAIN, Dice};
use anser_xml::Element;
use std::collections::{BTreeMap, BTreeSet};

/// One device of somebody's.
pub(super) struct Person {
    pub(super) account: usize,
    /// What it names is to which account a message is, and its number.
    pub(super) device: Device<(usize, u64)>,
    /// The number of the next message to each account.
    next: Vec<u64>,
    acknowledged: BTreeSet<(usize, u64)>,
    refused: BTreeSet<(usize, u64)>,
    /// What has arrived, by sender and each place once.
    arrived: BTreeMap<String, Vec<Arrival>>,
    places: BTreeSet<String>,
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
            News::Began => {}
            News::Stanza(stanza) => self.stanza(&stanza),
            News::Acknowledged(names) => self.acknowledged.extend(names),
        }
    }
}

impl Person {
    pub(super) fn new(account: usize, name: &str, resource: &str, accounts: usize) -> Self {
        Self {
            account,
            device: Device::new(name, resource, Management::On),
            next: vec![0; accounts],
            acknowledged: BTreeSet::new(),
            refused: BTreeSet::new(),
            arrived: BTreeMap::new(),
            places: BTreeSet::new(),
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

    pub(super) fn arrivals_from(&self, address: &str) -> &[Arrival] {
        self.arrived.get(address).map_or(&[], Vec::as_slice)
    }

    fn stanza(&mut self, element: &Element) {
        if element.name() != "message" {
            return;
        }
        let kind = element.attribute("type");
        if kind.as_deref() == Some("error") {
            self.was_refused(element);
            return;
        }
        let body = element.child("jabber:client", "body");
        let (Some(body), Some(id)) = (body, element.child("urn:xmpp:sid:0", "stanza-id")) else {
            return;
        };
        let place = id.attribute("id").unwrap().into_owned();
        if self.places.insert(place.clone()) {
            let from = element.attribute("from").unwrap().into_owned();
            let arrival = Arrival {
                number: body.text().parse().unwrap(),
                to: element.attribute("to").unwrap().into_owned(),
                place,
            };
            self.arrived.entry(from).or_default().push(arrival);
        }
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
}
