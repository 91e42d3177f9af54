//! Titles of occupants (XEP-0317): a room has a list of them, and those who
//! decide give them to accounts, beside their affiliations.

use super::budget::Cost;
use super::record::{save_room, save_standing};
use super::state::{RoomState, Standing};
use super::{Actor, Affiliation, Role, Room, RoomError, RoomsConfig};
use crate::mailbox::Wakes;
use crate::{Hub, NotKept};
use anser_jid::BareJid;
use anser_store::{Change, Expect, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// So many hats a room may have.
pub const MOST_HATS: usize = 100;
/// So many hats one account may wear.
pub const MOST_WORN: usize = 10;
/// How long the name of a hat may be, in bytes, and how long its address.
const MOST_TEXT_BYTES: usize = 256;

/// A hat of a room (XEP-0317 §3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hat {
    uri: String,
    title: String,
    hue: Option<String>,
}

impl Hat {
    /// A hat.
    ///
    /// # Errors
    /// [`RoomError::UnfitHat`]
    pub fn new(uri: &str, title: &str, hue: Option<&str>) -> Result<Self, RoomError> {
        let (uri, title) = (uri.trim(), title.trim());
        let is_uri = uri.split_once(':').is_some_and(|(scheme, rest)| {
            let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
            let begins = scheme
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_alphabetic());
            begins && scheme.bytes().all(is_scheme) && !rest.is_empty()
        });
        let is_printed = |text: &str| !text.chars().any(char::is_control);
        if !is_uri || !is_printed(uri) || uri.contains(char::is_whitespace) {
            return Err(RoomError::UnfitHat("its address is not a URI"));
        }
        if title.is_empty() || !is_printed(title) {
            return Err(RoomError::UnfitHat("its title is empty, or no text"));
        }
        if uri.len().max(title.len()) > MOST_TEXT_BYTES {
            return Err(RoomError::UnfitHat(
                "its address or its title has more than 256 bytes",
            ));
        }
        let hue = hue.map(str::trim).filter(|hue| !hue.is_empty());
        let is_angle = |hue: &str| {
            let is_short = hue.len() <= 16;
            let angle = hue.parse::<f64>();
            is_short && angle.is_ok_and(|angle| (0.0..=360.0).contains(&angle))
        };
        if hue.is_some_and(|hue| !is_angle(hue)) {
            return Err(RoomError::UnfitHat("its hue is not an angle from 0 to 360"));
        }
        Ok(Self {
            uri: uri.to_owned(),
            title: title.to_owned(),
            hue: hue.map(str::to_owned),
        })
    }

    /// What it is known by.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its colour, as an angle in degrees.
    #[must_use]
    pub fn hue(&self) -> Option<&str> {
        self.hue.as_deref()
    }
}

/// What is to be done with hats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HatChange {
    /// There is one more, or one is otherwise (XEP-0317 §3.2).
    Define(Hat),
    /// There is one less, and nobody wears it any more (XEP-0317 §3.3).
    Destroy {
        /// Which.
        uri: String,
    },
    /// Somebody wears one more (XEP-0317 §3.5).
    Assign {
        /// Who.
        account: BareJid,
        /// Which.
        uri: String,
    },
    /// Somebody wears one less (XEP-0317 §3.6).
    Unassign {
        /// Who.
        account: BareJid,
        /// Which.
        uri: String,
    },
}

/// What a change leaves: nothing of it is done yet.
#[derive(Debug, Default)]
struct Outcome {
    hats: Option<Vec<Hat>>,
    standings: Vec<(BareJid, Standing)>,
}

impl RoomState {
    fn hat(&self, uri: &str) -> Option<&Hat> {
        self.hats.iter().find(|hat| hat.uri == uri)
    }

    /// What an account wears here.
    pub(crate) fn hats_of(&self, account: &BareJid) -> Arc<[Hat]> {
        let worn = match self.affiliations.get(account) {
            Some(standing) if !standing.hats.is_empty() => &standing.hats,
            Some(_) | None => return Arc::default(),
        };
        worn.iter()
            .filter_map(|uri| self.hat(uri))
            .cloned()
            .collect()
    }

