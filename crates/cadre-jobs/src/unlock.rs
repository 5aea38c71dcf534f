//! Opening an integration for reads by a person's decision.

use cadre_model::fault::Fault;
use cadre_store::{
    Error, IntegrationIssueKind, IntegrationScope, QaStatus, RunKind, RunTrigger, SetupStatus,
    Store,
};

use crate::enqueue::enqueue_sync;

/// Accepts the data of a first sync that failed its quality checks.
///
/// # Errors
///
/// When the database fails.
pub async fn accept_quality(store: &Store, scope: &IntegrationScope) -> Result<(), Error> {
    store.integration_qa_status_set(scope, QaStatus::Passed).await?;
    store.integration_issue_resolve(scope, IntegrationIssueKind::QualityFailed, "").await?;
    Ok(())
}

/// Force unlock: the set-up counts as finished, whatever is left of it. One that was never synced is
/// synced now. Returns how it stood before, in words.
///
/// # Errors
///
/// `PLATFORM.UNKNOWN_ERROR` when the database fails.
pub async fn force_unlock(store: &Store, scope: &IntegrationScope) -> Result<String, Fault> {
    let failed = |error: Error| Fault::unknown(format!("unlock an integration: {error}"));
    let integration = store.integration_get(scope).await.map_err(failed)?;
    let integration =
        integration.ok_or_else(|| Fault::unknown("an integration was gone before its unlock"))?;
    if let Some(fault) = crate::setup::holds_back(&integration) {
        return Err(fault);
    }
    let was = format!("set-up {}, quality {}", integration.setup_status, integration.qa_status);
    if integration.qa_status == QaStatus::Failed {
        accept_quality(store, scope).await.map_err(failed)?;
    }
    let unlocked = store.integration_setup_change(scope, |setup| {
        setup.field_mapping &= setup.fields_mapped;
        setup.done.extend(setup.required.iter().cloned());
    });
    unlocked.await.map_err(failed)?;
    let completed = SetupStatus::Completed;
    store.integration_setup_status_set(scope, completed).await.map_err(failed)?;
    if integration.first_synced_at.is_none() {
        enqueue_sync(store, scope, RunKind::Full, RunTrigger::Setup).await?;
    }
    Ok(was)
}
