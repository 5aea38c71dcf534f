//! Whether a resource, or one of its values, meets a condition; and the order of a list.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::path::{Filter, Op, Place};

/// Looks up a name in any case.
pub(super) fn get<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

impl Place {
    /// The values at the place; of several, each.
    pub(super) fn values<'v>(&self, resource: &'v Value) -> Vec<&'v Value> {
        let of = match &self.urn {
            Some(urn) => resource.as_object().and_then(|all| get(all, urn)),
            None => Some(resource),
        };
        let Some(Value::Object(of)) = of else { return Vec::new() };
        let Some(name) = &self.attribute else { return Vec::new() };
        let found = match get(of, name) {
            Some(Value::Array(many)) => many.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let Some(part) = &self.part else { return found };
        let parts = found.into_iter().filter_map(|value| get(value.as_object()?, part));
        parts.collect()
    }

    /// Ids and what others made up are compared letter by letter, everything else in any case.
    fn is_exact(&self) -> bool {
        let name = self.part.as_deref().or(self.attribute.as_deref()).unwrap_or_default();
        ["id", "externalId", "$ref"].iter().any(|exact| exact.eq_ignore_ascii_case(name))
    }
}

/// What stands for a value that has parts.
fn plain(value: &Value) -> &Value {
    value.as_object().and_then(|parts| get(parts, "value")).unwrap_or(value)
}

impl Filter {
    /// Whether a resource, or a value with parts, meets the condition.
    pub(super) fn holds(&self, resource: &Value) -> bool {
        match self {
            Filter::Not(inner) => !inner.holds(resource),
            Filter::All(all) => all.iter().all(|one| one.holds(resource)),
            Filter::Any(any) => any.iter().any(|one| one.holds(resource)),
            Filter::Present(place) => place.values(resource).into_iter().any(is_there),
            Filter::Within(place, inner) => {
                place.values(resource).into_iter().any(|value| inner.holds(value))
            }
            Filter::Compare(place, op, given) => {
                let exact = place.is_exact();
                let values = place.values(resource).into_iter().map(plain);
                match op {
                    Op::Ne => !values.into_iter().any(|value| equal(value, given, exact)),
                    // Nothing is what is not there.
                    Op::Eq if given.is_null() => !place.values(resource).into_iter().any(is_there),
                    _ => values.into_iter().any(|value| compare(value, *op, given, exact)),
                }
            }
        }
    }
}

fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(many) => !many.is_empty(),
        Value::Object(parts) => !parts.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn compare(value: &Value, op: Op, given: &Value, exact: bool) -> bool {
    let text = |value: &Value| {
        let text = value.as_str()?;
        Some(if exact { text.to_owned() } else { text.to_lowercase() })
    };
    let texts = |holds: fn(&str, &str) -> bool| match (text(value), text(given)) {
        (Some(value), Some(given)) => holds(&value, &given),
        _ => false,
    };
    let ordered = |holds: fn(Ordering) -> bool| order(value, given, exact).is_some_and(holds);
    match op {
        Op::Eq => equal(value, given, exact),
        Op::Ne => !equal(value, given, exact),
        Op::Contains => texts(|value, given| value.contains(given)),
        Op::Starts => texts(|value, given| value.starts_with(given)),
        Op::Ends => texts(|value, given| value.ends_with(given)),
        Op::Greater => ordered(Ordering::is_gt),
        Op::GreaterEq => ordered(Ordering::is_ge),
        Op::Less => ordered(Ordering::is_lt),
        Op::LessEq => ordered(Ordering::is_le),
    }
}

fn equal(value: &Value, given: &Value, exact: bool) -> bool {
    match (value, given) {
        // Some clients write true and false as text.
        (Value::Bool(flag), Value::String(text)) | (Value::String(text), Value::Bool(flag)) => {
            text.eq_ignore_ascii_case(&flag.to_string())
        }
        _ => order(value, given, exact) == Some(Ordering::Equal) || value == given,
    }
}

fn order(value: &Value, given: &Value, exact: bool) -> Option<Ordering> {
    match (value, given) {
        (Value::String(value), Value::String(given)) => {
            let moments = (value.parse::<jiff::Timestamp>(), given.parse::<jiff::Timestamp>());
            if let (Ok(value), Ok(given)) = moments {
                return Some(value.cmp(&given));
            }
            Some(match exact {
                true => value.cmp(given),
                false => value.to_lowercase().cmp(&given.to_lowercase()),
            })
        }
        (Value::Number(value), Value::Number(given)) => {
            value.as_f64()?.partial_cmp(&given.as_f64()?)
        }
        _ => None,
    }
}

/// The order of two resources by a place: the main value, else the first; nothing comes last.
pub(super) fn by_place(place: &Place, one: &Value, other: &Value) -> Ordering {
    let key = |resource| {
        let values: Vec<&Value> = place.values(resource);
        let main = values.iter().find(|value| value["primary"] == true).or(values.first());
        main.map(|value| plain(value).clone()).filter(is_there)
    };
    match (key(one), key(other)) {
        (Some(one), Some(other)) => {
            order(&one, &other, place.is_exact()).unwrap_or(Ordering::Equal)
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
