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
