//! jaq's functions on JSON values.
//!
//! Each gives what jaq gives, or gives up ([`Stop::GaveUp`]) where JSON cannot hold what jaq would
//! go on with: then jaq does the whole evaluation.

use std::borrow::Cow;

use jaq_json::Num;
use serde_json::{Map, Number, Value};

use crate::error::EvalError;
use crate::order::equal;
use crate::print::{json, write_json};
use crate::value::exact_number;

/// Why a computation stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// An error of the expression; `?` catches it.
    Error(EvalError),
    /// A limit; nothing catches it.
    Limit(EvalError),
    /// Nobody wants more outputs.
    Enough,
    /// Only jaq can go on.
    GaveUp,
}

/// A value, borrowed from the input where it can be.
pub(crate) type Got<'x> = Result<Cow<'x, Value>, Stop>;
/// A function of the input.
pub(crate) type Unary = for<'x> fn(&'x Value) -> Got<'x>;
/// A function of the input and an argument.
pub(crate) type Binary = for<'x> fn(&'x Value, &Value) -> Got<'x>;

/// The function of that name without arguments.
pub(crate) fn unary(name: &str) -> Option<Unary> {
    Some(match name {
        "not" => |value| flag(!truthy(value)),
        "length" => length,
        "tostring" => tostring,
        "tojson" => |value| owned(Value::String(json(value))),
        "tonumber" => tonumber,
        "type" => |value| owned(Value::from(kind(value))),
        "ascii_downcase" => |value| text(value).and_then(|text| owned(text.to_ascii_lowercase())),
        "ascii_upcase" => |value| text(value).and_then(|text| owned(text.to_ascii_uppercase())),
        "trim" => |value| trimmed(value, str::trim),
        "ltrim" => |value| trimmed(value, str::trim_start),
        "rtrim" => |value| trimmed(value, str::trim_end),
        "keys" => |value| keys(value, true),
        "keys_unsorted" => |value| keys(value, false),
        "to_entries" => to_entries,
        "from_entries" => from_entries,
        "floor" => |value| round(value, f64::floor),
        "ceil" => |value| round(value, f64::ceil),
        "round" => |value| round(value, f64::round),
        "isboolean" => is_boolean,
        "isnumber" => is_number,
        "isstring" => is_string,
        "isarray" => is_array,
        "isobject" => is_object,
        _ => return None,
    })
}

/// The function of that name with one argument.
pub(crate) fn binary(name: &str) -> Option<Binary> {
    Some(match name {
        "has" => has,
        "contains" => |value, other| flag(contains(value, other)),
        "inside" => |value, other| flag(contains(other, value)),
        "in" => |value, other| has(other, value).map(|found| Cow::Owned(found.into_owned())),
        "startswith" => |value, part| flag(text(value)?.starts_with(text(part)?)),
        "endswith" => |value, part| flag(text(value)?.ends_with(text(part)?)),
        "ltrimstr" => |value, part| without(value, part, |text, part| text.strip_prefix(part)),
        "rtrimstr" => |value, part| without(value, part, |text, part| text.strip_suffix(part)),
        "split" => split,
        "join" => join,
        _ => return None,
    })
}

fn owned<'x>(value: impl Into<Value>) -> Got<'x> {
    Ok(Cow::Owned(value.into()))
}

fn flag<'x>(flag: bool) -> Got<'x> {
    Ok(Cow::Owned(Value::Bool(flag)))
}

pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(EvalError::new(message)))
}

/// The value as an error message quotes it.
pub(crate) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(items) if items.len() > 3 => return "an array".to_owned(),
        Value::Object(entries) if entries.len() > 3 => return "an object".to_owned(),
        value => json(value),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(crate) fn wrong_type<T>(value: &Value, expected: &str) -> Result<T, Stop> {
    fail(format!("cannot use {} as {expected}", shown(value)))
}

pub(crate) fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn text(value: &Value) -> Result<&str, Stop> {
    match value {
        Value::String(text) => Ok(text),
        value => wrong_type(value, "string"),
    }
}

macro_rules! tests {
    ($($name:ident: $pattern:pat),* $(,)?) => {
        $(pub(crate) fn $name(value: &Value) -> Got<'_> {
            flag(matches!(value, $pattern))
        })*
    };
}

