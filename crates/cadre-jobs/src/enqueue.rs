//! Asking for a sync. The work itself is done by a worker.

use cadre_model::fault::Fault;
use cadre_store::{IntegrationScope, NewRun, RunKind, RunTrigger, Store};

use crate::catalog::Catalog;

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

/// The kind of run that a tool can do when one is asked for: a tool that cannot tell what changed is
/// read whole.
#[must_use]
pub fn possible_kind(catalog: &Catalog, tool: &str, asked: RunKind) -> RunKind {
    let knows_changes = catalog.get(tool).is_some_and(|entry| {
        entry.connector.streams().iter().any(|stream| stream.delta_overlap_ms().is_some())
    });
    if knows_changes { asked } else { RunKind::Full }
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
