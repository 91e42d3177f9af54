//! What a room is to be like.

use crate::world::Dice;

/// A room, whether it exists or not.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Its address.
    pub(super) room: String,
    /// What its first owner makes of it, as fields of a form.
    pub(super) fields: String,
    /// The lowest role whose presence is broadcast; `None` if that changes.
    pub(super) shown_from: Option<&'static str>,
}

/// From the lowest.
const ROLES: [&str; 4] = ["none", "visitor", "participant", "moderator"];

/// In the order of what they allow.
pub(super) fn rank(role: &str) -> usize {
    ROLES.iter().position(|one| *one == role).unwrap()
}

impl Plan {
    pub(super) fn roll_all(dice: &mut Dice) -> Vec<Self> {
        let names = ["attic", "barn", "cellar"];
        let count = 2 + dice.below(2);
        names[..count]
            .iter()
            .map(|name| Self::roll(name, dice))
            .collect()
    }

    fn roll(name: &str, dice: &mut Dice) -> Self {
        let shown_from = match dice.below(6) {
            0 => None,
            1 => Some("moderator"),
            2 => Some("participant"),
            _ => Some("visitor"),
        };
        let fields = [
            field("persistentroom", yes_or_no(!dice.one_in(5))),
            field("membersonly", yes_or_no(dice.one_in(6))),
            field("moderatedroom", yes_or_no(dice.one_in(3))),
            field("changesubject", yes_or_no(dice.one_in(2))),
            whois(dice),
            password(dice),
            shown(shown_from.unwrap_or("visitor")),
        ];
        Self {
            room: format!("{name}@rooms.example.org"),
            fields: fields.concat(),
            shown_from,
        }
    }

    /// Something of it is to be otherwise.
    pub(super) fn change(&self, dice: &mut Dice) -> String {
        let change = match dice.below(7) {
            0 => field("membersonly", yes_or_no(dice.one_in(3))),
            1 | 2 => field("moderatedroom", yes_or_no(dice.one_in(2))),
            3 => whois(dice),
            4 => password(dice),
            5 => field("persistentroom", yes_or_no(!dice.one_in(4))),
            _ => field("changesubject", yes_or_no(dice.one_in(2))),
        };
        // It may be this that opens the room.
        let from = match self.shown_from {
            Some(from) => from,
            None => ROLES[1 + dice.below(3)],
        };
        change + &shown(from)
    }
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "1" } else { "0" }
}

fn field(name: &str, value: &str) -> String {
    format!("<field var='muc#roomconfig_{name}'><value>{value}</value></field>")
}

fn whois(dice: &mut Dice) -> String {
    let of = ["moderators", "moderators", "anyone"];
    field("whois", of[dice.below(of.len())])
}

fn password(dice: &mut Dice) -> String {
    let needed = field("passwordprotectedroom", yes_or_no(dice.one_in(5)));
    needed + &field("roomsecret", "pw")
}

fn shown(from: &str) -> String {
    let values = ROLES[rank(from)..].iter();
    let values: String = values
        .map(|role| format!("<value>{role}</value>"))
        .collect();
    format!("<field var='muc#roomconfig_presencebroadcast'>{values}</field>")
}
