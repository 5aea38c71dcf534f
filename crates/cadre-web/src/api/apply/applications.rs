//! `/v1/ai-apply/applications`: what became of applications.

use axum::extract::{RawQuery, State};
use cadre_store::ApplicationQuery;
use serde_json::Value;

use super::page::{LISTED, Listed, Page, Part};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, unavailable};
use crate::state::AppState;

/// Lists the applications.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<Page<Value>>, Refused> {
    let listed = Listed { name: "applications", by_ids: &["ids", "job_posting_ids"], ..LISTED };
    let part = Part::asked(&caller.scope, listed, query.as_deref())?;
    let query = ApplicationQuery {
        after_id: part.after_id.clone(),
        ids: part.filter("ids"),
        job_posting_ids: part.filter("job_posting_ids"),
        limit: part.limit(),
        ..ApplicationQuery::default()
    };
    let found = state.store.application_list(&caller.scope, &query).await.map_err(unavailable)?;
    Ok(Data(part.page(found, |one| &one.id, |one| one.shown())))
}
