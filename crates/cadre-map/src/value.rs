//! Reading a value by the type of its field.
//!
//! Every function is total: what does not fit becomes null and an issue that names the place, what was
//! expected and what came.

use std::collections::{BTreeSet, HashMap};

use cadre_model::mapped::{Issue, Link};
use cadre_model::shape::{Choices, Field, Kind, Structure, Union};
use jiff::tz::TimeZone;
use serde_json::{Map, Number, Value};

use crate::apply::is_required;
use crate::{date, place};

/// What a line says about its value beside the expression.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// The tool's value in lower case -> ours; `None` says that it means nothing.
    pub(crate) values: Option<HashMap<String, Option<&'static str>>>,
    /// strptime format.
    pub(crate) format: Option<String>,
    /// Zone of times that state none.
    pub(crate) zone: Option<TimeZone>,
}

/// Where in the record we are, and what was found on the way.
pub(crate) struct Trail<'a> {
    path: String,
    pub(crate) rules: &'a Rules,
    issues: Vec<Found>,
}

/// An issue within one field.
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) problem: &'static str,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl<'a> Trail<'a> {
    pub(crate) fn new(name: &str, rules: &'a Rules) -> Self {
        Self { path: name.to_owned(), rules, issues: Vec::new() }
    }

    pub(crate) fn into_issues(self) -> Vec<Found> {
        self.issues
    }

    /// Notes that a value does not fit; the field is null.
    fn refuse(
        &mut self,
        problem: &'static str,
        expected: impl Into<String>,
        came: &Value,
    ) -> Value {
        let got = match came {
            Value::String(text) => Issue::shorten(text),
            other => Issue::shorten(&other.to_string()),
        };
        self.issues.push(Found {
            path: self.path.clone(),
            problem,
            expected: expected.into(),
            got,
        });
        Value::Null
    }

    /// Reads a part of the value, one step deeper.
    fn deeper<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let value = read(self);
        self.path.truncate(length);
        value
    }
}

/// Reads a value; null is "the tool says nothing" and is no issue.
pub(crate) fn read(kind: &Kind, came: &Value, trail: &mut Trail<'_>) -> Value {
    // Tools leave a field empty in many ways; an empty text is one of all kinds but plain JSON.
    let empty = came.is_null() || came.as_str().is_some_and(|text| text.trim().is_empty());
    if empty && !matches!(kind, Kind::Json) {
        return Value::Null;
    }
    match kind {
        Kind::Text => text(came, trail),
        Kind::Number => number(came, trail),
        Kind::Integer => integer(came, trail),
        Kind::Boolean => boolean(came, trail),
        Kind::Timestamp | Kind::Midnight | Kind::Date | Kind::TimeOfDay | Kind::Offset => {
            match date::read(kind, came, trail.rules) {
                Some(read) => read,
                None => trail.refuse("invalid_date", expected(kind), came),
            }
        }
        Kind::Email => checked(kind, came, trail, "invalid_email", place::email),
        Kind::Url => checked(kind, came, trail, "invalid_url", place::url),
        Kind::Currency => checked(kind, came, trail, "unknown_currency", place::currency),
        Kind::Country => checked(kind, came, trail, "unknown_country", place::country),
        Kind::Choice(choices) => choice(choices, came, trail),
        Kind::Ref(_) => match remote_id(came) {
            Some(id) => Value::String(id),
            None => trail.refuse("wrong_type", expected(kind), came),
        },
        Kind::Object(shape) => object(shape, came, trail),
        Kind::Union(union) => tagged(union, came, trail),
        Kind::List(item) => list(item, came, trail),
        Kind::Json => came.clone(),
    }
}

