//! Sandbox HR on the wire: OAuth 2 client credentials, numbered pages with a total.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::{consent, writes};
use crate::drift::drifted;
use crate::hooks;
use crate::query::{Narrowing, Params, Wrong, equal, moment, number, switch};
use crate::table::Wanted;
use crate::tool::Tool;
use crate::world::World;

/// Lists of their own.
const LISTS: &[&str] = &[
    "employees",
    "departments",
    "teams",
    "cost-centers",
    "offices",
    "legal-entities",
    "absence-types",
    "absences",
    "time-entries",
    "document-categories",
    "review-cycles",
    "reviews",
    "scales",
    "skills",
    "skill-ratings",
    "positions",
    "pay-runs",
    "payslips",
];
/// Lists below a record: the list above, and their name.
const LISTS_BELOW: &[(&str, &str)] = &[("employees", "time-off-balances")];

/// What lists can be narrowed to.
const NARROWED: &[Narrowing] = &[
    ("employees", "work_email", "/contact/work_email"),
    ("absences", "employee_id", "/employee/id"),
    ("skill-ratings", "employee_id", "/employee/id"),
    ("skills", "name", "/name"),
];

/// Routes below `/hris`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/oauth/token", post(token))
        .route("/oauth/authorize", get(consent::page).post(consent::answer))
        .route("/v1/absences", get(absences).post(create_absence))
        .route("/v1/webhooks", get(hooks::list).post(hooks::subscribe))
        .route("/v1/webhooks/{id}", delete(hooks::unsubscribe))
        .route("/v1/{list}", get(list).post(writes::create))
        .route("/v1/{list}/{id}", get(one).patch(writes::change).delete(writes::delete))
        .route("/v1/{list}/{id}/{below}", get(list_below).post(writes::below))
}

#[derive(Debug, Serialize)]
struct Page<'a> {
    data: Vec<Cow<'a, Value>>,
    meta: Meta,
}

#[derive(Debug, Serialize)]
struct Meta {
    page: usize,
    page_size: usize,
    total: usize,
    total_pages: usize,
}

/// What access tokens are given out for.
const GRANTS: &[&str] = &["client_credentials", "authorization_code", "refresh_token"];

async fn token(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Form(form): Form<Params>,
) -> Response {
    let basic = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok())
        .and_then(|pair| {
            pair.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        });
    let in_form = || Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
    let oauth_error = |status: StatusCode, error: &str, text: &str| {
        (status, Json(json!({"error": error, "error_description": text}))).into_response()
    };
    let grant = form.get("grant_type").map(String::as_str).unwrap_or_default();
    if !GRANTS.contains(&grant) {
        let text = format!("grant_type must be one of {}", GRANTS.join(", "));
        return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type", &text);
    }
    let known = (world.credentials.client_id.clone(), world.credentials.client_secret.clone());
    if basic.or_else(in_form) != Some(known) {
        let text = "The client id or the client secret is wrong.";
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", text);
    }
    let refresh_token = match grant {
        "authorization_code" => consent::exchange(&world, &form),
        "refresh_token" => consent::refresh(&world, &form),
        _ => Ok(Value::Null),
    };
    let refresh_token = match refresh_token {
        Ok(token) => token,
        Err(text) => return oauth_error(StatusCode::BAD_REQUEST, "invalid_grant", text),
    };
    let mut state = world.state();
    state.tokens_given += 1;
    let token = format!("sbx_{:08x}", (state.tokens_given << 8) ^ world.plan.seed);
    let end = world.now(&state) + SignedDuration::from_secs(i64::from(world.token_seconds));
    state.tokens.insert(token.clone(), end);
    let mut answer =
        json!({"access_token": token, "token_type": "Bearer", "expires_in": world.token_seconds});
    if !refresh_token.is_null() {
        answer["refresh_token"] = refresh_token;
    }
    Json(answer).into_response()
}

async fn list(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    match LISTS.iter().find(|list| **list == name) {
        Some(name) => page(&world, name, None, &params),
        None => not_found(),
    }
}

async fn absences(State(world): State<Arc<World>>, Query(params): Query<Params>) -> Response {
    page(&world, "absences", None, &params)
}

