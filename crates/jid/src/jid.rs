//! The three types of address. All are views into one shared text, so that
//! going from a longer one to a shorter one copies nothing.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Flaw, JidError};
use crate::part::{Part, prepare};

/// An address with or without a resource (RFC 7622 §3.1).
///
/// 24 bytes; a clone counts a reference. Equality, order and hash are those of
/// the prepared text.
#[derive(Clone)]
pub struct Jid {
    /// Contains the address, and maybe a localpart or a resource beyond it: an
    /// address made from a longer one shares the text of that.
    text: Arc<str>,
    start: u16,
    domain: u16,
    bare_end: u16,
    end: u16,
}

/// An address without a resource: an account or a room, or, without a localpart
/// too, a server or a service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BareJid(Jid);

/// An address with a resource: a session, or an occupant of a room.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullJid(Jid);

impl Jid {
    /// Reads an address and prepares its parts (RFC 7622 §3.2).
    ///
    /// # Errors
    /// The first part at fault, from the left.
    pub fn parse(text: &str) -> Result<Self, JidError> {
        let (bare, resource) = split_at_resource(text);
        let (local, domain) = split_at_domain(bare);
        let at_domain = bare.len() - domain.len();
        let at_resource = bare.len() + 1;
        let local = local
            .map(|local| prepare(Part::Local, local, 0))
            .transpose()?;
        let domain = prepare(Part::Domain, domain, at_domain)?;
        let resource = resource
            .map(|resource| prepare(Part::Resource, resource, at_resource))
            .transpose()?;
        let is_changed = matches!(local, Some(Cow::Owned(_)))
            || matches!(domain, Cow::Owned(_))
            || matches!(resource, Some(Cow::Owned(_)));
        let text = if is_changed {
            join(local.as_deref(), &domain, resource.as_deref())
        } else {
            Arc::from(text)
        };
        Ok(Self::of_prepared(text, local.as_deref(), &domain))
    }

    /// `text` is the join of these two parts and maybe a resource.
    fn of_prepared(text: Arc<str>, local: Option<&str>, domain: &str) -> Self {
        let offset =
            |at: usize| u16::try_from(at).expect("three parts of 1023 bytes fit many times");
        let at_domain = local.map_or(0, |local| local.len() + 1);
        Self {
            start: 0,
            domain: offset(at_domain),
            bare_end: offset(at_domain + domain.len()),
            end: offset(text.len()),
            text,
        }
    }

    /// The whole address, prepared.
    pub fn as_str(&self) -> &str {
        self.slice(self.start, self.end)
    }

    /// The address without its resource, for asking a map from [`BareJid`].
    pub fn bare_str(&self) -> &str {
        self.slice(self.start, self.bare_end)
    }

    /// The account or room (RFC 7622 §3.3).
    pub fn local(&self) -> Option<&str> {
        (self.start < self.domain).then(|| self.slice(self.start, self.domain - 1))
    }

    /// The host (RFC 7622 §3.2).
    pub fn domain(&self) -> &str {
        self.slice(self.domain, self.bare_end)
    }

    /// The session or occupant (RFC 7622 §3.4).
    pub fn resource(&self) -> Option<&str> {
        (self.bare_end < self.end).then(|| self.slice(self.bare_end + 1, self.end))
    }

    /// Whether there is no resource.
    pub fn is_bare(&self) -> bool {
        self.bare_end == self.end
    }

    /// Whether there is a domain only: the address of a server or a service.
    pub fn is_domain(&self) -> bool {
        self.start == self.domain && self.is_bare()
    }

    /// The address without its resource; copies nothing.
    pub fn to_bare(&self) -> BareJid {
        BareJid(Self {
            end: self.bare_end,
            ..self.clone()
        })
    }

    /// The address of the server that this address is on; copies nothing.
    pub fn to_domain(&self) -> BareJid {
        BareJid(Self {
            start: self.domain,
            end: self.bare_end,
            ..self.clone()
        })
    }

    /// The same account, room or server with this resource instead of its own.
    ///
    /// # Errors
    /// The resource is at fault; `at` counts from its start.
    pub fn with_resource(&self, resource: &str) -> Result<FullJid, JidError> {
        let resource = prepare(Part::Resource, resource, 0)?;
        let text = join(self.local(), self.domain(), Some(&resource));
        Ok(FullJid(Self::of_prepared(
            text,
            self.local(),
            self.domain(),
        )))
    }

