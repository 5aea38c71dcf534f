//! Sandbox ATS on the wire: an API key as user name, bare arrays, the next page in the `Link` header.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::header::{CONTENT_TYPE, HOST, LINK};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::candidates::{apply, by_email, take_in};
use super::writes;
use crate::query::{Narrowing, Params, Wrong, equal, moment, number, switch};
use crate::table::Wanted;
use crate::tool::Tool;
use crate::world::World;

/// Lists of their own.
const LISTS: &[&str] = &[
    "jobs",
    "candidates",
    "applications",
    "stages",
    "interviews",
    "offers",
    "users",
    "roles",
    "notes",
    "scorecards",
    "attachments",
    "tags",
    "rejection-reasons",
    "links",
    "assessment-results",
];
/// Lists below a record: the list above, and their name.
const LISTS_BELOW: &[(&str, &str)] = &[("jobs", "postings")];
/// Records whose files can be listed, and the field of a file that names them.
const OWNERS: &[(&str, &str)] =
    &[("candidates", "candidate_id"), ("applications", "application_id")];
/// Records of a page that nobody asked to be longer or shorter, and the longest page.
const PAGE: (usize, usize) = (50, 100);

/// What lists can be narrowed to.
const NARROWED: &[Narrowing] = &[
    ("candidates", "email", "/emails/0/address"),
    ("applications", "candidate_id", "/candidate_id"),
    ("applications", "job_id", "/job_id"),
    ("notes", "application_id", "/application_id"),
    ("interviews", "application_id", "/application_id"),
    ("attachments", "candidate_id", "/candidate_id"),
    ("links", "candidate_id", "/candidate_id"),
];

/// Routes below `/ats`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/applications", post(create_application).get(applications))
        .route("/v1/{list}", get(list).post(writes::create))
        .route("/v1/{list}/{id}", get(one).patch(writes::change).put(writes::result))
        .route("/v1/{list}/{id}/{below}", get(list_below).post(writes::below).put(writes::below))
        .route("/v1/{list}/{id}/{below}/{item}", delete(writes::untag))
}

