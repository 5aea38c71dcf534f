//! Sandbox LMS on the wire: a key in a header of its own, pages with a cursor in the body.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::writes;
use crate::query::{Narrowing, Params, Wrong, equal, moment, number, switch};
use crate::table::Wanted;
use crate::tool::Tool;
use crate::world::World;

/// Lists.
const LISTS: &[&str] = &["users", "providers", "skills", "courses", "enrolments"];
/// Records of a page that nobody asked to be longer or shorter, and the longest page.
const PAGE: (usize, usize) = (50, 100);

/// What lists can be narrowed to.
const NARROWED: &[Narrowing] = &[
    ("courses", "external_ref", "/external_ref"),
    ("enrolments", "user_id", "/user_id"),
    ("enrolments", "version_id", "/version_id"),
    ("skills", "label", "/label"),
];

/// Routes below `/lms`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/{list}", get(list).post(writes::create))
        .route("/v1/{list}/{id}", get(one).patch(writes::change))
        .route("/v1/{list}/{id}/{below}", post(writes::below))
}

async fn list(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    let Some(name) = LISTS.iter().find(|list| **list == name) else { return not_found() };
    let equal = equal(&params, name, NARROWED);
    let asked = || -> Result<(usize, usize, Wanted<'_>), Wrong> {
        let limit = number(&params, "limit", PAGE.0, 1..=PAGE.1, "must be 1 to 100")?;
        let skip = match params.get("cursor") {
            None => 0,
            Some(cursor) => {
                read_cursor(cursor).ok_or(("cursor", "is not one that was given out"))?
            }
        };
        let updated_since = moment(&params, "changed_since")?;
        let archived = switch(&params, "include_archived")?;
        Ok((skip, limit, Wanted { parent: None, updated_since, archived, equal: &equal }))
    };
    let (skip, limit, wanted) = match asked() {
        Ok(asked) => asked,
        Err(wrong) => return invalid(&[wrong]),
    };
    let state = world.state();
    let (total, items) =
        state.lms.get(name).map(|table| table.page(wanted, skip, limit)).unwrap_or_default();
    let next =
        (skip + limit < total).then(|| URL_SAFE_NO_PAD.encode(format!("from:{}", skip + limit)));
    Json(json!({"items": items, "next_cursor": next})).into_response()
}

fn read_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("from:")?.parse().ok()
}

async fn one(
    State(world): State<Arc<World>>,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    let state = world.state();
    let known = LISTS.contains(&name.as_str());
    match known.then(|| state.lms.get(name.as_str())?.get(&id)).flatten() {
        Some(row) => Json(&row.value).into_response(),
        None => not_found(),
    }
}

pub(super) fn not_found() -> Response {
    Tool::Lms.error(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
}

pub(super) fn invalid(wrong: &[(&str, &str)]) -> Response {
    let message = "The request does not make sense.";
    Tool::Lms.error_in_fields(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message, wrong)
}

pub(super) fn conflict(code: &str, message: &str) -> Response {
    Tool::Lms.error(StatusCode::CONFLICT, code, message)
}
