//! Resource binding (RFC 6120 §7).

use crate::ns;
use anser_jid::FullJid;
use anser_xml::{Child, Writer};

/// The resource that a client wants; `None` leaves it to the server
/// (RFC 6120 §7.6, §7.7).
#[must_use]
pub fn requested_resource(bind: Child<'_>) -> Option<String> {
    let resource = bind.child(ns::BIND, "resource")?;
    let text = resource.text();
    (!text.is_empty()).then(|| text.into_owned())
}

/// Tells a client its address (RFC 6120 §7.6.1).
pub fn write_result(iq: &mut Writer<'_>, address: &FullJid) {
    let mut bind = iq.open("bind").namespace(ns::BIND);
    bind.open("jid").text(address.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    fn requested(resource: &str) -> Option<String> {
        let bind = format!("<bind xmlns='{}'>{resource}</bind>", ns::BIND);
        let iq = element(&format!("<iq>{bind}</iq>"));
        requested_resource(iq.child(ns::BIND, "bind").unwrap())
    }

    /// RFC 6120 §7.6.1, §7.7.1
    #[test]
    fn a_client_may_name_a_resource_or_leave_it_to_the_server() {
        let named = requested("<resource>a&amp;b</resource>");
        assert_eq!(named.as_deref(), Some("a&b"));
        for unnamed in [
            "",
            "<resource/>",
            "<resource xmlns='urn:x'>phone</resource>",
        ] {
            assert_eq!(requested(unnamed), None, "{unnamed}");
        }
    }

    /// RFC 6120 §7.6.1
    #[test]
    fn the_address_is_written_as_text() {
        let address = FullJid::parse("alice@example.org/a<b").unwrap();
        assert_eq!(
            in_iq(|iq| write_result(iq, &address)),
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.org/a&lt;b</jid></bind>"
        );
    }
}
