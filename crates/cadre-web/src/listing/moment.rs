//! Moments and days as a query may give them.

use cadre_model::time::wire;
use jiff::Timestamp;
use jiff::civil::Date;

/// A moment out of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970, rounded down.
    pub ms: i64,
    /// The calendar day, as the caller wrote it.
    pub day: Date,
}

/// What a moment looks like, for error messages.
pub(super) const EXPECTED: &str = "a moment (2026-01-31T08:15:00.000Z) or a day (2026-01-31)";

impl Moment {
    /// Reads a day, or a day and a time with or without a zone. Without one, it is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Moment> {
        let (date, rest) = text.split_at_checked(10)?;
        let day: Date = date.parse().ok().filter(|_| looks_like_a_date(date))?;
        let text = match rest {
            "" | "Z" => format!("{date}T00:00:00Z"),
            _ => format!("{date}T{}", with_zone(rest.strip_prefix('T')?)?),
        };
        let moment: Timestamp = text.parse().ok()?;
        let ms = moment.as_nanosecond().div_euclid(1_000_000);
        Some(Moment { ms: i64::try_from(ms).ok()?, day })
    }

    /// As records hold it.
    #[must_use]
    pub fn wire(self) -> String {
        wire(self.ms)
    }
}

fn looks_like_a_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

/// A time of day with its zone: UTC where none is given, at most nine digits of a second.
fn with_zone(time: &str) -> Option<String> {
    let (clock, rest) = time.split_at_checked(8)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (rest.get(..digits).filter(|digits| !digits.is_empty())?, &rest[digits..])
        }
        None => ("0", rest),
    };
    let fraction = fraction.get(..9).unwrap_or(fraction);
    // A plus that was not percent-encoded arrives as a space.
    let zone = match zone.strip_prefix(' ') {
        Some(offset) => format!("+{offset}"),
        None if zone.is_empty() => "Z".to_owned(),
        None => zone.to_owned(),
    };
    Some(format!("{clock}.{fraction}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn every_form_of_the_contract_is_read() {
        let day = 1_769_817_600_000;
        for (text, ms) in [
            ("2026-01-31", day),
            ("2026-01-31Z", day),
            ("2026-01-31T08:15:00", day + 29_700_000),
            ("2026-01-31T08:15:00Z", day + 29_700_000),
            ("2026-01-31T08:15:00.005Z", day + 29_700_005),
            ("2026-01-31T08:15:00.005999Z", day + 29_700_005),
            ("2026-01-31T08:15:00.0051234567891234Z", day + 29_700_005),
            ("2026-01-31T08:15:00+02:00", day + 22_500_000),
            ("2026-01-31T08:15:00 02:00", day + 22_500_000),
            ("1969-12-31T23:59:59.9999Z", -1),
        ] {
            assert_eq!(Moment::parse(text).map(|m| m.ms), Some(ms), "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "20260131",
            "2026-01-31T",
            "2026-01-31T8:15",
            "2026-01-31T08:15:00.Z",
            "2026-01-31T25:00:00Z",
            "2026-01-31 08:15:00",
            "1769817600000",
            "2026-01-31T08:15:00Zjunk",
            "ä026-01-31",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
