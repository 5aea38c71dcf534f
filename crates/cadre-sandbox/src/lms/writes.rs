//! What Sandbox LMS can be told.

#![expect(clippy::result_large_err, reason = "a refusal is made once and handed on at once")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{conflict, invalid, not_found};
use super::version_id;
use crate::table::{Tables, text};
use crate::world::World;

type Answer = Result<(StatusCode, Value), Response>;

/// States that an enrolment can be put in.
const STATES: &[&str] = &["assigned", "started", "finished", "withdrawn"];
/// Kinds of parts.
const KINDS: &[&str] = &["coaching", "video", "text", "quiz"];

/// `POST /lms/v1/<list>`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Path(list): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    answer(match list.as_str() {
        "enrolments" => enrol(&mut state.lms, &body, now),
        "courses" => course(&mut state.lms, &body, now),
        _ => Err(not_found()),
    })
}

/// `PATCH /lms/v1/enrolments/<id>`
pub(super) async fn change(
    State(world): State<Arc<World>>,
    Path((list, id)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    if list != "enrolments" {
        return not_found();
    }
    let mut state = world.state();
    let now = world.now(&state);
    answer(change_enrolment(&mut state.lms, &id, &body, now))
}

/// `POST` below a course or an enrolment.
pub(super) async fn below(
    State(world): State<Arc<World>>,
    Path((list, id, below)): Path<(String, String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let lms = &mut state.lms;
    if lms.get(list.as_str()).and_then(|table| table.get(&id)).is_none() {
        return not_found();
    }
    answer(match (list.as_str(), below.as_str()) {
        ("enrolments", "finish") => finish(lms, &id, &body, now),
        ("courses", "retire") => set(lms, "courses", &id, now, &[("state", "retired".into())]),
        ("courses", "parts") => part(lms, &id, &body, now),
        _ => Err(not_found()),
    })
}

fn answer(answer: Answer) -> Response {
    match answer {
        Ok((status, body)) => (status, Json(body)).into_response(),
        Err(response) => response,
    }
}

fn add(
    tables: &mut Tables,
    list: &'static str,
    id: String,
    mut body: Value,
    now: Timestamp,
) -> Value {
    body["id"] = id.clone().into();
    let table = tables.entry(list).or_default();
    table.add(body, now, now);
    table.get(&id).map(|row| row.value.clone()).unwrap_or_default()
}

fn set(
    tables: &mut Tables,
    list: &str,
    id: &str,
    now: Timestamp,
    values: &[(&str, Value)],
) -> Answer {
    let Some(table) = tables.get_mut(list) else { return Err(not_found()) };
    let there = table.change(id, now, |record| {
        for (name, value) in values {
            record.insert((*name).to_owned(), value.clone());
        }
    });
    if !there {
        return Err(not_found());
    }
    Ok((StatusCode::OK, table.get(id).map(|row| row.value.clone()).unwrap_or_default()))
}

fn filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// An enrolment: `{user_id, version_id}`.
fn enrol(tables: &mut Tables, body: &Value, now: Timestamp) -> Answer {
    let (user, version) = (text(&body["user_id"]), text(&body["version_id"]));
    let mut wrong = Vec::new();
    if tables["users"].get(&user).is_none() {
        wrong.push(("user_id", "is not a user"));
    }
    let course = tables["courses"].rows().find(|row| {
        let mut versions = row.value["versions"].as_array().into_iter().flatten();
        versions.any(|one| one["id"] == *version)
    });
    let retired = course.is_some_and(|row| row.value["state"] == "retired");
    if course.is_none() {
        wrong.push(("version_id", "is not a version of a course"));
    }
    if !wrong.is_empty() {
        return Err(invalid(&wrong));
    }
    if retired {
        return Err(conflict("course_retired", "The course is not offered any more."));
    }
    let again = tables["enrolments"].rows().any(|row| {
        text(&row.value["user_id"]) == user
            && row.value["version_id"] == *version
            && row.value["state"] != "withdrawn"
    });
    if again {
        return Err(conflict("already_enrolled", "The user is enrolled in this course already."));
    }
    let id = format!("enr-{:05}", tables["enrolments"].added() + 1);
    let user = tables["users"].get(&user).map(|row| row.value["id"].clone());
    let made = json!({
        "user_id": user, "version_id": version, "state": "assigned",
        "assigned_at": now.to_string(), "finished_at": null, "points": null, "remark": null,
    });
    Ok((StatusCode::CREATED, add(tables, "enrolments", id, made, now)))
}

/// The end of a course: `{finished_at?, points?}`.
fn finish(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    let row = tables["enrolments"].get(id);
    if row.is_some_and(|row| row.value["state"] == "withdrawn") {
        return Err(conflict("withdrawn", "The user has withdrawn from the course."));
    }
    let at = match &body["finished_at"] {
        Value::Null => now.to_string(),
        given => match given.as_str().and_then(|text| text.parse::<Timestamp>().ok()) {
            Some(at) => at.to_string(),
            None => return Err(invalid(&[("finished_at", "must be a moment")])),
        },
    };
    if body["points"].as_f64().is_some_and(|points| !(0.0..=100.0).contains(&points)) {
        return Err(invalid(&[("points", "must be 0 to 100")]));
    }
    let values = [
        ("state", "finished".into()),
        ("finished_at", at.into()),
        ("points", body["points"].clone()),
    ];
    set(tables, "enrolments", id, now, &values)
}

/// What an enrolment says: `{state?, assigned_at?, finished_at?, points?, remark?}`.
fn change_enrolment(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    if !body["state"].is_null() && !STATES.contains(&body["state"].as_str().unwrap_or_default()) {
        return Err(invalid(&[("state", "is not a state")]));
    }
    let names = ["state", "assigned_at", "finished_at", "points", "remark"];
    let values: Vec<_> = names
        .into_iter()
        .filter(|name| !body[*name].is_null())
        .map(|name| (name, body[name].clone()))
        .collect();
    set(tables, "enrolments", id, now, &values)
}

/// A course from outside: `{external_ref?, title, summary_html?, link?, skills?}`.
fn course(tables: &mut Tables, body: &Value, now: Timestamp) -> Answer {
    if !filled(&body["title"]) {
        return Err(invalid(&[("title", "must not be empty")]));
    }
    let reference = &body["external_ref"];
    let taken = !reference.is_null()
        && tables["courses"].rows().any(|row| row.value["external_ref"] == *reference);
    if taken {
        let message = "A course with this reference is there. Courses from outside cannot be changed: retire \
                       it, and make another one.";
        return Err(conflict("course_exists", message));
    }
    let id = format!("crs-{:03}", tables["courses"].added() + 1);
    let version = json!({
        "id": version_id(&id, 1), "number": 1, "title": body["title"],
        "summary_html": body["summary_html"], "link": body["link"], "state": "live",
        "skill_ids": [],
    });
    let made = json!({
        "external_ref": reference, "state": "live", "provider_id": null,
        "minutes": body["minutes"], "languages": body["languages"], "picture": body["picture"],
        "versions": [version],
    });
    Ok((StatusCode::CREATED, add(tables, "courses", id, made, now)))
}

/// A part of a course: `{title, kind, link?, summary?}`.
fn part(tables: &mut Tables, course: &str, body: &Value, now: Timestamp) -> Answer {
    if !filled(&body["title"]) {
        return Err(invalid(&[("title", "must not be empty")]));
    }
    if !KINDS.contains(&body["kind"].as_str().unwrap_or_default()) {
        return Err(invalid(&[("kind", "is not a kind of part")]));
    }
    let id = format!("prt-{:04}", tables["parts"].added() + 1);
    let made = json!({
        "course_id": course, "title": body["title"], "kind": body["kind"], "link": body["link"],
        "summary": body["summary"],
    });
    Ok((StatusCode::CREATED, add(tables, "parts", id, made, now)))
}
