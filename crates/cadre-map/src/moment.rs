//! Dates and times as tools write them, and as the unified model prints them.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// Years outside of these are a way to write "none": `0001-01-01`, `9999-12-31`.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=9000;

/// Seconds of the year 1973 and of the year 5138: a number from here on counts seconds, one above
/// milliseconds. Smaller ones are something else, such as the day numbers of spreadsheets.
const LEAST_SECONDS: f64 = 1e8;
const LEAST_MILLISECONDS: f64 = 1e11;
const MOST_MILLISECONDS: f64 = 1e14;

/// A moment in milliseconds since 1970. A time without an offset is taken in `zone`, a date is its
/// midnight in UTC.
pub(crate) fn moment(text: &str, format: Option<&str>, zone: &TimeZone) -> Option<i64> {
    let timestamp = match format.and_then(|format| formatted(text, format)) {
        Some(parts) => of_parts(&parts, zone)?,
        None => of_iso(text, zone)?,
    };
    in_range(timestamp.to_zoned(TimeZone::UTC).date()).map(|_| timestamp.as_millisecond())
}

/// A moment in milliseconds since 1970, from a number of seconds or milliseconds.
pub(crate) fn moment_of_number(number: f64) -> Option<i64> {
    let size = number.abs();
    if !(LEAST_SECONDS..MOST_MILLISECONDS).contains(&size) {
        return None;
    }
    let milliseconds = if size < LEAST_MILLISECONDS { number * 1000.0 } else { number };
    // Within the range above, a float holds every millisecond.
    let timestamp = Timestamp::from_millisecond(milliseconds.round() as i64).ok()?;
    in_range(timestamp.to_zoned(TimeZone::UTC).date()).map(|_| timestamp.as_millisecond())
}

fn of_parts(parts: &BrokenDownTime, zone: &TimeZone) -> Option<Timestamp> {
    if parts.offset().is_some() {
        return parts.to_timestamp().ok();
    }
    match parts.to_datetime() {
        Ok(datetime) if parts.hour().is_some() => local(datetime, zone),
        _ => midnight(parts.to_date().ok()?),
    }
}

fn of_iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let pieces = Pieces::parse(text).ok()?;
    let Some(time) = pieces.time() else { return midnight(pieces.date()) };
    let datetime = DateTime::from_parts(pieces.date(), time);
    if let Some(offset) = pieces.to_numeric_offset() {
        return offset.to_timestamp(datetime).ok();
    }
    match pieces.to_time_zone().ok()? {
        Some(own) => local(datetime, &own),
        None => local(datetime, zone),
    }
}

fn local(datetime: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(datetime).compatible().ok().map(|zoned: Zoned| zoned.timestamp())
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A calendar day: of a date, or the date part of a time stamp as it is written.
pub(crate) fn day(text: &str, format: Option<&str>) -> Option<Date> {
    let date = match format.and_then(|format| formatted(text, format)) {
        Some(parts) => parts.to_date().ok()?,
        None => match iso_day(text.as_bytes()) {
            Some(date) => date,
            None => Pieces::parse(text).ok()?.date(),
        },
    };
    in_range(date)
}

/// A plain `2026-01-31`: what nearly all dates are.
fn iso_day(text: &[u8]) -> Option<Date> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
        })
    };
    let year = number(&[y1, y2, y3, y4])?;
    let month = i8::try_from(number(&[m1, m2])?).ok()?;
    Date::new(year, month, i8::try_from(number(&[d1, d2])?).ok()?).ok()
}

/// A time of day: of a time, or the time part of a time stamp as it is written.
pub(crate) fn time_of_day(text: &str, format: Option<&str>) -> Option<Time> {
    if let Some(parts) = format.and_then(|format| formatted(text, format)) {
        return parts.to_time().ok();
    }
    match Pieces::parse(text) {
        Ok(pieces) => pieces.time(),
        // `8:30` is as clear as `08:30`.
        Err(_) if text.as_bytes().get(1) == Some(&b':') => format!("0{text}").parse().ok(),
        Err(_) => text.parse().ok(),
    }
}

/// An offset from UTC: `Z`, `+01:00`, `+0100`, `+01`, `UTC+1`.
pub(crate) fn offset(text: &str) -> Option<Offset> {
    let rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    if rest.is_empty() || rest.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match rest.as_bytes().first()? {
        b'+' => (1, &rest[1..]),
        b'-' => (-1, &rest[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "0"),
    };
    let number = |digits: &str| {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let in_use = hours <= 14 && minutes < 60;
    in_use.then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()).flatten()
}

/// A zone by its IANA name or its offset.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    offset(name).map(TimeZone::fixed).or_else(|| TimeZone::get(name).ok())
}

/// Whether a strptime format is one: it must at least be able to print a moment.
pub(crate) fn is_format(format: &str) -> bool {
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    format.contains('%') && jiff::fmt::strtime::format(format, &sample).is_ok()
}

