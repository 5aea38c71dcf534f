//! A tool that changes under its callers: fields that vanish, get other names, other types, other words.
//!
//! What is stored stays as it is; the change is made as records go out, and can be undone.

use serde::Deserialize;
use serde_json::{Value, json};

/// How a field of a list of Sandbox HR goes out from now on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Drift {
    /// Name of the list: `employees`.
    table: String,
    /// The names on the way to the field, parted by dots: `contact.mobile`.
    path: String,
    how: How,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// It is null: the caller may not see it any more.
    Lose,
    /// It has another name.
    Rename,
    /// It is an object.
    Retype,
    /// Its words are written in another way.
    Reword,
}

/// A record as it goes out.
pub(crate) fn drifted(drifts: &[Drift], table: &str, record: &Value) -> Value {
    let mut record = record.clone();
    for drift in drifts.iter().filter(|drift| drift.table == table) {
        let (above, name) = drift.path.rsplit_once('.').unwrap_or(("", &drift.path));
        let pointer: String = above
            .split('.')
            .filter(|part| !part.is_empty())
            .map(|part| format!("/{part}"))
            .collect();
        let Some(Value::Object(fields)) = record.pointer_mut(&pointer) else { continue };
        let Some(value) = fields.get(name).cloned() else { continue };
        if value.is_null() {
            continue;
        }
        match drift.how {
            How::Lose => {
                fields.insert(name.to_owned(), Value::Null);
            }
            How::Rename => {
                fields.remove(name);
                fields.insert(format!("{name}_v2"), value);
            }
            How::Retype => {
                fields.insert(name.to_owned(), json!({ "value": value }));
            }
            How::Reword => {
                let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                fields.insert(name.to_owned(), format!("code {word}").into());
            }
        }
    }
    record
}