tests! {
    is_null: Value::Null,
    is_boolean: Value::Bool(_),
    is_number: Value::Number(_),
    is_string: Value::String(_),
    is_array: Value::Array(_),
    is_object: Value::Object(_),
    is_iterable: Value::Array(_) | Value::Object(_),
    is_not_null: Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
    is_scalar: Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_),
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn length(value: &Value) -> Got<'_> {
    match value {
        Value::Null => owned(0),
        Value::Bool(_) => fail(format!("{value} has no length")),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.checked_abs().map_or(Err(Stop::GaveUp), owned),
            None if number.is_u64() => Ok(Cow::Borrowed(value)),
            None => exact(Num::Float(number.as_f64().unwrap_or(f64::NAN).abs())),
        },
        Value::String(text) => owned(text.chars().count()),
        Value::Array(items) => owned(items.len()),
        Value::Object(entries) => owned(entries.len()),
    }
}

pub(crate) fn exact<'x>(number: Num) -> Got<'x> {
    exact_number(&number).map_or(Err(Stop::GaveUp), |number| owned(Value::Number(number)))
}

fn tostring(value: &Value) -> Got<'_> {
    match value {
        Value::String(_) => Ok(Cow::Borrowed(value)),
        value => owned(json(value)),
    }
}

/// A decimal number whose text stays what it is when it is printed.
pub(crate) fn decimal(text: &str) -> Option<Number> {
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
    (Num::Float(float).to_string() == text).then(|| Number::from_f64(float)).flatten()
}

fn tonumber(value: &Value) -> Got<'_> {
    match value {
        Value::Number(_) => Ok(Cow::Borrowed(value)),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                && digits.as_bytes().first().is_some_and(u8::is_ascii_digit)
                && digits.as_bytes().last().is_some_and(u8::is_ascii_digit);
            if !plain {
                // jaq reads anything that is JSON, several values included.
                return Err(Stop::GaveUp);
            }
            if let Ok(whole) = text.parse::<i64>() {
                return owned(whole);
            }
            decimal(text).map_or(Err(Stop::GaveUp), |number| owned(Value::Number(number)))
        }
        value => wrong_type(value, "string"),
    }
}

fn trimmed<'x>(value: &'x Value, trim: fn(&str) -> &str) -> Got<'x> {
    let whole = text(value)?;
    let kept = trim(whole);
    if kept.len() == whole.len() { Ok(Cow::Borrowed(value)) } else { owned(kept) }
}

fn keys(value: &Value, sorted: bool) -> Got<'_> {
    match value {
        Value::Array(items) => owned((0..items.len()).map(Value::from).collect::<Vec<_>>()),
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            if sorted {
                keys.sort_unstable();
            }
            owned(keys.into_iter().map(|key| Value::String(key.clone())).collect::<Vec<_>>())
        }
        value => wrong_type(value, "iterable (array or object)"),
    }
}

fn entry(key: Value, value: &Value) -> Value {
    let mut entry = Map::with_capacity(2);
    entry.insert("key".to_owned(), key);
    entry.insert("value".to_owned(), value.clone());
    Value::Object(entry)
}

pub(crate) fn to_entries(value: &Value) -> Got<'_> {
    let entries: Vec<Value> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| entry(Value::from(at), item)).collect()
        }
        Value::Object(entries) => {
            entries.iter().map(|(key, item)| entry(Value::String(key.clone()), item)).collect()
        }
        value => return wrong_type(value, "iterable (array or object)"),
    };
    owned(entries)
}

pub(crate) fn from_entries(value: &Value) -> Got<'_> {
    let mut object = Map::new();
    let mut put = |item: &Value| {
        let Value::Object(entry) = item else {
            // null has every field, all of them null; anything else is an error.
            return if item.is_null() { Err(Stop::GaveUp) } else { wrong_type(item, "object") };
        };
        let key = entry.get("key").filter(|key| !key.is_null()).or_else(|| {
            let others = ["k", "name", "Name", "K"];
            let named = others.iter().find_map(|name| entry.get(*name).filter(|key| truthy(key)));
            named.or_else(|| entry.get("Key"))
        });
        let key = match key {
            Some(Value::String(key)) => key.clone(),
            key => json(key.unwrap_or(&Value::Null)),
        };
        let value = ["value", "v"].iter().find_map(|name| entry.get(*name));
        let value = value.or_else(|| entry.get("Value")).cloned().unwrap_or(Value::Null);
        object.insert(key, value);
        Ok(())
    };
    match value {
        Value::Array(items) => items.iter().try_for_each(put)?,
        Value::Object(entries) => entries.values().try_for_each(&mut put)?,
        value => return wrong_type(value, "iterable (array or object)"),
    }
    owned(object)
}

