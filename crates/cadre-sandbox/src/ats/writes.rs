//! What Sandbox ATS can be told, beside applying for a job.

#![expect(clippy::result_large_err, reason = "a refusal is made once and handed on at once")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{invalid, not_found};
use crate::table::Tables;
use crate::tool::Tool;
use crate::world::World;

/// Largest file, in bytes.
const LARGEST_FILE: usize = 5_000_000;

type Answer = Result<(StatusCode, Value), Response>;

/// `POST /ats/v1/interviews`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Path(list): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    if list != "interviews" {
        return not_found();
    }
    let mut state = world.state();
    let now = world.now(&state);
    answer(interview(&mut state.ats, None, &body, now))
}

/// `PATCH /ats/v1/interviews/<id>`
pub(super) async fn change(
    State(world): State<Arc<World>>,
    Path((list, id)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    if list != "interviews" {
        return not_found();
    }
    let mut state = world.state();
    let now = world.now(&state);
    answer(interview(&mut state.ats, Some(&id), &body, now))
}

/// `PUT /ats/v1/assessment-results/<order>`: `{state, url, ended_at?, points?, most_points?, lines, files}`.
pub(super) async fn result(
    State(world): State<Arc<World>>,
    Path((list, id)): Path<(String, String)>,
    Json(mut body): Json<Value>,
) -> Response {
    if list != "assessment-results" {
        return not_found();
    }
    if !matches!(body["state"].as_str(), Some("open" | "completed" | "cancelled")) {
        return invalid(&[("state", "must be open, completed or cancelled")]);
    }
    if !filled(&body["url"]) {
        return invalid(&[("url", "must not be empty")]);
    }
    let mut state = world.state();
    let now = world.now(&state);
    let table = state.ats.entry("assessment-results").or_default();
    table.delete(&id);
    body["id"] = id.clone().into();
    table.add(body, now, now);
    let made = table.get(&id).map(|row| row.value.clone()).unwrap_or_default();
    (StatusCode::OK, Json(made)).into_response()
}

/// `POST` and `PUT` below a candidate or an application.
pub(super) async fn below(
    State(world): State<Arc<World>>,
    Path((list, id, below)): Path<(String, String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let tables = &mut state.ats;
    let there = |list: &str| tables.get(list).and_then(|table| table.get(&id)).is_some();
    if !matches!(list.as_str(), "candidates" | "applications") || !there(&list) {
        return not_found();
    }
    answer(match (list.as_str(), below.as_str()) {
        (_, "attachments") => attach(tables, &list, &id, &body, now),
        (_, "links") => link(tables, &list, &id, &body, now),
        ("candidates", "tags") => tag(tables, &id, &body, now),
        ("applications", "notes") => note(tables, &id, &body, now),
        ("applications", "stage") => stage(tables, &id, &body, now),
        ("applications", "rejection") => reject(tables, &id, &body, now),
        _ => Err(not_found()),
    })
}

/// `DELETE /ats/v1/candidates/<id>/tags/<tag id>`
pub(super) async fn untag(
    State(world): State<Arc<World>>,
    Path((list, id, below, tag)): Path<(String, String, String, String)>,
) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let Some(table) = state.ats.get_mut("candidates") else { return not_found() };
    let known = list == "candidates" && below == "tags";
    let done = known
        && table.change(&id, now, |candidate| {
            if let Some(Value::Array(tags)) = candidate.get_mut("tag_ids") {
                tags.retain(|one| *one != tag);
            }
        });
    if done { StatusCode::NO_CONTENT.into_response() } else { not_found() }
}

fn answer(answer: Answer) -> Response {
    match answer {
        Ok((status, body)) => (status, Json(body)).into_response(),
        Err(response) => response,
    }
}

/// Adds a record with the next id of its list.
fn add(
    tables: &mut Tables,
    list: &'static str,
    prefix: &str,
    mut body: Value,
    now: Timestamp,
) -> Value {
    let table = tables.entry(list).or_default();
    let place = table.len();
    body["id"] = format!("{prefix}-{:05}", 90_000 + place).into();
    table.add(body, now, now);
    table.at(place).map(|row| row.value.clone()).unwrap_or_default()
}

fn known(tables: &Tables, list: &str, id: &Value) -> bool {
    id.as_str().is_some_and(|id| tables.get(list).is_some_and(|table| table.get(id).is_some()))
}

fn filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn owner(tables: &Tables, list: &str, id: &str) -> (Value, Value) {
    if list == "candidates" {
        return (id.into(), Value::Null);
    }
    let row = tables.get("applications").and_then(|table| table.get(id));
    (row.map(|row| row.value["candidate_id"].clone()).unwrap_or_default(), id.into())
}

/// A file: `{kind, file_name, content_base64}`.
fn attach(tables: &mut Tables, list: &str, id: &str, body: &Value, now: Timestamp) -> Answer {
    let mut wrong = Vec::new();
    if !matches!(body["kind"].as_str(), Some("resume" | "cover_letter" | "certificate")) {
        wrong.push(("kind", "must be resume, cover_letter or certificate"));
    }
    if !filled(&body["file_name"]) {
        wrong.push(("file_name", "must not be empty"));
    }
    let content = STANDARD.decode(body["content_base64"].as_str().unwrap_or("?"));
    match &content {
        Err(_) => wrong.push(("content_base64", "is not base64")),
        Ok(content) if content.len() > LARGEST_FILE => {
            wrong.push(("content_base64", "is larger than 5000000 bytes"));
        }
        Ok(_) => {}
    }
    if !wrong.is_empty() {
        return Err(invalid(&wrong));
    }
    let (candidate, application) = owner(tables, list, id);
    let file = json!({
        "id": null, "candidate_id": candidate, "application_id": application, "kind": body["kind"],
        "file_name": body["file_name"], "size_bytes": content.map(|bytes| bytes.len()).unwrap_or(0),
    });
    Ok((StatusCode::CREATED, add(tables, "attachments", "file", file, now)))
}

/// A link: `{label, url, details?}`.
fn link(tables: &mut Tables, list: &str, id: &str, body: &Value, now: Timestamp) -> Answer {
    if !filled(&body["label"]) || !body["url"].as_str().is_some_and(|url| url.starts_with("http")) {
        return Err(invalid(&[("url", "a label and a URL are needed")]));
    }
    let (candidate, application) = owner(tables, list, id);
    let link = json!({
        "id": null, "candidate_id": candidate, "application_id": application, "label": body["label"],
        "url": body["url"], "details": body["details"],
    });
    Ok((StatusCode::CREATED, add(tables, "links", "link", link, now)))
}

/// A tag by its name, made where there is none: `{name}`. Answers the candidate.
fn tag(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    let Some(name) = body["name"].as_str().filter(|name| !name.trim().is_empty()) else {
        return Err(invalid(&[("name", "must not be empty")]));
    };
    let found = tables.get("tags").and_then(|table| {
        table
            .rows()
            .find(|row| row.value["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    });
    let tag = match found.map(|row| row.key.clone()) {
        Some(tag) => tag,
        None => {
            let made = add(tables, "tags", "tag", json!({"id": null, "name": name}), now);
            made["id"].as_str().unwrap_or_default().to_owned()
        }
    };
    let Some(table) = tables.get_mut("candidates") else { return Err(not_found()) };
    table.change(id, now, |candidate| {
        if let Some(Value::Array(tags)) = candidate.get_mut("tag_ids")
            && !tags.iter().any(|one| *one == tag)
        {
            tags.push(tag.into());
        }
    });
    Ok((StatusCode::OK, table.get(id).map(|row| row.value.clone()).unwrap_or_default()))
}

/// A note: `{text, visibility?}`.
fn note(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    let Some(text) = body["text"].as_str().filter(|text| !text.trim().is_empty()) else {
        return Err(invalid(&[("text", "must not be empty")]));
    };
    let (candidate, application) = owner(tables, "applications", id);
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    let visibility = body["visibility"].as_str().unwrap_or("team");
    let note = json!({
        "id": null, "candidate_id": candidate, "application_id": application, "author_id": null,
        "subject": null, "html": format!("<p>{html}</p>"), "visibility": visibility,
    });
    Ok((StatusCode::CREATED, add(tables, "notes", "note", note, now)))
}

/// Another stage: `{stage_id}`. Answers the application.
fn stage(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    if !known(tables, "stages", &body["stage_id"]) {
        return Err(invalid(&[("stage_id", "is not a stage")]));
    }
    set(tables, id, now, &[("stage_id", body["stage_id"].clone())])
}

/// A rejection: `{reason_id, note?}`. Answers the application.
fn reject(tables: &mut Tables, id: &str, body: &Value, now: Timestamp) -> Answer {
    if !known(tables, "rejection-reasons", &body["reason_id"]) {
        return Err(invalid(&[("reason_id", "is not a reason")]));
    }
    let application = tables.get("applications").and_then(|table| table.get(id));
    if application.is_some_and(|row| row.value["status"] != "active") {
        let message = "The application is not active any more.";
        return Err(Tool::Ats.error(StatusCode::CONFLICT, "not_active", message));
    }
    let rejection = json!({"reason_id": body["reason_id"], "at": now.to_string()});
    set(tables, id, now, &[("status", "rejected".into()), ("rejection", rejection)])
}

fn set(tables: &mut Tables, id: &str, now: Timestamp, values: &[(&str, Value)]) -> Answer {
    let Some(table) = tables.get_mut("applications") else { return Err(not_found()) };
    table.change(id, now, |application| {
        for (name, value) in values {
            application.insert((*name).to_owned(), value.clone());
        }
    });
    Ok((StatusCode::OK, table.get(id).map(|row| row.value.clone()).unwrap_or_default()))
}

/// An interview: `{application_id, title, starts_at, ends_at, interviewer_ids, place?, video_url?}`.
fn interview(tables: &mut Tables, id: Option<&str>, body: &Value, now: Timestamp) -> Answer {
    let moment = |name: &str| body[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let mut wrong = Vec::new();
    if id.is_none() && !known(tables, "applications", &body["application_id"]) {
        wrong.push(("application_id", "is not an application"));
    }
    match (moment("starts_at"), moment("ends_at")) {
        (Some(start), Some(end)) if start < end => {}
        (Some(_), Some(_)) => wrong.push(("ends_at", "must be after starts_at")),
        _ => wrong.push(("starts_at", "two moments are needed")),
    }
    let people = body["interviewer_ids"].as_array().cloned().unwrap_or_default();
    if people.is_empty() || !people.iter().all(|one| known(tables, "users", one)) {
        wrong.push(("interviewer_ids", "must be users, at least one"));
    }
    if !wrong.is_empty() {
        return Err(invalid(&wrong));
    }
    let names = ["title", "starts_at", "ends_at", "interviewer_ids", "place", "video_url"];
    match id {
        None => {
            let row =
                tables["applications"].get(body["application_id"].as_str().unwrap_or_default());
            let stage = row.map(|row| row.value["stage_id"].clone()).unwrap_or_default();
            let mut made = json!({
                "id": null, "application_id": body["application_id"], "stage_id": stage, "canceled": false,
            });
            for name in names {
                made[name] = body[name].clone();
            }
            Ok((StatusCode::CREATED, add(tables, "interviews", "int", made, now)))
        }
        Some(id) => {
            let Some(table) = tables.get_mut("interviews") else { return Err(not_found()) };
            let there = table.change(id, now, |interview| {
                for name in names {
                    interview.insert(name.to_owned(), body[name].clone());
                }
            });
            if !there {
                return Err(not_found());
            }
            Ok((StatusCode::OK, table.get(id).map(|row| row.value.clone()).unwrap_or_default()))
        }
    }
}
