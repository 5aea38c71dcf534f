//! Which integrations are due for a sync.

use cadre_store::{IntegrationScope, RunKind, RunTrigger};

use crate::enqueue::{enqueue_sync, possible_kind};
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
        let kind = kind_due(parts, &scope).await?;
        match enqueue_sync(&parts.store, &scope, kind, RunTrigger::Schedule).await {
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

/// What changed, where the tool can tell and everything was read not long ago; else everything. Only
/// that finds deletions, and what became wanted meanwhile.
async fn kind_due(parts: &Parts, scope: &IntegrationScope) -> Result<RunKind, cadre_store::Error> {
    let Some(integration) = parts.store.integration_get(scope).await? else {
        return Ok(RunKind::Full);
    };
    let kind = possible_kind(&parts.catalog, &integration.tool, RunKind::Delta);
    if kind == RunKind::Full || integration.data_expired_at.is_some() {
        return Ok(RunKind::Full);
    }
    let every = i64::try_from(parts.settings.full_every.as_millis()).unwrap_or(i64::MAX);
    let last = parts.store.run_last_whole(scope).await?;
    let recent = last.is_some_and(|last| parts.clock.now_ms() - last < every);
    Ok(if recent { RunKind::Delta } else { RunKind::Full })
}