fn round(value: &Value, to: fn(f64) -> f64) -> Got<'_> {
    let Value::Number(number) = value else { return wrong_type(value, "number") };
    if !number.is_f64() {
        return Ok(Cow::Borrowed(value));
    }
    let rounded = to(number.as_f64().unwrap_or(f64::NAN));
    // Beyond these, jaq goes on with a longer integer.
    if (-9.0e18..=9.0e18).contains(&rounded) { owned(rounded as i64) } else { Err(Stop::GaveUp) }
}

fn has<'x>(value: &'x Value, key: &Value) -> Got<'x> {
    match (value, key) {
        (Value::Null, _) => flag(false),
        (Value::Object(entries), Value::String(key)) => flag(entries.contains_key(key)),
        (Value::Object(_), _) => flag(false),
        (Value::Array(items), Value::Number(number)) if !number.is_f64() => match number.as_i64() {
            Some(at) => flag(place(at, items.len()).is_some()),
            None => flag(false),
        },
        (Value::Array(_) | Value::String(_), Value::Object(_)) => Err(Stop::GaveUp),
        (Value::Array(_), Value::Array(_)) => Err(Stop::GaveUp),
        (value, key) => no_index(value, key),
    }
}

pub(crate) fn no_index<T>(value: &Value, key: &Value) -> Result<T, Stop> {
    fail(format!("cannot index {} with {}", shown(value), shown(key)))
}

/// Place in a list of that length, from the end when negative.
pub(crate) fn place(at: i64, len: usize) -> Option<usize> {
    let size = usize::try_from(at.unsigned_abs()).ok()?;
    let at = if at < 0 { len.checked_sub(size)? } else { size };
    (at < len).then_some(at)
}

fn contains(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), Value::Array(others)) => {
            others.iter().all(|other| items.iter().any(|item| contains(item, other)))
        }
        (Value::Object(entries), Value::Object(others)) => others
            .iter()
            .all(|(key, other)| entries.get(key).is_some_and(|value| contains(value, other))),
        (value, other) => equal(value, other),
    }
}

fn without<'x>(
    value: &'x Value,
    part: &Value,
    strip: for<'t> fn(&'t str, &str) -> Option<&'t str>,
) -> Got<'x> {
    match (value, part) {
        (Value::String(text), Value::String(part)) => match strip(text, part) {
            Some(rest) if rest.len() < text.len() => owned(rest),
            _ => Ok(Cow::Borrowed(value)),
        },
        _ => Ok(Cow::Borrowed(value)),
    }
}

fn split<'x>(value: &'x Value, separator: &Value) -> Got<'x> {
    match (value, separator) {
        (Value::String(text), Value::String(separator)) => owned(pieces(text, separator)),
        _ => fail("split input and separator must be strings"),
    }
}

pub(crate) fn pieces(text: &str, separator: &str) -> Vec<Value> {
    if text.is_empty() {
        Vec::new()
    } else if separator.is_empty() {
        text.chars().map(|letter| Value::String(letter.to_string())).collect()
    } else {
        text.split(separator).map(Value::from).collect()
    }
}

fn join<'x>(value: &'x Value, separator: &Value) -> Got<'x> {
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        value => {
            // Nothing to iterate is nothing to join, whatever has the length 0.
            let length = length(value)?;
            let empty = length.as_ref() == &Value::from(0) || length.as_f64() == Some(0.0);
            return if empty { owned("") } else { wrong_type(value, "iterable (array or object)") };
        }
    };
    let mut joined = String::new();
    for (at, item) in items.into_iter().enumerate() {
        match separator {
            _ if at == 0 => {}
            Value::String(separator) => joined.push_str(separator),
            Value::Null => {}
            other => return fail(format!("cannot join with {}", shown(other))),
        }
        match item {
            Value::String(text) => joined.push_str(text),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => write_json(&mut joined, item),
            other => return fail(format!("cannot join {}", shown(other))),
        }
        limit_text(joined.len())?;
    }
    owned(joined)
}

pub(crate) fn limit_text(size: usize) -> Result<(), Stop> {
    if size > crate::MAX_SIZE { Err(Stop::Limit(EvalError::size())) } else { Ok(()) }
}
