//! Following a path.

use std::borrow::Cow;

use serde_json::Value;

use super::{Flow, Locals, NULL, Run, Take, V};
use crate::builtin::{self, Got, Stop};
use crate::plan::{Op, Place, Plan, Step};

impl<'v> Run<'_, 'v> {
    pub(super) fn path_one<'p>(
        &self,
        head: &'p Plan,
        steps: &'p [Step],
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
    ) -> Result<V<'v, 'p>, Stop> {
        let made;
        let start = match &head.op {
            Op::Input => input,
            _ => {
                made = self.one(head, input, locals)?;
                &made
            }
        };
        let keys = self.keys(steps, input, locals)?;
        start.apply(|value| straight(Cow::Borrowed(value), steps, &keys))
    }

    /// The computed keys and bounds of a path, in order.
    pub(super) fn keys<'p>(
        &self,
        steps: &'p [Step],
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
    ) -> Result<Vec<V<'v, 'p>>, Stop> {
        let mut keys = Vec::new();
        for step in steps {
            match &step.place {
                Place::Computed(key) => keys.push(self.one(key, input, locals)?),
                Place::Slice(from, to) => {
                    for bound in from.iter().chain(to) {
                        keys.push(self.one(bound, input, locals)?);
                    }
                }
                Place::Key(_) | Place::At(_) | Place::Each => {}
            }
        }
        Ok(keys)
    }

    /// Follows steps that may lead to any number of values.
    pub(super) fn walk<'p>(
        &self,
        value: &V<'v, 'p>,
        steps: &'p [Step],
        keys: &[V<'v, 'p>],
        take: Take<'_, 'v, 'p>,
    ) -> Flow {
        let Some((step, rest)) = steps.split_first() else { return take(value.clone()) };
        let (mine, others) = keys.split_at(key_count(step).min(keys.len()));
        if !matches!(step.place, Place::Each) {
            return match value.apply(|value| go(Cow::Borrowed(value), step, mine)) {
                Ok(value) if rest.is_empty() => take(value),
                Ok(value) => self.walk(&value, rest, others, take),
                Err(Stop::Error(_)) if step.optional => Ok(()),
                Err(stop) => Err(stop),
            };
        }
        let mut visit = |item: V<'v, 'p>| {
            self.step()?;
            self.walk(&item, rest, others, take)
        };
        match value {
            V::In(Value::Array(items)) => items.iter().try_for_each(|item| visit(V::In(item))),
            V::In(Value::Object(entries)) => {
                entries.values().try_for_each(|item| visit(V::In(item)))
            }
            V::Plan(Value::Array(items)) => items.iter().try_for_each(|item| visit(V::Plan(item))),
            V::Plan(Value::Object(entries)) => {
                entries.values().try_for_each(|item| visit(V::Plan(item)))
            }
            V::Own(Value::Array(items)) => {
                items.iter().try_for_each(|item| visit(V::Own(item.clone())))
            }
            V::Own(Value::Object(entries)) => {
                entries.values().try_for_each(|item| visit(V::Own(item.clone())))
            }
            _ if step.optional => Ok(()),
            other => builtin::fail(format!("cannot iterate over {}", builtin::shown(other.get()))),
        }
    }
}

fn key_count(step: &Step) -> usize {
    match &step.place {
        Place::Computed(_) => 1,
        Place::Slice(from, to) => usize::from(from.is_some()) + usize::from(to.is_some()),
        Place::Key(_) | Place::At(_) | Place::Each => 0,
    }
}

/// Follows steps that each lead to one value.
fn straight<'x>(mut value: Cow<'x, Value>, steps: &[Step], mut keys: &[V<'_, '_>]) -> Got<'x> {
    for step in steps {
        let (mine, others) = keys.split_at(key_count(step).min(keys.len()));
        keys = others;
        value = go(value, step, mine)?;
    }
    Ok(value)
}

