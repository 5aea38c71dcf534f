//! `GET /health` and `GET /ready`: is the process alive, and can it answer.

use axum::extract::State;
use serde_json::{Value, json};

use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::unavailable;
use crate::state::AppState;

/// The process runs.
pub async fn health() -> Data<Value> {
    Data(json!({}))
}

/// The database answers.
pub async fn ready(State(state): State<AppState>) -> Result<Data<Value>, Refused> {
    state.store.ping().await.map_err(unavailable)?;
    Ok(Data(json!({})))
}
