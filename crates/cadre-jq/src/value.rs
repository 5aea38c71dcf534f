//! Values between serde_json and jaq.

use jaq_json::{Num, Val};
use serde_json::{Map, Number, Value};

use crate::error::EvalError;

/// A JSON value as jaq has it.
pub(crate) fn to_jaq(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(flag) => Val::Bool(*flag),
        Value::Number(number) => Val::Num(to_num(number)),
        Value::String(text) => Val::from(text.clone()),
        Value::Array(items) => items.iter().map(to_jaq).collect(),
        Value::Object(entries) => {
            let entries =
                entries.iter().map(|(key, value)| (Val::from(key.clone()), to_jaq(value)));
            Val::obj(entries.collect())
        }
    }
}

/// A number as jaq has it.
pub(crate) fn to_num(number: &Number) -> Num {
    if let Some(whole) = number.as_i64() {
        Num::from_integral(whole)
    } else if let Some(whole) = number.as_u64() {
        Num::from_integral(whole)
    } else {
        Num::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// A number as JSON has it; `None` for one that it cannot hold as it is.
pub(crate) fn exact_number(number: &Num) -> Option<Number> {
    match number {
        Num::Int(whole) => Some(Number::from(*whole as i64)),
        Num::BigInt(whole) => u64::try_from(&**whole).ok().map(Number::from),
        Num::Float(float) => Number::from_f64(*float),
        Num::Dec(_) => None,
    }
}

/// A value of jaq's as JSON. What JSON cannot hold comes as near as jq prints it: not-a-number as
/// null, infinity as the largest number, a longer integer as a float.
pub(crate) fn from_jaq(value: &Val) -> Result<Value, EvalError> {
    let mut room = crate::MAX_SIZE;
    convert(value, 0, &mut room)
}

fn convert(value: &Val, depth: usize, room: &mut usize) -> Result<Value, EvalError> {
    if depth > crate::MAX_VALUE_DEPTH {
        return Err(EvalError::depth());
    }
    let mut take = |bytes: usize| {
        *room = room.checked_sub(bytes).ok_or_else(EvalError::size)?;
        Ok::<(), EvalError>(())
    };
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(flag) => Value::Bool(*flag),
        Val::Num(number) => from_num(number),
        Val::TStr(text) | Val::BStr(text) => {
            take(text.len())?;
            Value::String(String::from_utf8_lossy(text).into_owned())
        }
        Val::Arr(items) => {
            take(items.len().saturating_add(1))?;
            Value::Array(
                items
                    .iter()
                    .map(|item| convert(item, depth + 1, room))
                    .collect::<Result<_, _>>()?,
            )
        }
        Val::Obj(entries) => {
            take(entries.len().saturating_add(1))?;
            let mut object = Map::with_capacity(entries.len());
            for (key, value) in entries.iter() {
                let Val::TStr(key) = key else {
                    return Err(EvalError::new(format!(
                        "cannot use {key} as the key of an object"
                    )));
                };
                let key = String::from_utf8_lossy(key).into_owned();
                object.insert(key, convert(value, depth + 1, room)?);
            }
            Value::Object(object)
        }
    })
}

fn from_num(number: &Num) -> Value {
    if let Some(number) = exact_number(number) {
        return Value::Number(number);
    }
    let float: f64 = match number {
        Num::Float(float) => *float,
        other => other.to_string().parse().unwrap_or(f64::NAN),
    };
    if float.is_nan() {
        return Value::Null;
    }
    Number::from_f64(float.clamp(f64::MIN, f64::MAX)).map_or(Value::Null, Value::Number)
}

/// Whether a value is nested deeper than may be, as far as a bounded look can tell.
pub(crate) fn too_deep(value: &Val) -> bool {
    fn look(value: &Val, depth: usize, room: &mut usize) -> bool {
        if depth > crate::MAX_VALUE_DEPTH {
            return true;
        }
        if *room == 0 {
            return false;
        }
        *room -= 1;
        match value {
            Val::Arr(items) => items.iter().rev().any(|item| look(item, depth + 1, room)),
            Val::Obj(entries) => entries.values().rev().any(|item| look(item, depth + 1, room)),
            _ => false,
        }
    }
    look(value, 0, &mut 10_000)
}
