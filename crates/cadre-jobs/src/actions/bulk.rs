//! Many actions of a kind, ordered at once and done one after the other by a worker.
//!
//! Each is a run of its own, whose key is the task and its place: a worker that takes a task over from one
//! that vanished does nothing twice.

use cadre_model::action::{self, Action, check};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_store::{IntegrationScope, InteractionKind, Job, NewInteraction, Task, TaskState};
use serde_json::{Value, json};

use super::{Order, perform};
use crate::settings::Parts;

/// Kind of the job that does a task.
pub const BULK: &str = "bulk";
/// How long tasks are kept, in milliseconds.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

/// Orders a task; its id. The bodies have been checked.
///
/// # Errors
///
/// `PLATFORM.UNKNOWN_ERROR` when the database cannot be reached.
pub async fn enqueue(
    parts: &Parts,
    scope: &IntegrationScope,
    action: &Action,
    items: &[Value],
) -> Result<String, Fault> {
    parts.store.task_create(scope, action.id, items, BULK).await.map_err(Fault::unknown)
}

/// Does a task.
pub(crate) async fn run(parts: &Parts, job: &Job) -> Result<(), cadre_store::Error> {
    let Some((scope, task)) = task_of(parts, job).await? else { return Ok(()) };
    if task.state != TaskState::Pending {
        return Ok(());
    }
    let integration = parts.store.integration_get(&scope).await?;
    let integration = integration.filter(|integration| integration.deleted_at.is_none());
    let (Some(action), Some(integration)) = (action::action(&task.operation), integration) else {
        return give_up(parts, job).await;
    };
    let mut log = NewInteraction::new(InteractionKind::Action, parts.clock.now_ms());
    log.id = random_id();
    log.environment_id = scope.environment_id().to_owned();
    log.integration_id = Some(integration.id.clone());
    log.title = format!("{}: {} at once", action.id, task.items.len());
    parts.store.interaction_write(log.clone()).await?;
    let mut outcome = Vec::new();
    for (at, item) in task.items.iter().enumerate() {
        let body = item.as_object().cloned().unwrap_or_default();
        let order = Order {
            action,
            about: None,
            checked: check(action.body, &body),
            key: Some(format!("task:{}:{at}", task.id)),
            interaction_id: log.id.clone(),
            hidden: Default::default(),
        };
        let origin_id = &item["origin_id"];
        outcome.push(match perform(parts, &scope, &integration, order).await {
            Ok(done) => json!({ "origin_id": origin_id, "data": done.data }),
            Err(judged) => {
                log.fault.get_or_insert_with(|| (*judged.fault).clone());
                json!({ "origin_id": origin_id, "code": judged.fault.code, "message": judged.fault.message })
            }
        });
    }
    log.ended_at = Some(parts.clock.now_ms());
    let outcome = json!({ "log": log.id, "items": outcome });
    parts.store.interaction_write(log).await?;
    parts.store.task_end(&scope, &task.id, TaskState::Completed, &outcome).await?;
    parts.store.tasks_expire(parts.clock.now_ms() - KEEP_MS).await
}

/// Ends a task that cannot be done.
pub(crate) async fn give_up(parts: &Parts, job: &Job) -> Result<(), cadre_store::Error> {
    let Some((scope, task)) = task_of(parts, job).await? else { return Ok(()) };
    let message = "The task failed on our side, and failed again whenever it was taken up.";
    let outcome = json!({ "code": Code::PlatformUnknownError, "message": message });
    parts.store.task_end(&scope, &task.id, TaskState::Failed, &outcome).await
}

async fn task_of(
    parts: &Parts,
    job: &Job,
) -> Result<Option<(IntegrationScope, Task)>, cadre_store::Error> {
    let integration_id = job.integration_id.as_deref().unwrap_or_default();
    let Some(scope) = parts.store.system_integration_scope(integration_id).await? else {
        return Ok(None);
    };
    let id = job.payload["task_id"].as_str().unwrap_or_default();
    Ok(parts.store.task_get(&scope, id).await?.map(|task| (scope, task)))
}