async fn list(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    uri: OriginalUri,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> Response {
    match LISTS.iter().find(|list| **list == name) {
        Some(name) => page(&world, name, None, &params, &address(&uri, &headers)),
        None => not_found(),
    }
}

async fn applications(
    State(world): State<Arc<World>>,
    uri: OriginalUri,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> Response {
    page(&world, "applications", None, &params, &address(&uri, &headers))
}

async fn list_below(
    State(world): State<Arc<World>>,
    Path((above, id, name)): Path<(String, String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> Response {
    if (above.as_str(), name.as_str()) == ("attachments", "content") {
        return content(&world, &id);
    }
    if let ("attachments", Some((above, field))) =
        (name.as_str(), OWNERS.iter().find(|(list, _)| *list == above))
    {
        return files_of(&world, above, field, &id);
    }
    let Some((above, name)) =
        LISTS_BELOW.iter().find(|pair| **pair == (above.as_str(), name.as_str()))
    else {
        return not_found();
    };
    if world.state().ats.get(above).and_then(|table| table.get(&id)).is_none() {
        return not_found();
    }
    page(&world, name, Some(&id), &params, &address(&uri, &headers))
}

/// The files of one record, all at once: `{"attachments": […]}`.
fn files_of(world: &World, above: &str, field: &str, id: &str) -> Response {
    let state = world.state();
    if state.ats.get(above).and_then(|table| table.get(id)).is_none() {
        return not_found();
    }
    let rows = state.ats.get("attachments").into_iter().flat_map(|table| table.rows());
    let files: Vec<&Value> =
        rows.filter(|row| !row.archived && row.value[field] == *id).map(|row| &row.value).collect();
    Json(json!({ "attachments": files })).into_response()
}

/// What is in a file: a line that names it.
fn content(world: &World, id: &str) -> Response {
    let state = world.state();
    let Some(row) = state.ats.get("attachments").and_then(|table| table.get(id)) else {
        return not_found();
    };
    let name = row.value["file_name"].as_str().unwrap_or_default();
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    ([(CONTENT_TYPE, kind)], format!("This is {name}, file {id}.\n")).into_response()
}

async fn one(
    State(world): State<Arc<World>>,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    let state = world.state();
    let row =
        LISTS.contains(&name.as_str()).then(|| state.ats.get(name.as_str())?.get(&id)).flatten();
    match row {
        Some(row) => Json(&row.value).into_response(),
        None => not_found(),
    }
}

/// The address that was asked for, without its query, as the caller knows it.
fn address(uri: &OriginalUri, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}{}", uri.path())
}

fn page(
    world: &World,
    name: &str,
    parent: Option<&str>,
    params: &Params,
    address: &str,
) -> Response {
    let equal = equal(params, name, NARROWED);
    let asked = || -> Result<(usize, usize, Wanted<'_>), Wrong> {
        // More than the longest page is cut to it without a word.
        let size =
            number(params, "per_page", PAGE.0, 1..=usize::MAX, "must be a whole number from 1 on")?;
        let skip = match params.get("after") {
            None => 0,
            Some(mark) => read_mark(mark).ok_or(("after", "is not a mark that was given out"))?,
        };
        let updated_since = moment(params, "updated_after")?;
        let archived = switch(params, "include_archived")?;
        Ok((skip, size.min(PAGE.1), Wanted { parent, updated_since, archived, equal: &equal }))
    };
    let (skip, size, wanted) = match asked() {
        Ok(asked) => asked,
        Err(wrong) => return invalid(&[wrong]),
    };
    let state = world.state();
    let (total, records) =
        state.ats.get(name).map(|table| table.page(wanted, skip, size)).unwrap_or_default();
    let body = serde_json::to_vec(&records).unwrap_or_default();
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    if skip + size < total {
        let link = next_link(params, address, size, skip + size);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    response
}

/// The header that leads to the next page; it repeats what was asked for.
fn next_link(params: &Params, address: &str, size: usize, skip: usize) -> String {
    let mut query =
        format!("per_page={size}&after={}", URL_SAFE_NO_PAD.encode(format!("skip:{skip}")));
    for name in ["updated_after", "include_archived"] {
        if let Some(value) = params.get(name) {
            // Both have been read as a moment and a switch: only the plus of an offset needs care.
            query.push_str(&format!("&{name}={}", value.replace('+', "%2B")));
        }
    }
    format!("<{address}?{query}>; rel=\"next\", <{address}?per_page={size}>; rel=\"first\"")
}

fn read_mark(mark: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(mark).ok()?).ok()?;
    text.strip_prefix("skip:")?.parse().ok()
}

/// Applies for a job: `{job_id, candidate: {first_name, last_name, email, phone?, source?}, answers?}`.
async fn create_application(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let candidate = &body["candidate"];
    let email = candidate["email"].as_str().unwrap_or_default();
    let mut wrong: Vec<(&str, &str)> = Vec::new();
    for (path, value) in [
        ("candidate.first_name", &candidate["first_name"]),
        ("candidate.last_name", &candidate["last_name"]),
    ] {
        if value.as_str().is_none_or(|text| text.trim().is_empty()) {
            wrong.push((path, "must not be empty"));
        }
    }
    let stage = &body["stage_id"];
    if !stage.is_null() && stage.as_str().is_none_or(|id| state.ats["stages"].get(id).is_none()) {
        wrong.push(("stage_id", "is not a stage"));
    }
    if !email.contains('@') {
        wrong.push(("candidate.email", "must be an e-mail address"));
    }
    let job = body["job_id"].as_str().unwrap_or_default().to_owned();
    let status = state.ats["jobs"].get(&job).map(|row| row.value["status"].clone());
    match status {
        None => wrong.push(("job_id", "is not a job")),
        Some(_) if !wrong.is_empty() => {}
        Some(status) if status != "open" => {
            let message = format!("Job {job} is not open for applications.");
            return Tool::Ats.error(StatusCode::UNPROCESSABLE_ENTITY, "job_closed", &message);
        }
        Some(_) => {}
    }
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    let known = by_email(&state.ats, email);
    let again = known.as_ref().is_some_and(|id| {
        state.ats.get("applications").is_some_and(|table| {
            table.rows().any(|row| row.value["candidate_id"] == **id && row.value["job_id"] == *job)
        })
    });
    if again {
        let message = "The candidate has already applied for this job.";
        return Tool::Ats.error(StatusCode::CONFLICT, "duplicate_application", message);
    }
    let id = known.unwrap_or_else(|| take_in(&mut state.ats, candidate, now));
    let answers = body["answers"].as_array().cloned().unwrap_or_default();
    let mut application = apply(&mut state.ats, &id, &job, answers, now);
    if let (Some(stage), Some(table)) =
        (body["stage_id"].as_str(), state.ats.get_mut("applications"))
    {
        let made = application["id"].as_str().unwrap_or_default().to_owned();
        table.change(&made, now, |one| drop(one.insert("stage_id".to_owned(), stage.into())));
        application = table.get(&made).map(|row| row.value.clone()).unwrap_or_default();
    }
    (StatusCode::CREATED, Json(json!(application))).into_response()
}

pub(super) fn not_found() -> Response {
    Tool::Ats.error(StatusCode::NOT_FOUND, "not_found", "Not found")
}

pub(super) fn invalid(wrong: &[(&str, &str)]) -> Response {
    Tool::Ats.error_in_fields(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "Validation failed",
        wrong,
    )
}