/// Follows fields of objects, and nothing else; `None` where there is anything else to do.
pub(super) fn fields<'x>(mut value: &'x Value, steps: &[Step]) -> Option<&'x Value> {
    for step in steps {
        let Place::Key(key) = &step.place else { return None };
        value = match value {
            Value::Object(entries) => key.find(entries).unwrap_or(&NULL),
            Value::Null => &NULL,
            _ => return None,
        };
    }
    Some(value)
}

/// Follows one step that leads to one value.
fn go<'x>(value: Cow<'x, Value>, step: &Step, keys: &[V<'_, '_>]) -> Got<'x> {
    match &step.place {
        Place::Key(key) => match value {
            Cow::Borrowed(Value::Object(entries)) => {
                Ok(Cow::Borrowed(key.find(entries).unwrap_or(&NULL)))
            }
            Cow::Borrowed(Value::Null) => Ok(Cow::Borrowed(&NULL)),
            value => index(value, &Value::String(key.name.clone())),
        },
        Place::At(at) => match value {
            Cow::Borrowed(Value::Array(items)) => {
                let item = builtin::place(*at, items.len()).and_then(|at| items.get(at));
                Ok(Cow::Borrowed(item.unwrap_or(&NULL)))
            }
            value => index(value, &Value::from(*at)),
        },
        Place::Computed(_) => match keys.first() {
            Some(key) => index(value, key.get()),
            None => Err(Stop::GaveUp),
        },
        Place::Slice(from, to) => {
            let mut keys = keys.iter();
            let from = from.as_ref().and_then(|_| keys.next()).map(V::get);
            let to = to.as_ref().and_then(|_| keys.next()).map(V::get);
            slice(&value, from, to).map(Cow::Owned)
        }
        Place::Each => Err(Stop::GaveUp),
    }
}

fn index<'x>(value: Cow<'x, Value>, key: &Value) -> Got<'x> {
    let value = match value {
        Cow::Borrowed(value) => value,
        Cow::Owned(value) => {
            return index(Cow::Borrowed(&value), key).map(|part| Cow::Owned(part.into_owned()));
        }
    };
    let found = match (value, key) {
        (Value::Null, _) => None,
        (Value::Object(entries), Value::String(key)) => entries.get(key),
        (Value::Object(_), _) => None,
        (Value::Array(items), Value::Number(at)) if !at.is_f64() => {
            at.as_i64().and_then(|at| builtin::place(at, items.len())).and_then(|at| items.get(at))
        }
        // Where one list stands in another, and slices as objects, are rare.
        (Value::Array(_), Value::Array(_))
        | (Value::Array(_) | Value::String(_), Value::Object(_)) => {
            return Err(Stop::GaveUp);
        }
        (value, key) => return builtin::no_index(value, key),
    };
    Ok(Cow::Borrowed(found.unwrap_or(&NULL)))
}

fn slice(value: &Value, from: Option<&Value>, to: Option<&Value>) -> Result<Value, Stop> {
    let bound = |bound: Option<&Value>| match bound {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64()),
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(i64::MAX)),
        Some(other) => builtin::fail(format!("cannot use {} as integer", builtin::shown(other))),
    };
    match value {
        Value::Array(items) => {
            let (from, to) = range(bound(from)?, bound(to)?, items.len());
            Ok(Value::Array(items.get(from..to).unwrap_or_default().to_vec()))
        }
        Value::String(text) => {
            let (from, to) = (bound(from)?, bound(to)?);
            // Negative bounds count letters from the end, which needs their number.
            let (from, to) = range(from, to, text.chars().count());
            Ok(Value::String(text.chars().skip(from).take(to.saturating_sub(from)).collect()))
        }
        other => builtin::fail(format!("cannot use {} as rangeable", builtin::shown(other))),
    }
}

/// Bounds within a length; the first is never behind the second.
fn range(from: Option<i64>, to: Option<i64>, len: usize) -> (usize, usize) {
    let clip = |bound: i64| {
        let size = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
        if bound < 0 { len.saturating_sub(size) } else { size.min(len) }
    };
    let from = from.map_or(0, clip);
    let to = to.map_or(len, clip);
    (from, to.max(from))
}
