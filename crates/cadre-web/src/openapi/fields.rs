//! The operations about fields beyond the unified model. What concerns mappings is beyond the contract.

use serde_json::{Value, json};

use super::general::{in_path, list_of, object, operation, text, text_or_null};

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/integrations/{integration_id}/custom-fields", json!({ "get": custom_list() })),
        (
            "/integrations/{integration_id}/custom-fields/{custom_field_id}",
            json!({ "put": custom_put() }),
        ),
        ("/integrations/{integration_id}/integration-fields", json!({ "get": integration_list() })),
        (
            "/integrations/{integration_id}/integration-fields/{integration_field_id}",
            json!({ "patch": integration_patch() }),
        ),
        (
            "/integrations/{integration_id}/mapping",
            json!({ "get": mapping_get(), "put": mapping_put() }),
        ),
        ("/integrations/{integration_id}/mapping/preview", json!({ "post": mapping_preview() })),
    ]
}

fn here() -> Value {
    in_path("integration_id", text())
}

fn paging(most: u32) -> Value {
    let query = |name: &str, schema: Value| {
        json!({
            "name": name, "in": "query", "required": false, "style": "form", "explode": true,
            "schema": schema,
        })
    };
    let size = json!({ "type": "integer", "default": 100, "minimum": 1, "maximum": most });
    json!([here(), query("cursor", text()), query("page_size", size)])
}

fn kind() -> Value {
    json!({ "type": "string", "enum": ["DEFAULT", "CUSTOM"] })
}

fn page(item: Value) -> Value {
    object(json!({ "results": list_of(item), "next": text_or_null() }))
}

fn custom_field() -> Value {
    let source = object(json!({
        "id": text(), "key": text(), "type": kind(), "label": text_or_null(),
    }));
    object(json!({
        "id": text(),
        "key": text(),
        "integration_field": { "anyOf": [source, { "type": "null" }] },
        "model": text(),
        "label": text_or_null(),
        "description": text_or_null(),
    }))
}

fn integration_field() -> Value {
    object(json!({
        "id": text(),
        "key": text(),
        "model": text(),
        "type": kind(),
        "label": text_or_null(),
        "is_passthrough_enabled": { "type": "boolean" },
        "is_writable": { "type": "boolean", "const": false },
    }))
}

fn custom_list() -> Value {
    let id = "GetIntegrationsIntegrationIdCustomFields";
    operation(id, "List the custom fields", paging(250), None, &page(custom_field()))
}

fn custom_put() -> Value {
    let id = "PutIntegrationsIntegrationIdCustomFieldsCustomFieldId";
    let body = object(json!({ "integration_field_id": text_or_null() }));
    let parameters = json!([here(), in_path("custom_field_id", text())]);
    let summary = "Say which integration field fills a custom field";
    operation(id, summary, parameters, Some(body), &custom_field())
}

fn integration_list() -> Value {
    let id = "GetIntegrationsIntegrationIdIntegrationFields";
    let summary = "List the fields that the tool was seen to have";
    operation(id, summary, paging(2_000), None, &page(integration_field()))
}

fn integration_patch() -> Value {
    let id = "PatchIntegrationsIntegrationIdIntegrationFieldsIntegrationFieldId";
    let body = object(json!({ "enable_passthrough": { "type": ["boolean", "null"] } }));
    let parameters = json!([here(), in_path("integration_field_id", text())]);
    let summary = "Say whether records show an integration field";
    operation(id, summary, parameters, Some(body), &integration_field())
}

fn mapping() -> Value {
    object(json!({ "mapping": { "type": ["object", "null"], "additionalProperties": true } }))
}

fn mapping_get() -> Value {
    let id = "GetIntegrationsIntegrationIdMapping";
    operation(id, "Get the integration's own mapping", json!([here()]), None, &mapping())
}

fn mapping_put() -> Value {
    let id = "PutIntegrationsIntegrationIdMapping";
    let summary = "Set the integration's own mapping and apply it to the stored records";
    operation(id, summary, json!([here()]), Some(mapping()), &mapping())
}

fn mapping_preview() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let example = object(json!({
        "id": text(), "remote_id": text(), "field": text(), "before": {}, "after": {},
    }));
    let model = object(json!({
        "read": count, "changed": count, "refused": count, "issues": count,
        "fields": { "type": "object", "additionalProperties": count },
        "examples": list_of(example),
    }));
    let data = object(json!({
        "models": { "type": "object", "additionalProperties": model },
        "complete": { "type": "boolean" },
    }));
    let id = "PostIntegrationsIntegrationIdMappingPreview";
    let summary = "See what a mapping would change";
    operation(id, summary, json!([here()]), Some(mapping()), &data)
}
