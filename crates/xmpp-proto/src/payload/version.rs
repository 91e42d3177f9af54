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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::in_iq;

    /// XEP-0092 §3
    #[test]
    fn the_name_and_the_version_are_told_and_not_the_system() {
        assert_eq!(
            in_iq(|iq| write(iq, "Anser", "1 < 2")),
            "<query xmlns='jabber:iq:version'><name>Anser</name><version>1 &lt; 2</version></query>"
        );
    }
}
