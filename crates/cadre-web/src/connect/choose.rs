//! The first page: which tool.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use cadre_jobs::connect::ready;
use http::StatusCode;

use super::page::{Frame, Opened, Place, html, redirect};
use crate::listing::Pairs;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "connect/choose.html")]
struct Choose {
    frame: Frame,
    organization: String,
    search: String,
    tools: Vec<Tool>,
}

#[derive(Debug)]
struct Tool {
    id: String,
    label: String,
}

/// Shows the tools, or goes on where the tool is settled.
pub async fn get(
    State(state): State<AppState>,
    opened: Opened,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(end) = opened.ended() {
        return end;
    }
    if let Some(tool) = &opened.link.request.tool {
        return redirect(&format!("{}/tools/{tool}", opened.path()));
    }
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let search = pairs.one("q", &mut problems).unwrap_or_default().trim().to_owned();
    let wanted = search.to_lowercase();
    let mut tools: Vec<Tool> = state
        .catalog
        .entries()
        .filter(|entry| opened.tool(&state, entry.tool()).is_ok() && ready(&state.parts, entry))
        .map(|entry| Tool {
            id: entry.tool().to_owned(),
            label: entry.connector.manifest().label.clone(),
        })
        .filter(|tool| tool.label.to_lowercase().contains(&wanted) || tool.id.contains(&wanted))
        .collect();
    tools.sort_by_key(|tool| tool.label.to_lowercase());
    let frame = opened.frame(Place::Choose);
    let organization = opened.link.request.end_user.organization_name.clone();
    html(StatusCode::OK, &frame.clone(), &Choose { frame, organization, search, tools })
}
