//! The forms that numbers, addresses and other scalars come in.

use std::borrow::Cow;

use serde_json::{Number, Value};

/// A scalar as text; whole numbers without a fraction, whatever the format they came in.
pub(crate) fn printed(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64()?;
            let whole = whole_float(float).map(|whole| whole.to_string());
            Cow::Owned(whole.unwrap_or_else(|| number.to_string()))
        }
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// A text in lower case; most are already.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_lower) { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// A float without a fraction, as far as floats hold every whole number.
pub(crate) fn whole_float(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

/// A number as JSON writes it; a plus sign and leading zeros are let pass.
pub(crate) fn plain_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let ends = digits.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !(starts && ends && plain) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(Number::from(whole)),
        Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

/// An e-mail address as the contract's pattern has it, its domain in lower case.
pub(crate) fn email(text: &str) -> Option<String> {
    let (name, domain) = text.rsplit_once('@')?;
    let domain = folded(domain);
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_'+,-.".contains(&byte);
    let ends_well = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
    let in_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label =
        |label: &str| !label.is_empty() && !label.starts_with('-') && label.bytes().all(in_label);
    let (_, top) = domain.rsplit_once('.')?;
    let good = text.len() <= 254
        && name.bytes().all(in_name)
        && name.bytes().last().is_some_and(ends_well)
        && !name.starts_with('.')
        && !name.contains("..")
        && domain.split('.').all(label)
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase());
    good.then(|| format!("{name}@{domain}"))
}

/// An absolute URL that a browser may be sent to: `javascript:` and its like are none. What must be
/// encoded is; a clean one stays as it was written.
pub(crate) fn web_address(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic());
    Some(if clean { text.to_owned() } else { url.to_string() })
}
