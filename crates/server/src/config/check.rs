//! Which values make sense.

use super::Config;
use crate::front_ends;
use anser_jid::BareJid;
use anser_xmpp::XmppConfig;
use std::ops::RangeInclusive;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// An option whose value cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Section and name, with a dot between them.
    pub(super) option: String,
    /// What is wrong with it.
    pub(super) reason: String,
}

impl Misfit {
    fn new(option: &str, reason: impl std::fmt::Display) -> Self {
        Self {
            option: option.to_owned(),
            reason: format!("{option}: {reason}"),
        }
    }
}

/// What every number may be: its section, its name, from where to where.
#[rustfmt::skip] // a table reads as a table
const RANGES: &[(&str, &str, RangeInclusive<u64>)] = &[
    ("network", "workers", 0..=1024),
    ("network", "connections", 1..=10_000_000),
    ("network", "write_timeout_seconds", 1..=86_400),
    // What the database itself is built for.
    ("store", "limit_megabytes", 0..=16_777_215),
    ("auth", "scram_iterations", 4096..=10_000_000),
    ("accounts", "sessions", 1..=64),
    ("accounts", "contacts", 0..=1_000_000),
    ("accounts", "waiting_messages", 1..=100_000_000),
    ("accounts", "mailbox_events", 1..=100_000_000),
    ("accounts", "mailbox_bytes", 10_000..=1_073_741_824),
    ("accounts", "directed_presences", 0..=1_000_000),
    ("accounts", "blocked", 0..=100_000),
    ("accounts", "private_entries", 0..=100_000),
    ("accounts", "private_bytes", 0..=16_777_216),
    ("accounts", "history_page", 1..=1000),
    ("accounts", "history_page_most", 1..=1000),
    ("rooms", "occupants", 1..=1_000_000),
    ("rooms", "affiliations", 1..=1_000_000),
    ("rooms", "history_messages", 0..=1000),
    ("rooms", "burst_messages", 0..=1_000_000),
    ("rooms", "messages_per_second", 1..=1_000_000),
    ("rooms", "room_burst_messages", 0..=1_000_000),
    ("rooms", "room_messages_per_second", 1..=1_000_000),
    ("rooms", "subject_bytes", 1..=65_536),
    ("rooms", "per_session", 1..=100_000),
    ("rooms", "card_bytes", 1000..=16_777_216),
    ("xmpp", "login_timeout_seconds", 1..=3600),
    ("xmpp", "login_attempts", 1..=100),
    ("xmpp", "login_bytes", 10_000..=16_777_216),
    // RFC 6120 §13.12 guarantees 10,000 bytes to everybody.
    ("xmpp", "stanza_bytes", 10_000..=16_777_216),
    ("xmpp", "unacknowledged_stanzas", 1..=100_000_000),
    ("xmpp", "unacknowledged_bytes", 1..=1_073_741_824),
    ("xmpp", "held_stanzas", 0..=1000),
    ("xmpp", "resume_seconds", 0..=604_800),
    ("xmpp", "ping_seconds", 1..=604_800),
    ("xmpp", "ping_timeout_seconds", 1..=86_400),
];

/// What a number may be; `None` if there is no such number.
pub(super) fn range(section: &str, name: &str) -> Option<&'static RangeInclusive<u64>> {
    let is_it = |row: &&(&str, &str, _)| (row.0, row.1) == (section, name);
    RANGES.iter().find(is_it).map(|(_, _, range)| range)
}

/// Finds the first value that makes no sense.
pub(super) fn check(config: &Config) -> Result<(), Misfit> {
    check_ranges(config)?;
    check_domains(config)?;
    check_doors(config)?;
    check_log_level(&config.log.level)?;
    check_certificate(config)?;
    check_mailbox(config)
}

/// Whoever takes their mail one by one can take everything.
fn check_mailbox(config: &Config) -> Result<(), Misfit> {
    let (stanza, mailbox) = (config.xmpp.stanza_bytes, config.accounts.mailbox_bytes);
    if stanza <= mailbox {
        return Ok(());
    }
    // The one that was changed is the one to look at.
    if stanza == XmppConfig::default().stanza_bytes {
        let reason = format!("{mailbox} is less than a stanza may be ({stanza})");
        return Err(Misfit::new("accounts.mailbox_bytes", reason));
    }
    let reason = format!("{stanza} is more than a mailbox holds ({mailbox})");
    Err(Misfit::new("xmpp.stanza_bytes", reason))
}

