//! Dates and times in the forms that tools write them.

use cadre_model::shape::Kind;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::value::Rules;

/// Numbers from here on are milliseconds since 1970, smaller ones seconds: in seconds it is the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// What a text says of time.
enum Said {
    /// A moment, with the date and time as they were written.
    Moment(Timestamp, DateTime),
    /// A date and time without zone.
    Civil(DateTime),
    /// A date.
    Day(Date),
    /// A time of day.
    Time(Time),
    /// That there is no date: `0000-00-00`.
    Nothing,
}

/// Reads a value as one of the kinds of time; `None` if it is none.
pub(crate) fn read(kind: &Kind, came: &Value, rules: &Rules) -> Option<Value> {
    if let Kind::Offset = kind {
        return came.as_str().and_then(offset).map(Value::String);
    }
    let said = match came {
        Value::String(text) => parse(text.trim(), rules.format.as_deref())?,
        Value::Number(number) => epoch(number.as_f64()?)?,
        _ => return None,
    };
    let zone = rules.zone.clone().unwrap_or(TimeZone::UTC);
    let text = match kind {
        Kind::Timestamp => {
            let moment = match said {
                Said::Moment(moment, _) => moment,
                Said::Civil(civil) => zone.to_timestamp(civil).ok()?,
                // Midnight in UTC, not in the zone: a date has no zone.
                Said::Day(day) => {
                    TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok()?
                }
                Said::Nothing => return Some(Value::Null),
                Said::Time(_) => return None,
            };
            format!("{moment:.3}")
        }
        Kind::Midnight | Kind::Date => {
            let day = match said {
                Said::Moment(_, written) | Said::Civil(written) => written.date(),
                Said::Day(day) => day,
                Said::Nothing => return Some(Value::Null),
                Said::Time(_) => return None,
            };
            if matches!(kind, Kind::Date) {
                format!("{day}")
            } else {
                format!("{day}T00:00:00.000Z")
            }
        }
        _ => {
            let time = match said {
                Said::Moment(_, written) | Said::Civil(written) => written.time(),
                Said::Time(time) => time,
                Said::Nothing => return Some(Value::Null),
                Said::Day(_) => return None,
            };
            format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
        }
    };
    Some(Value::String(text))
}

fn epoch(number: f64) -> Option<Said> {
    let whole = number.trunc() as i64;
    let moment = if whole.abs() >= MILLISECONDS_FROM {
        Timestamp::from_millisecond(whole).ok()?
    } else {
        Timestamp::from_millisecond((number * 1000.0).round() as i64).ok()?
    };
    Some(Said::Moment(moment, TimeZone::UTC.to_datetime(moment)))
}

fn parse(text: &str, format: Option<&str>) -> Option<Said> {
    if text.starts_with("0000-00-00") {
        return Some(Said::Nothing);
    }
    match format {
        Some(format) => formatted(text, format),
        None => iso(text),
    }
}

fn formatted(text: &str, format: &str) -> Option<Said> {
    let broken = strtime::parse(format, text).ok()?;
    if let Ok(moment) = broken.to_timestamp() {
        let written = broken.to_datetime().unwrap_or_else(|_| TimeZone::UTC.to_datetime(moment));
        return Some(Said::Moment(moment, written));
    }
    match (broken.to_date(), broken.to_time()) {
        (Ok(_), Ok(_)) => broken.to_datetime().ok().map(Said::Civil),
        (Ok(day), Err(_)) => Some(Said::Day(day)),
        (Err(_), Ok(time)) => Some(Said::Time(time)),
        (Err(_), Err(_)) => None,
    }
}

fn iso(text: &str) -> Option<Said> {
    let bytes = text.as_bytes();
    // A date alone is by far the most frequent, and the quickest to tell.
    if bytes.len() == 10 && bytes[4] == b'-' {
        return text.parse().ok().map(Said::Day);
    }
    if bytes.len() <= 8 && text.contains(':') {
        return time(text).map(Said::Time);
    }
    if bytes.len() < 10 {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        // `DateTime` reads what is written before the offset.
        let written: DateTime = civil(text)?;
        return Some(Said::Moment(moment, written));
    }
    civil(text).map(Said::Civil)
}

/// The date and time as written, without the offset.
fn civil(text: &str) -> Option<DateTime> {
    let end = text
        .char_indices()
        .skip(10)
        .find(|(_, c)| matches!(c, 'Z' | 'z' | '+') || (*c == '-'))
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end().parse().ok()
}

fn time(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok().filter(|_| part.len() <= 2));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// `+01:00`, from `+01:00`, `+0100`, `+01` or `Z`.
fn offset(text: &str) -> Option<String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some("+00:00".into());
    }
    let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "00"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let fits = hours.parse::<u8>().ok()? <= 14 && minutes.parse::<u8>().ok()? < 60;
    fits.then(|| format!("{sign}{hours}:{minutes}"))
}
