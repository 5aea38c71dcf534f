//! The OpenAPI document of what is served, made from the declarations of the models.
//!
//! It says only what there is: an operation appears here when [`crate::router`] has its route. The
//! test in `tests/it/openapi.rs` holds it against the contract.

mod actions;
mod apply;
mod assessment;
mod connect;
mod events;
mod fields;
mod general;
mod interactions;
mod lists;
mod live;
mod provisioning;
mod schema;

pub(crate) use lists::kind_of_key;

use cadre_model::registry;
use serde_json::{Map, Value, json};

use crate::refuse::Class;

/// The pattern of moments and days in a query.
pub(crate) const MOMENT_PATTERN: &str = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?)?Z?$";

/// The whole document. `root` is the public URL without a slash at its end.
#[must_use]
pub fn document(root: &str) -> Value {
    let mut paths = Map::new();
    for (path, operations) in general::paths()
        .into_iter()
        .chain(connect::paths())
        .chain(events::paths())
        .chain(interactions::paths())
        .chain(fields::paths())
        .chain(live::paths())
        .chain(assessment::paths())
    {
        paths.insert(path.to_owned(), operations);
    }
    let mut components = schema::Components::default();
    for model in registry::models() {
        if let Some(path) = model.path {
            let get = lists::operation(model, path, model.filters, &mut components);
            paths.insert(path.to_owned(), json!({ "get": get }));
        }
    }
    for (path, id) in registry::older_paths() {
        if let Some(model) = registry::model(id) {
            let mut get = lists::operation(model, path, &[], &mut components);
            get["deprecated"] = Value::Bool(true);
            paths.insert((*path).to_owned(), json!({ "get": get }));
        }
    }
    for (path, method, operation) in actions::operations(&mut components) {
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
    for (path, method, operation) in apply::operations(&mut components) {
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
    let diff = provisioning::diff(&mut components);
    paths.insert(provisioning::PATH.to_owned(), json!({ "post": diff }));
    paths.sort_keys();
    for class in Class::ALL {
        components.put(class.schema_name(), error_schema(*class));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cadre",
            "version": "1",
            "description": "One API over the HR systems that companies already use.",
        },
        "servers": [{ "url": format!("{root}/v1") }],
        "security": [{ "ApiKey": [] }],
        "tags": [
            { "name": "General" }, { "name": "Kombo Connect" }, { "name": "Unified HRIS API" },
            { "name": "Unified ATS API" }, { "name": "Unified LMS API" },
            { "name": "Unified ATS (Assessment & Background Check) API" }, { "name": "AI Apply" },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": { "ApiKey": { "type": "http", "scheme": "bearer" } },
            "responses": responses(),
            "schemas": components.into_value(),
        },
    })
}

/// An operation's `responses`: success with the given data, or an error of its class.
fn answers(class: Class, data: &Value) -> Value {
    json!({
        "200": {
            "description": "Success",
            "content": { "application/json": { "schema": {
                "type": "object",
                "properties": {
                    "status": { "type": "string", "const": "success" },
                    "data": data,
                },
                "required": ["status", "data"],
            } } },
        },
        "default": { "$ref": format!("#/components/responses/{}", class.schema_name()) },
    })
}

/// The header that names the integration.
fn integration_header() -> Value {
    json!({
        "name": "X-Integration-Id", "in": "header", "required": true,
        "description": "The integration that is asked.",
        "style": "simple", "explode": false, "schema": { "type": "string" },
    })
}

fn responses() -> Value {
    let one = |class: &Class| {
        let name = class.schema_name();
        let reference = format!("#/components/schemas/{name}");
        let content = json!({ "application/json": { "schema": { "$ref": reference } } });
        (name.to_owned(), json!({ "description": "Error", "content": content }))
    };
    Value::Object(Class::ALL.iter().map(one).collect())
}

fn error_schema(class: Class) -> Value {
    let mut codes: Vec<Value> = class.codes().map(|code| code.as_str().into()).collect();
    codes.push(Value::Null);
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["error"] },
            "error": {
                "type": "object",
                "properties": {
                    "code": { "type": ["string", "null"], "enum": codes },
                    "title": { "type": ["string", "null"] },
                    "message": { "type": "string" },
                    "log_url": { "type": ["string", "null"], "format": "uri" },
                },
                "required": ["code", "title", "message", "log_url"],
            },
        },
        "required": ["status", "error"],
    })
}
