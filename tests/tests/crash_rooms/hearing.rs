//! What was heard in a room, and what its log has of it.

use super::{Name, address, name, room_address};
use anser_hub::Message;
use anser_jid::BareJid;
use anser_store::{MessageId, Page};
use anser_tests::crash::Remains;
use anser_xml::Element;
use std::collections::BTreeSet;

/// A room's log.
#[derive(Default)]
pub(super) struct Log {
    /// Searched up to here.
    through: MessageId,
    pub(super) entries: Vec<Entry>,
}

/// Something said in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: MessageId,
    pub(super) name: Name,
    pub(super) is_subject: bool,
}

/// What one client heard in a room from entering it to a crash.
#[derive(Default)]
pub(super) struct Visit {
    pub(super) room: u32,
    pub(super) past: Vec<Entry>,
    /// Who set the subject that there was.
    pub(super) subject: Option<MessageId>,
    /// It was told all of the past.
    pub(super) has_all: bool,
    pub(super) heard: Vec<Entry>,
}

impl Log {
    /// Reads on.
    pub(super) fn search(&mut self, remains: &Remains, room: u32) {
        let owner: BareJid = room_address(room).parse().unwrap();
        let page = Page {
            after: self.through,
            ..Page::oldest(usize::MAX >> 1)
        };
        for entry in remains.read(move |view| view.page(&owner, &page)) {
            self.through = entry.id;
            let message = Message::decode(entry.body).unwrap();
            let payload = String::from_utf8(message.payload().to_vec()).unwrap();
            let mut parts = payload.split(['<', '>']).skip(1);
            let is_subject = parts.next() == Some("subject");
            self.entries.push(Entry {
                id: entry.id,
                name: name(parts.next().unwrap()),
                is_subject,
            });
        }
    }

    /// The room is there, with all members and the last subject.
    pub(super) fn check_records(&self, remains: &Remains, room: u32, members: &BTreeSet<String>) {
        let owner: BareJid = room_address(room).parse().unwrap();
        let (is_there, kept, subject) = remains.read(move |view| {
            let is_there = view.record(&owner, "room", "")?.is_some();
            let kept = view.records(&owner, "room-affiliation")?;
            Ok((is_there, kept, view.record(&owner, "room-subject", "")?))
        });
        assert!(is_there, "room {room} is lost");
        let kept: BTreeSet<_> = kept.into_iter().map(|(account, _)| account).collect();
        assert!(kept.contains(&address(room)), "the owner of room {room}");
        let lost: Vec<_> = members.difference(&kept).collect();
        assert!(lost.is_empty(), "members of room {room} are lost: {lost:?}");
        let subject = subject.map(|record| {
            let place = record.value.split(|byte| *byte == b'\n').next().unwrap();
            str::from_utf8(place).unwrap().parse().unwrap()
        });
        let mut subjects = self.entries.iter().filter(|entry| entry.is_subject);
        let newest = subjects.next_back().map(|entry| entry.id);
        assert_eq!(subject, newest, "the subject of room {room}");
    }

    pub(super) fn subjects(&self) -> usize {
        let entries = self.entries.iter();
        entries.filter(|entry| entry.is_subject).count()
    }
}

impl Visit {
    pub(super) fn of(room: u32) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    pub(super) fn hear(&mut self, stanza: &Element) {
        let child = |name| stanza.child("jabber:client", name);
        assert_ne!(
            stanza.attribute("type").as_deref(),
            Some("error"),
            "{stanza:?}"
        );
        let subject = child("subject");
        let said = child("body").or(child("subject"));
        let place = stanza.child("urn:xmpp:sid:0", "stanza-id");
        let Some(place) = place else {
            self.has_all |= subject.is_some();
            return;
        };
        let entry = Entry {
            id: place.attribute("id").unwrap().parse().unwrap(),
            name: name(&said.unwrap().text()),
            is_subject: subject.is_some(),
        };
        let is_past = stanza.child("urn:xmpp:delay", "delay").is_some();
        match (is_past, entry.is_subject) {
            (true, true) => {
                self.subject = Some(entry.id);
                self.has_all = true;
            }
            (true, false) => self.past.push(entry),
            (false, _) => self.heard.push(entry),
        }
    }

    /// What was heard is what the log has, without a gap.
    pub(super) fn check(&self, log: &Log) {
        let all: Vec<_> = log.entries.iter().collect();
        let said: Vec<_> = all
            .iter()
            .copied()
            .filter(|entry| !entry.is_subject)
            .collect();
        let stretch = |told: &[Entry], log: &[&Entry]| {
            let Some(first) = told.first() else {
                return;
            };
            let from = log.iter().position(|entry| entry.id == first.id);
            let from = from.unwrap_or_else(|| panic!("{first:?} was heard and is in no log"));
            let told: Vec<_> = told.iter().collect();
            assert_eq!(log[from..][..told.len()], told, "room {}", self.room);
        };
        stretch(&self.past, &said);
        stretch(&self.heard, &all);
        if let (Some(last), Some(first)) = (self.past.last(), self.heard.first()) {
            let is_between = |entry: &&&Entry| entry.id > last.id && entry.id < first.id;
            assert_eq!(said.iter().find(is_between), None, "missed on entering");
        }
        if let Some(subject) = self.subject {
            let is_it = |entry: &&Entry| entry.id == subject && entry.is_subject;
            assert!(
                all.into_iter().any(|entry| is_it(&entry)),
                "{subject} is no subject"
            );
        }
    }
}
