//! Values as text, the way jaq prints them.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::value::to_num;

/// All but these are encoded by `@uri`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Adds text, percent-encoded.
pub(crate) fn write_uri(into: &mut String, text: &str) {
    into.extend(utf8_percent_encode(text, UNRESERVED));
}

/// The value as jaq prints it.
pub(crate) fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value);
    text
}

/// Adds the value as jaq prints it.
pub(crate) fn write_json(into: &mut String, value: &Value) {
    match value {
        Value::Null => into.push_str("null"),
        Value::Bool(true) => into.push_str("true"),
        Value::Bool(false) => into.push_str("false"),
        // Writing to a text cannot fail.
        Value::Number(number) if number.is_f64() => {
            let _ = write!(into, "{}", to_num(number));
        }
        Value::Number(number) => {
            let _ = write!(into, "{number}");
        }
        Value::String(text) => write_quoted(into, text),
        Value::Array(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                write_json(into, item);
            }
            into.push(']');
        }
        Value::Object(entries) => {
            into.push('{');
            for (at, (key, item)) in entries.iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                write_quoted(into, key);
                into.push(':');
                write_json(into, item);
            }
            into.push('}');
        }
    }
}

fn write_quoted(into: &mut String, text: &str) {
    into.push('"');
    for letter in text.chars() {
        match letter {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\u{8}' => into.push_str("\\b"),
            '\u{c}' => into.push_str("\\f"),
            letter if letter < ' ' || letter == '\u{7f}' => {
                let _ = write!(into, "\\u{:04x}", u32::from(letter));
            }
            letter => into.push(letter),
        }
    }
    into.push('"');
}