    /// What tells one list of hats from another (XEP-0317 §2); `None` without
    /// hats.
    pub(crate) fn hats_hash(&self) -> Option<String> {
        if self.hats.is_empty() {
            return None;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for hat in &self.hats {
            for text in [&hat.uri, &hat.title, hat.hue.as_deref().unwrap_or_default()] {
                context.update(text.as_bytes());
                context.update(b"\n");
            }
        }
        let hash = context.finish();
        // As many digits as in the specification's example are plenty.
        let digits = hash.as_ref().iter().take(20);
        Some(digits.map(|byte| format!("{byte:02x}")).collect())
    }

    /// Those who decide over affiliations decide over hats.
    fn check_admin(&self, actor: Actor<'_>) -> Result<(), RoomError> {
        match self.standing(actor).0 {
            Affiliation::Owner | Affiliation::Admin => Ok(()),
            Affiliation::Member | Affiliation::None | Affiliation::Outcast => {
                Err(RoomError::Forbidden)
            }
        }
    }

    fn outcome(&self, change: &HatChange, server: &RoomsConfig) -> Result<Outcome, RoomError> {
        match change {
            HatChange::Define(hat) => self.define(hat),
            HatChange::Destroy { uri } => self.destroy_hat(uri),
            HatChange::Assign { account, uri } => self.assign(account, uri, server),
            HatChange::Unassign { account, uri } => {
                self.hat(uri).ok_or(RoomError::NoHat)?;
                Ok(self.unassign(account, uri).into_iter().collect())
            }
        }
    }

    fn define(&self, hat: &Hat) -> Result<Outcome, RoomError> {
        let mut hats = self.hats.clone();
        match hats.iter().position(|other| other.uri == hat.uri) {
            Some(at) => hats[at] = hat.clone(),
            None if hats.len() >= MOST_HATS => {
                return Err(RoomError::TooManyHats { limit: MOST_HATS });
            }
            None => hats.push(hat.clone()),
        }
        Ok(Outcome {
            hats: Some(hats),
            standings: Vec::new(),
        })
    }

    fn destroy_hat(&self, uri: &str) -> Result<Outcome, RoomError> {
        self.hat(uri).ok_or(RoomError::NoHat)?;
        let accounts = self.affiliations.keys();
        let bare = accounts.filter_map(|account| self.unassign(account, uri));
        let others = self.hats.iter().filter(|hat| hat.uri != uri);
        Ok(Outcome {
            hats: Some(others.cloned().collect()),
            ..bare.collect()
        })
    }

    fn assign(
        &self,
        account: &BareJid,
        uri: &str,
        server: &RoomsConfig,
    ) -> Result<Outcome, RoomError> {
        self.hat(uri).ok_or(RoomError::NoHat)?;
        // Unlike an affiliation, a hat needs a head: that of an account
        // (XEP-0317 §3.5), not of a server, a room, or an occupant of one.
        if account.local().is_none() || account.domain() == self.address.domain() {
            return Err(RoomError::UnfitHat("whoever shall wear it is no account"));
        }
        if self.affiliation(account) == Affiliation::Outcast {
            return Err(RoomError::UnfitHat("whoever shall wear it is banned"));
        }
        let limit = server.affiliations;
        let known = self.affiliations.get(account);
        if known.is_none() && self.affiliations.len() >= limit {
            return Err(RoomError::TooManyAffiliations { limit });
        }
        let mut standing = known.cloned().unwrap_or_default();
        if standing.hats.iter().any(|worn| worn == uri) {
            return Ok(Outcome::default());
        }
        if standing.hats.len() >= MOST_WORN {
            return Err(RoomError::TooManyHats { limit: MOST_WORN });
        }
        standing.hats.push(uri.to_owned());
        Ok(Some((account.clone(), standing)).into_iter().collect())
    }

    fn unassign(&self, account: &BareJid, uri: &str) -> Option<(BareJid, Standing)> {
        let mut standing = self.affiliations.get(account)?.clone();
        let worn = standing.hats.len();
        standing.hats.retain(|hat| hat != uri);
        (standing.hats.len() < worn).then(|| (account.clone(), standing))
    }

    /// What writes it down.
    fn save_hats(&self, outcome: &Outcome) -> Vec<Change> {
        let mut writes = Vec::new();
        if let Some(hats) = &outcome.hats {
            let mut record = self.record(&self.config);
            record.hats.clone_from(hats);
            writes.extend(save_room(&self.address, &record, Expect::Anything));
        }
        let standings = outcome.standings.iter();
        writes.extend(standings.map(|(of, is)| save_standing(&self.address, of, is)));
        writes
    }

    /// Does what is written down, and tells everybody: of those who wear
    /// something else now, and that the list is another (XEP-0317 §3.2, §3.3).
    fn apply_hats(&mut self, outcome: Outcome, wakes: &mut Wakes) {
        let is_list_new = outcome.hats.is_some();
        if let Some(hats) = outcome.hats {
            self.hats = hats;
        }
        for (account, standing) in outcome.standings {
            self.set_standing(&account, standing);
        }
        let nicks: Vec<_> = self.occupants.keys().cloned().collect();
        for nick in nicks {
            let worn = self.hats_of(&self.occupants[&nick].account);
            let Some(occupant) = self.occupants.get_mut(&nick) else {
                continue;
            };
            if occupant.hats != worn {
                occupant.hats = worn;
                let presence = occupant.shown_anew(None);
                self.tell_all(&self.occupants[&nick], &presence, wakes);
            }
        }
        if is_list_new {
            self.tell_of_change(wakes);
        }
    }
}

impl FromIterator<(BareJid, Standing)> for Outcome {
    fn from_iter<I: IntoIterator<Item = (BareJid, Standing)>>(standings: I) -> Self {
        Self {
            hats: None,
            standings: standings.into_iter().collect(),
        }
    }
}

impl Hub {
    /// Changes the hats of a room, or who wears them: for owners and admins.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub async fn change_hats(
        &self,
        room: &Arc<Room>,
        actor: Actor<'_>,
        change: &HatChange,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        self.charge_actor(actor, Cost::ONE, now)?;
        let server = self.config();
        let alone = room.changes.lock().await;
        if room.is_gone() {
            return Err(RoomError::NoRoom);
        }
        let (outcome, writes) = {
            let state = room.state();
            state.check_admin(actor)?;
            state.check_open()?;
            let outcome = state.outcome(change, &server.rooms)?;
            let writes = state.save_hats(&outcome);
            (outcome, writes)
        };
        if writes.is_empty() {
            return Ok(());
        }
        self.commit(writes, now).await.map_err(NotKept::from)?;
        let mut wakes = Wakes::default();
        room.state().apply_hats(outcome, &mut wakes);
        drop(alone);
        Ok(())
    }

