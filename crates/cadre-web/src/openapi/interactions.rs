//! The operations that show the log. Beyond the contract.

use cadre_model::fault::Code;
use cadre_store::{InteractionKind, InteractionState};
use serde_json::{Value, json};

use super::events::{in_query, moment, number, number_or_null};
use super::general::{in_path, list_of, moment_or_null, object, operation, text, text_or_null};

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/interactions", json!({ "get": list() })),
        ("/interactions/{interaction_id}", json!({ "get": get() })),
    ]
}

fn kinds() -> Value {
    let kinds: Vec<&str> = InteractionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    json!({ "type": "string", "enum": kinds })
}

fn states() -> Value {
    let states: Vec<&str> = InteractionState::ALL.iter().map(|state| state.as_str()).collect();
    json!({ "type": "string", "enum": states })
}

fn codes() -> Value {
    json!({ "type": "string", "enum": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>() })
}

fn properties() -> Value {
    json!({
        "id": text(), "type": kinds(), "state": states(), "title": text(),
        "integration_id": text_or_null(), "parent_id": text_or_null(), "method": text_or_null(),
        "path": text_or_null(), "status": number_or_null(), "code": text_or_null(),
        "message": text_or_null(), "started_at": moment(), "ended_at": moment_or_null(),
        "duration_ms": number_or_null(), "log_url": text(),
    })
}

fn list() -> Value {
    let parameters = json!([
        in_query("type", "Only of this kind.", kinds()),
        in_query("state", "Only in this state.", states()),
        in_query("integration_id", "Only about this integration.", text()),
        in_query("code", "Only with this code.", codes()),
        in_query("after", "Only those that began at this moment or later.", text()),
        in_query("before", "Only those that began before this moment.", text()),
        in_query("cursor", "`next` of an earlier page.", text()),
        in_query("page_size", "Interactions on a page, at most 250.", number()),
    ]);
    let data = object(json!({ "next": text_or_null(), "results": list_of(object(properties())) }));
    operation("GetInteractions", "Read the log", parameters, None, &data)
}

fn get() -> Value {
    let or_null = |words: &[&str]| {
        let mut words: Vec<Value> = words.iter().map(|word| (*word).into()).collect();
        words.push(Value::Null);
        json!({ "type": ["string", "null"], "enum": words })
    };
    let mut failure = object(json!({
        "code": text(), "title": text_or_null(), "message": text_or_null(),
        "cause": or_null(&["caller", "connection", "vendor", "connector", "cadre"]),
        "rule": text_or_null(),
        "who_must_act": or_null(&["caller", "end_customer", "operator", "wait"]),
        "retry": or_null(&["backoff", "after_correction", "same_idempotency_key", "never"]),
        "next_step": text_or_null(),
    }));
    failure["type"] = json!(["object", "null"]);
    let anything = json!({ "type": ["object", "null"] });
    let headers = json!({ "type": "object" });
    let exchange = object(json!({
        "at": moment(), "method": text(), "url": text(), "request_headers": headers,
        "request_body": text_or_null(), "status": number_or_null(), "response_headers": headers,
        "response_body": text_or_null(), "duration_ms": number(), "rule": text_or_null(),
        "error": text_or_null(),
    }));
    let mut whole = properties();
    for (name, schema) in [
        ("failure", failure),
        ("request", anything.clone()),
        ("response", anything),
        ("timeline", list_of(object(json!({ "at": moment(), "what": text() })))),
        ("exchanges", list_of(exchange)),
        ("parts", list_of(object(properties()))),
    ] {
        whole[name] = schema;
    }
    let parameters = json!([in_path("interaction_id", text())]);
    operation(
        "GetInteractionsInteractionId",
        "Read one entry of the log",
        parameters,
        None,
        &object(whole),
    )
}
