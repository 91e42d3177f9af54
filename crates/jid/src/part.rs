//! The parts of an address: their names, their limits, how each is prepared.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Flaw, JidError};
use crate::{domain, precis};

/// Most bytes that one part of an address has once it is prepared
/// (RFC 7622 §§3.2-3.4).
pub const MAX_PART_BYTES: usize = 1023;

/// More than this is refused without being prepared. Nothing that people type
/// shrinks more than full-width letters do, from 3 bytes to 1.
const MAX_RAW_BYTES: usize = 3 * MAX_PART_BYTES;

/// A part of an address (RFC 7622 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Before the `@`: an account, a room.
    Local,
    /// The host.
    Domain,
    /// After the first `/`: a session, an occupant.
    Resource,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "localpart",
            Self::Domain => "domainpart",
            Self::Resource => "resourcepart",
        })
    }
}

/// Prepares a part that starts at byte `start` of an address. What comes back
/// borrowed is `text` itself.
pub(crate) fn prepare(part: Part, text: &str, start: usize) -> Result<Cow<'_, str>, JidError> {
    let flawed = |flaw| JidError {
        part,
        at: start,
        flaw,
    };
    let too_long = |got| {
        flawed(Flaw::TooLong {
            got,
            limit: MAX_PART_BYTES,
        })
    };
    if text.is_empty() {
        return Err(flawed(Flaw::Empty));
    }
    if text.len() > MAX_RAW_BYTES {
        return Err(too_long(text.len()));
    }
    let prepared = match part {
        Part::Local => precis::local(text),
        Part::Domain => domain::prepare(text),
        Part::Resource => precis::resource(text),
    };
    let prepared = prepared.map_err(|found| found.of(part, start))?;
    if prepared.len() > MAX_PART_BYTES {
        return Err(too_long(prepared.len()));
    }
    Ok(prepared)
}
