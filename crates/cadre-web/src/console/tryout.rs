//! `…/actions`: doing an action by hand. The form follows from the action's declaration; the request goes
//! the way that a caller's goes, and has a log as theirs has.

use std::net::SocketAddr;

use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use cadre_model::action::{Action, Input, InputField, Preset, action, actions};
use cadre_model::fault::Fault;
use cadre_model::registry;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use tower::ServiceExt as _;

use super::door::Posted;
use super::page::{Badge, Shown, Trouble, html, html_as};
use super::shell::{Chosen, Header, Named, Shell};
use crate::gate;
use crate::recorder::INTERACTION_HEADER;
use crate::scope::{Caller, INTEGRATION_HEADER};
use crate::state::AppState;

/// Longest answer that is shown, in bytes.
const SHOWN_BYTES: usize = 1024 * 1024;

#[derive(Debug, Template)]
#[template(path = "actions.html")]
struct Actions {
    shell: Shell,
    header: Header,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: &'static str,
    label: &'static str,
    method: &'static str,
    path: &'static str,
    enabled: bool,
}

/// Lists what the tool can do.
pub(super) async fn list(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let integration = &chosen.found.integration;
    let config = state.store.scope_config_of(&chosen.here.scope, integration).await?;
    let rows = possible(&state, &chosen).map(|action| Row {
        id: action.id,
        label: action.label,
        method: action.method,
        path: action.path,
        enabled: config.action_enabled(action.id),
    });
    let page = Actions {
        rows: rows.collect(),
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "actions"),
    };
    Ok(html(&page))
}

fn possible(state: &AppState, chosen: &Chosen) -> impl Iterator<Item = &'static Action> {
    let integration = &chosen.found.integration;
    actions()
        .filter(|action| action.category.as_str() == integration.category)
        .filter(|action| gate::can_do(state, &integration.tool, action.id))
}

#[derive(Debug, Template)]
#[template(path = "action.html")]
struct TryOut {
    shell: Shell,
    header: Header,
    id: &'static str,
    label: &'static str,
    method: &'static str,
    path: &'static str,
    about: Option<(&'static str, &'static str, String)>,
    fields: Vec<Field>,
    wrong: Vec<String>,
    answer: Option<Answered>,
}

/// One field of the body.
#[derive(Debug)]
struct Field {
    name: String,
    doc: &'static str,
    kind: String,
    required: bool,
    options: Vec<&'static str>,
    json: bool,
    value: String,
}

#[derive(Debug)]
struct Answered {
    badge: Badge,
    body: String,
    log: Option<String>,
}

fn chosen_action(
    state: &AppState,
    chosen: &Chosen,
    named: &Named,
) -> Result<&'static Action, Trouble> {
    let action = action(named.part("action"));
    action
        .filter(|wanted| possible(state, chosen).any(|one| one.id == wanted.id))
        .ok_or(Trouble::Missing("An action of this name"))
}

/// Shows the form of an action.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen, named: Named) -> Shown {
    let action = chosen_action(&state, &chosen, &named)?;
    let page = page(&state, &chosen, action, &|_| None);
    Ok(html(&page))
}

fn page(
    state: &AppState,
    chosen: &Chosen,
    action: &'static Action,
    typed: &dyn Fn(&str) -> Option<String>,
) -> TryOut {
    let about = action.about.map(|about| {
        let label = registry::model(about.model).map_or(about.model, |model| model.label);
        (about.parameter, label, typed(&format!("about.{}", about.parameter)).unwrap_or_default())
    });
    let fields = action.body.iter().filter(|field| !field.deprecated);
    TryOut {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(state, "actions"),
        id: action.id,
        label: action.label,
        method: action.method,
        path: action.path,
        about,
        fields: fields
            .map(|field| shown(field, name(field, &chosen.found.integration.tool), typed))
            .collect(),
        wrong: Vec::new(),
        answer: None,
    }
}

/// The name that a field has for a tool.
fn name(field: &InputField, tool: &str) -> String {
    match field.kind {
        Input::OfTool => tool.to_owned(),
        _ => field.name.to_owned(),
    }
}

fn shown(
    field: &'static InputField,
    name: String,
    typed: &dyn Fn(&str) -> Option<String>,
) -> Field {
    let options = match field.kind {
        Input::Choice(words) | Input::Open(words) => words.to_vec(),
        Input::Boolean => vec!["true", "false"],
        _ => Vec::new(),
    };
    let preset = match field.preset {
        Preset::Text(text) => text,
        _ => "",
    };
    Field {
        value: typed(&name).unwrap_or_else(|| preset.to_owned()),
        name,
        doc: field.doc,
        kind: kind(&field.kind),
        required: field.required,
        json: is_json(&field.kind),
        options,
    }
}

/// Whether a value is typed as JSON.
fn is_json(kind: &Input) -> bool {
    matches!(
        kind,
        Input::Object(_)
            | Input::File(_)
            | Input::List(..)
            | Input::Free
            | Input::Any
            | Input::OneOf(_)
            | Input::OfTool
            | Input::Reply
    )
}

