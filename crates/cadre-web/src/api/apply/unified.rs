//! `/v1/ai-apply/unified-api/…`: postings as jobs, and applying to them as to jobs.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use cadre_jobs::apply::unified::{Candidacy, job};
use cadre_jobs::apply::{Order, inquire};
use cadre_model::time::wire;
use cadre_store::{Application, Posting, PostingQuery};
use serde_json::{Value, json};

use super::MOST_JOBS;
use super::inquire::query_params;
use super::page::{LISTED, Listed, Page, Part};
use super::postings::find;
use crate::body::{Asked, JsonBody};
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart, unavailable};
use crate::state::AppState;

/// Lists postings that one can apply to as jobs, each with the questions of its form.
pub async fn jobs(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<Page<Value>>, Refused> {
    let listed = Listed {
        name: "posting_jobs",
        by_ids: &["ids", "remote_ids", "career_site_ids"],
        by_texts: &["job_codes"],
        most: MOST_JOBS,
        ..LISTED
    };
    let part = Part::asked(&caller.scope, listed, query.as_deref())?;
    let query = PostingQuery {
        after_id: part.after_id.clone(),
        ids: both(part.filter("ids"), part.filter("remote_ids")),
        career_site_ids: part.filter("career_site_ids"),
        job_codes: part.filter("job_codes"),
        applyable: true,
        limit: part.limit(),
        ..PostingQuery::default()
    };
    let postings = state.store.posting_list(&caller.scope, &query).await.map_err(unavailable)?;
    let mut jobs = Vec::new();
    for posting in postings {
        if let Some(form) = inquire::stored(&state.parts, &caller.scope, &posting).await? {
            jobs.push((posting.id.clone(), job(&posting, &form)));
        }
    }
    Ok(Data(part.page(jobs, |(id, _)| id, |(_, job)| job)))
}

/// A job has the same id here and in what stands in for its tool: two filters for one thing.
fn both(ids: Option<Vec<String>>, remote_ids: Option<Vec<String>>) -> Option<Vec<String>> {
    match (ids, remote_ids) {
        (Some(ids), Some(remote_ids)) => {
            let mut common: Vec<String> =
                ids.into_iter().filter(|id| remote_ids.contains(id)).collect();
            if common.is_empty() {
                // A list that nothing is in would not narrow anything.
                common.push(String::new());
            }
            Some(common)
        }
        (ids, remote_ids) => ids.or(remote_ids),
    }
}

/// Applies to a posting as to a job.
pub async fn apply(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    Extension(call): Extension<Arc<Call>>,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let mut asked = Asked::of(&body);
    let query_params = query_params(&body, &mut asked);
    asked.end()?;
    let posting = find(&state, &caller, &id).await?;
    let candidacy = Candidacy::read(&state.parts, &body.0).await?;
    let order = Order {
        candidate_email: candidacy.email().to_owned(),
        query_params,
        interaction_id: call.id.clone(),
        ..Order::default()
    };
    let (parts, scope) = (&state.parts, &caller.scope);
    let placed = inquire::apply_as_candidate(parts, scope, &posting, &candidacy, order).await?;
    Ok(Data(shown(placed.application(), &posting, &candidacy)))
}

/// An application as an ATS would show it: what nobody here knows is null.
fn shown(application: &Application, posting: &Posting, candidacy: &Candidacy) -> Value {
    let candidate = candidacy.candidate();
    let at = wire(application.updated_at);
    let phones: Vec<Value> = candidate["phone_number"]
        .as_str()
        .map(|number| json!({ "phone_number": number, "type": null }))
        .into_iter()
        .collect();
    json!({
        "id": application.id,
        "remote_id": null,
        "outcome": "PENDING",
        "rejection_reason_name": null,
        "rejected_at": null,
        "current_stage_id": null,
        "job_id": posting.id,
        "candidate_id": null,
        "screening_question_answers": [],
        "custom_fields": {},
        "integration_fields": [],
        "remote_url": posting.url,
        "changed_at": at,
        "remote_deleted_at": null,
        "remote_created_at": null,
        "remote_updated_at": null,
        "remote_data": null,
        "current_stage": null,
        "job": { "id": posting.id, "name": posting.job["name"], "remote_id": posting.id },
        "candidate": {
            "id": application.id,
            "remote_id": application.id,
            "first_name": candidate["first_name"],
            "last_name": candidate["last_name"],
            "company": candidate["company"],
            "title": candidate["title"],
            "confidential": null,
            "source": null,
            "phone_numbers": phones,
            "email_addresses": [{ "email_address": candidacy.email(), "type": null }],
            "social_media": [],
            "location": null,
            "custom_fields": {},
            "integration_fields": [],
            "remote_url": null,
            "remote_created_at": null,
            "remote_updated_at": null,
            "remote_data": null,
            "changed_at": at,
            "remote_deleted_at": null,
            "tags": [],
        },
    })
}
