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
