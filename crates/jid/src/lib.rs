//! Stub.
#![allow(missing_docs)]
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BareJid(Arc<str>);
impl BareJid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for BareJid {
    type Err = JidError;
    fn from_str(s: &str) -> Result<Self, JidError> {
        Ok(Self(s.into()))
    }
}
#[derive(Debug)]
pub struct JidError;
impl fmt::Display for JidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad")
    }
}
impl std::error::Error for JidError {}
impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Borrow<str> for BareJid {
    fn borrow(&self) -> &str {
        &self.0
    }
}
