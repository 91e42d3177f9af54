//! Reading a configuration file, and saying exactly where it is wrong.

use super::Config;
use super::check::check;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

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
}

/// Reads and checks a configuration file.
pub(crate) fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).map_err(|reason| ConfigError::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    let config = parse(path, &text)?;
    check(&config).map_err(|misfit| {
        let (line, column) = position(&text, locate(&text, &misfit.option));
        ConfigError::At {
            path: path.to_owned(),
            line,
            column,
            reason: misfit.reason,
        }
    })?;
    Ok(config)
}

/// Where an option's value stands, or as much of its path as stands there: a
/// default does not.
fn locate(text: &str, option: &str) -> Range<usize> {
    let Ok(document) = DeTable::parse(text) else {
        return 0..0;
    };
    let mut table = document.get_ref();
    let mut found = 0..0;
    for key in option.split('.') {
        let Some(value) = table.get(key) else {
            break;
        };
        found = value.span();
        match value.get_ref().as_table() {
            Some(inner) => table = inner,
            None => break,
        }
    }
    found
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
    fn values_that_make_no_sense_are_named_with_their_place() {
        for (text, expected) in [
            (
                "domains = ['a@b']",
                ":1:11: domains: \"a@b\" is an address, not a domain",
            ),
            (
                "[doors]\nxmp = '127.0.0.1:1'",
                ":2:7: doors.xmp: there is no door \"xmp\", only",
            ),
            (
                "[auth]\nscram_iterations = 1",
                ":2:20: auth.scram_iterations: 1 is not from 4096 to 10000000",
            ),
            ("[tls]\ncertificate = 'x'", ":2:15: tls.key is missing"),
            (
                "[xmpp]\n ping_seconds = 0",
                ":2:17: xmpp.ping_seconds: 0 is not from 1 to 604800",
            ),
            (
                "xmpp.stanza_bytes = 9999",
                ":1:21: xmpp.stanza_bytes: 9999 is not from 10000",
            ),
            (
                "[log]\nlevel = 'inof'",
                ":2:9: log.level: \"inof\" is not a level",
            ),
            (
                "[accounts]\nmailbox_bytes = 20000",
                ":2:17: accounts.mailbox_bytes: 20000 is less than a stanza may be",
            ),
            (
                "[xmpp]\n[tls]\nkey = 'x'",
                ":3:7: tls.certificate is missing",
            ),
        ] {
            let error = error(text);
            assert!(
                error.starts_with(&format!("/anser.toml{expected}")),
                "{error}"
            );
        }
    }
}
