//! Parameters of a list, read as strictly as the vendors read them.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// Parameters by name.
pub(crate) type Params = HashMap<String, String>;

/// What is wrong with a parameter: its name, and what it has to be.
pub(crate) type Wrong = (&'static str, &'static str);

/// A whole number within limits, or `default` when it is not given.
pub(crate) fn number(
    params: &Params,
    name: &'static str,
    default: usize,
    limits: std::ops::RangeInclusive<usize>,
    wrong: &'static str,
) -> Result<usize, Wrong> {
    match params.get(name) {
        None => Ok(default),
        Some(text) => {
            text.parse().ok().filter(|number| limits.contains(number)).ok_or((name, wrong))
        }
    }
}

/// A moment, RFC 3339 or a day; a day is its midnight in UTC.
pub(crate) fn moment(params: &Params, name: &'static str) -> Result<Option<Timestamp>, Wrong> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse()
        .ok()
        .or_else(day)
        .map(Some)
        .ok_or((name, "must be a date, or a date and time with an offset"))
}

/// `true` or `false`; not given is false.
pub(crate) fn switch(params: &Params, name: &'static str) -> Result<bool, Wrong> {
    match params.get(name).map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err((name, "must be true or false")),
    }
}

/// What a list can be narrowed to: list, parameter, and where records have the value.
pub(crate) type Narrowing = (&'static str, &'static str, &'static str);

/// The values that the records of a list must have.
pub(crate) fn equal(
    params: &Params,
    list: &str,
    known: &[Narrowing],
) -> Vec<(&'static str, String)> {
    let own = known.iter().filter(|(of, _, _)| *of == list);
    own.filter_map(|(_, name, place)| Some((*place, params.get(*name)?.clone()))).collect()
}
