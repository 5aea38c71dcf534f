//! The operations that ask a tool at the moment of the call.

use cadre_model::live::{LIVE_READS, LiveRead};
use cadre_model::model::Category;
use serde_json::{Value, json};

use super::schema::ID_PATTERN;
use super::{answers, integration_header};
use crate::refuse::Class;

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    let mut paths: Vec<(&'static str, Value)> =
        LIVE_READS.iter().map(|read| (read.path, json!({ "get": files(read) }))).collect();
    paths.push(("/passthrough/{tool}/{api}", json!({ "post": passthrough() })));
    paths
}

/// Answers that warn.
pub(super) fn warned(class: Class, data: &Value) -> Value {
    let mut answers = answers(class, data);
    let schema = &mut answers["200"]["content"]["application/json"]["schema"];
    schema["properties"]["warnings"] = json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": { "message": { "type": "string" } },
            "required": ["message"],
        },
    });
    schema["required"] = json!(["status", "data", "warnings"]);
    answers
}

pub(super) fn in_path(name: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "style": "simple", "explode": false,
        "schema": { "type": "string" },
    })
}

fn files(read: &LiveRead) -> Value {
    let (tag, class) = match read.category {
        Category::Hris => ("Unified HRIS API", Class::Hris),
        Category::Ats => ("Unified ATS API", Class::Ats),
        Category::Lms => ("Unified LMS API", Class::General),
        Category::Assessment => ("Unified ATS (Assessment & Background Check) API", Class::Ats),
    };
    let id = |null: bool| {
        let kind = if null { json!(["string", "null"]) } else { json!("string") };
        json!({ "type": kind, "pattern": ID_PATTERN, "minLength": 24, "maxLength": 24 })
    };
    let stamp = json!({ "type": ["string", "null"], "format": "date-time" });
    let mut properties = json!({
        "id": id(false),
        "remote_id": { "type": "string" },
        "type": { "type": "string", "enum": ["CV", "COVER_LETTER", "OTHER"] },
        "file_name": { "type": "string" },
        "content_type": { "type": "string" },
        "data_url": {
            "type": "string",
            "description": "Opens without a key, for a limited time: at least 15 minutes.",
        },
        "remote_created_at": stamp,
        "remote_updated_at": stamp,
    });
    if read.of == "ats_candidates" {
        properties["candidate_id"] = id(false);
        properties["application_id"] = id(true);
    }
    let required: Vec<String> =
        properties.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
    let item = json!({ "type": "object", "properties": properties, "required": required });
    let data = json!({
        "type": "object",
        "properties": { "results": { "type": "array", "items": item } },
        "required": ["results"],
    });
    json!({
        "operationId": format!("Get{}", words(read.path)),
        "summary": read.label,
        "tags": [tag],
        "x-error-class": class.name(),
        "parameters": [integration_header(), in_path(read.parameter)],
        "responses": warned(class, &data),
    })
}

/// The words of a path, each with a capital letter.
pub(super) fn words(path: &str) -> String {
    let words = path.split(['/', '{', '}', '_', '-']).filter(|part| !part.is_empty());
    let capital = |part: &str| {
        let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        first.to_uppercase() + rest
    };
    words.map(capital).collect()
}

fn passthrough() -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let file = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "content_type": { "type": "string", "pattern": r"^[\w.-]+\/[\w.-]+$" },
            "data_url": { "type": "string", "format": "uri" },
            "data": { "type": "string", "contentEncoding": "base64" },
        },
        "required": ["name"],
    });
    let part = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "value": { "anyOf": [file, { "type": "string" }] },
        },
        "required": ["name", "value"],
    });
    let body = json!({
        "type": "object",
        "properties": {
            "method": { "type": "string", "enum": ["GET", "POST", "DELETE", "PUT", "PATCH"] },
            "path": { "type": "string", "description": "Appended to the API's base URL." },
            "headers": texts,
            "params": texts,
            "data": { "description": "Text is sent as it is, anything else as JSON." },
            "response_as_base64": { "type": "boolean" },
            "multipart_form_data": {
                "type": "array", "items": part,
                "description": "Not passed through yet: a request with it is refused.",
            },
            "api_options": texts,
        },
        "required": ["method", "path"],
    });
    let headers = json!({
        "type": "object",
        "additionalProperties": {
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        },
    });
    let data = json!({
        "type": "object",
        "properties": {
            "url": { "type": "string", "format": "uri" },
            "status": { "type": "integer" },
            "headers": headers,
            "data": {},
        },
        "required": ["url", "status", "headers", "data"],
    });
    json!({
        "operationId": "PostPassthroughToolApi",
        "summary": "Pass a request through to the tool",
        "tags": ["General"],
        "x-error-class": Class::General.name(),
        "parameters": [integration_header(), in_path("tool"), in_path("api")],
        "requestBody": {
            "required": true, "content": { "application/json": { "schema": body } },
        },
        "responses": warned(Class::General, &data),
    })
}
