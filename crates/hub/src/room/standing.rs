//! What somebody may do in a room: affiliations last, roles are for the time of
//! a visit (XEP-0045 §5).

use serde::{Deserialize, Serialize};

/// A lasting relation between an account and a room (XEP-0045 §5.2). In the
/// order of what they allow.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation {
    /// May not enter.
    Outcast,
    /// Anybody.
    #[default]
    None,
    /// May enter where only members may, and keeps a nickname.
    Member,
    /// Decides who is a member and who is banned.
    Admin,
    /// Decides over everything.
    Owner,
}

/// What an occupant may do for as long as they are in the room
/// (XEP-0045 §5.1). In the order of what they allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Not in the room.
    None,
    /// Listens.
    Visitor,
    /// Listens and speaks.
    Participant,
    /// Decides who else may.
    Moderator,
}

impl Affiliation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Outcast,
        Self::None,
        Self::Member,
        Self::Admin,
        Self::Owner,
    ];

    /// Its name on the wire and in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::None => "none",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The role with which somebody enters a room (XEP-0045 §5.1.2).
    #[must_use]
    pub fn initial_role(self, is_moderated: IsModerated) -> Role {
        match (self, is_moderated) {
            (Self::Owner | Self::Admin, _) => Role::Moderator,
            (Self::Member, _) | (Self::None, IsModerated::No) => Role::Participant,
            (Self::None, IsModerated::Yes) => Role::Visitor,
            (Self::Outcast, _) => Role::None,
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::Visitor,
        Self::Participant,
        Self::Moderator,
    ];

    /// Its name on the wire and in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Visitor => "visitor",
            Self::Participant => "participant",
            Self::Moderator => "moderator",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Whether only those with a voice may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsModerated {
    /// Visitors listen only.
    Yes,
    /// Everybody may speak.
    No,
}

/// Why somebody may not change what another may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Whoever asks has no say in this.
    Forbidden,
    /// The other is out of their reach.
    NotAllowed,
}

/// Whether somebody may give an occupant another role (XEP-0045 §8.2 to §8.5,
/// §9.6 and §9.7).
pub(crate) fn may_change_role(
    actor: (Affiliation, Role),
    target: (Affiliation, Role),
    to: Role,
) -> Result<(), Denied> {
    let (own, role) = actor;
    let (theirs, from) = target;
    if role != Role::Moderator {
        return Err(Denied::Forbidden);
    }
    if to == Role::None {
        // §8.2: by whoever has a lower affiliation, nobody is kicked.
        return if own < theirs {
            Err(Denied::NotAllowed)
        } else {
            Ok(())
        };
    }
    if to == Role::Moderator && own < Affiliation::Admin {
        return Err(Denied::Forbidden);
    }
    if to >= from {
        return Ok(());
    }
    // §8.4, §9.7: what an admin or owner may do is theirs.
    if theirs >= Affiliation::Admin {
        return Err(Denied::NotAllowed);
    }
    if from == Role::Moderator && own < Affiliation::Admin {
        return Err(Denied::Forbidden);
    }
    // §8.4: not from whoever is at or above the moderator's own level.
    if to == Role::Visitor && theirs >= own {
        return Err(Denied::NotAllowed);
    }
    Ok(())
}