/// What a kind of value looks like, in words.
pub(crate) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Number => "a number".into(),
        Kind::Integer => "a whole number".into(),
        Kind::Boolean => "true or false".into(),
        Kind::Timestamp => "a date and time, as ISO 8601".into(),
        Kind::Midnight | Kind::Date => "a date, as YYYY-MM-DD".into(),
        Kind::TimeOfDay => "a time of day, as HH:MM or HH:MM:SS".into(),
        Kind::Offset => "an offset from UTC, as +01:00".into(),
        Kind::Email => "an e-mail address".into(),
        Kind::Url => "an absolute URL".into(),
        Kind::Currency => "a currency of ISO 4217".into(),
        Kind::Country => "a country of ISO 3166-1".into(),
        Kind::Choice(choices) => format!("one of {}", choices.values.join(", ")),
        Kind::Ref(model) => format!("the remote id of a record of {model}, as text or number"),
        Kind::Object(shape) => format!("an object with {}", names(shape)),
        Kind::Union(union) => {
            let tags: Vec<&str> = union.variants.iter().map(|(tag, _)| *tag).collect();
            format!("an object whose `type` is one of {}", tags.join(", "))
        }
        Kind::List(item) => format!("a list, each item {}", expected(item)),
        Kind::Json => "any JSON".into(),
    }
}

fn names(shape: &Structure) -> String {
    shape.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

fn text(came: &Value, trail: &mut Trail<'_>) -> Value {
    match came {
        Value::String(_) => came.clone(),
        Value::Number(_) | Value::Bool(_) => Value::String(came.to_string()),
        _ => trail.refuse("wrong_type", expected(&Kind::Text), came),
    }
}

fn number(came: &Value, trail: &mut Trail<'_>) -> Value {
    let read = match came {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => parse_number(text.trim()),
        _ => None,
    };
    match read {
        Some(number) => Value::Number(number),
        None => trail.refuse("wrong_type", expected(&Kind::Number), came),
    }
}

/// A number as a program writes it. Separators of thousands, and a comma before the decimals, mean
/// different things in different countries, so they are refused rather than guessed.
fn parse_number(text: &str) -> Option<Number> {
    let plain =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plain || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    match unsigned.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => unsigned.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

fn integer(came: &Value, trail: &mut Trail<'_>) -> Value {
    let number = match came {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => parse_number(text.trim()),
        _ => None,
    };
    let whole = number.and_then(|number| {
        number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
        })
    });
    match whole {
        Some(whole) => whole.into(),
        None => trail.refuse("wrong_type", expected(&Kind::Integer), came),
    }
}

