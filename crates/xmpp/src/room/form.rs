//! What a room is like, as forms (XEP-0045 §16.5).

use anser_hub::{Affiliated, Deciders, PrivateMessages, Role, RoomConfig, RoomInfo, Whois};
use anser_jid::{BareJid, Jid};
use anser_xmpp_proto::payload::form::{
    Field, FieldType, Form, FormFault, FormKind, Submission, Validation,
};
use anser_xmpp_proto::{StanzaError, ns};

/// A field of the form with which owners say what a room is like.
struct ConfigField {
    var: &'static str,
    label: &'static str,
    /// How it is shown.
    show: fn(&RoomConfig, Field) -> Field,
    kind: FieldType,
    /// How it is read; what is not submitted stays as it is.
    read: fn(&Submission, &'static str, &mut RoomConfig) -> Result<(), FormFault>,
}

const WHOIS: &[(&str, Whois)] = &[("moderators", Whois::Moderators), ("anyone", Whois::Anyone)];

const PRIVATE_MESSAGES: &[(&str, PrivateMessages)] = &[
    ("anyone", PrivateMessages::Anyone),
    ("participants", PrivateMessages::Participants),
    ("moderators", PrivateMessages::Moderators),
    ("none", PrivateMessages::Nobody),
];

/// From the lowest on: a role stands for itself and those above it.
const ROLES: &[(&str, Role)] = &[
    ("visitor", Role::Visitor),
    ("participant", Role::Participant),
    ("moderator", Role::Moderator),
];

/// How long names and descriptions may be, in bytes.
const MOST_TEXT_BYTES: usize = 1024;
/// How long a password may be, in bytes.
const MOST_SECRET_BYTES: usize = 256;
/// The most of what was said before that somebody who enters may get.
const MOST_PAST: u64 = 1000;
/// The longest that anybody has to wait between two messages: a day.
const MOST_SLOW_MODE_SECONDS: u64 = 86_400;

macro_rules! yes_or_no {
    ($var:literal, $label:literal, $field:ident) => {
        ConfigField {
            var: $var,
            label: $label,
            kind: FieldType::Boolean,
            show: |config, field| field.value(if config.$field { "1" } else { "0" }),
            read: |form, var, config| {
                if let Some(value) = form.boolean(var)? {
                    config.$field = value;
                }
                Ok(())
            },
        }
    };
}

macro_rules! text {
    ($var:literal, $label:literal, $field:ident) => {
        ConfigField {
            var: $var,
            label: $label,
            kind: FieldType::TextSingle,
            show: |config, field| field.value(config.$field.as_str()),
            read: |form, var, config| {
                if let Some(value) = form.text(var)? {
                    config.$field = short(var, value)?;
                }
                Ok(())
            },
        }
    };
}

macro_rules! number {
    ($var:literal, $label:literal, $field:ident, $most:expr) => {
        ConfigField {
            var: $var,
            label: $label,
            kind: FieldType::TextSingle,
            show: |config, field| {
                let range = Validation::Range {
                    least: 0,
                    most: $most,
                };
                field.valid(range).value(config.$field.to_string())
            },
            read: |form, var, config| {
                if let Some(value) = form.integer(var, 0..=$most)? {
                    config.$field = u32::try_from(value).unwrap_or(u32::MAX);
                }
                Ok(())
            },
        }
    };
}

macro_rules! choice {
    ($var:literal, $label:literal, $field:ident, $choices:ident) => {
        ConfigField {
            var: $var,
            label: $label,
            kind: FieldType::ListSingle,
            show: |config, field| {
                let chosen = $choices.iter().find(|(_, value)| *value == config.$field);
                let chosen = chosen.map(|(name, _)| *name);
                offer(field, $choices).values(chosen)
            },
            read: |form, var, config| {
                if let Some(value) = form.choice(var, $choices)? {
                    config.$field = value;
                }
                Ok(())
            },
        }
    };
}

/// Roles from a lowest one on, shown and read as a list of all of them.
macro_rules! roles_from {
    ($var:literal, $label:literal, $field:ident) => {
        ConfigField {
            var: $var,
            label: $label,
            kind: FieldType::ListMulti,
            show: |config, field| {
                let shown = ROLES.iter().filter(|(_, role)| *role >= config.$field);
                offer(field, ROLES).values(shown.map(|(name, _)| *name))
            },
            read: |form, var, config| {
                if let Some(roles) = form.choices(var, ROLES)? {
                    config.$field = roles.into_iter().min().unwrap_or(Role::Moderator);
                } else if form.has(var) {
                    config.$field = Role::Moderator;
                }
                Ok(())
            },
        }
    };
}

#[rustfmt::skip] // a table reads as a table
const FIELDS: &[ConfigField] = &[
    text!("muc#roomconfig_roomname", "Name", name),
    text!("muc#roomconfig_roomdesc", "Description", description),
    text!("muc#roomconfig_lang", "Language", lang),
    yes_or_no!("muc#roomconfig_persistentroom", "Keep the room when everybody has left", persistent),
    yes_or_no!("muc#roomconfig_publicroom", "Show the room in lists", public),
    yes_or_no!("muc#roomconfig_membersonly", "Only members may enter", members_only),
    yes_or_no!("muc#roomconfig_moderatedroom", "Only those with a voice may speak", moderated),
    yes_or_no!("muc#roomconfig_changesubject", "Participants may change the subject", participants_change_subject),
    yes_or_no!("muc#roomconfig_allowinvites", "Members may invite others", members_invite),
    yes_or_no!("muc#roomconfig_enablearchiving", "Keep messages for those who ask later", archived),
    yes_or_no!("{https://anser.im/rooms}registration", "Whoever wants to may become a member", registration),
    choice!("muc#roomconfig_whois", "Who sees real addresses", whois, WHOIS),
    choice!("muc#roomconfig_allowpm", "Who may send private messages", private_messages, PRIVATE_MESSAGES),
    roles_from!("muc#roomconfig_presencebroadcast", "Whose presence is broadcast", presence_of),
    roles_from!("muc#roomconfig_getmemberlist", "Who may see the list of members", lists_for),
    number!("muc#maxhistoryfetch", "Earlier messages for whoever enters", history_messages, MOST_PAST),
    number!("muc#roomconfig_slow_mode_duration", "Seconds between two messages of one occupant; 0 for none", slow_mode_seconds, MOST_SLOW_MODE_SECONDS),
    ConfigField { var: "muc#roomconfig_maxusers", label: "Most occupants", kind: FieldType::ListSingle, show: show_occupants, read: read_occupants },
    ConfigField { var: "muc#roomconfig_passwordprotectedroom", label: "A password is needed to enter", kind: FieldType::Boolean, show: |config, field| field.value(if config.password.is_some() { "1" } else { "0" }), read: read_password },
    ConfigField { var: SECRET, label: "The password", kind: FieldType::TextPrivate, show: |config, field| field.values(config.password.as_deref()), read: |_, _, _| Ok(()) },
];

const SECRET: &str = "muc#roomconfig_roomsecret";
const OWNERS: &str = "muc#roomconfig_roomowners";
/// XEP-0502 §4.1
const ACTIVITY: &str = "{urn:xmpp:muc-activity}message-activity";
const ADMINS: &str = "muc#roomconfig_roomadmins";

fn offer<T>(field: Field, choices: &[(&'static str, T)]) -> Field {
    let offered = choices.iter().map(|(name, _)| *name);
    offered.fold(field, |field, name| field.option(name, name))
}

fn short(field: &'static str, value: &str) -> Result<String, FormFault> {
    if value.len() > MOST_TEXT_BYTES {
        let expected = "at most 1024 bytes long";
        return Err(FormFault::Value { field, expected });
    }
    Ok(value.to_owned())
}

fn show_occupants(config: &RoomConfig, field: Field) -> Field {
    let chosen = config
        .occupants
        .map_or("none".to_owned(), |most| most.to_string());
    let field = field
        .option("none", "as many as the server allows")
        .value(chosen.as_str());
    let usual = ["10", "50", "100", "500", "1000", "10000"];
    let own = (chosen != "none" && !usual.contains(&&*chosen)).then_some(chosen.as_str());
    usual
        .into_iter()
        .chain(own)
        .fold(field, |field, most| field.option(most, most))
}

fn read_occupants(
    form: &Submission,
    var: &'static str,
    config: &mut RoomConfig,
) -> Result<(), FormFault> {
    match form.text(var)? {
        None => {}
        Some("none" | "") => config.occupants = None,
        Some(_) => {
            let most = form.integer(var, 1..=u64::from(u32::MAX))?;
            config.occupants = most.and_then(|most| u32::try_from(most).ok());
        }
    }
    Ok(())
}

/// A room with a password that is empty is refused (XEP-0045 §10.1.3).
fn read_password(
    form: &Submission,
    var: &'static str,
    config: &mut RoomConfig,
) -> Result<(), FormFault> {
    let secret = form.text(SECRET)?;
    if secret.is_some_and(|secret| secret.len() > MOST_SECRET_BYTES) {
        let expected = "at most 256 bytes long";
        return Err(FormFault::Value {
            field: SECRET,
            expected,
        });
    }
    match form.boolean(var)? {
        Some(false) => config.password = None,
        Some(true) => {
            let known = config.password.take();
            config.password = Some(secret.map_or(known.unwrap_or_default(), str::to_owned));
        }
        None if config.password.is_some() => {
            if let Some(secret) = secret {
                config.password = Some(secret.to_owned());
            }
        }
        None => {}
    }
    Ok(())
}

/// The form for owners (XEP-0045 §10.1.3, §10.2).
pub(crate) fn config_form(
    config: &RoomConfig,
    owners: &[Affiliated],
    admins: &[Affiliated],
    name: &str,
) -> Form {
    let fields = FIELDS
        .iter()
        .map(|row| (row.show)(config, Field::new(row.kind, row.var).label(row.label)));
    let list = |var: &str, label: &str, of: &[Affiliated]| {
        let accounts = of.iter().map(|one| one.account.as_str());
        Field::new(FieldType::JidMulti, var)
            .label(label)
            .values(accounts)
    };
    let lists = [
        list(OWNERS, "All owners", owners),
        list(ADMINS, "All admins", admins),
    ];
    let mut form = Form::new(FormKind::Form, ns::MUC_ROOMCONFIG)
        .with(fields)
        .with(lists);
    form.title = Some(format!("Configuration of {name}"));
    form
}

/// What an owner has filled in, on top of what the room is like. Fields that
/// nobody here knows are those of other servers, and change nothing.
///
/// # Errors
/// `not-acceptable` for a value that is none of those that there are.
pub(crate) fn read_config(
    form: &Submission,
    before: &RoomConfig,
) -> Result<RoomConfig, StanzaError> {
    let mut config = before.clone();
    for row in FIELDS {
        (row.read)(form, row.var, &mut config)?;
    }
    Ok(config)
}

/// Who shall decide from now on. A list that is there and empty is meant so.
///
/// # Errors
/// `not-acceptable` for what is no address.
pub(crate) fn read_deciders(form: &Submission) -> Result<Deciders, StanzaError> {
    let list = |var: &'static str| -> Result<Option<Vec<BareJid>>, FormFault> {
        let accounts = form.jids(var)?.unwrap_or_default();
        // §10.3: a full address stands for its account.
        let accounts = accounts.iter().map(Jid::to_bare).collect();
        Ok(form.has(var).then_some(accounts))
    };
    Ok(Deciders {
        owners: list(OWNERS)?,
        admins: list(ADMINS)?,
    })
}

/// What everybody may know of a room (XEP-0045 §16.5.4).
pub(crate) fn info_form(info: &RoomInfo, subject: Option<&str>, activity: Option<f64>) -> Form {
    let config = &info.config;
    let text = |var: &str, value: &str| Field::new(FieldType::TextSingle, var).value(value);
    let mut fields = vec![
        text("muc#roominfo_description", &config.description).label("Description"),
        text("muc#roominfo_occupants", &info.occupants.to_string()).label("Number of occupants"),
        Field::boolean(
            "muc#roominfo_subjectmod",
            config.participants_change_subject,
        )
        .label("Participants may change the subject"),
        // The same as §6.4 has it in its example.
        Field::boolean(
            "muc#roomconfig_changesubject",
            config.participants_change_subject,
        ),
        text("muc#maxhistoryfetch", &config.history_messages.to_string()),
        text(
            "muc#roominfo_slow_mode_duration",
            &config.slow_mode_seconds.to_string(),
        ),
        text("muc#roomconfig_roomname", &config.name).label("Name"),
        Field::boolean("muc#roomconfig_allowinvites", config.members_invite),
    ];
    if !config.lang.is_empty() {
        fields.push(text("muc#roominfo_lang", &config.lang));
    }
    if let Some(subject) = subject {
        fields.push(text("muc#roominfo_subject", subject).label("Subject"));
    }
    if !info.avatar.is_empty() {
        // XEP-0486 §4.3
        let hashes = Field::new(FieldType::TextMulti, "muc#roominfo_avatarhash");
        fields.push(hashes.label("Avatar hash").values(&info.avatar));
    }
    if let Some(hash) = &info.hats {
        // XEP-0317 §2
        fields.push(text("hats#hash", hash).label("Hats hash"));
    }
    if let Some(per_hour) = activity {
        // XEP-0502 §4.1
        let per_hour = format!("{per_hour:.2}");
        fields.push(text(ACTIVITY, &per_hour).label("Messages per hour"));
    }
    Form::new(FormKind::Result, ns::MUC_ROOMINFO).with(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anser_xmpp_proto::DefinedCondition;

    fn submission(fields: &[(&str, &[&str])]) -> Submission {
        let fields = fields.iter().map(|(var, values)| {
            Field::new(FieldType::TextSingle, *var).values(values.iter().copied())
        });
        let form = Form::new(FormKind::Submit, ns::MUC_ROOMCONFIG).with(fields);
        Submission::try_from(form).unwrap()
    }

    /// XEP-0045 §10.1.3: what the form shows is what the room is like.
    #[test]
    fn a_form_that_is_sent_back_as_it_is_changes_nothing() {
        let configs = [
            RoomConfig::default(),
            RoomConfig {
                name: "A Dark Cave".into(),
                password: Some("cauldronburn".into()),
                occupants: Some(17),
                presence_of: Role::Moderator,
                lists_for: Role::Visitor,
                whois: Whois::Anyone,
                private_messages: PrivateMessages::Nobody,
                slow_mode_seconds: 30,
                moderated: true,
                ..RoomConfig::default()
            },
        ];
        for config in configs {
            let form = Form {
                kind: FormKind::Submit,
                ..config_form(&config, &[], &[], "cave@rooms.example.org")
            };
            let form = Submission::try_from(form).unwrap();
            assert_eq!(
                read_config(&form, &RoomConfig::default()),
                Ok(config.clone())
            );
            assert_eq!(read_config(&form, &config), Ok(config));
        }
    }

    /// XEP-0045 §10.1.3
    #[test]
    fn a_list_is_read_whole_and_one_that_is_missing_stays_as_it_is() {
        let form = submission(&[(OWNERS, &["a@b.example/phone", "a@b.example", "c@b.example"])]);
        let owners = ["a@b.example", "a@b.example", "c@b.example"];
        let owners = owners.map(|owner| BareJid::parse(owner).unwrap());
        let deciders = Deciders {
            owners: Some(owners.into()),
            admins: None,
        };
        assert_eq!(read_deciders(&form), Ok(deciders));
        for nobody in [&[][..], &[""]] {
            let nobody = read_deciders(&submission(&[(ADMINS, nobody)])).unwrap();
            assert_eq!(nobody.admins, Some(Vec::new()));
        }
        let wrong = read_deciders(&submission(&[(ADMINS, &["@"])])).unwrap_err();
        assert_eq!(wrong.condition, DefinedCondition::NotAcceptable);
    }

    #[test]
    fn what_is_missing_or_unknown_leaves_the_room_as_it_is() {
        let config = RoomConfig {
            password: Some("secret".into()),
            ..RoomConfig::default()
        };
        let form = submission(&[
            ("muc#roomconfig_enablelogging", &["1"]),
            ("x-other", &["?"]),
        ]);
        assert_eq!(read_config(&form, &config), Ok(config));
    }

    #[test]
    fn a_value_that_is_none_of_those_there_are_is_not_acceptable() {
        let long = "x".repeat(1025);
        for (var, value) in [
            ("muc#roomconfig_whois", "nobody"),
            ("muc#roomconfig_membersonly", "maybe"),
            ("muc#roomconfig_maxusers", "0"),
            ("muc#roomconfig_maxusers", "many"),
            ("muc#maxhistoryfetch", "-1"),
            ("muc#roomconfig_slow_mode_duration", "86401"),
            ("muc#roomconfig_roomname", &long),
            ("muc#roomconfig_roomsecret", &long),
        ] {
            let refused = read_config(&submission(&[(var, &[value])]), &RoomConfig::default());
            let condition = refused.unwrap_err().condition;
            assert_eq!(condition, DefinedCondition::NotAcceptable, "{var}");
        }
    }
}