    fn slice(&self, from: u16, to: u16) -> &str {
        &self.text[usize::from(from)..usize::from(to)]
    }
}

impl BareJid {
    /// Prepares a localpart and a domainpart.
    ///
    /// # Errors
    /// The first part at fault; `at` counts from the start of that part.
    pub fn new(local: Option<&str>, domain: &str) -> Result<Self, JidError> {
        let local = local
            .map(|local| prepare(Part::Local, local, 0))
            .transpose()?;
        let domain = prepare(Part::Domain, domain, 0)?;
        let text = join(local.as_deref(), &domain, None);
        Ok(Self(Jid::of_prepared(text, local.as_deref(), &domain)))
    }

    /// Reads an address that must not have a resource.
    ///
    /// # Errors
    /// As [`Jid::parse`], and [`Flaw::Unwanted`] for a resource.
    pub fn parse(text: &str) -> Result<Self, JidError> {
        let at = split_at_resource(text).0.len() + 1;
        Self::try_from(Jid::parse(text)?).map_err(|_| JidError {
            part: Part::Resource,
            at,
            flaw: Flaw::Unwanted,
        })
    }
}

impl FullJid {
    /// Reads an address that must have a resource.
    ///
    /// # Errors
    /// As [`Jid::parse`], and [`Flaw::Missing`] for want of a resource.
    pub fn parse(text: &str) -> Result<Self, JidError> {
        let at = text.len();
        Self::try_from(Jid::parse(text)?).map_err(|_| JidError {
            part: Part::Resource,
            at,
            flaw: Flaw::Missing,
        })
    }

    /// The session or occupant (RFC 7622 §3.4).
    pub fn resource(&self) -> &str {
        self.0.resource().expect("a full JID has a resource")
    }
}

/// Nothing after the first `/` means anything for the other parts
/// (RFC 7622 §3.2).
fn split_at_resource(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    }
}

fn split_at_domain(bare: &str) -> (Option<&str>, &str) {
    match bare.split_once('@') {
        Some((local, domain)) => (Some(local), domain),
        None => (None, bare),
    }
}

fn join(local: Option<&str>, domain: &str, resource: Option<&str>) -> Arc<str> {
    let (local, at) = local.map_or(("", ""), |local| (local, "@"));
    let (slash, resource) = resource.map_or(("", ""), |resource| ("/", resource));
    Arc::from([local, at, domain, slash, resource].concat())
}

impl PartialEq for Jid {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Jid {}

impl Ord for Jid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Jid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Jid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<BareJid> for Jid {
    fn from(jid: BareJid) -> Self {
        jid.0
    }
}

impl From<FullJid> for Jid {
    fn from(jid: FullJid) -> Self {
        jid.0
    }
}

/// Gives back the other type if there is a resource.
impl TryFrom<Jid> for BareJid {
    type Error = FullJid;

    fn try_from(jid: Jid) -> Result<Self, FullJid> {
        if jid.is_bare() {
            Ok(Self(jid))
        } else {
            Err(FullJid(jid))
        }
    }
}

/// Gives back the other type if there is no resource.
impl TryFrom<Jid> for FullJid {
    type Error = BareJid;

    fn try_from(jid: Jid) -> Result<Self, BareJid> {
        if jid.is_bare() {
            Err(BareJid(jid))
        } else {
            Ok(Self(jid))
        }
    }
}

impl Deref for BareJid {
    type Target = Jid;

    fn deref(&self) -> &Jid {
        &self.0
    }
}

impl Deref for FullJid {
    type Target = Jid;

    fn deref(&self) -> &Jid {
        &self.0
    }
}

/// What the three types have in common: they are read and written as text, and
/// a map of them can be asked with prepared text.
macro_rules! textual {
    ($($jid:ty),*) => { $(
        impl fmt::Display for $jid {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $jid {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl FromStr for $jid {
            type Err = JidError;

            fn from_str(text: &str) -> Result<Self, JidError> {
                Self::parse(text)
            }
        }

        impl Borrow<str> for $jid {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    )* };
}

textual!(Jid, BareJid, FullJid);
