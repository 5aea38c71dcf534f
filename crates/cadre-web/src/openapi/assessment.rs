//! The operations about assessments; results are an action.

use serde_json::{Value, json};

use super::live::warned;
use super::{MOMENT_PATTERN, answers, integration_header};
use crate::api::assessment::{KINDS, STATUSES};
use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refuse::Class;

const TAG: &str = "Unified ATS (Assessment & Background Check) API";

/// Every path with its operations.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/assessment/packages", json!({ "get": packages(), "put": set_packages() })),
        ("/assessment/orders", json!({ "get": orders() })),
        ("/assessment/orders/open", json!({ "get": open_orders() })),
    ]
}

fn operation(id: &str, summary: &str, parameters: Vec<Value>, responses: Value) -> Value {
    let mut all = vec![integration_header()];
    all.extend(parameters);
    json!({
        "operationId": id, "summary": summary, "tags": [TAG], "x-error-class": Class::Ats.name(),
        "parameters": all, "responses": responses,
    })
}

/// An object all of whose properties are always there.
fn all(properties: Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn packages() -> Value {
    let package = all(json!({
        "id": { "type": "string" }, "name": { "type": "string" },
        "description": { "type": "string" },
        "updated_at": {
            "type": ["string", "null"], "format": "date-time",
            "x-format-hint": "YYYY-MM-DDTHH:mm:ss.sssZ",
        },
        "type": { "type": ["string", "null"], "enum": kinds(true) },
    }));
    let data = all(json!({ "packages": { "type": "array", "items": package } }));
    operation("GetAssessmentPackages", "List packages", vec![], answers(Class::Ats, &data))
}

fn kinds(or_null: bool) -> Vec<Value> {
    let mut kinds: Vec<Value> = KINDS.iter().map(|kind| (*kind).into()).collect();
    kinds.extend(or_null.then_some(Value::Null));
    kinds
}

fn set_packages() -> Value {
    let package = all(json!({
        "id": { "type": "string" }, "type": { "type": "string", "enum": kinds(false) },
        "name": { "type": "string" }, "description": { "type": "string" },
    }));
    let body = all(json!({ "packages": { "type": "array", "items": package } }));
    let responses = warned(Class::Ats, &json!({ "type": "object" }));
    let mut set = operation("PutAssessmentPackages", "Replace the packages", vec![], responses);
    set["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": body } } });
    set
}

fn order(open: bool) -> Value {
    let text = || json!({ "type": ["string", "null"] });
    let texts = |names: &[&str]| -> Value {
        Value::Object(names.iter().map(|name| ((*name).to_owned(), text())).collect())
    };
    let mut candidate = texts(&["remote_id", "email", "first_name", "last_name", "phone"]);
    candidate["email"] = json!({ "type": "string", "format": "email" });
    let mut address =
        texts(&["street_1", "street_2", "city", "state", "zip_code", "country", "raw"]);
    address["country"]["x-format-hint"] = "iso-3166-1-alpha-2".into();
    let mut location = json!({ "type": "object", "properties": address });
    location = match open {
        true => {
            location["type"] = json!(["object", "null"]);
            location
        }
        false => json!({ "anyOf": [location, { "type": "null" }] }),
    };
    let mut member = texts(&["remote_id", "email", "first_name", "last_name"]);
    member["hiring_team_roles"] = json!({
        "type": "array", "items": { "type": "string", "enum": ["RECRUITER", "HIRING_MANAGER"] },
    });
    let mut job = texts(&["remote_id", "name", "job_code", "description"]);
    job["location"] = location;
    job["hiring_team"] = json!({ "type": "array", "items": all(member) });
    let mut order = json!({
        "id": { "type": "string" }, "package_id": { "type": "string" },
        "status": { "type": "string", "enum": STATUSES },
        "candidate": all(candidate), "application": all(texts(&["remote_id"])), "job": all(job),
    });
    if open && let Some(properties) = order.as_object_mut() {
        properties.remove("status");
    }
    all(order)
}

fn page(open: bool) -> Value {
    all(json!({
        "next": { "type": ["string", "null"] },
        "results": { "type": "array", "items": order(open) },
    }))
}

fn query(name: &str, doc: &str, schema: Value) -> Value {
    let exploded = schema["type"] != "array";
    json!({
        "name": name, "in": "query", "required": false, "description": doc, "style": "form",
        "explode": exploded, "schema": schema,
    })
}

fn paging() -> Vec<Value> {
    let size = json!({
        "type": "integer", "default": DEFAULT_PAGE_SIZE, "minimum": 1, "maximum": MAX_PAGE_SIZE,
    });
    vec![
        query("cursor", "`next` of the page before.", json!({ "type": "string" })),
        query("page_size", "Most orders on a page.", size),
    ]
}

fn orders() -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let statuses = json!({
        "type": "array", "items": { "type": "string", "x-known-values": STATUSES },
    });
    let moment = json!({
        "type": "string", "format": "date-time", "pattern": MOMENT_PATTERN,
        "x-format-hint": "YYYY-MM-DDTHH:mm:ss.sssZ",
    });
    let mut parameters = paging();
    parameters.extend([
        query("ids", "Only these orders.", texts),
        query("statuses", "Only orders that stand so.", statuses),
        query("created_after", "Only orders that came after this moment.", moment),
    ]);
    let responses = answers(Class::Ats, &page(false));
    paged(operation("GetAssessmentOrders", "List orders", parameters, responses))
}

fn open_orders() -> Value {
    let responses = answers(Class::Ats, &page(true));
    let mut list = operation("GetAssessmentOrdersOpen", "List open orders", paging(), responses);
    list["deprecated"] = true.into();
    paged(list)
}

fn paged(mut list: Value) -> Value {
    list["x-pagination"] = json!({
        "type": "cursor", "input": "cursor", "next": "$.data.next", "results": "$.data.results",
    });
    list
}
