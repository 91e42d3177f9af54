//! Deciding over others (XEP-0045 §8, §9, §10.3 to §10.8).

use super::standing::{may_change_affiliation, may_change_role};
use super::state::{NickKey, Occupant, RoomState, Standing};
use super::{Affiliation, Deed, Departure, Role, RoomError, RoomsConfig, Sight};
use crate::Session;
use crate::mailbox::Wakes;
use anser_jid::{BareJid, FullJid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who wants something done.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// A client.
    Session(&'a Session),
    /// Whoever runs the server.
    Operator,
}

/// A role to be given to an occupant, by nickname.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// Whose.
    pub nick: String,
    /// Which; [`Role::None`] has them leave.
    pub role: Role,
    /// Why.
    pub reason: Option<String>,
}

/// An affiliation to be given to an account, or to all of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffiliationChange {
    /// Whose.
    pub account: BareJid,
    /// Which.
    pub affiliation: Affiliation,
    /// The nickname that they shall keep; an empty one takes it back.
    pub nick: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Who shall decide in a room: whole lists (XEP-0045 §10.1.3), not changes of
/// them. `None` leaves a list as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deciders {
    /// All owners.
    pub owners: Option<Vec<BareJid>>,
    /// All admins.
    pub admins: Option<Vec<BareJid>>,
}

impl RoomState {
    /// What whoever acts is in the room: for good, and in this visit.
    pub(super) fn standing(&self, actor: Actor<'_>) -> (Affiliation, Role) {
        match actor {
            Actor::Operator => (Affiliation::Owner, Role::Moderator),
            Actor::Session(session) => {
                let occupant = self.occupant_of(session);
                let role = occupant.map_or(Role::None, |occupant| occupant.role);
                (self.affiliation(session.address()), role)
            }
        }
    }

    fn deed(&self, actor: Actor<'_>, reason: Option<&str>) -> Deed {
        let nick = match actor {
            Actor::Operator => None,
            Actor::Session(session) => self.occupant_of(session),
        };
        Deed {
            nick: nick.map(|occupant| occupant.address.resource().into()),
            reason: reason.map(Into::into),
        }
    }