fn boolean(came: &Value, trail: &mut Trail<'_>) -> Value {
    let word = match came {
        Value::Bool(_) => return came.clone(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "yes" | "y" | "on" | "1" => Value::Bool(true),
        "false" | "no" | "n" | "off" | "0" => Value::Bool(false),
        _ => trail.refuse("wrong_type", expected(&Kind::Boolean), came),
    }
}

fn checked(
    kind: &Kind,
    came: &Value,
    trail: &mut Trail<'_>,
    problem: &'static str,
    check: impl Fn(&str) -> Option<String>,
) -> Value {
    match came.as_str().map(str::trim).and_then(check) {
        Some(read) => Value::String(read),
        None => trail.refuse(problem, expected(kind), came),
    }
}

fn choice(choices: &'static Choices, came: &Value, trail: &mut Trail<'_>) -> Value {
    let word = match came {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => came.to_string(),
        _ => return trail.refuse("wrong_type", expected(&Kind::Choice(choices)), came),
    };
    if let Some(ours) =
        trail.rules.values.as_ref().and_then(|values| values.get(&word.to_lowercase()))
    {
        return ours.map_or(Value::Null, Value::from);
    }
    if let Some(ours) = choices.values.iter().find(|value| value.eq_ignore_ascii_case(&word)) {
        return (*ours).into();
    }
    trail.refuse("unknown_value", expected(&Kind::Choice(choices)), came);
    // An open choice lets the tool's own word through, as the contract allows.
    if choices.open { Value::String(word) } else { Value::Null }
}

/// A remote id: text or a number, printed.
pub(crate) fn remote_id(came: &Value) -> Option<String> {
    match came {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn object(shape: &'static Structure, came: &Value, trail: &mut Trail<'_>) -> Value {
    let Value::Object(parts) = came else {
        return trail.refuse("wrong_type", expected(&Kind::Object(shape)), came);
    };
    match fields(shape, parts, trail) {
        Some(read) if read.values().all(Value::is_null) && !shape.fields.is_empty() => Value::Null,
        Some(read) => Value::Object(read),
        None => Value::Null,
    }
}

/// The fields of a structure; `None` if one that must be there is not.
fn fields(
    shape: &'static Structure,
    parts: &Map<String, Value>,
    trail: &mut Trail<'_>,
) -> Option<Map<String, Value>> {
    let mut read_fields = Map::new();
    let mut whole = true;
    for field in shape.fields {
        let came = parts.get(field.name).unwrap_or(&Value::Null);
        let step = format!(".{}", field.name);
        let value = trail.deeper(&step, |trail| {
            let value = read(&field.kind, came, trail);
            whole &= !missing(field, &value, trail);
            value
        });
        read_fields.insert(field.name.to_owned(), value);
    }
    whole.then_some(read_fields)
}

fn missing(field: &Field, value: &Value, trail: &mut Trail<'_>) -> bool {
    let missing = value.is_null() && is_required(field);
    if missing {
        trail.refuse("missing_required", expected(&field.kind), &Value::Null);
    }
    missing
}

fn tagged(union: &'static Union, came: &Value, trail: &mut Trail<'_>) -> Value {
    let tag = came.get("type").and_then(Value::as_str).unwrap_or_default();
    let variant = union.variants.iter().find(|(name, _)| *name == tag);
    let (Some((tag, shape)), Value::Object(parts)) = (variant, came) else {
        return trail.refuse("wrong_type", expected(&Kind::Union(union)), came);
    };
    match fields(shape, parts, trail) {
        Some(read) => {
            let mut tagged = Map::new();
            tagged.insert("type".into(), (*tag).into());
            tagged.extend(read);
            Value::Object(tagged)
        }
        None => Value::Null,
    }
}

fn list(item: &'static Kind, came: &Value, trail: &mut Trail<'_>) -> Value {
    let Value::Array(items) = came else {
        return trail.refuse("wrong_type", expected(&Kind::List(item)), came);
    };
    let mut values = Vec::new();
    for (at, came) in items.iter().enumerate() {
        let value = trail.deeper(&format!("[{at}]"), |trail| read(item, came, trail));
        if !value.is_null() {
            values.push(value);
        }
    }
    Value::Array(values)
}

/// The links of a relation: remote ids, or objects with `remote_id` and attributes.
pub(crate) fn links(
    attributes: Option<&'static Structure>,
    came: &Value,
    trail: &mut Trail<'_>,
) -> Vec<Link> {
    const EXPECTED: &str = "a list of remote ids, or of objects with `remote_id`";
    let one;
    let items = match came {
        Value::Array(items) => items,
        Value::String(_) | Value::Number(_) => {
            one = vec![came.clone()];
            &one
        }
        _ => {
            trail.refuse("wrong_type", EXPECTED, came);
            return Vec::new();
        }
    };
    let mut links = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        let empty = item.is_null() || item.as_str().is_some_and(|text| text.trim().is_empty());
        if empty {
            continue;
        }
        let link = trail.deeper(&format!("[{at}]"), |trail| {
            let id = remote_id(item.get("remote_id").unwrap_or(item));
            let Some(remote_id) = id else {
                trail.refuse("wrong_type", EXPECTED, item);
                return None;
            };
            let attributes = match (attributes, item) {
                (Some(shape), Value::Object(parts)) => fields(shape, parts, trail)?,
                _ => Map::new(),
            };
            Some(Link { remote_id, attributes })
        });
        if let Some(link) = link
            && seen.insert(link.remote_id.clone())
        {
            links.push(link);
        }
    }
    links
}

#[cfg(test)]
mod tests;