    /// What somebody is in a room: for good, and in this visit.
    #[must_use]
    pub fn standing_in_room(&self, room: &Room, actor: Actor<'_>) -> (Affiliation, Role) {
        room.state().standing(actor)
    }

    /// The hats that there are in a room.
    #[must_use]
    pub fn hats(&self, room: &Room) -> Vec<Hat> {
        room.state().hats.clone()
    }

    /// Who wears which hats, for owners and admins: it tells who is who.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub fn worn_hats(
        &self,
        room: &Room,
        actor: Actor<'_>,
    ) -> Result<Vec<(BareJid, Hat)>, RoomError> {
        let state = room.state();
        state.check_admin(actor)?;
        let worn = state.affiliations.iter().flat_map(|(account, standing)| {
            let hats = standing.hats.iter().filter_map(|uri| state.hat(uri));
            hats.map(move |hat| (account.clone(), hat.clone()))
        });
        Ok(worn.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoomConfig;

    fn room() -> RoomState {
        let address = BareJid::parse("coven@rooms.example.org").unwrap();
        RoomState::new(address, &[0; 32], RoomConfig::default())
    }

    fn hat(number: usize) -> Hat {
        Hat::new(&format!("urn:hat:{number}"), "Host", None).unwrap()
    }

    fn account() -> BareJid {
        BareJid::parse("a@example.org").unwrap()
    }

    /// Decides and does it, without a disk.
    fn change(state: &mut RoomState, change: &HatChange) -> Result<(), RoomError> {
        let outcome = state.outcome(change, &RoomsConfig::default())?;
        state.apply_hats(outcome, &mut Wakes::default());
        Ok(())
    }

    fn assign(number: usize) -> HatChange {
        HatChange::Assign {
            account: account(),
            uri: hat(number).uri,
        }
    }

    /// XEP-0317 §3.1
    #[test]
    fn a_hat_has_an_address_a_title_and_perhaps_a_colour() {
        let hat = Hat::new(
            " http://example.org/hats#host ",
            " Host ",
            Some("327.255249"),
        );
        let hat = hat.unwrap();
        assert_eq!(hat.uri(), "http://example.org/hats#host");
        assert_eq!((hat.title(), hat.hue()), ("Host", Some("327.255249")));
        assert_eq!(Hat::new("urn:x", "x", Some("")).unwrap().hue(), None);
        let long = "x".repeat(257);
        for (uri, title, hue) in [
            ("", "Host", None),
            ("host", "Host", None),
            ("1:host", "Host", None),
            ("urn:", "Host", None),
            ("urn:a b", "Host", None),
            ("urn:host", " ", None),
            ("urn:host", "a\u{7}", None),
            ("urn:host", &long, None),
            ("urn:host", "Host", Some("361")),
            ("urn:host", "Host", Some("-1")),
            ("urn:host", "Host", Some("NaN")),
            ("urn:host", "Host", Some("red")),
        ] {
            let refused = Hat::new(uri, title, hue);
            assert!(
                matches!(refused, Err(RoomError::UnfitHat(_))),
                "{uri} {hue:?}"
            );
        }
    }

    #[test]
    fn there_are_only_so_many_hats_and_nobody_wears_all_of_them() {
        let mut state = room();
        for number in 0..MOST_HATS {
            change(&mut state, &HatChange::Define(hat(number))).unwrap();
        }
        let refused = change(&mut state, &HatChange::Define(hat(MOST_HATS)));
        assert!(matches!(
            refused,
            Err(RoomError::TooManyHats { limit: MOST_HATS })
        ));
        // One that is there already can be changed.
        let renamed = Hat::new("urn:hat:0", "Guest", None).unwrap();
        change(&mut state, &HatChange::Define(renamed)).unwrap();
        for number in 0..MOST_WORN {
            change(&mut state, &assign(number)).unwrap();
        }
        change(&mut state, &assign(0)).unwrap();
        let refused = change(&mut state, &assign(MOST_WORN));
        assert!(matches!(
            refused,
            Err(RoomError::TooManyHats { limit: MOST_WORN })
        ));
        let worn = state.hats_of(&account());
        assert_eq!((worn.len(), worn[0].title()), (MOST_WORN, "Guest"));
    }

    /// XEP-0317 §3.3: "When a hat is destroyed, it is automatically removed from
    /// all the JIDs where it was assigned."
    #[test]
    fn a_hat_that_is_made_again_is_on_nobodys_head() {
        let mut state = room();
        change(&mut state, &HatChange::Define(hat(1))).unwrap();
        let before = state.hats_hash();
        change(&mut state, &assign(1)).unwrap();
        assert_eq!(state.affiliations.len(), 1);
        let uri = hat(1).uri;
        change(&mut state, &HatChange::Destroy { uri }).unwrap();
        assert_eq!(state.affiliations.len(), 0);
        assert_eq!((before.is_some(), state.hats_hash()), (true, None));
        change(&mut state, &HatChange::Define(hat(1))).unwrap();
        assert_eq!(state.hats_of(&account()).len(), 0);
        assert_eq!(state.hats_hash(), before);
    }

    #[test]
    fn a_hat_that_there_is_not_is_given_to_nobody() {
        let mut state = room();
        let refused = change(&mut state, &assign(1));
        assert!(matches!(refused, Err(RoomError::NoHat)));
    }
}
