//! The operations that are not lists of records.

use serde_json::{Value, json};

use super::schema::EMAIL_PATTERN;
use super::{answers, integration_header};
use crate::refuse::Class;

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/check-api-key", json!({ "get": check_api_key() })),
        ("/force-sync", json!({ "post": force_sync() })),
        (
            "/integrations/{integration_id}",
            json!({ "get": integration_get(), "delete": integration_delete() }),
        ),
        ("/integrations/{integration_id}/enabled", json!({ "put": integration_enabled() })),
        ("/tools/{category}", json!({ "get": tools() })),
    ]
}

pub(super) fn operation(
    id: &str,
    summary: &str,
    parameters: Value,
    body: Option<Value>,
    data: &Value,
) -> Value {
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "tags": ["General"],
        "x-error-class": Class::General.name(),
        "parameters": parameters,
    });
    if let Some(schema) = body {
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation["responses"] = answers(Class::General, data);
    operation
}

pub(super) fn object(properties: Value) -> Value {
    let required: Vec<String> =
        properties.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

pub(super) fn in_path(name: &str, schema: Value) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "style": "simple", "explode": false,
        "schema": schema,
    })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

pub(super) fn moment_or_null() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

pub(super) fn list_of(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

pub(super) fn nothing() -> Value {
    json!({ "type": "object", "properties": {} })
}

fn check_api_key() -> Value {
    let data = object(json!({ "environment_id": text(), "customer_id": text() }));
    operation("GetCheckApiKey", "Check an API key", json!([]), None, &data)
}

fn force_sync() -> Value {
    let kind = json!({ "type": "string", "enum": ["FULL", "DELTA"], "default": "FULL" });
    let body = json!({ "type": "object", "properties": { "type": kind } });
    let data = object(json!({
        "already_queued": { "type": "boolean" },
        "sync_id": text(),
        "type": { "type": "string", "enum": ["FULL", "DELTA"] },
    }));
    let parameters = json!([integration_header()]);
    operation("PostForceSync", "Start a sync", parameters, Some(body), &data)
}

fn integration_delete() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let summary = "Delete an integration";
    operation("DeleteIntegrationsIntegrationId", summary, parameters, Some(nothing()), &nothing())
}

fn integration_enabled() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let body = object(json!({ "value": { "type": "boolean" } }));
    let summary = "Switch an integration on or off";
    operation("PutIntegrationsIntegrationIdEnabled", summary, parameters, Some(body), &nothing())
}

fn coverage_status() -> Value {
    json!({ "type": "string", "enum": ["SUPPORTED", "UNSUPPORTED", "NOT_IMPLEMENTED", "UNKNOWN"] })
}

fn setting() -> Value {
    json!({ "type": "string", "enum": ["ENABLED", "DISABLED", "OPTIONAL"] })
}

fn integration_get() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let field = object(json!({
        "id": text(),
        "is_available": { "type": "boolean" },
        "coverage_status": coverage_status(),
        "scope_config_setting": setting(),
        "opted_out_by_customer": { "type": "boolean" },
    }));
    let input = object(json!({
        "id": text(),
        "is_available": { "type": "boolean" },
        "coverage_status": coverage_status(),
    }));
    let covered = |fields: Value| {
        object(json!({
            "id": text(),
            "label": text(),
            "is_available": { "type": "boolean" },
            "coverage_status": coverage_status(),
            "scope_config_setting": setting(),
            "opted_out_by_customer": { "type": "boolean" },
            "fields": list_of(fields),
        }))
    };
    let url = json!({ "type": "string", "format": "uri" });
    let data = object(json!({
        "id": text(),
        "tool": object(json!({
            "id": text(), "label": text(), "internal_label": text_or_null(),
            "logo_url": url, "icon_url": url,
        })),
        "category": { "type": "string", "enum": ["HRIS", "ATS", "ASSESSMENT", "LMS"] },
        "status": { "type": "string", "enum": ["ACTIVE", "INVALID", "INACTIVE"] },
        "setup_status": {
            "type": "string", "enum": ["INCOMPLETE", "FINAL_SYNC_PENDING", "COMPLETED"],
        },
        "end_user": object(json!({
            "organization_name": text(),
            "creator_email": { "type": ["string", "null"], "pattern": EMAIL_PATTERN },
            "origin_id": text_or_null(),
        })),
        "scope_config": object(json!({ "id": text(), "name": text_or_null() })),
        "data_expired_at": moment_or_null(),
        "created_at": { "type": "string", "format": "date-time" },
        "beta": { "type": "boolean" },
        "read_models": list_of(covered(field)),
        "write_actions": list_of(covered(input)),
    }));
    let summary = "Get an integration";
    operation("GetIntegrationsIntegrationId", summary, parameters, None, &data)
}

fn tools() -> Value {
    let category = json!({ "type": "string", "enum": ["hris", "ats", "assessment", "lms"] });
    let parameters = json!([in_path("category", category)]);
    let field = object(json!({ "id": text(), "coverage_status": coverage_status() }));
    let covered = object(json!({
        "id": text(), "label": text(), "coverage_status": coverage_status(),
        "fields": list_of(field),
    }));
    let feature =
        object(json!({ "id": text(), "label": text(), "coverage_status": coverage_status() }));
    let tool = object(json!({
        "id": text(),
        "label": text(),
        "internal_label": text_or_null(),
        "assets": object(json!({
            "logo_url": text(), "icon_url": text(), "icon_black_url": text(),
        })),
        "paid_api_details_markdown": text_or_null(),
        "fast_track_details_markdown": text_or_null(),
        "partner_only_details_markdown": text_or_null(),
        "connection_guide_url": text_or_null(),
        "coverage": object(json!({
            "read_models": list_of(covered.clone()),
            "write_actions": list_of(covered),
            "features": list_of(feature),
        })),
    }));
    let data = object(json!({ "tools": list_of(tool) }));
    operation("GetToolsCategory", "List the tools of a category", parameters, None, &data)
}
