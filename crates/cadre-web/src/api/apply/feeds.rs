//! `/v1/ai-apply/job-feeds`: sources of postings, and importing into them.

use axum::extract::{RawQuery, Request, State};
use cadre_jobs::apply::feed;
use cadre_model::fault::Code;
use cadre_store::{JobFeed, SiteQuery};
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::page::{LISTED, Listed, Page, Part};
use super::sites::{LabelledOut, label};
use crate::body::JsonBody;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart, unavailable};
use crate::state::AppState;

/// Types that lines of JSON go by.
const LINES: &[&str] = &["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// What an import did.
#[derive(Debug, Serialize)]
pub struct ImportOut {
    created: i64,
    processed: i64,
    archived: i64,
}

impl From<JobFeed> for LabelledOut {
    fn from(feed: JobFeed) -> Self {
        Self { id: feed.id, label: feed.label }
    }
}

/// Lists the job feeds.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<Page<LabelledOut>>, Refused> {
    let listed = Listed { name: "job_feeds", ..LISTED };
    let part = Part::asked(&caller.scope, listed, query.as_deref())?;
    let query =
        SiteQuery { after_id: part.after_id.clone(), ids: part.filter("ids"), limit: part.limit() };
    let feeds = state.store.job_feed_list(&caller.scope, &query).await.map_err(unavailable)?;
    Ok(Data(part.page(feeds, |feed| &feed.id, LabelledOut::from)))
}

/// Makes a job feed.
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Data<LabelledOut>, Refused> {
    let label = label(&body)?;
    let feed = state.store.job_feed_create(&caller.scope, label).await.map_err(unavailable)?;
    Ok(Data(feed.into()))
}

/// Imports lines into a feed. They are never in memory as a whole.
pub async fn import(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    request: Request,
) -> Result<Data<ImportOut>, Refused> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !LINES.contains(&kind.to_ascii_lowercase().as_str()) {
        let words = format!(
            "The body of the request has the type {kind:?}. Send one JSON object a line, as `Content-Type: {}`.",
            LINES[0]
        );
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    }
    let lines = request.into_body().into_data_stream();
    let counts = feed::import(&state.parts, &caller.scope, &id, lines).await?;
    let cadre_store::ImportCounts { created, processed, archived } = counts;
    Ok(Data(ImportOut { created, processed, archived }))
}
