//! Who is what in a room, for those who may see the lists (XEP-0045 §8.5, §9.2,
//! §9.5, §9.8, §10.5, §10.8).

use super::state::RoomState;
use super::{Actor, Affiliation, Role, RoomError, Whois};
use anser_jid::{BareJid, FullJid};

/// An account's affiliation as somebody may see it who may see the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affiliated {
    /// Whose.
    pub account: BareJid,
    /// Which.
    pub affiliation: Affiliation,
    /// The nickname that they keep.
    pub nick: Option<String>,
    /// What was said when they got it.
    pub reason: Option<String>,
}

/// An occupant as moderators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Under which address.
    pub occupant: FullJid,
    /// Who it is.
    pub address: FullJid,
    /// What they are for good.
    pub affiliation: Affiliation,
    /// What they may do in this visit.
    pub role: Role,
}

impl RoomState {
    /// The accounts with an affiliation, for whoever may see the list
    /// (XEP-0045 §9.2, §9.5, §10.5, §10.8).
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub(crate) fn affiliated(
        &self,
        actor: Actor<'_>,
        affiliation: Affiliation,
    ) -> Result<Vec<Affiliated>, RoomError> {
        let (own, role) = self.standing(actor);
        let is_member = own >= Affiliation::Member;
        let may_see = match (affiliation, self.config.whois) {
            (Affiliation::Outcast, _) => own >= Affiliation::Admin,
            // Where everybody sees who everybody is, members may see who the
            // other members are (§9.5).
            (_, Whois::Anyone) if is_member => true,
            // §10.5, §10.8
            (Affiliation::Owner | Affiliation::Admin, Whois::Moderators) => {
                own == Affiliation::Owner
            }
            (_, Whois::Anyone | Whois::Moderators) => {
                own >= Affiliation::Admin || role >= self.config.lists_for
            }
        };
        if !may_see {
            return Err(RoomError::Forbidden);
        }
        let all = self.affiliations.iter();
        Ok(all
            .filter(|(_, standing)| standing.affiliation == affiliation)
            .map(|(account, standing)| Affiliated {
                account: account.clone(),
                affiliation,
                nick: standing.nick.clone(),
                reason: standing.reason.clone(),
            })
            .collect())
    }

    /// The occupants with a role, for moderators (XEP-0045 §8.5, §9.8).
    ///
    /// # Errors
    /// [`RoomError::Forbidden`]
    pub(crate) fn present(&self, actor: Actor<'_>, role: Role) -> Result<Vec<Present>, RoomError> {
        if self.standing(actor).1 != Role::Moderator {
            return Err(RoomError::Forbidden);
        }
        let occupants = self.occupants.values();
        let occupants = occupants.filter(|occupant| occupant.role == role);
        Ok(occupants
            .map(|occupant| Present {
                occupant: occupant.address.clone(),
                address: occupant.shown.address.clone(),
                affiliation: occupant.affiliation,
                role,
            })
            .collect())
    }
}
