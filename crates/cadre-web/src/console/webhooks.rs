//! `/env/{env}/webhooks`: who is told about events, and telling somebody new.

use askama::Template;
use axum::extract::State;
use cadre_jobs::webhooks::check_url;
use cadre_store::{Backlog, Endpoint, EndpointState, EventType, NewEndpoint, new_secret};
use http::StatusCode;

use super::door::Posted;
use super::page::{Badge, Moment, Shown, grouped, html_as};
use super::shell::{Here, Shell};
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    shell: Shell,
    rows: Vec<Row>,
    types: Vec<&'static str>,
    url: String,
    wrong: Option<String>,
    made: Option<(String, String)>,
}

#[derive(Debug)]
struct Row {
    id: String,
    url: String,
    types: String,
    state: Badge,
    reason: Option<String>,
    waiting: String,
    failed: i64,
    failing_since: Option<Moment>,
}

/// Whether an endpoint is told, as a coloured word.
pub(super) fn state_badge(endpoint: &Endpoint) -> Badge {
    match endpoint.state {
        EndpointState::Enabled if endpoint.failing_since.is_some() => Badge::warn("failing"),
        EndpointState::Enabled => Badge::good("enabled"),
        EndpointState::Paused => Badge::plain("paused"),
        EndpointState::Disabled => Badge::bad("disabled"),
    }
}

/// Lists the endpoints.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    show(&state, &here, "", None, None).await
}

async fn show(
    state: &AppState,
    here: &Here,
    url: &str,
    wrong: Option<String>,
    made: Option<(String, String)>,
) -> Shown {
    let endpoints = state.store.endpoint_list(&here.scope).await?;
    let backlogs = state.store.backlogs(&here.scope).await?;
    let rows = endpoints.into_iter().map(|endpoint| {
        let backlog = backlogs.iter().find(|one| one.endpoint_id == endpoint.id);
        row(endpoint, backlog)
    });
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Webhooks {
        shell: here.shell("webhooks"),
        rows: rows.collect(),
        types: EventType::ALL.iter().map(|known| known.as_str()).collect(),
        url: url.to_owned(),
        wrong,
        made,
    };
    Ok(html_as(status, &page))
}

fn row(endpoint: Endpoint, backlog: Option<&Backlog>) -> Row {
    let types: Vec<&str> = endpoint.types.iter().map(|known| known.as_str()).collect();
    Row {
        types: if types.is_empty() { "every type".to_owned() } else { types.join(", ") },
        state: state_badge(&endpoint),
        waiting: grouped(backlog.map_or(0, |one| one.waiting + one.unread)),
        failed: backlog.map_or(0, |one| one.failed),
        failing_since: endpoint.failing_since.map(Moment),
        reason: endpoint.state_reason,
        id: endpoint.id,
        url: endpoint.url,
    }
}

/// The types that a form names; `None` when one is not known.
pub(super) fn types(form: &Posted) -> Option<Vec<EventType>> {
    form.all("type").map(EventType::named).collect()
}

/// Makes an endpoint. Its secret is on this page and on no other.
pub(super) async fn create(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let url = form.text("url");
    let allow_private = state.parts.settings.read.allow_private;
    if let Err(words) = check_url(url, allow_private) {
        return show(&state, &here, url, Some(format!("URL: expected {words}.")), None).await;
    }
    let Some(types) = types(&form) else {
        return show(&state, &here, url, Some("A type of event is not known.".into()), None).await;
    };
    let secret = new_secret();
    let shown = secret.expose().to_owned();
    let new = NewEndpoint { url: url.to_owned(), types, numbered: true, secret, after: None };
    let made = state.store.endpoint_create(&here.scope, new).await?;
    here.note(&state, "webhook.created", &made.id, url).await?;
    show(&state, &here, "", None, Some((made.id, shown))).await
}
