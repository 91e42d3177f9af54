//! Software version (XEP-0092).

use crate::ns;
use anser_xml::Writer;

/// Tells what software this is (XEP-0092 §3). Not on what system: that helps
/// nobody but an attacker.
pub fn write(iq: &mut Writer<'_>, name: &str, version: &str) {
    let mut query = iq.open("query").namespace(ns::VERSION);
    query.open("name").text(name);
    query.open("version").text(version);
}