/// A day as `2026-01-31`.
pub(crate) fn print_day(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

/// A day as its midnight in UTC.
pub(crate) fn print_midnight(day: Date) -> String {
    format!("{:04}-{:02}-{:02}T00:00:00.000Z", day.year(), day.month(), day.day())
}

pub(crate) fn print_offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

pub(crate) fn print_time(time: Time) -> String {
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// The parts of a text in a strptime format. A tool that exports typed cells writes ISO dates
/// whatever the format of its other files is: those are never ambiguous, and are read as well.
fn formatted(text: &str, format: &str) -> Option<BrokenDownTime> {
    jiff::fmt::strtime::parse(format, text).ok().or_else(|| {
        // A value that is no ISO date either must not be read as one in another order.
        let iso = text.as_bytes().get(4) == Some(&b'-') && Pieces::parse(text).is_ok();
        if iso { None } else { Some(BrokenDownTime::default()) }
    })
}

fn in_range(date: Date) -> Option<Date> {
    YEARS.contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{
        day, moment, moment_of_number, offset, print_offset, print_time, time_of_day, zone,
    };

    #[track_caller]
    fn is_moment(text: &str, format: Option<&str>, in_zone: &str, expected: Option<&str>) {
        let zone = zone(in_zone).expect("a zone");
        let got = moment(text, format, &zone).map(cadre_model::time::wire);
        assert_eq!(got.as_deref(), expected, "{text}");
    }

    #[test]
    fn moments() {
        is_moment("2026-01-31T08:15:00Z", None, "UTC", Some("2026-01-31T08:15:00.000Z"));
        is_moment(
            "2026-01-31T08:15:00.123456+01:00",
            None,
            "UTC",
            Some("2026-01-31T07:15:00.123Z"),
        );
        is_moment("2026-01-31 08:15:00+0100", None, "UTC", Some("2026-01-31T07:15:00.000Z"));
        is_moment("2026-01-31T08:15", None, "UTC", Some("2026-01-31T08:15:00.000Z"));
        is_moment("2026-07-31 08:15:00", None, "Europe/Berlin", Some("2026-07-31T06:15:00.000Z"));
        is_moment("2026-01-31 08:15:00", None, "Europe/Berlin", Some("2026-01-31T07:15:00.000Z"));
        is_moment("2026-03-29 02:30:00", None, "Europe/Berlin", Some("2026-03-29T01:30:00.000Z"));
        is_moment("2026-01-31", None, "Europe/Berlin", Some("2026-01-31T00:00:00.000Z"));
        is_moment(
            "31.01.2026 08:15",
            Some("%d.%m.%Y %H:%M"),
            "+02:00",
            Some("2026-01-31T06:15:00.000Z"),
        );
        is_moment("31.01.2026", Some("%d.%m.%Y"), "+02:00", Some("2026-01-31T00:00:00.000Z"));
        for wrong in [
            "",
            "soon",
            "31.01.2026",
            "2026-13-01",
            "2026-02-30",
            "0001-01-01T00:00:00",
            "08:15",
            "1769847300",
        ] {
            is_moment(wrong, None, "UTC", None);
        }
        is_moment("01/31/2026", Some("%d.%m.%Y"), "UTC", None);
    }

    #[test]
    fn numbers_count_from_1970() {
        assert_eq!(moment_of_number(1_700_000_000.0), Some(1_700_000_000_000));
        assert_eq!(moment_of_number(1_700_000_000_123.0), Some(1_700_000_000_123));
        assert_eq!(moment_of_number(45_000.0), None);
        assert_eq!(moment_of_number(0.0), None);
        assert_eq!(moment_of_number(1e18), None);
        assert_eq!(moment_of_number(-6.7e13), None);
        assert_eq!(moment_of_number(f64::NAN), None);
    }

    #[test]
    fn days() {
        let is_day = |text: &str, format, expected: Option<&str>| {
            assert_eq!(day(text, format).map(|day| day.to_string()).as_deref(), expected, "{text}");
        };
        is_day("2026-01-31", None, Some("2026-01-31"));
        is_day("2026-01-31T23:30:00-05:00", None, Some("2026-01-31"));
        is_day("31.1.2026", Some("%d.%m.%Y"), Some("2026-01-31"));
        is_day("2026-01-31", Some("%d.%m.%Y"), Some("2026-01-31"));
        is_day("01/31/2026", Some("%d/%m/%Y"), None);
        is_day("31.01.2026", None, None);
        is_day("0000-00-00", None, None);
        is_day("9999-12-31", None, None);
    }

    #[test]
    fn times_and_offsets() {
        for (text, expected) in [
            ("08:30", Some("08:30:00")),
            ("8:30", Some("08:30:00")),
            ("08:30:15.5", Some("08:30:15")),
            ("2026-01-31T08:30:00+05:00", Some("08:30:00")),
            ("25:00", None),
            ("noon", None),
        ] {
            assert_eq!(time_of_day(text, None).map(print_time).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("Z", Some("+00:00")),
            ("+01:00", Some("+01:00")),
            ("-0530", Some("-05:30")),
            ("+1", Some("+01:00")),
            ("UTC+2", Some("+02:00")),
            ("+15:00", None),
            ("Europe/Berlin", None),
            ("+é1", None),
            ("", Some("+00:00")),
        ] {
            assert_eq!(offset(text).map(print_offset).as_deref(), expected, "{text}");
        }
        assert_eq!(zone("Mars/Olympus"), None);
        assert_eq!(zone("+02:00"), Some(TimeZone::fixed(jiff::tz::offset(2))));
    }
}