/// What a value is, for people.
fn kind(kind: &Input) -> String {
    let names = |fields: &[InputField]| {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        names.join(", ")
    };
    match kind {
        Input::Text | Input::Filled | Input::Reply | Input::Any => "text".to_owned(),
        Input::Number(_) => "number".to_owned(),
        Input::Whole(least, most) => format!("whole number from {least} to {most}"),
        Input::Language => "language, such as de or de-CH".to_owned(),
        Input::NumberOrText => "number or text".to_owned(),
        Input::Boolean | Input::Choice(_) | Input::Open(_) => String::new(),
        Input::Email => "e-mail address".to_owned(),
        Input::Url => "URL".to_owned(),
        Input::Country => "country, such as DE".to_owned(),
        Input::Day => "day, such as 2026-01-31".to_owned(),
        Input::Moment => "moment, such as 2026-01-31T08:00:00Z".to_owned(),
        Input::TimeOfDay => "time of day, such as 08:00:00".to_owned(),
        Input::MediaType => "media type".to_owned(),
        Input::Base64 => "base64".to_owned(),
        Input::Id(model) => {
            let label = registry::model(model).map_or(*model, |model| model.label);
            format!("id of one of {label}, or remote: and its id in the tool")
        }
        Input::Object(fields) | Input::File(fields) => format!("object: {}", names(fields)),
        Input::List(inner, _) => format!("list of {}", self::kind(inner)),
        Input::Free | Input::OfTool => "object".to_owned(),
        Input::OneOf(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
            format!("object with a type: {}", kinds.join(", "))
        }
    }
}

/// The value of a field as it was typed; nothing where it was left empty.
fn value(field: &InputField, text: &str) -> Result<Option<Value>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let text_value = || Value::from(text.to_owned());
    match field.kind {
        Input::Number(_) | Input::Whole(..) | Input::NumberOrText => Ok(Some(
            serde_json::from_str::<serde_json::Number>(text)
                .map_or_else(|_| text_value(), Value::Number),
        )),
        Input::Boolean => Ok(Some(Value::Bool(text == "true"))),
        Input::Any | Input::Reply => {
            Ok(Some(serde_json::from_str(text).unwrap_or_else(|_| text_value())))
        }
        _ if is_json(&field.kind) => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| format!("{}: that is no JSON: {error}", field.name)),
        _ => Ok(Some(text_value())),
    }
}

/// Does an action as it was filled in.
pub(super) async fn post(
    State(state): State<AppState>,
    chosen: Chosen,
    named: Named,
    form: Posted,
) -> Shown {
    let action = chosen_action(&state, &chosen, &named)?;
    let typed = |name: &str| form.all(name).next().map(|text| text.trim().to_owned());
    let mut page = page(&state, &chosen, action, &typed);
    let mut body = Map::new();
    for field in action.body {
        let name = name(field, &chosen.found.integration.tool);
        match value(field, form.text(&name)) {
            Ok(Some(value)) => {
                body.insert(name, value);
            }
            Ok(None) => {}
            Err(words) => page.wrong.push(words),
        }
    }
    let mut path = format!("/v1{}", action.path);
    if let Some((parameter, label, id)) = &page.about {
        if id.is_empty() {
            page.wrong.push(format!("{label}: which one is it about?"));
        }
        path = path.replace(&format!("{{{parameter}}}"), &encoded(id));
    }
    if !page.wrong.is_empty() {
        return Ok(html_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    chosen.note(&state, "action.tried", action.id).await?;
    page.answer = Some(asked(&state, &chosen, action, &path, body).await?);
    Ok(html(&page))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Sends the request through the API as a whole, as the visitor.
async fn asked(
    state: &AppState,
    chosen: &Chosen,
    action: &Action,
    path: &str,
    body: Map<String, Value>,
) -> Result<Answered, Trouble> {
    let failed = |error: String| Trouble::Fault(Fault::unknown(error));
    let mut path = path.to_owned();
    if action.method == "GET" && !body.is_empty() {
        let pair = |(name, value): (&String, &Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", encoded(&text))
        };
        let query: Vec<String> = body.iter().map(pair).collect();
        path = format!("{path}?{}", query.join("&"));
    }
    let content =
        if action.method == "GET" { String::new() } else { Value::from(body).to_string() };
    let visitor = &chosen.here.visitor;
    let caller =
        Caller { scope: chosen.here.scope.clone(), key_id: format!("dashboard {}", visitor.actor) };
    let request = Request::builder()
        .method(action.method)
        .uri(&path)
        .header(INTEGRATION_HEADER, chosen.scope.id())
        .header(CONTENT_TYPE, "application/json")
        .extension(caller)
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))))
        .body(Body::from(content))
        .map_err(|error| failed(format!("make a request: {error}")))?;
    let router = crate::router::router(state.clone());
    let Ok(answer) = router.oneshot(request).await;
    let status = answer.status();
    let log = answer.headers().get(INTERACTION_HEADER).and_then(|id| id.to_str().ok());
    let log = log.map(|id| format!("{}/logs/{id}", chosen.here.base()));
    let bytes = axum::body::to_bytes(answer.into_body(), SHOWN_BYTES).await;
    let bytes = bytes.map_err(|error| failed(format!("read an answer: {error}")))?;
    // The log is read right after: it must be there.
    state.recorder.flush().await;
    let json: Option<Value> = serde_json::from_slice(&bytes).ok();
    let body = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
    let words = status.as_u16().to_string();
    Ok(Answered {
        badge: if status.is_success() { Badge::good(words) } else { Badge::bad(words) },
        body: body.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()),
        log,
    })
}
