//! Stanzas inside others (XEP-0297).

use super::delay;
use crate::ns;
use anser_xml::Writer;

/// Begins the element that a stanza is forwarded in, with the time at which it
/// was sent if that is not now (XEP-0297 §3.2). The stanza comes next, and has
/// to declare its namespace.
pub fn open<'a>(parent: &'a mut Writer<'_>, sent_at_millis: Option<u64>) -> Writer<'a> {
    let mut forwarded = parent.open("forwarded").namespace(ns::FORWARD);
    if let Some(millis) = sent_at_millis {
        delay::write_anonymous(&mut forwarded, millis);
    }
    forwarded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::in_iq;

    /// XEP-0297 §3.1
    #[test]
    fn a_forwarded_stanza_comes_with_its_time_and_in_its_own_namespace() {
        let forwarded = |millis| {
            in_iq(|parent| {
                let mut forwarded = open(parent, millis);
                forwarded.open("message").namespace(ns::CLIENT).close();
            })
        };
        assert_eq!(
            forwarded(Some(951_782_400_000)),
            "<forwarded xmlns='urn:xmpp:forward:0'>\
             <delay xmlns='urn:xmpp:delay' stamp='2000-02-29T00:00:00.000Z'/>\
             <message xmlns='jabber:client'/></forwarded>"
        );
        assert_eq!(
            forwarded(None),
            "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded>"
        );
    }
}
