//! The part of JSON Schema by which connectors say what callers may send for one tool alone.

use serde_json::{Map, Value};

use super::Wrong;

/// The keywords that are understood.
pub const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "items",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "maxItems",
    "description",
];

/// What a schema says that is not understood, by the way to it.
#[must_use]
pub fn unknown_keywords(schema: &Value) -> Vec<String> {
    let Some(schema) = schema.as_object() else { return vec!["(no object)".to_owned()] };
    let mut unknown: Vec<String> =
        schema.keys().filter(|key| !KEYWORDS.contains(&key.as_str())).cloned().collect();
    let inner = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, schema) in inner.map(|(name, schema)| (name.as_str(), schema)) {
        unknown.extend(unknown_keywords(schema).into_iter().map(|key| format!("{name}.{key}")));
    }
    if let Some(items) = schema.get("items") {
        unknown.extend(unknown_keywords(items).into_iter().map(|key| format!("items.{key}")));
    }
    unknown
}

/// Holds a value against a schema: everything that is wrong, by path.
pub fn hold(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<Wrong>) {
    let mut refuse = |expected: String| {
        wrong.push(Wrong { path: path.to_owned(), expected, got: shown(value) });
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_of(kind, value)) {
        return refuse(types.join(" or "));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        return refuse(format!("one of {}", values.join(", ")));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        return refuse(only.to_string());
    }
    if let Some(expected) = out_of_bounds(schema, value) {
        return refuse(expected);
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            hold(items, item, &format!("{path}[{at}]"), wrong);
        }
    }
    if let Some(object) = value.as_object() {
        fields(schema, object, path, wrong);
    }
}

fn fields(schema: &Value, object: &Map<String, Value>, path: &str, wrong: &mut Vec<Wrong>) {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !object.contains_key(*name)) {
        let (path, expected) = (format!("{path}.{name}"), "a value".to_owned());
        wrong.push(Wrong { path, expected, got: "nothing".to_owned() });
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = object.get(name) {
            hold(schema, value, &format!("{path}.{name}"), wrong);
        }
    }
}

/// What is expected where a length, a number or a list is beyond its bounds.
fn out_of_bounds(schema: &Value, value: &Value) -> Option<String> {
    let bound = |name: &str| schema[name].as_f64();
    let (least, most, size, what) = match value {
        Value::String(text) => {
            #[expect(clippy::cast_precision_loss, reason = "texts are short")]
            let length = text.chars().count() as f64;
            (bound("minLength"), bound("maxLength"), length, "text of a length")
        }
        Value::Number(number) => (bound("minimum"), bound("maximum"), number.as_f64()?, "a number"),
        Value::Array(items) => {
            #[expect(clippy::cast_precision_loss, reason = "lists are short")]
            let length = items.len() as f64;
            (None, bound("maxItems"), length, "a list of a length")
        }
        _ => return None,
    };
    let fits = least.is_none_or(|least| size >= least) && most.is_none_or(|most| size <= most);
    let from = least.map(|least| format!(" from {least}")).unwrap_or_default();
    let to = most.map(|most| format!(" to {most}")).unwrap_or_default();
    (!fits).then(|| format!("{what}{from}{to}"))
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// What came, short enough to be read.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::String(text) if text.chars().count() > 60 => {
            format!("text of {} characters", text.chars().count())
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{hold, unknown_keywords};

    #[test]
    fn everything_that_does_not_fit_is_named() {
        let schema = json!({
            "type": "object", "required": ["user", "kind"],
            "properties": {
                "user": { "type": "string", "maxLength": 3 }, "kind": { "enum": ["a", "b"] },
                "ids": { "type": "array", "maxItems": 3, "items": { "type": "integer", "minimum": 1 } },
            },
        });
        assert!(unknown_keywords(&schema).is_empty());
        let value = json!({ "user": "long", "ids": [1, 0, "x"], "more": true });
        let mut wrong = Vec::new();
        hold(&schema, &value, "body", &mut wrong);
        let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "`body.kind`: expected a value, got nothing",
                "`body.user`: expected text of a length to 3, got \"long\"",
                "`body.ids[1]`: expected a number from 1, got 0",
                "`body.ids[2]`: expected integer, got \"x\"",
            ]
        );
        let strange = json!({ "pattern": "x", "properties": { "a": { "oneOf": [] } } });
        assert_eq!(unknown_keywords(&strange), ["pattern", "a.oneOf"]);
    }
}
