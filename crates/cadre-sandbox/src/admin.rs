//! What a test can turn: faults, changes, permissions, settings; and what came in.
//!
//! Without log-in: the server only listens on the loopback address.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::drift::Drift;
use crate::fault::Script;
use crate::hooks::tell;
use crate::mutate::{Change, perform};
use crate::tool::Tool;
use crate::world::World;
use crate::{RateLimit, given};

/// Routes below `/admin`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/faults", post(add_faults).get(list_faults).delete(clear_faults))
        .route("/drifts", post(add_drifts).delete(clear_drifts))
        .route("/mutate", post(mutate))
        .route("/permissions", post(set_permission))
        .route("/settings", post(set_settings))
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/tables", get(list_tables))
        .route("/tables/{tool}/{table}", get(list_ids))
}

/// One or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Several<T> {
    All(Vec<T>),
    One(T),
}

impl<T> Several<T> {
    fn all(self) -> Vec<T> {
        match self {
            Several::All(all) => all,
            Several::One(one) => vec![one],
        }
    }
}

async fn add_faults(
    State(world): State<Arc<World>>,
    Json(scripts): Json<Several<Script>>,
) -> StatusCode {
    world.state().faults.extend(scripts.all());
    StatusCode::NO_CONTENT
}

async fn list_faults(State(world): State<Arc<World>>) -> Json<Vec<Script>> {
    Json(world.state().faults.clone())
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.state().faults.clear();
    StatusCode::NO_CONTENT
}

async fn add_drifts(
    State(world): State<Arc<World>>,
    Json(drifts): Json<Several<Drift>>,
) -> StatusCode {
    world.state().drifts.extend(drifts.all());
    StatusCode::NO_CONTENT
}

async fn clear_drifts(State(world): State<Arc<World>>) -> StatusCode {
    world.state().drifts.clear();
    StatusCode::NO_CONTENT
}

async fn mutate(State(world): State<Arc<World>>, Json(changes): Json<Several<Change>>) -> Response {
    let mut state = world.state();
    let now = world.now(&state);
    let mut done = Vec::new();
    for change in changes.all() {
        match perform(&world.plan, &mut state, now, change) {
            Ok(made) => done.extend(made),
            Err(problem) => {
                return (StatusCode::BAD_REQUEST, Json(json!({"done": done, "error": problem})))
                    .into_response();
            }
        }
    }
    tell(state.subscribers.clone(), &done);
    Json(json!({"done": done})).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permission {
    tool: Tool,
    /// Name of the list: `reviews`.
    resource: String,
    allowed: bool,
}

async fn set_permission(
    State(world): State<Arc<World>>,
    Json(wanted): Json<Permission>,
) -> StatusCode {
    let key = (wanted.tool, wanted.resource);
    let mut state = world.state();
    if wanted.allowed {
        state.forbidden.remove(&key);
    } else {
        state.forbidden.insert(key);
    }
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Time that every answer takes at least.
    slow_ms: Option<u64>,
    /// Moves the sandbox's clock forward.
    advance_seconds: Option<i64>,
    /// The budget; null takes it away.
    #[serde(default, deserialize_with = "given")]
    rate_limit: Option<Option<RateLimit>>,
}

async fn set_settings(
    State(world): State<Arc<World>>,
    Json(settings): Json<Settings>,
) -> StatusCode {
    let mut state = world.state();
    if let Some(ms) = settings.slow_ms {
        state.slow_ms = ms;
    }
    if let Some(seconds) = settings.advance_seconds {
        state.skew += SignedDuration::from_secs(seconds);
    }
    if let Some(limit) = settings.rate_limit {
        state.rate_limit = limit;
        state.windows.clear();
    }
    StatusCode::NO_CONTENT
}

async fn list_requests(State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.state();
    Json(json!(state.seen))
}

async fn clear_requests(State(world): State<Arc<World>>) -> StatusCode {
    world.state().seen.clear();
    StatusCode::NO_CONTENT
}

/// How many records each list holds, archived ones included.
/// The ids of the records of a list that are not archived, for whoever compares.
async fn list_ids(
    State(world): State<Arc<World>>,
    Path((tool, table)): Path<(String, String)>,
) -> Json<Value> {
    let state = world.state();
    let tables = match tool.as_str() {
        "ats" => &state.ats,
        "lms" => &state.lms,
        _ => &state.hris,
    };
    Json(tables.get(table.as_str()).map(crate::table::Table::ids).unwrap_or_default().into())
}

async fn list_tables(State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.state();
    let count = |tables: &crate::table::Tables| {
        tables
            .iter()
            .map(|(name, table)| ((*name).to_owned(), json!(table.len())))
            .collect::<Value>()
    };
    Json(json!({"hris": count(&state.hris), "ats": count(&state.ats), "lms": count(&state.lms)}))
}
