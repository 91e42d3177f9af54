//! What unit tests read and write.

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Element, Limits, Writer};
use bytes::BytesMut;

/// A child of a client's stream.
pub(crate) fn element(text: &str) -> Element {
    let text = text.to_owned();
    Element::parse_in(text.into(), ns::CLIENT, &Limits::NONE).unwrap()
}

/// What is written into an IQ.
pub(crate) fn in_iq(write: impl FnOnce(&mut Writer<'_>)) -> String {
    let iq = written(|output| write(&mut Writer::new(output).open("iq")));
    let content = iq
        .strip_prefix("<iq>")
        .and_then(|iq| iq.strip_suffix("</iq>"));
    content.unwrap().to_owned()
}

/// What is written into a stream.
pub(crate) fn written(write: impl FnOnce(&mut BytesMut)) -> String {
    let mut output = BytesMut::new();
    write(&mut output);
    String::from_utf8(output.to_vec()).unwrap()
}

pub(crate) fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}
