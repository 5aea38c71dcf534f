//! Which integrations are due for a sync.

use cadre_store::{RunKind, RunTrigger};

use crate::enqueue::enqueue_sync;
use crate::settings::Parts;

/// Most integrations that one look enqueues; the next look takes the rest.
const AT_ONCE: u32 = 100;

/// Enqueues a sync for every integration whose time has come.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn enqueue_due(parts: &Parts) -> Result<usize, cadre_store::Error> {
    let due = parts.store.integrations_due(parts.clock.now_ms(), AT_ONCE).await?;
    let mut enqueued = 0;
    for scope in due {
        match enqueue_sync(&parts.store, &scope, RunKind::Full, RunTrigger::Schedule).await {
            Ok(asked) => enqueued += usize::from(!asked.already_queued),
            Err(fault) => {
                tracing::warn!(
                    integration.id = scope.id(),
                    cause = fault.context,
                    "a due sync was not queued"
                );
            }
        }
        // Also when it failed: one integration that cannot be queued must not keep the others waiting.
        parts.store.integration_next_sync_later(&scope).await?;
    }
    Ok(enqueued)
}
