//! Reading a configuration file, and saying exactly where it is wrong.

use super::Config;
use crate::front_ends;
use anser_jid::BareJid;
use anser_sasl::Iterations;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// It cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    At {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// Values that make no sense, wherever they stand.
    #[error("{}: {reason}", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Reads and checks a configuration file.
pub(crate) fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).map_err(|reason| ConfigError::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    let config = parse(path, &text)?;
    check(&config).map_err(|reason| ConfigError::Value {
        path: path.to_owned(),
        reason,
    })?;
    Ok(config)
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().unwrap_or_default());
        let message = error.message();
        let reason = match suggestion(message) {
            Some(nearest) => format!("{message}; did you mean {nearest:?}?"),
            None => message.to_owned(),
        };
        ConfigError::At {
            path: path.to_owned(),
            line,
            column,
            reason,
        }
    })
}

/// Line and column of a place in the text, from 1.
fn position(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The nearest to an unknown name among those that the message lists: "unknown
/// field `a`, expected one of `b`, `c`".
fn suggestion(message: &str) -> Option<&str> {
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().filter(|_| message.starts_with("unknown"))?;
    let distance = |name: &&str| strsim::damerau_levenshtein(unknown, name);
    let nearest = names.min_by_key(distance)?;
    (distance(&nearest) <= unknown.chars().count().div_ceil(2)).then_some(nearest)
}

fn check(config: &Config) -> Result<(), String> {
    for domain in &config.domains {
        let address = BareJid::parse(domain).map_err(|error| error.to_string())?;
        if address.local().is_some() {
            return Err(format!("domains: {domain:?} is an address, not a domain"));
        }
    }
    for door in config.doors.keys() {
        if front_ends::door(door).is_none() {
            let known: Vec<_> = front_ends::DOORS.iter().map(|door| door.name).collect();
            return Err(format!(
                "doors: there is no door {door:?}, only {}",
                known.join(", ")
            ));
        }
    }
    Iterations::new(config.auth.scram_iterations)
        .map_err(|error| format!("auth.scram_iterations: {error}"))?;
    match (&config.tls.certificate, &config.tls.key) {
        (Some(_), None) => Err("tls.key is missing: a certificate needs its key".to_owned()),
        (None, Some(_)) => {
            Err("tls.certificate is missing: a key needs its certificate".to_owned())
        }
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anser.toml");
        fs::write(&path, text).unwrap();
        let error = read(&path).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "")
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(parse(Path::new("x"), "").unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_name() {
        let text = "domains = ['example.org']\n\n[xmpp]\nstanza_byte = 1\n";
        let error = error(text);
        assert!(
            error.starts_with("/anser.toml:4:1: unknown field `stanza_byte`"),
            "{error}"
        );
        assert!(error.ends_with("did you mean \"stanza_bytes\"?"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_sort_is_named_with_its_place() {
        let error = error("[network]\n  workers = 'many'\n");
        assert!(
            error.starts_with("/anser.toml:2:13: invalid type"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_place() {
        let error = error("domains = [\n");
        assert!(error.starts_with("/anser.toml:"), "{error}");
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        for (text, part) in [
            ("domains = ['a@b']", "an address, not a domain"),
            ("[doors]\nxmp = '127.0.0.1:1'", "there is no door \"xmp\""),
            ("[auth]\nscram_iterations = 1", "auth.scram_iterations"),
            ("[tls]\ncertificate = 'x'", "tls.key is missing"),
        ] {
            let error = error(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
