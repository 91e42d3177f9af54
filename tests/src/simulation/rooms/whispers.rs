//! Whether what was said to one alone has come there.

use super::guest::{Guest, Kept};
use crate::simulation::at_once;
use crate::simulation::device::Management;
use crate::world::{DOMAIN, World};
use anser_hub::Message;
use anser_jid::BareJid;
use anser_store::Page;
use std::collections::{BTreeMap, BTreeSet};

/// What was said to one alone: in whose log it is as theirs, and who was told.
#[derive(Default)]
struct Whispered {
    logs: Vec<String>,
    told: BTreeSet<String>,
}

/// Counts what was said to one alone.
///
/// # Errors
/// Something that was acknowledged is lost, or is with more than one account; or
/// something that was refused is with anybody.
pub(super) fn check(world: &World, guests: &[Guest]) -> Result<usize, String> {
    let whispers = gather(world, guests);
    for guest in guests {
        if let Some(text) = guest
            .refused
            .iter()
            .find(|text| whispers.contains_key(*text))
        {
            return Err(format!("{text} was refused and somebody has it"));
        }
        for kept in guest.kept() {
            if let Kept::Whispered(text) = kept {
                check_one(guests, text, whispers.get(text))?;
            }
        }
    }
    Ok(whispers.len())
}

fn gather(world: &World, guests: &[Guest]) -> BTreeMap<String, Whispered> {
    let mut whispers: BTreeMap<String, Whispered> = BTreeMap::new();
    let names: BTreeSet<_> = guests.iter().map(|guest| &guest.name).collect();
    for name in names {
        for text in heard(world, name) {
            whispers.entry(text).or_default().logs.push(name.clone());
        }
    }
    for guest in guests {
        for text in &guest.told {
            let told = &mut whispers.entry(text.clone()).or_default().told;
            told.insert(guest.name.clone());
        }
    }
    whispers
}

fn check_one(guests: &[Guest], text: &str, whispered: Option<&Whispered>) -> Result<(), String> {
    let Some(Whispered { logs, told }) = whispered else {
        return Err(format!("{text} was acknowledged and is lost"));
    };
    let [account] = &logs[..] else {
        return Err(format!("{text} is in the logs of {logs:?}"));
    };
    if told.iter().any(|other| other != account) {
        return Err(format!("{text} is for {account}, and {told:?} were told"));
    }
    // Without stream management what was on its way goes with the connection.
    let mut devices = guests.iter().filter(|guest| guest.name == *account);
    let is_safe = devices.all(|guest| guest.device.management() == Management::On);
    if told.is_empty() && is_safe {
        return Err(format!(
            "{text} is in the log of {account}, who was not told"
        ));
    }
    Ok(())
}

/// What occupants of rooms have said to an account alone, as its log has it.
fn heard(world: &World, name: &str) -> Vec<String> {
    let owner = BareJid::new(Some(name), DOMAIN).unwrap();
    let read = world
        .store()
        .read(move |view| view.page(&owner, &Page::oldest(100_000)));
    let entries = at_once(read).unwrap().into_iter();
    let messages = entries.map(|entry| Message::decode(entry.body).unwrap());
    let is_of_occupant = |message: &Message| {
        let from = message.from();
        from.domain() != DOMAIN && from.resource().is_some()
    };
    let heard = messages.filter(is_of_occupant);
    heard
        .map(|message| message.id().unwrap().to_owned())
        .collect()
}
