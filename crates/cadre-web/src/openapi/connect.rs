//! The operations about links for end customers.

use serde_json::{Value, json};

use super::general::{in_path, list_of, object, operation, text, text_or_null};
use super::schema::EMAIL_PATTERN;
use super::{answers, integration_header};
use crate::refuse::Class;

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/connect/create-link", json!({ "post": create_link() })),
        ("/connect/integration-by-token/{token}", json!({ "get": by_token() })),
        ("/connect/activate-integration", json!({ "post": activate() })),
        ("/integrations/{integration_id}/relink", json!({ "post": relink() })),
        ("/integrations/{integration_id}/setup-link", json!({ "post": setup_link() })),
        ("/integrations/{integration_id}/setup", json!({ "get": setup_get(), "put": setup_put() })),
        ("/hris/provisioning-groups/{group_id}/setup-links", json!({ "post": older_setup_link() })),
    ]
}

fn tagged(mut operation: Value) -> Value {
    operation["tags"] = json!(["Kombo Connect"]);
    operation
}

fn url() -> Value {
    json!({ "type": "string", "format": "uri" })
}

fn language() -> Value {
    json!({
        "type": ["string", "null"], "enum": ["en", "de", "fr", "it", "es", null], "default": "en",
    })
}

fn link_type() -> Value {
    json!({ "type": "string", "enum": ["EMBEDDED", "MAGIC_LINK"] })
}

fn link_type_or_embedded() -> Value {
    json!({ "type": "string", "enum": ["EMBEDDED", "MAGIC_LINK"], "default": "EMBEDDED" })
}

fn off() -> Value {
    json!({ "type": "boolean", "default": false })
}

fn create_link() -> Value {
    let body = json!({
        "type": "object",
        "properties": {
            "end_user_email": { "type": "string", "format": "email" },
            "end_user_organization_name": { "type": "string", "minLength": 1 },
            "end_user_origin_id": { "type": ["string", "null"], "minLength": 1 },
            "remote_environment": text_or_null(),
            "integration_category": {
                "type": "string", "enum": ["HRIS", "ATS", "ASSESSMENT", "LMS"], "default": "HRIS",
            },
            "integration_tool": text_or_null(),
            "language": language(),
            "scope_config_id": text_or_null(),
            "enable_filtering": off(),
            "enable_field_mapping": off(),
            "enable_static_ips": off(),
            "link_type": link_type_or_embedded(),
        },
        "required": ["end_user_email", "end_user_organization_name"],
    });
    let data = json!({
        "type": "object",
        "properties": {
            "link": url(),
            "static_ips": { "type": "array", "items": text() },
        },
        "required": ["link"],
    });
    let summary = "Make a link with which an end customer links an account";
    tagged(operation("PostConnectCreateLink", summary, json!([]), Some(body), &data))
}

fn activated() -> Value {
    object(json!({
        "tool": text(),
        "id": text(),
        "end_user_origin_id": text_or_null(),
        "end_user_organization_name": text(),
        "end_user_email": { "type": ["string", "null"], "pattern": EMAIL_PATTERN },
        "setup_status": {
            "type": "string", "enum": ["INCOMPLETE", "FINAL_SYNC_PENDING", "COMPLETED"],
        },
    }))
}

fn by_token() -> Value {
    let parameters = json!([in_path("token", text())]);
    let summary = "Get the integration that an end customer has linked";
    let id = "GetConnectIntegrationByTokenToken";
    tagged(operation(id, summary, parameters, None, &activated()))
}

fn activate() -> Value {
    let body = object(json!({ "token": text() }));
    let summary = "Get the integration that an end customer has linked, as older callers ask";
    let id = "PostConnectActivateIntegration";
    let mut operation = tagged(operation(id, summary, json!([]), Some(body), &activated()));
    operation["deprecated"] = Value::Bool(true);
    operation
}

fn relink() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let body = json!({
        "type": "object",
        "properties": {
            "language": language(),
            "scope_config_id": text_or_null(),
            "link_type": link_type_or_embedded(),
        },
    });
    let data = object(json!({ "link": url() }));
    let summary = "Make a link with which an end customer renews the credentials";
    operation("PostIntegrationsIntegrationIdRelink", summary, parameters, Some(body), &data)
}

fn setup_link() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let body = json!({
        "type": "object",
        "properties": { "link_type": link_type(), "language": language() },
        "required": ["link_type"],
    });
    let data = object(json!({ "link": url() }));
    let summary = "Make a link with which an end customer finishes the set-up";
    operation("PostIntegrationsIntegrationIdSetupLink", summary, parameters, Some(body), &data)
}

fn older_setup_link() -> Value {
    let body = json!({ "type": "object", "properties": { "language": language() } });
    json!({
        "operationId": "PostHrisProvisioningGroupsGroupIdSetupLinks",
        "summary": "Make a link with which an end customer finishes the set-up, as older callers ask",
        "tags": ["Unified HRIS API"],
        "deprecated": true,
        "x-error-class": Class::Hris.name(),
        "parameters": [integration_header(), in_path("group_id", text())],
        "requestBody": {
            "required": true, "content": { "application/json": { "schema": body } },
        },
        "responses": answers(Class::Hris, &object(json!({
            "url": url(), "expires_at": { "type": "string", "format": "date-time" },
        }))),
    })
}

fn filter() -> Value {
    json!({
        "type": ["object", "null"],
        "additionalProperties": { "type": "array", "items": text() },
    })
}

fn setup() -> Value {
    let flag = json!({ "type": "boolean" });
    object(json!({
        "setup_status": {
            "type": "string", "enum": ["INCOMPLETE", "FINAL_SYNC_PENDING", "COMPLETED"],
        },
        "filtering": flag,
        "field_mapping": flag,
        "steps": list_of(object(json!({ "id": text(), "required": flag, "done": flag }))),
        "filter": filter(),
        "choices": list_of(object(json!({
            "field": text(), "value": text(), "label": text(),
            "employees": { "type": "integer", "minimum": 0 },
        }))),
    }))
}

fn setup_get() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let summary = "Get the steps of the set-up, and what employees can be chosen by";
    operation("GetIntegrationsIntegrationIdSetup", summary, parameters, None, &setup())
}

fn setup_put() -> Value {
    let parameters = json!([in_path("integration_id", text())]);
    let flag = json!({ "type": "boolean" });
    let body = json!({
        "type": "object",
        "properties": { "filtering": flag, "field_mapping": flag, "filter": filter() },
    });
    let summary = "Switch steps of the set-up on and off, and say which employees are stored";
    operation("PutIntegrationsIntegrationIdSetup", summary, parameters, Some(body), &setup())
}