async fn list_below(
    State(world): State<Arc<World>>,
    Path((above, id, name)): Path<(String, String, String)>,
    Query(params): Query<Params>,
) -> Response {
    let Some((above, name)) =
        LISTS_BELOW.iter().find(|pair| **pair == (above.as_str(), name.as_str()))
    else {
        return not_found();
    };
    if world.state().hris.get(above).and_then(|table| table.get(&id)).is_none() {
        return not_found();
    }
    page(&world, name, Some(&id), &params)
}

async fn one(
    State(world): State<Arc<World>>,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    let state = world.state();
    let row =
        LISTS.contains(&name.as_str()).then(|| state.hris.get(name.as_str())?.get(&id)).flatten();
    match row {
        Some(row) => Json(json!({"data": row.value})).into_response(),
        None => not_found(),
    }
}

fn page(world: &World, name: &str, parent: Option<&str>, params: &Params) -> Response {
    let equal = equal(params, name, NARROWED);
    let asked = || -> Result<(usize, usize, Wanted<'_>), Wrong> {
        let page = number(params, "page", 1, 1..=1_000_000, "must be a whole number from 1 on")?;
        let size =
            number(params, "page_size", 50, 1..=200, "must be a whole number from 1 to 200")?;
        let updated_since = moment(params, "updated_since")?;
        let archived = switch(params, "include_archived")?;
        Ok((page, size, Wanted { parent, updated_since, archived, equal: &equal }))
    };
    let (page, page_size, wanted) = match asked() {
        Ok(asked) => asked,
        Err(wrong) => return invalid(&[wrong]),
    };
    let state = world.state();
    let (total, data) = state
        .hris
        .get(name)
        .map(|table| table.page(wanted, (page - 1) * page_size, page_size))
        .unwrap_or_default();
    let meta = Meta { page, page_size, total, total_pages: total.div_ceil(page_size) };
    let data: Vec<Cow<'_, Value>> = match state.drifts.is_empty() {
        true => data.into_iter().map(Cow::Borrowed).collect(),
        false => data
            .into_iter()
            .map(|record| Cow::Owned(drifted(&state.drifts, name, record)))
            .collect(),
    };
    let body = serde_json::to_vec(&Page { data, meta }).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Asks for an absence: `{employee_id, type_id, from, until, from_half?, until_half?, note?}`.
async fn create_absence(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let day = |name: &str| body[name].as_str().and_then(|text| text.parse::<Date>().ok());
    let (from, until) = (day("from"), day("until"));
    let mut wrong: Vec<(&str, &str)> = Vec::new();
    let known = |table: &str, id: &Value| {
        state.hris.get(table).is_some_and(|table| table.get(&crate::table::text(id)).is_some())
    };
    if !known("employees", &body["employee_id"]) {
        wrong.push(("employee_id", "is not an employee"));
    }
    if !known("absence-types", &body["type_id"]) {
        wrong.push(("type_id", "is not an absence type"));
    }
    for (name, day) in [("from", from), ("until", until)] {
        if day.is_none() {
            wrong.push((name, "must be a date"));
        }
    }
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        wrong.push(("until", "must not be before from"));
    }
    if !wrong.is_empty() {
        return invalid(&wrong);
    }
    let table = state.hris.entry("absences").or_default();
    let place = table.len();
    let absence = json!({
        "id": 500_000 + place,
        "employee": {"id": body["employee_id"]},
        "type": {"id": body["type_id"]},
        "from": body["from"],
        "until": body["until"],
        "from_half": body["from_half"].as_bool().unwrap_or(false),
        "until_half": body["until_half"].as_bool().unwrap_or(false),
        "from_time": body["from_time"],
        "until_time": body["until_time"],
        "amount": null,
        "unit": "day",
        "state": if body["approved"] == true { "approved" } else { "pending" },
        "approver": null,
        "note": body["note"],
    });
    table.add(absence, now, now);
    let made = table.at(place).map(|row| row.value.clone());
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}

pub(super) fn not_found() -> Response {
    Tool::Hris.error(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
}

pub(super) fn invalid(wrong: &[(&str, &str)]) -> Response {
    let message = "Some of what you sent is not valid.";
    Tool::Hris.error_in_fields(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        message,
        wrong,
    )
}
