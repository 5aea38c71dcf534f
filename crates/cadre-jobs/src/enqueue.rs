//! Asking for a sync. The work itself is done by a worker.

use cadre_model::fault::Fault;
use cadre_store::{IntegrationScope, NewRun, RunKind, RunTrigger, Store};

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
    let (run, already_queued) = store
        .run_enqueue(scope, NewRun { kind, trigger }, SYNC)
        .await
        .map_err(|error| Fault::unknown(format!("queue a sync: {error}")))?;
    Ok(Enqueued { run_id: run.id, already_queued, kind: run.kind })
}
