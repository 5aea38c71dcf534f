//! What Sandbox HR can be told, beside asking for an absence.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::api::{invalid, not_found};
use super::people::FIRST_EMPLOYEE;
use super::skills;
use crate::table::{Tables, text};
use crate::tool::Tool;
use crate::world::World;

/// `POST /hris/v1/employees`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Path(list): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let tables = &mut state.hris;
    match list.as_str() {
        "employees" => {}
        "skills" => return skills::create(tables, now, &body),
        "skill-ratings" => return skills::rate(tables, now, &body),
        _ => return not_found(),
    }
    let mut wrong = problems(tables, &body);
    for (path, value) in
        [("name.given", &body["name"]["given"]), ("name.family", &body["name"]["family"])]
    {
        if value.as_str().is_none_or(|text| text.trim().is_empty()) {
            wrong.push((path, "must not be empty"));
        }
    }
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    if taken(tables, &body["contact"]["work_email"], None) {
        return exists();
    }
    let id = FIRST_EMPLOYEE + tables["employees"].len();
    let mut employee = json!({
        "id": id, "personnel_number": format!("N{id}"),
        "name": {
            "given": body["name"]["given"], "family": body["name"]["family"],
            "display": format!("{} {}", text(&body["name"]["given"]), text(&body["name"]["family"])),
        },
        "contact": {"work_email": null, "private_email": null, "mobile": null},
        "personal": {
            "birth_date": null, "gender": null, "marital_status": null, "nationality": null,
            "ethnicity": null, "national_id": null, "tax_number": null,
        },
        "home": null,
        "employment": {
            "status": "onboarding", "kind": null, "weekly_hours": null, "hired_on": null,
            "left_on": null, "contracts": [],
        },
        "position_title": null, "photo_url": null, "bank_accounts": [], "custom": {},
        "department": null, "team": null, "cost_center": null, "manager": null, "office": null,
        "legal_entity": null,
    });
    if let Some(employee) = employee.as_object_mut() {
        write(employee, &body);
    }
    let table = tables.entry("employees").or_default();
    table.add(employee, now, now);
    let made = table.get(&id.to_string()).map(|row| row.value.clone());
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}

/// `PATCH /hris/v1/employees/<id>`: what is sent is changed.
pub(super) async fn change(
    State(world): State<Arc<World>>,
    Path((list, id)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let tables = &mut state.hris;
    if list == "skills" {
        return skills::change(tables, now, &id, &body);
    }
    if list != "employees" || tables["employees"].get(&id).is_none() {
        return not_found();
    }
    let wrong = problems(tables, &body);
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    if taken(tables, &body["contact"]["work_email"], Some(&id)) {
        return exists();
    }
    let table = tables.entry("employees").or_default();
    table.change(&id, now, |employee| write(employee, &body));
    Json(json!({"data": table.get(&id).map(|row| &row.value)})).into_response()
}

/// `DELETE /hris/v1/absences/<id>`: the absence is archived. The same for skills.
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path((list, id)): Path<(String, String)>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let Some(list) = ["absences", "skills"].into_iter().find(|known| *known == list) else {
        return not_found();
    };
    let table = state.hris.entry(list).or_default();
    if table.get(&id).is_none_or(|row| row.archived) {
        return not_found();
    }
    table.archive(&id, now);
    Json(json!({"data": table.get(&id).map(|row| &row.value)})).into_response()
}

/// `POST /hris/v1/employees/<id>/documents`: `{category_id, file_name, content_base64}`.
pub(super) async fn below(
    State(world): State<Arc<World>>,
    Path((list, id, below)): Path<(String, String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let tables = &mut state.hris;
    let known = (list.as_str(), below.as_str()) == ("employees", "documents");
    if !known || tables["employees"].get(&id).is_none() {
        return not_found();
    }
    let mut wrong = Vec::new();
    if tables["document-categories"].get(&text(&body["category_id"])).is_none() {
        wrong.push(("category_id", "is not a category"));
    }
    if body["file_name"].as_str().is_none_or(|name| name.trim().is_empty()) {
        wrong.push(("file_name", "must not be empty"));
    }
    let content = STANDARD.decode(body["content_base64"].as_str().unwrap_or("?"));
    if content.is_err() {
        wrong.push(("content_base64", "is not base64"));
    }
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    let table = tables.entry("documents").or_default();
    let place = table.len();
    let size = content.map(|bytes| bytes.len()).unwrap_or(0);
    let document = json!({
        "id": 700_000 + place, "employee": {"id": id}, "category": {"id": body["category_id"]},
        "file_name": body["file_name"], "size_bytes": size,
    });
    table.add(document, now, now);
    let made = table.at(place).map(|row| row.value.clone());
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}

fn exists() -> Response {
    let message = "Somebody with this work e-mail address is here already.";
    Tool::Hris.error(StatusCode::CONFLICT, "employee_exists", message)
}

/// Whether somebody else has the address.
fn taken(tables: &Tables, email: &Value, but: Option<&str>) -> bool {
    let Some(email) = email.as_str() else { return false };
    let same = |value: &Value| {
        value["contact"]["work_email"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(email))
    };
    tables["employees"].rows().any(|row| Some(row.key.as_str()) != but && same(&row.value))
}

/// What is wrong with what was sent.
fn problems(tables: &Tables, body: &Value) -> Vec<(&'static str, &'static str)> {
    let mut wrong = Vec::new();
    for (path, value) in [
        ("hired_on", &body["hired_on"]),
        ("left_on", &body["left_on"]),
        ("personal.birth_date", &body["personal"]["birth_date"]),
    ] {
        if !value.is_null() && value.as_str().is_none_or(|day| day.parse::<Date>().is_err()) {
            wrong.push((path, "must be a date"));
        }
    }
    for (path, table) in [("office_id", "offices"), ("legal_entity_id", "legal-entities")] {
        let id = &body[path];
        if !id.is_null() && tables[table].get(&text(id)).is_none() {
            wrong.push((path, "is not known"));
        }
    }
    let email = &body["contact"]["work_email"];
    if !email.is_null() && email.as_str().is_none_or(|email| !email.contains('@')) {
        wrong.push(("contact.work_email", "must be an e-mail address"));
    }
    wrong
}

/// Writes what was sent over what is there; null and absent change nothing.
fn write(employee: &mut Map<String, Value>, body: &Value) {
    for part in ["name", "contact", "personal"] {
        for (name, value) in body[part].as_object().into_iter().flatten() {
            if !value.is_null() {
                employee[part][name] = value.clone();
            }
        }
    }
    let given = employee["name"]["given"].clone();
    employee["name"]["display"] =
        format!("{} {}", text(&given), text(&employee["name"]["family"])).into();
    for name in ["home", "position_title"] {
        if !body[name].is_null() {
            employee[name] = body[name].clone();
        }
    }
    for name in ["hired_on", "left_on"] {
        if !body[name].is_null() {
            employee["employment"][name] = body[name].clone();
        }
    }
    for (name, id) in [("office", "office_id"), ("legal_entity", "legal_entity_id")] {
        if let Ok(id) = text(&body[id]).parse::<u64>() {
            employee[name] = json!({"id": id});
        }
    }
}
