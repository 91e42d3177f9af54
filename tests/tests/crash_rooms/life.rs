//! A speaker, from coming in to the next crash.

use super::hearing::Visit;
use super::{Name, ROOMS, address, join, room_address, room_of, rooms_of};
use anser_tests::client::{Client, Fault, Way};
use anser_tests::crash::Random;
use anser_xml::Element;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;

/// One speaker's session.
pub(super) struct Life {
    pub(super) speaker: u32,
    /// The number of what it says next.
    pub(super) next: u32,
    /// Stanzas sent, and what of it is to be in a log.
    sent: Vec<Option<Name>>,
    pub(super) acknowledged: Vec<Name>,
    pub(super) members: BTreeSet<String>,
    pub(super) visits: BTreeMap<u32, Visit>,
    random: Random,
}

impl Life {
    pub(super) fn new(speaker: u32, first: u32, random: Random) -> Self {
        let visits = rooms_of(speaker).map(|room| (room, Visit::of(room)));
        Self {
            speaker,
            next: first,
            sent: Vec::new(),
            acknowledged: Vec::new(),
            members: BTreeSet::new(),
            visits: visits.into(),
            random,
        }
    }

    /// Speaks as fast as the server acknowledges, until that is no more.
    pub(super) fn run(&mut self, way: &Way, acknowledged: &Sender<()>) -> Option<Fault> {
        let mut run = || -> Result<(), Fault> {
            let mut client = Client::log_in(way, &address(self.speaker), "secret")?;
            client.enable_management(false)?;
            for room in rooms_of(self.speaker) {
                self.send(&mut client, &join(room, self.speaker), None)?;
            }
            let mut handled = 0;
            loop {
                for _ in 0..=self.random.below(4) {
                    self.say(&mut client)?;
                }
                if self.is_owner() && self.random.below(4) == 0 {
                    self.make_member(&mut client)?;
                }
                client.ask()?;
                while handled < self.sent.len() {
                    let stanza = client.next()?;
                    match stanza.name() {
                        "a" => {
                            let h = stanza.attribute("h").unwrap().parse().unwrap();
                            let names = self.sent[handled..h].iter().flatten();
                            self.acknowledged.extend(names);
                            handled = h;
                            // Nobody listens any more once it is time for the
                            // crash.
                            let _ = acknowledged.send(());
                        }
                        "r" => client.acknowledge()?,
                        _ => self.stanza(&stanza),
                    }
                }
            }
        };
        run().err()
    }

    /// The first speakers own a room each.
    fn is_owner(&self) -> bool {
        self.speaker < ROOMS
    }

    fn send(&mut self, client: &mut Client, text: &str, name: Option<Name>) -> Result<(), Fault> {
        // What is being written when the server dies may have arrived.
        self.sent.push(name);
        client.send(text)
    }

    fn say(&mut self, client: &mut Client) -> Result<(), Fault> {
        let name = (self.speaker, self.next);
        self.next += 1;
        let room = room_of(name);
        let owns = self.is_owner() && room == self.speaker;
        let what = match owns && self.random.below(5) == 0 {
            true => "subject",
            false => "body",
        };
        let text = format!(
            "<message to='{}' type='groupchat'><{what}>{} {}</{what}></message>",
            room_address(room),
            name.0,
            name.1
        );
        self.send(client, &text, Some(name))
    }

    fn make_member(&mut self, client: &mut Client) -> Result<(), Fault> {
        let member = format!("guest{}@localhost", self.random.next());
        let text = format!(
            "<iq type='set' id='{member}' to='{}'>\
             <query xmlns='http://jabber.org/protocol/muc#admin'>\
             <item affiliation='member' jid='{member}'/></query></iq>",
            room_address(self.speaker)
        );
        self.send(client, &text, None)
    }

    fn stanza(&mut self, stanza: &Element) {
        let from = stanza.attribute("from").unwrap_or_default();
        let visit = self
            .visits
            .iter_mut()
            .find(|(room, _)| from.starts_with(&room_address(**room)));
        let Some((_, visit)) = visit else {
            return;
        };
        if stanza.name() == "iq" {
            assert_eq!(
                stanza.attribute("type").as_deref(),
                Some("result"),
                "{stanza:?}"
            );
            let member = stanza.attribute("id").unwrap().into_owned();
            self.members.insert(member);
        } else {
            visit.hear(stanza);
        }
    }
}
