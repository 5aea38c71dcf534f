//! `POST /v1/force-sync`

use axum::extract::State;
use cadre_model::fault::{Code, Fault};
use cadre_store::{IntegrationStatus, RunKind, RunTrigger};
use serde::Serialize;
use serde_json::Value;

use crate::body::JsonBody;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::ForIntegration;
use crate::state::AppState;

/// The sync that is under way now.
#[derive(Debug, Serialize)]
pub struct SyncOut {
    already_queued: bool,
    sync_id: String,
    r#type: &'static str,
}

/// Starts a sync, or tells which one is under way.
pub async fn post(
    State(state): State<AppState>,
    here: ForIntegration,
    body: JsonBody,
) -> Result<Data<SyncOut>, Refused> {
    let kind = match body.0.get("type") {
        None => RunKind::Full,
        Some(Value::String(kind)) if kind == "FULL" => RunKind::Full,
        Some(Value::String(kind)) if kind == "DELTA" => RunKind::Delta,
        Some(_) => return Err(body.wrong("type", "`FULL` or `DELTA`")),
    };
    if here.integration.status == IntegrationStatus::Inactive {
        return Err(inactive(&here.integration.id).into());
    }
    let kind = cadre_jobs::possible_kind(&state.catalog, &here.integration.tool, kind);
    let queued =
        cadre_jobs::enqueue_sync(&state.store, &here.scope, kind, RunTrigger::ForceSync).await?;
    state.wake.notify_one();
    Ok(Data(SyncOut {
        already_queued: queued.already_queued,
        sync_id: queued.run_id,
        r#type: match queued.kind {
            RunKind::Full => "FULL",
            RunKind::Delta => "DELTA",
        },
    }))
}

/// The integration is switched off.
pub(crate) fn inactive(integration_id: &str) -> Fault {
    Fault::new(
        Code::IntegrationInactive,
        format!("The integration `{integration_id}` is switched off."),
    )
    .hint(format!(
        "Switch it on with PUT /v1/integrations/{integration_id}/enabled and {{\"value\": true}}."
    ))
}
