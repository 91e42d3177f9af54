//! Delayed delivery (XEP-0203), with the times of XEP-0082.

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Child, Writer};

/// Says that a stanza was sent earlier (XEP-0203 §2).
pub fn write(stanza: &mut Writer<'_>, from: &str, sent_at_millis: u64) {
    stanza
        .open("delay")
        .namespace(ns::DELAY)
        .attribute("from", from)
        .attribute("stamp", &stamp(sent_at_millis))
        .close();
}

/// In whose name a child claims that the stanza is late. `None` if it does not,
/// or in nobody's name.
#[must_use]
pub fn claimant(child: Child<'_>) -> Option<Jid> {
    if !child.is(ns::DELAY, "delay") {
        return None;
    }
    Jid::parse(&child.attribute("from")?).ok()
}

/// A moment as XEP-0082 §3.2 writes it, in UTC and to the millisecond.
#[must_use]
pub fn stamp(unix_millis: u64) -> String {
    let (seconds, millis) = (unix_millis / 1000, unix_millis % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The date so many days after 1970-01-01. Years are counted from March, so
/// that the leap day is the last of its year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    const DAYS_BEFORE_1970: u64 = 719_468;
    let days = days + DAYS_BEFORE_1970;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    /// XEP-0203 §2
    #[test]
    fn a_delay_says_who_noted_it_and_when_the_stanza_was_sent() {
        assert_eq!(
            in_iq(|stanza| write(stanza, "example.org", 951_782_400_000)),
            "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2000-02-29T00:00:00.000Z'/>"
        );
    }

    /// XEP-0203 §5, RFC 7622 §3.2
    #[test]
    fn a_delay_is_claimed_in_the_name_of_an_address_however_that_is_written() {
        let claimant = |child: &str| {
            let message = element(&format!("<message>{child}</message>"));
            let claimant = claimant(message.children().next().unwrap());
            claimant.map(|claimant| claimant.to_string())
        };
        for (delay, expected) in [
            (
                "<delay xmlns='urn:xmpp:delay' from='Example.ORG'/>",
                Some("example.org"),
            ),
            ("<delay xmlns='urn:xmpp:delay' from=''/>", None),
            ("<delay xmlns='urn:xmpp:delay'/>", None),
            ("<delay xmlns='urn:x' from='example.org'/>", None),
            ("<late xmlns='urn:xmpp:delay' from='example.org'/>", None),
        ] {
            assert_eq!(claimant(delay).as_deref(), expected, "{delay}");
        }
    }

    /// XEP-0082 §3.2
    #[test]
    fn moments_are_written_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_132_740_123, "2026-11-19T23:59:00.123Z"),
            (4_102_444_799_000, "2099-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(stamp(millis), text);
        }
    }
}
