//! The contract, and a strict check of answers against its schemas.

use std::sync::LazyLock;

use serde_json::Value;

/// The contract.
pub static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/openapi.json");
    let text = std::fs::read_to_string(path).expect("the contract is part of the project");
    serde_json::from_str(&text).expect("the contract is JSON")
});

/// The schema of a successful answer.
pub fn answer_schema(method: &str, path: &str) -> &'static Value {
    let operation = &CONTRACT["paths"][path][method];
    assert!(!operation.is_null(), "{method} {path} is in the contract");
    &operation["responses"]["200"]["content"]["application/json"]["schema"]
}

/// Checks an answer to a list endpoint or another operation of the contract.
pub fn assert_valid(method: &str, path: &str, answer: &Value) {
    let mut problems = Vec::new();
    check(answer_schema(method, path), answer, "answer", &mut problems);
    assert!(problems.is_empty(), "{method} {path}:\n{}\n{answer:#}", problems.join("\n"));
}

/// Checks an event as it is posted, or as the ledger shows it.
pub fn assert_event(event: &Value) {
    let name = event["type"].as_str().expect("a type");
    let schema =
        &CONTRACT["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "the contract has no event {name}");
    let mut problems = Vec::new();
    check(schema, event, "event", &mut problems);
    // Strict receivers refuse members that the contract does not name.
    let promised = resolve(&resolve(schema)["properties"]["data"])["properties"].as_object();
    for member in event["data"].as_object().expect("an object").keys() {
        if !promised.expect("properties").contains_key(member) {
            problems.push(format!("event.data: {member} is not in the contract"));
        }
    }
    assert!(problems.is_empty(), "{name}:\n{}\n{event:#}", problems.join("\n"));
}

/// Checks the envelope of an error for operations of a class.
pub fn assert_error_envelope(class: &str, answer: &Value) {
    let schema = match class {
        "general" => "KomboGeneralError",
        "hris" => "KomboHrisError",
        "ats" => "KomboAtsError",
        _ => "KomboAiApplyError",
    };
    let schema =
        &CONTRACT["components"]["responses"][schema]["content"]["application/json"]["schema"];
    let mut problems = Vec::new();
    check(schema, answer, "answer", &mut problems);
    assert!(problems.is_empty(), "{}\n{answer:#}", problems.join("\n"));
    let keys: Vec<&String> = answer["error"].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["code", "title", "message", "log_url"]);
}

fn resolve(schema: &Value) -> &Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            resolve(CONTRACT.pointer(pointer).expect("a schema"))
        }
        None => schema,
    }
}

fn check(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let schema = resolve(schema);
    for key in ["anyOf", "oneOf"] {
        if let Some(variants) = schema.get(key).and_then(Value::as_array) {
            let fits = |variant: &Value| {
                let mut problems = Vec::new();
                check(variant, value, at, &mut problems);
                problems.is_empty()
            };
            if !variants.iter().any(fits) {
                problems.push(format!("{at}: fits no variant of {key}: {value}"));
            }
            return;
        }
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        problems.push(format!("{at}: is {value}, not {constant}"));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        problems.push(format!("{at}: {value} is none of {values:?}"));
    }
    if let Some(kind) = schema.get("type") {
        let kinds: Vec<&str> = match kind {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        if !kinds.iter().any(|kind| is_of(kind, value)) {
            problems.push(format!("{at}: {value} is not of type {kinds:?}"));
            return;
        }
    }
    if let (Some(format), Value::String(text)) = (schema.get("format"), value)
        && !is_formatted(format.as_str().unwrap_or_default(), text)
    {
        problems.push(format!("{at}: {text:?} is not a {format}"));
    }
    if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
        for (index, value) in values.iter().enumerate() {
            check(items, value, &format!("{at}[{index}]"), problems);
        }
    }
    let Value::Object(object) = value else { return };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap_or_default()) {
            problems.push(format!("{at}: lacks {name}"));
        }
    }
    for (name, property) in
        schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        let place = format!("{at}.{name}");
        match object.get(name) {
            Some(value) => check(property, value, &place, problems),
            None if property["x-required-in-docs"] == true => {
                problems.push(format!("{place}: missing, though the docs promise it"));
            }
            None => {}
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn is_formatted(format: &str, text: &str) -> bool {
    match format {
        // Strict clients want an offset, and nothing but RFC 3339.
        "date-time" => text.parse::<jiff::Timestamp>().is_ok() && text.len() >= 20,
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "uri" => text.starts_with("http://") || text.starts_with("https://"),
        "email" => text.contains('@'),
        _ => true,
    }
}
