//! Whether somebody looks at the client (XEP-0352).

use crate::ns;
use anser_xml::Element;

/// What the client says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientState {
    /// Somebody looks at it, as is assumed of every stream at first.
    Active,
    /// Nobody does.
    Inactive,
}

impl ClientState {
    /// Reads a direct child of the stream (XEP-0352 §4.2); `None` if it is
    /// something else.
    #[must_use]
    pub fn read(element: &Element) -> Option<Self> {
        if element.namespace() != ns::CLIENT_STATE {
            return None;
        }
        match element.name() {
            "active" => Some(Self::Active),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::element;

    /// XEP-0352 §4.2
    #[test]
    fn a_client_says_that_somebody_looks_at_it_or_nobody() {
        for (text, expected) in [
            (
                "<active xmlns='urn:xmpp:csi:0'/>",
                Some(ClientState::Active),
            ),
            (
                "<inactive xmlns='urn:xmpp:csi:0'/>",
                Some(ClientState::Inactive),
            ),
            ("<csi xmlns='urn:xmpp:csi:0'/>", None),
            (
                "<active xmlns='http://jabber.org/protocol/chatstates'/>",
                None,
            ),
        ] {
            assert_eq!(ClientState::read(&element(text)), expected, "{text}");
        }
    }
}
