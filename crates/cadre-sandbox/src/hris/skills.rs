//! What Sandbox HR can be told of skills.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{invalid, not_found};
use crate::table::{Tables, text};

/// `POST /hris/v1/skills`: `{name, about?}`.
pub(super) fn create(tables: &mut Tables, now: Timestamp, body: &Value) -> Response {
    if body["name"].as_str().is_none_or(|name| name.trim().is_empty()) {
        return invalid(&[("name", "must not be empty")]);
    }
    let table = tables.entry("skills").or_default();
    let place = table.len();
    let skill = json!({
        "id": 900 + place, "name": body["name"], "about": body["about"], "scale_id": null,
    });
    table.add(skill, now, now);
    let made = table.at(place).map(|row| row.value.clone());
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}

/// `PATCH /hris/v1/skills/<id>`: what is sent is changed.
pub(super) fn change(tables: &mut Tables, now: Timestamp, id: &str, body: &Value) -> Response {
    let table = tables.entry("skills").or_default();
    if table.get(id).is_none_or(|row| row.archived) {
        return not_found();
    }
    table.change(id, now, |skill| {
        for name in ["name", "about"] {
            if !body[name].is_null() {
                skill[name] = body[name].clone();
            }
        }
    });
    Json(json!({"data": table.get(id).map(|row| &row.value)})).into_response()
}

/// `POST /hris/v1/skill-ratings`: `{employee_id, skill_id, number? or step_id?, rated_by?}`.
pub(super) fn rate(tables: &mut Tables, now: Timestamp, body: &Value) -> Response {
    let mut wrong = Vec::new();
    if tables["employees"].get(&text(&body["employee_id"])).is_none() {
        wrong.push(("employee_id", "is not an employee"));
    }
    let scale =
        tables["skills"].get(&text(&body["skill_id"])).map(|row| row.value["scale_id"].clone());
    if scale.is_none() {
        wrong.push(("skill_id", "is not a skill"));
    }
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    let mut rating = json!({"scale_id": scale});
    for name in ["number", "step_id"] {
        if !body[name].is_null() {
            rating[name] = body[name].clone();
        }
    }
    let given = rating.as_object().is_some_and(|rating| rating.len() > 1);
    let table = tables.entry("skill-ratings").or_default();
    let place = table.len();
    let row = json!({
        "id": format!("sr-{}", place + 1),
        "employee": {"id": body["employee_id"]},
        "skill": {"id": body["skill_id"]},
        "rating": if given { rating } else { Value::Null },
        "rated_by": body["rated_by"].as_str().unwrap_or("external"),
    });
    table.add(row, now, now);
    let made = table.at(place).map(|row| row.value.clone());
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}
