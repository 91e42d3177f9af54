//! What a room is like, and what the server allows rooms to be.

use super::{IsModerated, Role};
use anser_jid::BareJid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Rooms of all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoomsConfig {
    /// Who may make a room by entering one that does not exist: "everyone" or
    /// "nobody". With "nobody", rooms come from `anser room create`.
    pub creation: Creation,
    /// Whether a new room stays when the last occupant leaves. Its owner can
    /// change that.
    pub persistent: bool,
    /// Whether a new room is in the list of rooms. Its owner can change that.
    pub public: bool,
    /// Occupants of one room at the same time. Owners can ask for fewer.
    pub occupants: u32,
    /// Affiliations that one room keeps: owners, admins, members and those who
    /// are banned.
    pub affiliations: usize,
    /// Earlier messages that whoever enters gets at most without asking the
    /// archive.
    pub history_messages: u32,
    /// Messages, changes of presence, invitations and decisions that one session
    /// may send to rooms at once, after a while of silence; what is large counts
    /// more than once, and so does what names several. 0 means that nobody counts.
    pub burst_messages: u32,
    /// The same a second, for long.
    pub messages_per_second: u32,
    /// Messages that a room takes at once from all that are in it; 0 means that
    /// nobody counts.
    pub room_burst_messages: u32,
    /// The same a second, for long.
    pub room_messages_per_second: u32,
    /// Largest subject, in bytes, with all that comes with it.
    pub subject_bytes: usize,
    /// Rooms that one session may be in at the same time.
    pub per_session: usize,
    /// Largest card of a room, in bytes; most of it is the picture, which takes
    /// a third more there than in its file.
    pub card_bytes: usize,
}

/// Who may make rooms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Creation {
    /// Whoever has an account.
    #[default]
    Everyone,
    /// Whoever runs the server.
    Nobody,
}

impl Default for RoomsConfig {
    fn default() -> Self {
        Self {
            creation: Creation::Everyone,
            persistent: true,
            public: true,
            occupants: 20_000,
            affiliations: 10_000,
            history_messages: 20,
            burst_messages: 500,
            messages_per_second: 50,
            room_burst_messages: 5000,
            room_messages_per_second: 500,
            subject_bytes: 4096,
            per_session: 1000,
            card_bytes: 131_072,
        }
    }
}

/// Whom real addresses are shown (XEP-0045 §4.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whois {
    /// Moderators: the room is semi-anonymous.
    #[default]
    Moderators,
    /// Everybody: the room is not anonymous.
    Anyone,
}

/// Who may write to one occupant alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateMessages {
    /// Everybody.
    #[default]
    Anyone,
    /// Those who may speak.
    Participants,
    /// Moderators.
    Moderators,
    /// Nobody.
    Nobody,
}

impl PrivateMessages {
    /// Whether somebody with this role may.
    #[must_use]
    pub fn allow(self, role: Role) -> bool {
        match self {
            Self::Anyone => role >= Role::Visitor,
            Self::Participants => role >= Role::Participant,
            Self::Moderators => role == Role::Moderator,
            Self::Nobody => false,
        }
    }
}

/// What a room is like (XEP-0045 §10.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomConfig {
    /// Its name for people; empty if it has none.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// The language that is spoken in it, as `xml:lang` has it.
    pub lang: String,
    /// It stays when everybody has left.
    pub persistent: bool,
    /// It is in the list of rooms.
    pub public: bool,
    /// Only members may enter.
    pub members_only: bool,
    /// Only those with a voice may speak.
    pub moderated: bool,
    /// What whoever enters has to know.
    pub password: Option<String>,
    /// Who sees real addresses.
    pub whois: Whois,
    /// Participants may change the subject, not only moderators.
    pub participants_change_subject: bool,
    /// Occupants may invite others; in a room for members only it takes a
    /// member, and makes one.
    pub members_invite: bool,
    /// Who may write to one occupant alone.
    pub private_messages: PrivateMessages,
    /// The lowest role whose presence is broadcast.
    pub presence_of: Role,
    /// The lowest role whose occupants may see the list of members, and those of
    /// admins and owners where everybody sees real addresses. Admins and owners
    /// always may see that of members.
    pub lists_for: Role,
    /// Occupants at the same time; `None` for as many as the server allows.
    pub occupants: Option<u32>,
    /// Earlier messages that whoever enters gets at most.
    pub history_messages: u32,
    /// Messages are kept for those who ask for them later (XEP-0313).
    pub archived: bool,
    /// Whoever has no affiliation may become a member by registering
    /// (XEP-0045 §7.10).
    pub registration: bool,
    /// Seconds between two messages of one occupant (XEP-0500); 0 for none.
    pub slow_mode_seconds: u32,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            lang: String::new(),
            persistent: true,
            public: true,
            members_only: false,
            moderated: false,
            password: None,
            whois: Whois::Moderators,
            participants_change_subject: false,
            members_invite: true,
            private_messages: PrivateMessages::Anyone,
            presence_of: Role::Visitor,
            lists_for: Role::Moderator,
            occupants: None,
            history_messages: 20,
            archived: true,
            registration: true,
            slow_mode_seconds: 0,
        }
    }
}

