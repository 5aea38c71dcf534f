//! Asking for a sync. The work itself is done by a worker.

use cadre_model::fault::{Code, Fault};
use cadre_store::{Enqueue, IntegrationScope, NewJob, NewRun, RunKind, RunTrigger, Store};
use serde_json::json;

/// Kind of the job that runs a sync.
pub const SYNC: &str = "sync";

/// What became of asking for a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// The run that does the work.
    pub run_id: String,
    /// Whether it was there before.
    pub already_queued: bool,
    /// What kind of run it is, which may differ from what was asked for.
    pub kind: RunKind,
}

/// Asks for a sync of one integration.
///
/// One run per integration is queued or running; when there is one, it is the answer.
///
/// # Errors
///
/// `PLATFORM.UNKNOWN_ERROR` when the database cannot be reached.
pub async fn enqueue_sync(
    store: &Store,
    scope: &IntegrationScope,
    kind: RunKind,
    trigger: RunTrigger,
) -> Result<Enqueued, Fault> {
    let unavailable = |error: cadre_store::Error| Fault::unknown(format!("queue a sync: {error}"));
    let run = store.run_create(scope, NewRun { kind, trigger }).await.map_err(unavailable)?;
    let job = NewJob {
        kind: SYNC.to_owned(),
        key: scope.id().to_owned(),
        payload: json!({ "run_id": run.id }),
        run_at: None,
        integration_id: Some(scope.id().to_owned()),
    };
    match store.job_enqueue(job).await.map_err(unavailable)? {
        Enqueue::New(_) => Ok(Enqueued { run_id: run.id, already_queued: false, kind: run.kind }),
        Enqueue::AlreadyThere(job) => {
            store.run_discard(scope, &run.id).await.map_err(unavailable)?;
            let run_id = job.payload.get("run_id").and_then(|id| id.as_str()).unwrap_or_default();
            let there = store.run_get(scope, run_id).await.map_err(unavailable)?;
            there.map_or_else(
                || {
                    Err(Fault::new(
                        Code::PlatformUnknownError,
                        "A sync is queued, but its record is gone. Try again in a moment.",
                    ))
                },
                |run| Ok(Enqueued { run_id: run.id, already_queued: true, kind: run.kind }),
            )
        }
    }
}
