//! The last page, and the one that waits for a consent in another window.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::time::wire;
use http::StatusCode;
use serde_json::Value;

use super::page::{Frame, Opened, Place, html, redirect};
use crate::api::connect::Activation;
use crate::gate;
use crate::scope::PathPair;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "connect/done.html")]
struct Done {
    frame: Frame,
    title: String,
    label: String,
    missing: Vec<Missing>,
    activation: String,
    at: String,
}

#[derive(Debug)]
struct Missing {
    models: String,
    words: String,
}

/// Says that the account is linked, and hands over what proves it.
pub async fn get(State(state): State<AppState>, opened: Opened) -> Response {
    let (Some(at), Some((_, integration))) = (opened.link.completed_at, &opened.about) else {
        return redirect(&opened.path());
    };
    if integration.setup.is_open() {
        return redirect(&format!("{}/setup", opened.path()));
    }
    let label = gate::label(&state, integration);
    let again = opened.link.purpose == cadre_store::LinkPurpose::Relink;
    let frame = opened.frame(Place::Done);
    let set_up = opened.link.purpose == cadre_store::LinkPurpose::Setup;
    let name = match (again, set_up) {
        (true, _) => "done.relinked",
        (_, true) => "done.set_up",
        _ => "done.title",
    };
    let title = frame.t.put(name, &label);
    let page = Done {
        activation: Activation::token(&state, &opened.scope, &integration.id),
        missing: missing(&opened.link.outcome),
        frame: frame.clone(),
        title,
        label,
        at: wire(at),
    };
    html(StatusCode::OK, &frame, &page)
}

fn missing(outcome: &Value) -> Vec<Missing> {
    let listed = outcome["missing"].as_array().into_iter().flatten();
    listed
        .map(|missing| {
            let models = missing["models"].as_array().into_iter().flatten();
            let models: Vec<&str> = models.filter_map(Value::as_str).collect();
            let words = missing["words"].as_str().unwrap_or_default().to_owned();
            Missing { models: models.join(", "), words }
        })
        .collect()
}

#[derive(Debug, Template)]
#[template(path = "connect/waiting.html")]
struct Waiting {
    frame: Frame,
    tool: String,
    label: String,
}

/// Waits until the consent in the other window has been given.
pub async fn waiting(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, tool): PathPair,
) -> Result<Response, Response> {
    if let Some(end) = opened.ended() {
        return Ok(end);
    }
    let entry = opened.tool(&state, &tool)?;
    let frame = opened.frame(Place::Credentials);
    let label = entry.connector.manifest().label.clone();
    Ok(html(StatusCode::OK, &frame.clone(), &Waiting { frame, tool, label }))
}