impl RoomConfig {
    /// What a new room is like.
    #[must_use]
    pub fn new(server: &RoomsConfig) -> Self {
        Self {
            persistent: server.persistent,
            public: server.public,
            history_messages: server.history_messages,
            ..Self::default()
        }
    }

    /// What people call a room at this address: one without a name is called as
    /// its address begins.
    #[must_use]
    pub fn title<'a>(&'a self, address: &'a BareJid) -> &'a str {
        match self.name.as_str() {
            "" => address.local().unwrap_or_default(),
            name => name,
        }
    }

    /// Whether everybody may enter who is not banned.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.members_only && self.password.is_none()
    }

    /// Nobody is told more of what was said before than there is in memory, and
    /// the room does not say so either.
    pub(crate) fn limit_history(&mut self, most: usize) {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.history_messages = self.history_messages.min(most);
    }

    pub(crate) fn is_moderated(&self) -> IsModerated {
        if self.moderated {
            IsModerated::Yes
        } else {
            IsModerated::No
        }
    }

    pub(crate) fn slow_mode(&self) -> Duration {
        Duration::from_secs(self.slow_mode_seconds.into())
    }

    /// What occupants are told of a change (XEP-0045 §10.2.1).
    pub(crate) fn news(&self, before: &Self) -> Vec<ConfigNews> {
        let mut news = Vec::new();
        if self.whois != before.whois {
            news.push(match self.whois {
                Whois::Anyone => ConfigNews::AddressesShown,
                Whois::Moderators => ConfigNews::AddressesHidden,
            });
        }
        let rest = Self {
            whois: before.whois,
            ..self.clone()
        };
        if rest != *before {
            news.push(ConfigNews::Other);
        }
        news
    }
}

/// A change that occupants are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigNews {
    /// Everybody sees real addresses now.
    AddressesShown,
    /// Only moderators see real addresses now.
    AddressesHidden,
    /// Something else.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0045 §10.2.1
    #[test]
    fn occupants_are_told_what_concerns_their_privacy_and_that_something_else_changed() {
        let before = RoomConfig::default();
        assert_eq!(before.news(&before), []);
        let mut after = before.clone();
        after.whois = Whois::Anyone;
        assert_eq!(after.news(&before), [ConfigNews::AddressesShown]);
        assert_eq!(before.news(&after), [ConfigNews::AddressesHidden]);
        after.name = "The coven".into();
        let both = [ConfigNews::AddressesShown, ConfigNews::Other];
        assert_eq!(after.news(&before), both);
    }

    /// XEP-0045 §7.5
    #[test]
    fn private_messages_are_for_those_whom_the_room_allows_them() {
        use PrivateMessages::{Anyone, Moderators, Nobody, Participants};
        for (setting, allowed) in [
            (Anyone, [false, true, true, true]),
            (Participants, [false, false, true, true]),
            (Moderators, [false, false, false, true]),
            (Nobody, [false; 4]),
        ] {
            assert_eq!(Role::ALL.map(|role| setting.allow(role)), allowed);
        }
    }

    #[test]
    fn a_config_of_an_earlier_version_gets_what_is_missing_by_default() {
        let config: RoomConfig = serde_json::from_str(r#"{"name":"x"}"#).unwrap();
        assert_eq!(config.name, "x");
        assert!(config.persistent && config.archived);
    }
}
