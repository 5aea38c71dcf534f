//! The page on which the end customer signs in: the connector's form, and its check with the tool.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use cadre_jobs::Entry;
use cadre_jobs::connect::{Link, Terms, link_agreed, relink};
use cadre_jobs::setup::ConnectField;
use cadre_model::fault::{Code, Fault};
use http::StatusCode;
use serde_json::{Map, Value};

use super::page::{Frame, Opened, Place, html, redirect};
use super::review::opted_out;
use super::{consent, guide};
use crate::listing::Pairs;
use crate::refuse::Refused;
use crate::scope::PathPair;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "connect/credentials.html")]
struct Credentials {
    frame: Frame,
    tool: String,
    label: String,
    guide: Option<String>,
    fields: Vec<Field>,
    off: Vec<String>,
    asks_consent: bool,
    failed: Option<Failed>,
    wrong: bool,
}

/// A field of a form.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) help: Option<String>,
    pub(super) example: Option<String>,
    pub(super) options: Vec<String>,
    pub(super) secret: bool,
    pub(super) optional: bool,
    pub(super) multiline: bool,
    pub(super) value: String,
    pub(super) problem: Option<String>,
}

impl Field {
    /// A field as a connector declares it, with what is known of its value.
    pub(super) fn of(field: &ConnectField, known: Option<&str>) -> Self {
        let value = known.or(field.default.as_deref()).filter(|_| !field.secret);
        Field {
            name: field.name.clone(),
            label: field.label.clone(),
            help: field.help.clone(),
            example: field.example.clone(),
            options: field.options.clone(),
            secret: field.secret,
            optional: field.optional,
            multiline: field.multiline,
            value: value.unwrap_or_default().to_owned(),
            problem: None,
        }
    }
}

/// Why an account was not linked, for the person who tried.
#[derive(Debug)]
pub(super) struct Failed {
    /// Whose turn it is.
    pub(super) title: String,
    /// What the tool said.
    pub(super) message: String,
    /// What to do next.
    pub(super) next: String,
}

impl Failed {
    pub(super) fn of(frame: &Frame, label: &str, fault: &Fault) -> Self {
        let name = match fault.code {
            Code::IntegrationAuthenticationInvalid => "failed.credentials",
            Code::IntegrationPermissionMissing => "failed.permission",
            Code::RemoteServiceUnavailable | Code::RemoteRateLimitExceeded => "failed.unavailable",
            _ => "failed.other",
        };
        let title = frame.t.put(name, label);
        Self { title, message: fault.message.clone(), next: fault.next_step().to_string() }
    }
}

/// What was typed before, and what is wrong with it.
#[derive(Debug, Default)]
struct Typed {
    values: Map<String, Value>,
    problems: HashMap<String, String>,
    failed: Option<Failed>,
}

/// Shows the form.
pub async fn get(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, tool): PathPair,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    if let Some(end) = opened.ended() {
        return Ok(end);
    }
    let entry = opened.tool(&state, &tool)?;
    let config = opened.scope_config(&state).await?;
    let pairs = Pairs::parse(query.as_deref(), &mut Vec::new());
    let mut typed = Typed::default();
    let mut off = opted_out(&pairs, &config);
    if let Some((_, integration)) = &opened.about {
        typed.values = integration.settings.as_object().cloned().unwrap_or_default();
        // Whoever comes here without having been asked again keeps to what they said before.
        if pairs.all("seen").chain(pairs.all("off")).next().is_none() {
            off.clone_from(&integration.opted_out);
        }
    }
    Ok(form(&opened, &entry, off, typed, StatusCode::OK))
}

/// Takes the form: what is wrong is said, else the account is linked, or the tool asked for consent.
pub async fn post(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, tool): PathPair,
    body: Bytes,
) -> Result<Response, Response> {
    if let Some(end) = opened.ended() {
        return Ok(end);
    }
    let entry = opened.tool(&state, &tool)?;
    let config = opened.scope_config(&state).await?;
    let pairs = Pairs::parse(std::str::from_utf8(&body).ok(), &mut Vec::new());
    let off = opted_out(&pairs, &config);
    let manifest = entry.connector.manifest();
    let values: Map<String, Value> = manifest
        .connect
        .fields
        .iter()
        .filter_map(|field| {
            let value = pairs.all(&field.name).next()?;
            Some((field.name.clone(), Value::from(value)))
        })
        .collect();
    if let Err(problems) = manifest.accept(&values) {
        let problems =
            problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
        let typed = Typed { values, problems, failed: None };
        return Ok(form(&opened, &entry, off, typed, StatusCode::UNPROCESSABLE_ENTITY));
    }
    if manifest.auth.as_ref().is_some_and(|auth| auth.asks_consent()) {
        return consent::begin(&state, &opened, &entry, values, off).await;
    }
    match connect(&state, &opened, &tool, values.clone(), off.clone(), None).await {
        Ok(()) => Ok(redirect(&format!("{}/done", opened.path()))),
        Err(fault) if fault.code == Code::PlatformUnknownError => {
            Err(Refused::from(fault).into_response())
        }
        Err(fault) => {
            let failed =
                Some(Failed::of(&opened.frame(Place::Credentials), &manifest.label, &fault));
            let typed = Typed { values, problems: HashMap::new(), failed };
            Ok(form(&opened, &entry, off, typed, StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

/// Links the account, or links it again.
pub(super) async fn connect(
    state: &AppState,
    opened: &Opened,
    tool: &str,
    form: Map<String, Value>,
    opted_out: Vec<String>,
    grant: Option<cadre_store::StoredGrant>,
) -> Result<(), Fault> {
    let terms = Terms {
        link_id: Some(opened.link.id.clone()),
        opted_out,
        grant,
        scope_config_id: opened.link.request.scope_config_id.clone(),
        filtering: opened.link.request.filtering,
        field_mapping: opened.link.request.field_mapping,
    };
    let parts = &state.parts;
    match &opened.about {
        Some((scope, integration)) => {
            relink(parts, &opened.scope, (scope, integration), &form, terms).await?;
        }
        None => {
            let link = Link {
                tool: tool.to_owned(),
                category: Some(opened.link.request.category.clone()),
                suffix: None,
                end_user: opened.link.request.end_user.clone(),
                form,
                mapping: None,
                check: true,
            };
            link_agreed(parts, &opened.scope, link, terms).await?;
        }
    }
    state.wake.notify_one();
    Ok(())
}

fn form(
    opened: &Opened,
    entry: &Arc<Entry>,
    off: Vec<String>,
    mut typed: Typed,
    status: StatusCode,
) -> Response {
    let manifest = entry.connector.manifest();
    let frame = opened.frame(Place::Credentials);
    let fields: Vec<Field> = manifest
        .connect
        .fields
        .iter()
        .map(|field| {
            let known = typed.values.get(&field.name).and_then(Value::as_str);
            let problem = typed.problems.remove(&field.name);
            Field { problem, ..Field::of(field, known) }
        })
        .collect();
    let page = Credentials {
        frame: frame.clone(),
        tool: entry.tool().to_owned(),
        label: manifest.label.clone(),
        guide: guide::guide(&entry.readme),
        asks_consent: manifest.auth.as_ref().is_some_and(|auth| auth.asks_consent()),
        wrong: fields.iter().any(|field| field.problem.is_some()),
        failed: typed.failed,
        fields,
        off,
    };
    html(status, &frame, &page)
}