/// Whether somebody may change an affiliation (XEP-0045 §9.1 to §9.5, §10.3 to
/// §10.8).
pub(crate) fn may_change_affiliation(
    actor: Affiliation,
    from: Affiliation,
    to: Affiliation,
) -> Result<(), Denied> {
    if actor < Affiliation::Admin {
        return Err(Denied::Forbidden);
    }
    let concerns_admins = from >= Affiliation::Admin || to >= Affiliation::Admin;
    if actor == Affiliation::Owner || !concerns_admins {
        return Ok(());
    }
    // §9.1: banning is denied for another reason than changing the lists of
    // admins and owners is.
    if to == Affiliation::Outcast {
        Err(Denied::NotAllowed)
    } else {
        Err(Denied::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Affiliation as A;
    use Role as R;

    /// XEP-0045 §5.1.2, table 3
    #[test]
    fn the_first_role_follows_from_the_affiliation_and_the_kind_of_room() {
        for (affiliation, moderated, unmoderated) in [
            (A::Owner, R::Moderator, R::Moderator),
            (A::Admin, R::Moderator, R::Moderator),
            (A::Member, R::Participant, R::Participant),
            (A::None, R::Visitor, R::Participant),
            (A::Outcast, R::None, R::None),
        ] {
            assert_eq!(affiliation.initial_role(IsModerated::Yes), moderated);
            assert_eq!(affiliation.initial_role(IsModerated::No), unmoderated);
        }
    }

    /// XEP-0045 §8.2, §8.4, §9.6, §9.7
    #[test]
    fn roles_are_given_and_taken_by_whoever_stands_high_enough() {
        let moderator = |affiliation| (affiliation, R::Moderator);
        for (actor, target, to, expected) in [
            // Kicking.
            (
                moderator(A::None),
                (A::None, R::Participant),
                R::None,
                Ok(()),
            ),
            (
                moderator(A::Admin),
                (A::Admin, R::Moderator),
                R::None,
                Ok(()),
            ),
            (
                moderator(A::Member),
                (A::Admin, R::Moderator),
                R::None,
                Err(Denied::NotAllowed),
            ),
            (
                moderator(A::Admin),
                (A::Owner, R::Moderator),
                R::None,
                Err(Denied::NotAllowed),
            ),
            (
                (A::Owner, R::Participant),
                (A::None, R::Visitor),
                R::None,
                Err(Denied::Forbidden),
            ),
            // Voice.
            (
                moderator(A::None),
                (A::None, R::Visitor),
                R::Participant,
                Ok(()),
            ),
            (
                moderator(A::Member),
                (A::None, R::Participant),
                R::Visitor,
                Ok(()),
            ),
            (
                moderator(A::Member),
                (A::Member, R::Participant),
                R::Visitor,
                Err(Denied::NotAllowed),
            ),
            (
                moderator(A::Owner),
                (A::Admin, R::Moderator),
                R::Visitor,
                Err(Denied::NotAllowed),
            ),
            (
                (A::Member, R::Participant),
                (A::None, R::Visitor),
                R::Participant,
                Err(Denied::Forbidden),
            ),
            // Moderators.
            (
                moderator(A::Admin),
                (A::None, R::Participant),
                R::Moderator,
                Ok(()),
            ),
            (
                moderator(A::Member),
                (A::None, R::Participant),
                R::Moderator,
                Err(Denied::Forbidden),
            ),
            (
                moderator(A::Admin),
                (A::Member, R::Moderator),
                R::Participant,
                Ok(()),
            ),
            (
                moderator(A::Owner),
                (A::Admin, R::Moderator),
                R::Participant,
                Err(Denied::NotAllowed),
            ),
            (
                moderator(A::Member),
                (A::None, R::Moderator),
                R::Participant,
                Err(Denied::Forbidden),
            ),
        ] {
            assert_eq!(
                may_change_role(actor, target, to),
                expected,
                "{actor:?} {target:?} {to:?}"
            );
        }
    }

    /// XEP-0045 §9.1, §10.3 to §10.8
    #[test]
    fn admins_decide_over_members_and_owners_over_admins() {
        for (actor, from, to, expected) in [
            (A::Admin, A::None, A::Member, Ok(())),
            (A::Admin, A::Member, A::Outcast, Ok(())),
            (A::Admin, A::Outcast, A::None, Ok(())),
            (A::Admin, A::Owner, A::Outcast, Err(Denied::NotAllowed)),
            (A::Admin, A::Admin, A::Outcast, Err(Denied::NotAllowed)),
            (A::Admin, A::Admin, A::None, Err(Denied::Forbidden)),
            (A::Admin, A::Member, A::Admin, Err(Denied::Forbidden)),
            (A::Admin, A::None, A::Owner, Err(Denied::Forbidden)),
            (A::Owner, A::Owner, A::Outcast, Ok(())),
            (A::Owner, A::None, A::Owner, Ok(())),
            (A::Member, A::None, A::Member, Err(Denied::Forbidden)),
            (A::None, A::None, A::Outcast, Err(Denied::Forbidden)),
        ] {
            assert_eq!(
                may_change_affiliation(actor, from, to),
                expected,
                "{actor:?} {from:?} {to:?}"
            );
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for affiliation in A::ALL {
            assert_eq!(A::named(affiliation.name()), Some(affiliation));
        }
        for role in R::ALL {
            assert_eq!(R::named(role.name()), Some(role));
        }
        assert_eq!(A::named("moderator"), None);
        assert_eq!(R::named("owner"), None);
    }
}
