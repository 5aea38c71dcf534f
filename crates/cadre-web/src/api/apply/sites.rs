//! `/v1/ai-apply/career-sites`: whose postings there are.

use axum::extract::{RawQuery, State};
use cadre_store::{CareerSite, SiteQuery};
use serde::Serialize;

use super::page::{LISTED, Listed, Page, Part};
use crate::body::{Asked, JsonBody};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, unavailable};
use crate::state::AppState;

/// Longest label, in bytes.
pub(super) const LABEL_BYTES: usize = 500;

/// Something with a label.
#[derive(Debug, Serialize)]
pub struct LabelledOut {
    pub(super) id: String,
    pub(super) label: String,
}

impl From<CareerSite> for LabelledOut {
    fn from(site: CareerSite) -> Self {
        Self { id: site.id, label: site.label }
    }
}

/// The label of a body.
pub(super) fn label(body: &JsonBody) -> Result<&str, Refused> {
    let mut asked = Asked::of(body);
    let fits = |text: &str| !text.trim().is_empty() && text.len() <= LABEL_BYTES;
    let expected = format!("text of 1 to {LABEL_BYTES} bytes");
    let label = asked.text("label", &expected, fits);
    asked.end()?;
    Ok(label.unwrap_or_default())
}

/// Lists the career sites.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<Page<LabelledOut>>, Refused> {
    let listed = Listed { name: "career_sites", ..LISTED };
    let part = Part::asked(&caller.scope, listed, query.as_deref())?;
    let query =
        SiteQuery { after_id: part.after_id.clone(), ids: part.filter("ids"), limit: part.limit() };
    let sites = state.store.career_site_list(&caller.scope, &query).await.map_err(unavailable)?;
    Ok(Data(part.page(sites, |site| &site.id, LabelledOut::from)))
}

/// Makes a career site.
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Data<LabelledOut>, Refused> {
    let label = label(&body)?;
    let site = state.store.career_site_create(&caller.scope, label).await.map_err(unavailable)?;
    Ok(Data(site.into()))
}
