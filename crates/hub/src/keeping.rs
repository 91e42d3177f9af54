//! Into which logs a message goes, and who can read it there again.

use crate::account::{Account, FOR_DEVICES, FOR_HISTORY, FOR_SESSION};
use crate::directory::Resident;
use crate::{Message, Traits};
use anser_jid::{BareJid, Jid};
use anser_store::{EntryFlags, NewEntry};

/// Whether an account wants to be able to read a message again that is with
/// `other` (XEP-0334 §4.1, XEP-0441 §2.1). Takes the account's state.
pub(crate) fn in_history(account: &Account, message: &Message, other: &Jid) -> EntryFlags {
    let is_passing = message.traits().contains(Traits::NO_PERMANENT_STORE);
    let state = account.state();
    let preferences = state.preferences.as_deref();
    let is_wanted = preferences.is_none_or(|wanted| wanted.keeps(&state.roster, other));
    match !is_passing && is_wanted {
        true => FOR_HISTORY,
        false => EntryFlags::NONE,
    }
}

/// The entry of a message in the log of the account that it is for, where it
/// waits for the account's devices.
pub(crate) fn received(
    recipient: &Account,
    counterpart: &BareJid,
    message: &Message,
    history: EntryFlags,
) -> NewEntry {
    let addressed = match message.to().is_bare() {
        true => EntryFlags::NONE,
        false => FOR_SESSION,
    };
    NewEntry {
        owner: recipient.address().clone(),
        counterpart: counterpart.clone(),
        flags: history.with(FOR_DEVICES).with(addressed),
    }
}

/// The entry in the log of the account that has sent it; `None` if it would never
/// be read there.
pub(crate) fn sent(
    sender: &Account,
    counterpart: &BareJid,
    history: EntryFlags,
) -> Option<NewEntry> {
    let is_read = history != EntryFlags::NONE;
    (is_read && !sender.is_gone()).then(|| NewEntry {
        owner: sender.address().clone(),
        counterpart: counterpart.clone(),
        flags: history,
    })
}
