//! Arithmetic on values.

use std::borrow::Cow;

use jaq_core::ops::Math;
use jaq_json::Num;
use serde_json::{Number, Value};

use crate::builtin::{Stop, exact, fail, limit_text, pieces, shown, wrong_type};
use crate::order::order;
use crate::value::to_num;

pub(crate) fn negate(value: &Value) -> Result<Value, Stop> {
    match value {
        Value::Number(number) => match number.as_i64().map(i64::checked_neg) {
            Some(Some(whole)) => Ok(Value::from(whole)),
            Some(None) => Err(Stop::GaveUp),
            None => exact(-to_num(number)).map(Cow::into_owned),
        },
        value => wrong_type(value, "number"),
    }
}

/// `left op right`. The left one is taken: sums grow in place.
pub(crate) fn math(left: Value, op: Math, right: Cow<'_, Value>) -> Result<Value, Stop> {
    if let (Value::Number(left), Value::Number(right)) = (&left, right.as_ref()) {
        return arithmetic(left, op, right);
    }
    match (op, left, right) {
        (Math::Add, Value::Null, right) => Ok(right.into_owned()),
        (Math::Add, left, right) if right.is_null() => Ok(left),
        (op, left, right) => match (op, left, right.as_ref()) {
            (Math::Add, Value::String(mut left), Value::String(right)) => {
                limit_text(left.len().saturating_add(right.len()))?;
                left.push_str(right);
                Ok(Value::String(left))
            }
            (Math::Add, Value::Array(mut left), Value::Array(right)) => {
                limit_text(left.len().saturating_add(right.len()))?;
                left.extend(right.iter().cloned());
                Ok(Value::Array(left))
            }
            (Math::Add, Value::Object(mut left), Value::Object(right)) => {
                left.extend(right.iter().map(|(key, value)| (key.clone(), value.clone())));
                Ok(Value::Object(left))
            }
            (Math::Sub, Value::Array(mut left), Value::Array(right)) => {
                left.retain(|item| !right.iter().any(|other| order(item, other).is_eq()));
                Ok(Value::Array(left))
            }
            (Math::Div, Value::String(left), Value::String(right)) => {
                Ok(Value::Array(pieces(&left, right)))
            }
            // Repeated texts and merged objects are rare.
            (Math::Mul, _, _) => Err(Stop::GaveUp),
            (op, left, right) => {
                fail(format!("cannot calculate {} {} {}", shown(&left), op.as_str(), shown(right)))
            }
        },
    }
}

fn arithmetic(left: &Number, op: Math, right: &Number) -> Result<Value, Stop> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        let whole = match op {
            Math::Add => left.checked_add(right),
            Math::Sub => left.checked_sub(right),
            Math::Mul => left.checked_mul(right),
            Math::Rem if right == 0 => return fail(format!("cannot calculate {left} % 0")),
            Math::Rem => left.checked_rem(right),
            Math::Div => match left.checked_rem(right) {
                Some(0) => left.checked_div(right),
                _ => None,
            },
        };
        if let Some(whole) = whole {
            return Ok(Value::from(whole));
        }
    }
    let (left, right) = (to_num(left), to_num(right));
    let zero = matches!(right, Num::Int(0));
    let whole = matches!(left, Num::Int(_) | Num::BigInt(_));
    let result = match op {
        Math::Add => left + right,
        Math::Sub => left - right,
        Math::Mul => left * right,
        Math::Div => left / right,
        Math::Rem if zero && whole => return fail(format!("cannot calculate {left} % 0")),
        Math::Rem => left % right,
    };
    exact(result).map(Cow::into_owned)
}
