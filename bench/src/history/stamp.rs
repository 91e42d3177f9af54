//! Points in time as archives write them (XEP-0082).

use std::fmt;

/// Milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(u64);

const MILLISECONDS_PER_DAY: u64 = 86_400_000;

impl Stamp {
    /// Reads `2026-11-20T19:15:25.123Z`; digits beyond milliseconds are cut off. Nothing if it is
    /// anything else: every server writes UTC, as XEP-0082 §3.2 wants for the legacy and the new form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let (year, rest) = date.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let (hour, rest) = time.split_once(':')?;
        let (minute, second) = rest.split_once(':')?;
        let second: f64 = second.parse().ok()?;
        let number = |text: &str| text.parse::<u64>().ok();
        let days = days_before(number(year)?, number(month)?, number(day)?)?;
        let minutes = number(hour)? * 60 + number(minute)?;
        let in_minute = (second * 1e3 + 1e-6) as u64;
        Some(Self(
            days * MILLISECONDS_PER_DAY + minutes * 60_000 + in_minute,
        ))
    }

    /// Whether it is not before another, as far as an archive that keeps whole seconds can tell.
    pub(crate) fn is_from(self, start: Self) -> bool {
        self.0 >= start.0 / 1000 * 1000
    }

    /// The point at this share of the way to a later one.
    pub(crate) fn towards(self, end: Self, share: f64) -> Self {
        Self(self.0 + (end.0.saturating_sub(self.0) as f64 * share) as u64)
    }
}

/// With milliseconds.
impl fmt::Display for Stamp {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.0 / MILLISECONDS_PER_DAY);
        let ms = self.0 % MILLISECONDS_PER_DAY;
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        let (second, ms) = (ms / 1000 % 60, ms % 1000);
        write!(
            to,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )
    }
}

/// Days of a year's months.
fn months(year: u64) -> [u64; 12] {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let february = if is_leap { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    // Years before 1970 and months out of range are no time of a message.
    let years: u64 = (1970..year)
        .map(|year| months(year).iter().sum::<u64>())
        .sum();
    let (months, month) = (months(year), month.checked_sub(1)? as usize);
    let before: u64 = months.get(..month)?.iter().sum();
    let is_date = year >= 1970 && (1..=*months.get(month)?).contains(&day);
    is_date.then(|| years + before + day - 1)
}

fn date_of(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        for (month, length) in (1..).zip(months(year)) {
            if days < length {
                return (year, month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0082 §3.2
    #[test]
    fn what_is_written_is_read_as_the_same() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "2000-02-29T23:59:59.999Z",
            "2026-11-20T19:15:25.123Z",
            "2100-03-01T00:00:00.001Z",
        ] {
            assert_eq!(Stamp::parse(text).unwrap().to_string(), text);
        }
        let known = Stamp::parse("2001-09-09T01:46:40Z");
        assert_eq!(known, Some(Stamp(1_000_000_000_000)));
        let microseconds = Stamp::parse("2001-09-09T01:46:40.123456Z");
        assert_eq!(microseconds, Some(Stamp(1_000_000_000_123)));
    }

    #[test]
    fn what_is_no_utc_time_is_nothing() {
        for text in [
            "",
            "now",
            "2026-11-20",
            "2026-11-20T19:15:25+01:00",
            "2026-13-20T19:15:25Z",
            "2026-02-30T19:15:25Z",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_of_the_way_lies_between() {
        let (start, end) = (Stamp(1000), Stamp(3000));
        assert_eq!(start.towards(end, 0.25), Stamp(1500));
        assert_eq!(end.towards(start, 0.5), end);
    }
}
