//! The rooms of the server for tests: whoever enters is told to all, and all are told to them.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::mpsc::UnboundedSender;

use super::Fault;
use crate::xmpp::Element;

/// All rooms, by their addresses.
#[derive(Default)]
pub(super) struct Rooms(Mutex<HashMap<String, Room>>);

#[derive(Default)]
struct Room {
    occupants: Vec<Occupant>,
    messages: u32,
    /// What the last occupant gets after the next message.
    delayed: Option<String>,
}

struct Occupant {
    nickname: String,
    client: usize,
    outbox: UnboundedSender<String>,
}

impl Rooms {
    /// XEP-0045 §7.2.2
    pub(super) fn enter(&self, to: &str, client: usize, outbox: &UnboundedSender<String>) {
        let (address, nickname) = to.split_once('/').unwrap();
        let mut rooms = self.0.lock().unwrap();
        let is_new = !rooms.contains_key(address);
        let room = rooms.entry(address.to_owned()).or_default();
        let presence = |nickname: &str, status: &str| {
            format!(
                "<presence from='{address}/{nickname}'><x \
                 xmlns='http://jabber.org/protocol/muc#user'>{status}</x></presence>"
            )
        };
        for other in &room.occupants {
            outbox.send(presence(&other.nickname, "")).unwrap();
            // Whoever has hung up misses nothing.
            drop(other.outbox.send(presence(nickname, "")));
        }
        let created = if is_new { "<status code='201'/>" } else { "" };
        let own = presence(nickname, &format!("<status code='110'/>{created}"));
        outbox.send(own).unwrap();
        room.occupants.push(Occupant {
            nickname: nickname.to_owned(),
            client,
            outbox: outbox.clone(),
        });
    }

    /// XEP-0045 §7.14; the others are not told, and the room stays.
    pub(super) fn leave(&self, to: &str, client: usize, outbox: &UnboundedSender<String>) {
        let (address, _) = to.split_once('/').unwrap();
        let mut rooms = self.0.lock().unwrap();
        let room = rooms.get_mut(address).unwrap();
        room.occupants.retain(|one| one.client != client);
        let own = format!(
            "<presence type='unavailable' from='{to}'><x><status code='110'/></x></presence>"
        );
        outbox.send(own).unwrap();
    }

    /// XEP-0045 §7.4; what goes wrong does so for the last who entered.
    pub(super) fn say(&self, message: &Element, client: usize, fault: Fault) {
        let address = message.attribute("to").unwrap();
        let mut rooms = self.0.lock().unwrap();
        let room = rooms.get_mut(address).unwrap();
        room.messages += 1;
        let is_faulty = room.messages.is_multiple_of(10);
        let (last, others) = room.occupants.split_last().unwrap();
        let mut all = others.iter().chain([last]);
        let sender = &all.find(|one| one.client == client).unwrap().nickname;
        let (to, from) = (
            format!("to='{address}'"),
            format!("from='{address}/{sender}'"),
        );
        let text = message.to_string().replace(&to, &from);
        let tell = |one: &Occupant, text: String| drop(one.outbox.send(text));
        others.iter().for_each(|one| tell(one, text.clone()));
        match fault {
            Fault::Loses if is_faulty => {}
            Fault::Doubles if is_faulty => tell(last, text.repeat(2)),
            Fault::Delays if is_faulty => room.delayed = Some(text),
            _ => {
                tell(last, text);
                if let Some(delayed) = room.delayed.take() {
                    tell(last, delayed);
                }
            }
        }
    }
}