fn check_ranges(config: &Config) -> Result<(), Misfit> {
    let values = serde_json::to_value(config).expect("a configuration has a JSON form");
    for (section, name, range) in RANGES {
        let value = &values[section][name];
        if !value.as_u64().is_some_and(|value| range.contains(&value)) {
            let (from, to) = (range.start(), range.end());
            let reason = format!("{value} is not from {from} to {to}");
            return Err(Misfit::new(&format!("{section}.{name}"), reason));
        }
    }
    Ok(())
}

fn check_domains(config: &Config) -> Result<(), Misfit> {
    for domain in &config.domains {
        let misfit = |reason: &dyn std::fmt::Display| Misfit::new("domains", reason);
        let address = BareJid::parse(domain).map_err(|error| misfit(&error))?;
        if address.local().is_some() {
            return Err(misfit(&format!("{domain:?} is an address, not a domain")));
        }
    }
    Ok(())
}

fn check_doors(config: &Config) -> Result<(), Misfit> {
    for door in config.doors.keys() {
        if front_ends::door(door).is_none() {
            let known: Vec<_> = front_ends::DOORS.iter().map(|door| door.name).collect();
            let reason = format!("there is no door {door:?}, only {}", known.join(", "));
            return Err(Misfit::new(&format!("doors.{door}"), reason));
        }
    }
    Ok(())
}

/// A word that is no level would be taken for the name of a part, and nothing
/// but that part be written.
fn check_log_level(level: &str) -> Result<(), Misfit> {
    let misfit = |reason: &dyn std::fmt::Display| Misfit::new("log.level", reason);
    for part in level.split(',').filter(|part| !part.contains('=')) {
        if part.is_empty() || part.parse::<LevelFilter>().is_err() {
            return Err(misfit(&format!("{part:?} is not a level")));
        }
    }
    let parsed = EnvFilter::try_new(level);
    parsed.map(drop).map_err(|error| misfit(&error))
}

fn check_certificate(config: &Config) -> Result<(), Misfit> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(_), None) => Err(Misfit {
            option: "tls.certificate".to_owned(),
            reason: "tls.key is missing: a certificate needs its key".to_owned(),
        }),
        (None, Some(_)) => Err(Misfit {
            option: "tls.key".to_owned(),
            reason: "tls.certificate is missing: a key needs its certificate".to_owned(),
        }),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn values() -> Value {
        serde_json::to_value(Config::default()).unwrap()
    }

    #[test]
    fn every_number_has_a_range_with_its_default_in_it() {
        for (section, options) in values().as_object().unwrap() {
            let options = options.as_object().into_iter().flatten();
            for (name, value) in options.filter(|(_, value)| value.is_number()) {
                let range = range(section, name);
                let range = range.unwrap_or_else(|| panic!("{section}.{name} has no range"));
                assert!(range.contains(&value.as_u64().unwrap()), "{section}.{name}");
            }
        }
    }

    #[test]
    fn what_is_beyond_a_range_on_either_side_is_named() {
        for (section, name, range) in RANGES {
            let mut candidates = vec![range.end() + 1];
            candidates.extend(range.start().checked_sub(1));
            for candidate in candidates {
                let mut values = values();
                values[section][name] = candidate.into();
                let config = serde_json::from_value(values).unwrap();
                let misfit = check(&config).unwrap_err();
                assert_eq!(misfit.option, format!("{section}.{name}"));
                let expected = format!("{section}.{name}: {candidate} is not from ");
                assert!(misfit.reason.starts_with(&expected), "{misfit:?}");
            }
        }
    }

    #[test]
    fn a_stanza_has_to_fit_into_a_mailbox() {
        let mut config = Config::default();
        config.xmpp.stanza_bytes = 1_000_000;
        config.accounts.mailbox_bytes = 1_000_000;
        assert_eq!(check(&config), Ok(()));
        config.xmpp.stanza_bytes += 1;
        assert_eq!(check(&config).unwrap_err().option, "xmpp.stanza_bytes");
        config.xmpp.stanza_bytes = XmppConfig::default().stanza_bytes;
        config.accounts.mailbox_bytes = 20_000;
        assert_eq!(check(&config).unwrap_err().option, "accounts.mailbox_bytes");
    }

    #[test]
    fn a_level_of_the_log_is_a_level() {
        for level in [
            "error",
            "warn",
            "INFO",
            "off",
            "info,anser_net=debug,anser_hub=trace",
        ] {
            assert_eq!(check_log_level(level), Ok(()), "{level}");
        }
        for level in ["", "inof", "info,", "info,verbose", "anser_net=loud"] {
            let misfit = check_log_level(level).unwrap_err();
            assert_eq!(misfit.option, "log.level", "{level}");
        }
    }
}
