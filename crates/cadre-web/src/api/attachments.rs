//! `GET /v1/ats/candidates/{candidate_id}/attachments` and the same for applications: asked live.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_jobs::live::{File, Judged, Live, Place};
use cadre_model::live::LiveRead;
use cadre_store::InteractionKind;
use serde::Serialize;
use serde_json::{Map, Value};

use super::files::Ticket;
use crate::gate;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Warned;
use crate::scope::{Caller, ForIntegration, PathPart};
use crate::state::AppState;

/// The files of a record.
#[derive(Debug, Serialize)]
pub struct FilesOut {
    results: Vec<Value>,
}

/// Asks the tool for the files of a record.
///
/// # Errors
///
/// Whatever stands between the caller and the tool, and what the tool said.
pub async fn get(
    read: &'static LiveRead,
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    here: ForIntegration,
    Extension(call): Extension<Arc<Call>>,
) -> Result<Warned<FilesOut>, Refused> {
    let config = gate::scope_config(&state, &caller.scope, &here.integration).await?;
    gate::doable(&state, &here, &config, read).await?;
    let slot = gate::room(&state, &call, &here.scope, InteractionKind::Action).await?;
    let asked = async {
        let live = Live::open(&state.parts, &here.scope, &here.integration, &call.id).await?;
        live.read(read, &id).await
    };
    let asked = asked.await;
    slot.release().await;
    let found = asked.map_err(|judged| refused(&call, judged))?;
    let of_candidate = read.of == "ats_candidates";
    let results = found
        .files
        .into_iter()
        .map(|file| {
            let mut shown = shown(&state, &here, &file);
            if of_candidate {
                shown.insert("candidate_id".to_owned(), id.clone().into());
                shown.insert("application_id".to_owned(), file.application_id.into());
            }
            Value::Object(shown)
        })
        .collect();
    Ok(Warned { data: FilesOut { results }, warnings: found.warnings })
}

/// The refusal of live work; its log names the rule.
pub(super) fn refused(call: &Call, judged: Judged) -> Refused {
    call.judged_by(judged.rule);
    Refused(judged.fault)
}

fn shown(state: &AppState, here: &ForIntegration, file: &File) -> Map<String, Value> {
    let data_url = match &file.place {
        Place::Open(url) => url.clone(),
        Place::Locked(path) => Ticket::new(state, here.scope.id(), path, file).url(state),
    };
    let pairs = [
        ("id", file.id.clone().into()),
        ("remote_id", file.remote_id.clone().into()),
        ("type", file.kind.clone().into()),
        ("file_name", file.name.clone().into()),
        ("content_type", file.content_type.clone().into()),
        ("data_url", data_url.into()),
        ("remote_created_at", file.created_at.clone()),
        ("remote_updated_at", file.updated_at.clone()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
