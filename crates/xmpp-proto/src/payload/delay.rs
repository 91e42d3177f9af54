//! Delayed delivery (XEP-0203), with the times of XEP-0082.

use crate::ns;
use anser_jid::Jid;
use anser_xml::{Child, Writer};

/// Says that a stanza was sent earlier (XEP-0203 §2).
pub fn write(stanza: &mut Writer<'_>, from: &str, sent_at_millis: u64) {
    write_element(stanza, Some(from), sent_at_millis);
}

/// The same where it is clear who says so, as in what is forwarded
/// (XEP-0297 §3.2).
pub fn write_anonymous(parent: &mut Writer<'_>, sent_at_millis: u64) {
    write_element(parent, None, sent_at_millis);
}

fn write_element(parent: &mut Writer<'_>, from: Option<&str>, sent_at_millis: u64) {
    parent
        .open("delay")
        .namespace(ns::DELAY)
        .attribute_opt("from", from)
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

/// Reads a moment as XEP-0082 §3.2 has it, in milliseconds since 1970; what
/// comes before that is zero, and what is finer than a millisecond is dropped.
/// `None` if it is none.
#[must_use]
pub fn moment(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked("CCYY-MM-DDT".len())?;
    let (time, rest) = rest.split_at_checked("hh:mm:ss".len())?;
    let [year, month, day] = numbers(date.strip_suffix('T')?, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let (fraction, zone) = rest.split_at(rest.find(['Z', '+', '-'])?);
    let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let millis = seconds * 1000 + millis(fraction)? - offset_minutes(zone)? * 60_000;
    Some(u64::try_from(millis).unwrap_or(0))
}

/// Numbers of just so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        *number = parts
            .next()
            .filter(|part| part.len() == digits && is_digits(part))?
            .parse()
            .ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Of a second, as in `.5`; nothing is none.
fn millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?;
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    let digits = digits.bytes().chain([b'0'; 3]).take(3);
    Some(digits.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0')))
}

/// How far a zone is ahead of UTC; at most fourteen hours (XML Schema 1.1 §3.3.7).
fn offset_minutes(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let is_written_right = |part: &str| part.len() == 2 && is_digits(part);
    if !is_written_right(hours) || !is_written_right(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset = hours * 60 + minutes;
    if minutes > 59 || offset > 14 * 60 {
        return None;
    }
    Some(if sign == "-" { -offset } else { offset })
}

const DAYS_IN_400_YEARS: u64 = 146_097;
/// From the first of March of the year zero.
const DAYS_BEFORE_1970: u64 = 719_468;

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The inverse of [`civil_date`], also for what comes before.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years from March, here too.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1;
    era * DAYS_IN_400_YEARS.cast_signed() + day - DAYS_BEFORE_1970.cast_signed()
}

/// The date so many days after 1970-01-01. Years are counted from March, so
/// that the leap day is the last of its year.
fn civil_date(days: u64) -> (u64, u64, u64) {
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
    use proptest::prelude::{any, prop_assert_eq, proptest};

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

    /// XEP-0082 §3.2
    #[test]
    fn moments_are_read_in_any_zone_and_with_any_fraction() {
        for (text, millis) in [
            ("1969-07-21T02:56:15Z", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T19:00:00.5-05:00", 500),
            ("2000-02-29T00:00:00.000Z", 951_782_400_000),
            ("2000-02-29T00:00:00.0019999Z", 951_782_400_001),
            ("2026-11-19T23:59:00.123Z", 1_795_132_740_123),
            ("2026-11-20T13:59:00.123+14:00", 1_795_132_740_123),
            ("2099-12-31T23:59:59Z", 4_102_444_799_000),
            ("0000-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(moment(text), Some(millis), "{text}");
        }
    }

    /// XEP-0082 §3.2
    #[test]
    fn what_is_no_moment_is_not_guessed() {
        for text in [
            "",
            "Z",
            "2026-11-19",
            "2026-11-19T23:59:00",
            "2026-11-19 23:59:00Z",
            "20261119T23:59:00Z",
            "2026-11-19T23:59Z",
            "2026-11-19T24:00:00Z",
            "2026-11-19T23:60:00Z",
            "2026-11-19T23:59:60Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "-026-11-01T00:00:00Z",
            "2026-11-19T23:59:00.Z",
            "2026-11-19T23:59:00.xZ",
            "2026-11-19T23:59:00,5Z",
            "2026-11-19T23:59:00z",
            "2026-11-19T23:59:00ZZ",
            "2026-11-19T23:59:00+0100",
            "2026-11-19T23:59:00+1:000",
            "2026-11-19T23:59:00+14:01",
            "2026-11-19T23:59:00+01:60",
            "2026-11-19T23:59:00+-1:00",
            "2026-11-1ä23:59:00Z",
            "٢026-11-19T23:59:00Z",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    proptest! {
        /// Up to the end of the year 9999.
        #[test]
        fn a_moment_that_was_written_is_read_as_it_was(millis in 0_u64..253_402_300_800_000) {
            prop_assert_eq!(moment(&stamp(millis)), Some(millis));
        }

        #[test]
        fn nothing_that_looks_like_a_moment_makes_reading_panic(
            text in "[0-9:TZ+.ä-]{0,30}",
            bytes in any::<String>(),
        ) {
            let _ = (moment(&text), moment(&bytes));
        }
    }
}