    /// Gives occupants other roles: all of them, or none (XEP-0045 §8.2 to
    /// §8.5, §9.6 to §9.8). Gives the sessions that are no longer in the room.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub(crate) fn change_roles(
        &mut self,
        actor: Actor<'_>,
        changes: &[RoleChange],
        wakes: &mut Wakes,
    ) -> Result<Vec<Arc<Session>>, RoomError> {
        let own = self.standing(actor);
        if own.1 != Role::Moderator {
            return Err(RoomError::Forbidden);
        }
        for change in changes {
            let target = self.named(&change.nick)?;
            may_change_role(own, (target.affiliation, target.role), change.role)?;
        }
        let mut gone = Vec::new();
        for change in changes {
            let deed = self.deed(actor, change.reason.as_deref());
            let nick = NickKey::of(&change.nick);
            let before = self.occupants.get(&nick).map(|occupant| occupant.role);
            if before == Some(change.role) {
                continue;
            }
            if change.role == Role::None {
                gone.extend(self.remove(&nick, Departure::Kicked, Some(deed), wakes));
            } else {
                self.give_role(&nick, change.role, deed, wakes);
            }
        }
        Ok(gone)
    }

    /// Lets a visitor speak who has asked for that: whoever is here with the
    /// session at `address`, or, if the request does not say so, under this
    /// nickname. Whoever may speak already stays as they are (XEP-0045 §8.6).
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed.
    pub(crate) fn approve_voice(
        &mut self,
        actor: Actor<'_>,
        address: Option<&FullJid>,
        nick: &str,
        wakes: &mut Wakes,
    ) -> Result<(), RoomError> {
        if self.standing(actor).1 != Role::Moderator {
            return Err(RoomError::Forbidden);
        }
        let occupant = match address {
            // Somebody else may have the nickname by now.
            Some(address) => {
                let nick = self.seats.get(address);
                let occupant = nick.and_then(|nick| self.occupants.get(nick));
                occupant.ok_or(RoomError::NoSuchOccupant)?
            }
            None => self.named(nick)?,
        };
        if occupant.role == Role::Visitor {
            let nick = NickKey::of(occupant.address.resource());
            let deed = self.deed(actor, None);
            self.give_role(&nick, Role::Participant, deed, wakes);
        }
        Ok(())
    }

    fn give_role(&mut self, nick: &NickKey, role: Role, deed: Deed, wakes: &mut Wakes) {
        let Some(occupant) = self.occupants.get_mut(nick) else {
            return;
        };
        let before = std::mem::replace(&mut occupant.role, role);
        let presence = occupant.shown_anew(Some(deed));
        let occupant = &self.occupants[nick];
        // Whoever is not told of them any more would see them for ever as they
        // were.
        if self.is_shown(before) && !self.is_shown(role) {
            self.tell_others(&occupant.hidden(), wakes);
        }
        self.tell_all(occupant, &presence, wakes);
        let sees = |role| self.sight_of(role).has(Sight::ADDRESSES);
        if sees(role) && !sees(before) {
            self.tell_who_others_are(occupant, wakes);
        }
    }

    /// Moderators know who everybody is, also whoever has become one just now
    /// (XEP-0045 §8).
    fn tell_who_others_are(&self, occupant: &Occupant, wakes: &mut Wakes) {
        let Some(others) = self.others_than(occupant) else {
            return;
        };
        for seat in &occupant.seats {
            seat.session.mailbox().push(others.clone(), wakes);
        }
    }

    /// Whether affiliations may be changed so.
    ///
    /// # Errors
    /// [`RoomError`]
    pub(crate) fn check_affiliations(
        &self,
        actor: Actor<'_>,
        changes: &[AffiliationChange],
        server: &RoomsConfig,
    ) -> Result<(), RoomError> {
        let (own, _) = self.standing(actor);
        let mut owners = self.count(Affiliation::Owner);
        let (mut accounts, mut nicks) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            // Each is checked against what is, not against what those before it
            // would make of that.
            if !accounts.insert(&change.account) {
                return Err(RoomError::BadRequest("somebody is named twice"));
            }
            let nick = change.nick.as_deref().filter(|nick| !nick.is_empty());
            if nick.is_some_and(|nick| !nicks.insert(NickKey::of(nick))) {
                return Err(RoomError::NickTaken);
            }
            let from = self.affiliation(&change.account);
            let to = self.with_own(&change.account, change.affiliation);
            may_change_affiliation(own, from, to)?;
            let is_oneself = match actor {
                Actor::Operator => false,
                Actor::Session(session) => session.address().bare_str() == change.account.as_str(),
            };
            if is_oneself && to == Affiliation::Outcast {
                return Err(RoomError::Conflict);
            }
            match (self.own_affiliation(&change.account), change.affiliation) {
                (Affiliation::Owner, Affiliation::Owner) => {}
                (Affiliation::Owner, _) if owners <= 1 => return Err(RoomError::Conflict),
                (Affiliation::Owner, _) => owners -= 1,
                (_, Affiliation::Owner) => owners += 1,
                _ => {}
            }
            self.check_nick(change)?;
        }
        let (limit, before) = (server.affiliations, self.affiliations.len());
        let got = self.count_after(changes);
        if got > before && got > limit {
            return Err(RoomError::TooManyAffiliations { limit });
        }
        Ok(())
    }

    /// How many accounts have an affiliation, a nickname or hats after these
    /// changes.
    fn count_after(&self, changes: &[AffiliationChange]) -> usize {
        let had = |change: &&AffiliationChange| self.affiliations.contains_key(&change.account);
        let has = |change: &&AffiliationChange| self.standing_after(change) != Standing::default();
        let kept = self.affiliations.len() - changes.iter().filter(had).count();
        kept + changes.iter().filter(has).count()
    }

    /// Whether a change makes an account anything else than it is.
    pub(crate) fn is_news(&self, change: &AffiliationChange) -> bool {
        let before = self.affiliations.get(&change.account);
        before.cloned().unwrap_or_default() != self.standing_after(change)
    }

    /// Those who become members of a room for members only by these changes, and
    /// are not in it.
    pub(crate) fn new_members(&self, changes: &[AffiliationChange]) -> Vec<BareJid> {
        let is_asked_in = |change: &&AffiliationChange| {
            self.config.members_only
                && change.affiliation == Affiliation::Member
                && self.affiliation(&change.account) == Affiliation::None
                && self.nicks_of(&change.account).is_empty()
        };
        let new_members = changes.iter().filter(is_asked_in);
        new_members.map(|change| change.account.clone()).collect()
    }

    /// The changes that make the lists of those who decide what they shall be.
    /// Those who come onto a list come first, so that a room can be handed over
    /// in one step; whoever is on no list any more has no affiliation left.
    ///
    /// # Errors
    /// [`RoomError::UnfitConfig`] if an account is on both lists.
    pub(crate) fn changes_for(
        &self,
        deciders: &Deciders,
    ) -> Result<Vec<AffiliationChange>, RoomError> {
        let lists = [
            (Affiliation::Owner, &deciders.owners),
            (Affiliation::Admin, &deciders.admins),
        ];
        let mut wanted: BTreeMap<&BareJid, Affiliation> = BTreeMap::new();
        for (affiliation, list) in lists {
            for account in list.iter().flatten() {
                let other = wanted.insert(account, affiliation);
                if other.is_some_and(|other| other != affiliation) {
                    let reason = "somebody is on the lists of owners and of admins";
                    return Err(RoomError::UnfitConfig(reason));
                }
            }
        }
        let change = |account: &BareJid, affiliation| AffiliationChange {
            account: account.clone(),
            affiliation,
            nick: None,
            reason: None,
        };
        let mut changes: Vec<_> = wanted
            .iter()
            .filter(|(account, affiliation)| self.own_affiliation(account) != **affiliation)
            .map(|(account, affiliation)| change(account, *affiliation))
            .collect();
        // Stable, and new owners come before those who become less.
        changes.sort_by_key(|change| std::cmp::Reverse(change.affiliation));
        let left_out = self.affiliations.iter().filter(|(account, standing)| {
            let mut lists = lists.iter();
            let is_on_it = lists.any(|(of, list)| *of == standing.affiliation && list.is_some());
            is_on_it && !wanted.contains_key(account)
        });
        changes.extend(left_out.map(|(account, _)| change(account, Affiliation::None)));
        Ok(changes)
    }

    fn check_nick(&self, change: &AffiliationChange) -> Result<(), RoomError> {
        let Some(nick) = change.nick.as_deref().filter(|nick| !nick.is_empty()) else {
            return Ok(());
        };
        let address = self.address.with_resource(nick)?;
        if address.resource().trim().is_empty() {
            return Err(RoomError::UnfitNick);
        }
        if self.is_taken(&NickKey::of(nick), &change.account) {
            return Err(RoomError::NickTaken);
        }
        Ok(())
    }

    /// What an account is for good after a change.
    pub(crate) fn standing_after(&self, change: &AffiliationChange) -> Standing {
        let before = self.affiliations.get(&change.account);
        let kept = before.and_then(|standing| standing.nick.clone());
        // §9.1, §9.4: with the affiliation goes the nickname.
        let nick = match &change.nick {
            Some(nick) => Some(nick.clone()).filter(|nick| !nick.is_empty()),
            None => kept,
        };
        let is_member = self.with_own(&change.account, change.affiliation) >= Affiliation::Member;
        // Nobody sees the hats of whoever is banned, and coming back is a new
        // beginning.
        let is_banned = change.affiliation == Affiliation::Outcast;
        // Of whoever is nothing, nothing is kept.
        let is_something = change.affiliation != Affiliation::None;
        let reason = change.reason.as_ref().filter(|_| is_something);
        let worn = before.filter(|_| !is_banned);
        Standing {
            affiliation: change.affiliation,
            nick: nick.filter(|_| is_member),
            reason: reason.cloned(),
            hats: worn.map_or_else(Vec::new, |standing| standing.hats.clone()),
        }
    }

    /// Changes affiliations that were checked and written down, and tells
    /// everybody (XEP-0045 §9.1 to §9.5, §10.3 to §10.8). Gives the sessions
    /// that are no longer in the room.
    pub(crate) fn apply_affiliations(
        &mut self,
        actor: Actor<'_>,
        changes: &[AffiliationChange],
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let mut gone = Vec::new();
        for change in changes {
            gone.extend(self.apply_affiliation(actor, change, wakes));
        }
        gone
    }

    fn apply_affiliation(
        &mut self,
        actor: Actor<'_>,
        change: &AffiliationChange,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let deed = self.deed(actor, change.reason.as_deref());
        self.set_standing(&change.account, self.standing_after(change));
        let concerned = |account: &BareJid| match change.account.local() {
            Some(_) => *account == change.account,
            None => account.domain() == change.account.domain(),
        };
        let nicks: Vec<_> = self
            .occupants
            .iter()
            .filter(|(_, occupant)| concerned(&occupant.account))
            .map(|(nick, _)| nick.clone())
            .collect();
        let mut gone = Vec::new();
        for nick in nicks {
            gone.extend(self.after_affiliation(&nick, &deed, wakes));
        }
        gone
    }

    /// An occupant's affiliation may be another now.
    fn after_affiliation(
        &mut self,
        nick: &NickKey,
        deed: &Deed,
        wakes: &mut Wakes,
    ) -> Vec<Arc<Session>> {
        let occupant = &self.occupants[nick];
        let (from, to) = (occupant.affiliation, self.affiliation(&occupant.account));
        if to == Affiliation::Outcast {
            return self.remove(nick, Departure::Banned, Some(deed.clone()), wakes);
        }
        if to < Affiliation::Member && self.config.members_only {
            return self.remove(nick, Departure::NoMember, Some(deed.clone()), wakes);
        }
        let role = self.role_after(occupant.role, from, to);
        if (role, to) == (occupant.role, from) {
            return Vec::new();
        }
        let Some(occupant) = self.occupants.get_mut(nick) else {
            return Vec::new();
        };
        occupant.affiliation = to;
        self.give_role(nick, role, deed.clone(), wakes);
        Vec::new()
    }

    /// The role that goes with a new affiliation. What a moderator has given
    /// stays, unless it came with the old affiliation.
    fn role_after(&self, role: Role, from: Affiliation, to: Affiliation) -> Role {
        let initial = to.initial_role(self.config.is_moderated());
        if from >= Affiliation::Admin || to >= Affiliation::Admin {
            initial
        } else if role == Role::Moderator || from == to {
            role
        } else {
            initial
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoomConfig;
    use Affiliation as A;
    use Role as R;

    fn account(name: &str) -> BareJid {
        BareJid::new(Some(name), "example.org").unwrap()
    }

    /// A room in which accounts have these affiliations.
    fn room(affiliations: &[(&str, Affiliation)]) -> RoomState {
        let address = BareJid::parse("coven@rooms.example.org").unwrap();
        let mut state = RoomState::new(address, &[0; 32], RoomConfig::default());
        for (name, affiliation) in affiliations {
            let standing = Standing {
                affiliation: *affiliation,
                ..Standing::default()
            };
            state.set_standing(&account(name), standing);
        }
        state
    }

    fn change(name: &str, affiliation: Affiliation) -> AffiliationChange {
        AffiliationChange {
            account: account(name),
            affiliation,
            nick: None,
            reason: None,
        }
    }

    /// Whether whoever runs the server may make these changes in a room with at
    /// most so many affiliations.
    fn check(
        state: &RoomState,
        changes: &[AffiliationChange],
        limit: usize,
    ) -> Result<(), RoomError> {
        let server = RoomsConfig {
            affiliations: limit,
            ..RoomsConfig::default()
        };
        state.check_affiliations(Actor::Operator, changes, &server)
    }

    #[test]
    fn a_room_above_its_limit_takes_every_change_that_adds_nobody() {
        let mut state = room(&[
            ("alice", A::Owner),
            ("bob", A::Member),
            ("carol", A::Outcast),
        ]);
        let reason = Some("x".to_owned());
        let forgotten = AffiliationChange {
            reason,
            ..change("dave", A::None)
        };
        for changes in [
            vec![change("bob", A::Outcast)],
            vec![change("carol", A::None)],
            vec![change("dave", A::None)],
            vec![forgotten.clone()],
            vec![change("bob", A::None), change("dave", A::Member)],
        ] {
            check(&state, &changes, 2).unwrap();
        }
        let refused = check(&state, &[change("dave", A::Member)], 3);
        assert!(matches!(
            refused,
            Err(RoomError::TooManyAffiliations { limit: 3 })
        ));
        check(&state, &[change("dave", A::Member)], 4).unwrap();
        // Of whoever is nothing, no reason is kept.
        assert!(!state.is_news(&forgotten));
        state.apply_affiliations(Actor::Operator, &[forgotten], &mut Wakes::default());
        assert_eq!(state.affiliations.len(), 3);
    }

    /// XEP-0045 §10.4
    #[test]
    fn owners_go_as_long_as_one_stays() {
        let state = room(&[("alice", A::Owner), ("bob", A::Owner)]);
        check(&state, &[change("bob", A::None)], 10).unwrap();
        let both = [change("alice", A::Admin), change("bob", A::None)];
        assert!(matches!(check(&state, &both, 10), Err(RoomError::Conflict)));
        let handed_over = [&[change("carol", A::Owner)], &both[..]].concat();
        check(&state, &handed_over, 10).unwrap();
    }

    #[test]
    fn nobody_is_named_twice_and_no_nickname_is() {
        let state = room(&[("alice", A::Owner)]);
        let twice = [change("bob", A::Owner), change("bob", A::None)];
        let refused = check(&state, &twice, 10);
        assert!(matches!(refused, Err(RoomError::BadRequest(_))));
        let named = |name, nick: &str| AffiliationChange {
            nick: Some(nick.to_owned()),
            ..change(name, A::Member)
        };
        let refused = check(&state, &[named("bob", "Hag"), named("carol", "hag")], 10);
        assert!(matches!(refused, Err(RoomError::NickTaken)));
        let refused = check(&state, &[named("bob", " ")], 10);
        assert!(matches!(refused, Err(RoomError::UnfitNick)));
        // An empty one takes back what somebody may not even have.
        check(&state, &[named("bob", ""), named("carol", "")], 10).unwrap();
    }

    /// XEP-0045 §10.1.3
    #[test]
    fn whole_lists_are_changes_and_those_who_come_are_first() {
        let state = room(&[
            ("alice", A::Owner),
            ("bob", A::Admin),
            ("carol", A::Member),
            ("dave", A::Outcast),
        ]);
        let list = |names: &[&str]| Some(names.iter().map(|name| account(name)).collect());
        let changes = |owners, admins| {
            let changes = state.changes_for(&Deciders { owners, admins });
            let changes = changes.unwrap().into_iter();
            let named = changes.map(|change| (change.account.to_string(), change.affiliation));
            named.collect::<Vec<_>>()
        };
        let is = |name, affiliation| (account(name).to_string(), affiliation);
        assert_eq!(changes(None, None), []);
        assert_eq!(changes(list(&["alice"]), list(&["bob"])), []);
        assert_eq!(
            changes(list(&["carol"]), list(&["alice"])),
            [
                is("carol", A::Owner),
                is("alice", A::Admin),
                is("bob", A::None)
            ]
        );
        assert_eq!(changes(None, list(&[])), [is("bob", A::None)]);
        // Whoever moves to the list that is given is on no other.
        assert_eq!(
            changes(None, list(&["alice", "bob"])),
            [is("alice", A::Admin)]
        );
        let both = Deciders {
            owners: list(&["bob"]),
            admins: list(&["bob"]),
        };
        let refused = state.changes_for(&both);
        assert!(matches!(refused, Err(RoomError::UnfitConfig(_))));
    }

    /// XEP-0045 §5.1.2, §8.3, §9.3 to §9.7
    #[test]
    fn a_role_follows_the_affiliation_unless_a_moderator_has_given_it() {
        let mut state = room(&[]);
        for (moderated, role, from, to, after) in [
            (false, R::Participant, A::None, A::Admin, R::Moderator),
            (false, R::Moderator, A::Admin, A::Member, R::Participant),
            (true, R::Moderator, A::Owner, A::None, R::Visitor),
            (true, R::Visitor, A::None, A::Member, R::Participant),
            (true, R::Participant, A::Member, A::None, R::Visitor),
            // Given in this visit.
            (true, R::Moderator, A::None, A::Member, R::Moderator),
            (false, R::Moderator, A::Member, A::None, R::Moderator),
            (true, R::Participant, A::None, A::None, R::Participant),
            (false, R::Visitor, A::None, A::None, R::Visitor),
        ] {
            state.config.moderated = moderated;
            let found = state.role_after(role, from, to);
            assert_eq!(found, after, "{moderated} {role:?} {from:?} {to:?}");
        }
    }
}
