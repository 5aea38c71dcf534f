//! `POST <action>/bulk` and `GET <action>/bulk/{task_id}`: many actions of a kind, ordered at once.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_jobs::actions::bulk;
use cadre_model::action::{Action, check};
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{Task, TaskState};
use serde_json::{Value, json};

use crate::body::JsonBody;
use crate::gate;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::{Data, Warned};
use crate::scope::{Caller, ForIntegration, NamedIntegration, PathPart, unavailable};
use crate::state::AppState;

/// Most actions of one task.
const MOST: usize = 1_000;
/// Most problems that are named.
const NAMED: usize = 50;

/// Orders a task.
///
/// # Errors
///
/// Everything that is wrong with any of the bodies, at once; then whatever stands between the caller and
/// the tool.
pub async fn post(
    action: &'static Action,
    State(state): State<AppState>,
    caller: Caller,
    NamedIntegration(integration): NamedIntegration,
    Extension(call): Extension<Arc<Call>>,
    body: JsonBody,
) -> Result<Warned<Value>, Refused> {
    let items = match body.0.get("items") {
        Some(Value::Array(items)) if items.len() <= MOST => items,
        _ => return Err(body.wrong("items", &format!("a list of at most {MOST}"))),
    };
    let mut problems = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Some(item) = item.as_object() else {
            problems.push(format!("`body.items[{at}]`: expected an object"));
            continue;
        };
        for mut wrong in check(action.body, item).wrong {
            wrong.path = wrong.path.replacen("body", &format!("body.items[{at}]"), 1);
            problems.push(wrong.to_string());
        }
    }
    if !problems.is_empty() {
        problems.truncate(NAMED);
        let message = format!("Invalid request: {}.", problems.join("; "));
        return Err(Refused::new(Code::PlatformInputInvalid, message));
    }
    let here = ForIntegration::find(&state, &caller, Some(&call), &integration).await?;
    let config = gate::scope_config(&state, &caller.scope, &here.integration).await?;
    gate::permits(&state, &here, &config, action).await?;
    let id = bulk::enqueue(&state.parts, &here.scope, action, items).await?;
    state.wake.notify_one();
    Ok(Warned { data: json!({ "task_id": id }), warnings: Vec::new() })
}

/// Shows how a task stands.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` when the integration has no such task.
pub async fn get(
    action: &'static Action,
    State(state): State<AppState>,
    here: ForIntegration,
    PathPart(id): PathPart,
) -> Result<Data<Value>, Refused> {
    let found = state.store.task_get(&here.scope, &id).await.map_err(unavailable)?;
    let Some(task) = found.filter(|task| task.operation == action.id) else {
        let shown: String = id.chars().take(60).collect();
        let words =
            format!("Invalid request: `path.task_id`: expected the id of a task, got {shown:?}.");
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    };
    Ok(Data(shown(&state, &task)))
}

fn shown(state: &AppState, task: &Task) -> Value {
    let log = task.outcome["log"].as_str().map(|id| state.log_url(id));
    let error = |of: &Value| {
        let code = of["code"].as_str().and_then(Code::parse).unwrap_or(Code::PlatformUnknownError);
        let fault = Fault::new(code, of["message"].as_str().unwrap_or_default());
        state.wording.error_of_item(&fault, log.as_deref())
    };
    let mut shown = json!({
        "task_id": task.id, "created_at": wire(task.created_at),
        "completed_at": task.completed_at.map(wire),
    });
    match task.state {
        TaskState::Pending => shown["status"] = "PENDING".into(),
        TaskState::Failed => {
            shown["status"] = "FAILED".into();
            shown["error"] = error(&task.outcome);
        }
        TaskState::Completed => {
            let items = task.outcome["items"].as_array().into_iter().flatten();
            let items = items.map(|item| match item.get("data") {
                Some(data) => {
                    json!({ "origin_id": item["origin_id"], "status": "SUCCEEDED", "data": data })
                }
                None => {
                    json!({ "origin_id": item["origin_id"], "status": "FAILED", "error": error(item) })
                }
            });
            shown["status"] = "COMPLETED".into();
            shown["data"] = items.collect();
        }
    }
    shown
}
