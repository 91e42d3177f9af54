//! Entity time (XEP-0202).

use super::delay::stamp;
use crate::ns;
use anser_xml::Writer;

/// Tells the time, in UTC (XEP-0202 §2).
pub fn write(iq: &mut Writer<'_>, unix_millis: u64) {
    let mut time = iq.open("time").namespace(ns::TIME);
    time.open("tzo").text("+00:00");
    time.open("utc").text(&stamp(unix_millis));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::in_iq;

    /// XEP-0202 §2
    #[test]
    fn the_time_is_told_in_utc() {
        assert_eq!(
            in_iq(|iq| write(iq, 951_782_400_000)),
            "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo>\
             <utc>2000-02-29T00:00:00.000Z</utc></time>"
        );
    }
}
