//! The operations about events: the ledger, and who is told. Beyond the contract.

use cadre_store::EventType;
use serde_json::{Value, json};

use super::general::{
    in_path, list_of, moment_or_null, nothing, object, operation, text, text_or_null,
};

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    const ONE: &str = "/webhook-endpoints/{endpoint_id}";
    vec![
        ("/events", json!({ "get": events() })),
        ("/webhook-endpoints", json!({ "get": list(), "post": create() })),
        (ONE, json!({ "get": get(), "patch": change(), "delete": delete() })),
        ("/webhook-endpoints/{endpoint_id}/deliveries", json!({ "get": deliveries() })),
        ("/webhook-endpoints/{endpoint_id}/test", json!({ "post": test() })),
        ("/webhook-endpoints/{endpoint_id}/replay", json!({ "post": replay() })),
        ("/webhook-endpoints/{endpoint_id}/rotate-secret", json!({ "post": rotate() })),
    ]
}

pub(super) fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub(super) fn number_or_null() -> Value {
    json!({ "type": ["integer", "null"] })
}

pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn event_type() -> Value {
    let names: Vec<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
    json!({ "type": "string", "enum": names })
}

pub(super) fn in_query(name: &str, description: &str, schema: Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": description,
        "style": "form", "explode": false, "schema": schema,
    })
}

fn here() -> Value {
    json!([in_path("endpoint_id", text())])
}

fn optional(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

fn endpoint_properties() -> Value {
    json!({
        "id": text(),
        "url": text(),
        "types": list_of(event_type()),
        "state": { "type": "string", "enum": ["enabled", "paused", "disabled"] },
        "state_reason": text_or_null(),
        "sequence_in_body": { "type": "boolean" },
        "last_sequence": number(),
        "read_through": number(),
        "failing_since": moment_or_null(),
        "created_at": moment(),
    })
}

fn endpoint() -> Value {
    object(endpoint_properties())
}

fn endpoint_with(more: &[(&str, Value)]) -> Value {
    let mut properties = endpoint_properties();
    for (name, schema) in more {
        properties[*name] = schema.clone();
    }
    object(properties)
}

fn events() -> Value {
    let parameters = json!([
        in_query("after", "Only events after this sequence.", number()),
        in_query("until", "Only events up to this sequence.", number()),
        in_query("types", "Only events of these types.", list_of(event_type())),
        in_query("integration_id", "Only events about this integration.", text()),
        in_query("page_size", "Events on a page, at most 250.", number()),
    ]);
    let event = object(json!({
        "sequence": number(), "id": text(), "type": event_type(), "integration_id": text_or_null(),
        "created_at": moment(), "data": { "type": "object" },
    }));
    let data = object(json!({
        "next": number_or_null(), "last_sequence": number(), "results": list_of(event),
    }));
    operation("GetEvents", "Read the ledger of events", parameters, None, &data)
}

fn list() -> Value {
    let data = object(json!({ "results": list_of(endpoint()) }));
    operation("GetWebhookEndpoints", "List the webhook endpoints", json!([]), None, &data)
}

fn create() -> Value {
    let mut body = optional(json!({
        "url": text(), "types": list_of(event_type()), "secret": text(), "after": number(),
        "sequence_in_body": { "type": "boolean", "default": true },
    }));
    body["required"] = json!(["url"]);
    let data = endpoint_with(&[("secret", text())]);
    operation("PostWebhookEndpoints", "Make a webhook endpoint", json!([]), Some(body), &data)
}

fn get() -> Value {
    let data = endpoint_with(&[("pending_deliveries", number()), ("failed_deliveries", number())]);
    operation("GetWebhookEndpointsEndpointId", "Get a webhook endpoint", here(), None, &data)
}

fn change() -> Value {
    let body = optional(json!({
        "url": text(), "types": list_of(event_type()),
        "state": { "type": "string", "enum": ["enabled", "paused"] },
        "sequence_in_body": { "type": "boolean" },
    }));
    let summary = "Change, pause or resume a webhook endpoint";
    operation("PatchWebhookEndpointsEndpointId", summary, here(), Some(body), &endpoint())
}

fn delete() -> Value {
    let summary = "Delete a webhook endpoint";
    operation("DeleteWebhookEndpointsEndpointId", summary, here(), None, &nothing())
}

fn deliveries() -> Value {
    let states = json!({ "type": "string", "enum": ["pending", "delivered", "failed"] });
    let parameters = json!([
        in_path("endpoint_id", text()),
        in_query("state", "Only deliveries in this state.", states.clone()),
        in_query("before", "Only deliveries with a lower number.", number()),
        in_query("page_size", "Deliveries on a page, at most 250.", number()),
    ]);
    let delivery = object(json!({
        "sequence": number(), "state": states, "event_id": text(), "event_type": event_type(),
        "event_sequence": number(), "integration_id": text_or_null(), "attempts": number(),
        "next_attempt_at": moment_or_null(), "last_attempt_at": moment_or_null(),
        "last_status": number_or_null(), "last_error": text_or_null(),
        "last_answer": text_or_null(), "log_url": text_or_null(),
    }));
    let data = object(json!({ "next": number_or_null(), "results": list_of(delivery) }));
    let summary = "List the deliveries of a webhook endpoint";
    operation("GetWebhookEndpointsEndpointIdDeliveries", summary, parameters, None, &data)
}

fn test() -> Value {
    let data = object(json!({
        "delivered": { "type": "boolean" }, "status": number_or_null(), "duration_ms": number(),
        "answer": text_or_null(), "error": text_or_null(), "hint": text_or_null(),
        "log_url": text(),
    }));
    let summary = "Send a test message";
    operation("PostWebhookEndpointsEndpointIdTest", summary, here(), Some(nothing()), &data)
}

fn replay() -> Value {
    let body = optional(json!({
        "after": number(), "until": number(), "from_sequence": number(), "to_sequence": number(),
        "failed": { "type": "boolean" },
    }));
    let data = object(json!({
        "replayed": number(), "new": number(), "through": number_or_null(),
        "more": { "type": "boolean" },
    }));
    let summary = "Send events to a webhook endpoint again";
    operation("PostWebhookEndpointsEndpointIdReplay", summary, here(), Some(body), &data)
}

fn rotate() -> Value {
    let body = optional(json!({ "keep_old_hours": number() }));
    let data = object(json!({ "secret": text(), "old_secret_counts_until": moment() }));
    let summary = "Give a webhook endpoint another secret";
    operation("PostWebhookEndpointsEndpointIdRotateSecret", summary, here(), Some(body), &data)
}
