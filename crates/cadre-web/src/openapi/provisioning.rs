//! The operation that compares accounts with employees.

use cadre_model::registry;
use serde_json::{Value, json};

use super::general::{in_path, list_of, object, text};
use super::schema::{Components, EMAIL_PATTERN};
use super::{answers, integration_header};
use crate::api::provisioning::FIELDS;
use crate::refuse::Class;

pub(super) const PATH: &str = "/hris/provisioning-groups/{group_id}/diff";

/// The operation.
pub(super) fn diff(components: &mut Components) -> Value {
    let email = json!({ "type": "string", "format": "email" });
    let user = object(json!({ "origin_id": text(), "email": email }));
    let record = registry::model("hris_employees").map(|model| components.record(model));
    // Only what was asked for is shown.
    let employee = match record {
        Some(record) => {
            let whole = components.resolved(&record);
            let shown =
                FIELDS.iter().map(|name| ((*name).to_owned(), whole["properties"][*name].clone()));
            let properties: serde_json::Map<String, Value> = shown.collect();
            json!({ "type": "object", "properties": properties })
        }
        None => json!({ "type": "object" }),
    };
    let address = json!({ "type": ["string", "null"], "pattern": EMAIL_PATTERN });
    let users = object(json!({
        "to_provision": list_of(object(json!({ "email": address, "employee": employee }))),
        "to_deprovision": list_of(user.clone()),
        "already_provisioned": list_of(object(json!({
            "origin_id": text(), "email": email, "employee": employee,
        }))),
    }));
    let names = json!({ "type": "string", "enum": FIELDS });
    let body = object(json!({
        "provisioned_users": list_of(user),
        "options": object(json!({ "employee_fields": list_of(names) })),
    }));
    json!({
        "operationId": "PostHrisProvisioningGroupsGroupIdDiff",
        "summary": "Compare accounts with employees",
        "tags": ["Unified HRIS API"],
        "x-error-class": Class::Hris.name(),
        "parameters": [integration_header(), in_path("group_id", text())],
        "requestBody": {
            "required": true, "content": { "application/json": { "schema": body } },
        },
        "responses": answers(Class::Hris, &object(json!({ "users": users }))),
    })
}
