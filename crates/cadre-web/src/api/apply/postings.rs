//! `/v1/ai-apply/postings`: postings, entering one by hand, having its page read.

use axum::extract::{RawQuery, State};
use cadre_jobs::apply::{is_country, is_page_url};
use cadre_model::fault::Code;
use cadre_store::{NewPosting, PlacedPosting, Posting, PostingPlace, PostingQuery};
use serde_json::Value;

use super::page::{LISTED, Listed, Page, Part};
use crate::body::{Asked, JsonBody};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart, unavailable};
use crate::state::AppState;

/// Longest code, in bytes.
const CODE_BYTES: usize = 500;

/// Lists the postings.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<Page<Value>>, Refused> {
    let listed = Listed {
        name: "job_postings",
        by_ids: &["ids", "career_site_ids"],
        by_texts: &["job_codes"],
        by_moment: true,
        ..LISTED
    };
    let part = Part::asked(&caller.scope, listed, query.as_deref())?;
    let query = PostingQuery {
        after_id: part.after_id.clone(),
        ids: part.filter("ids"),
        career_site_ids: part.filter("career_site_ids"),
        job_codes: part.filter("job_codes"),
        updated_after: part.updated_after,
        limit: part.limit(),
        ..PostingQuery::default()
    };
    let postings = state.store.posting_list(&caller.scope, &query).await.map_err(unavailable)?;
    Ok(Data(part.page(postings, |posting| &posting.id, |posting| posting.shown())))
}

/// Enters a posting by hand. Its page is read soon.
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let mut asked = Asked::of(&body);
    let url = asked.text("url", "an http:// or https:// URL", is_page_url);
    let site = asked.text("career_site_id", "the id of a career site", |id| !id.is_empty());
    let code = match body.0.get("job_code") {
        None => None,
        Some(Value::String(code)) if code.len() <= CODE_BYTES => Some(code.clone()),
        Some(_) => {
            asked.wrong("job_code", &format!("text of at most {CODE_BYTES} bytes"));
            None
        }
    };
    let place = place(&body, &mut asked);
    if let Some(id) = site
        && state.store.career_site_get(&caller.scope, id).await.map_err(unavailable)?.is_none()
    {
        asked.wrong("career_site_id", "the id of a career site of this environment");
    }
    asked.end()?;
    let new = NewPosting {
        career_site_id: site.unwrap_or_default().to_owned(),
        url: url.unwrap_or_default().to_owned(),
        job_code: code.filter(|code| !code.is_empty()),
        place,
    };
    let placed = state.store.posting_place(&caller.scope, &new).await.map_err(unavailable)?;
    match placed {
        PlacedPosting::Placed(posting) => Ok(Data(posting.shown())),
        PlacedPosting::AlreadyThere(posting) => Err(Refused::new(
            Code::PlatformInputInvalid,
            format!(
                "A posting with this career site, URL and job code exists already: `{}`. Ask for its form with \
                 `POST /ai-apply/postings/{}/inquire`.",
                posting.id, posting.id
            ),
        )),
    }
}

/// Has the page of a posting read again, before all others.
pub async fn parse(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
) -> Result<Data<Value>, Refused> {
    let posting = find(&state, &caller, &id).await?;
    if !state.store.posting_parse_soon(&caller.scope, &id).await.map_err(unavailable)? {
        let words =
            format!("The posting `{}` is archived: its page is not read any more.", posting.id);
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    }
    Ok(Data(find(&state, &caller, &id).await?.shown()))
}

/// A posting of the caller's environment.
pub(super) async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<Posting, Refused> {
    let found = state.store.posting_get(&caller.scope, id).await.map_err(unavailable)?;
    found.ok_or_else(|| {
        let shown: String = id.chars().take(60).collect();
        Refused::new(
            Code::PlatformInputInvalid,
            format!(
                "Invalid request: `path.posting_id`: expected the id of a posting of this environment, got \
                 {shown:?}."
            ),
        )
    })
}

/// Where the job is, as the body says: not at all, cleared, or known.
fn place(body: &JsonBody, asked: &mut Asked<'_>) -> Option<Option<PostingPlace>> {
    let location = match body.0.get("location") {
        None => return None,
        Some(Value::Null) => return Some(None),
        Some(Value::Object(location)) => location,
        Some(_) => {
            asked.wrong("location", "an object with `country`, or null");
            return None;
        }
    };
    let country = location.get("country").and_then(Value::as_str).filter(|text| is_country(text));
    let postal_code = match location.get("postal_code") {
        None => Some(None),
        Some(Value::String(code)) if code.len() <= CODE_BYTES => Some(Some(code.clone())),
        Some(_) => None,
    };
    match (country, postal_code) {
        (Some(country), Some(postal_code)) => {
            Some(Some(PostingPlace { country: country.to_owned(), postal_code }))
        }
        (country, postal_code) => {
            if country.is_none() {
                let expected =
                    "an object whose `country` is two capital letters (ISO 3166-1 alpha-2)";
                asked.wrong("location", expected);
            }
            if postal_code.is_none() {
                asked.wrong("location", "an object whose `postal_code` is text, if it is there");
            }
            None
        }
    }
}
