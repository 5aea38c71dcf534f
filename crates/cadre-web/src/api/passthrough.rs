//! `POST /v1/passthrough/{tool}/{api}`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_jobs::live::{self, Live, PassRequest};
use cadre_model::action::{Checked, MULTIPART, check};
use cadre_model::fault::Code;
use cadre_store::InteractionKind;
use serde::Serialize;
use serde_json::{Map, Value};

use super::attachments::refused;
use crate::body::JsonBody;
use crate::gate;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Warned;
use crate::scope::{Caller, ForIntegration, PathPair};
use crate::state::AppState;

const METHODS: &[&str] = &["GET", "POST", "DELETE", "PUT", "PATCH"];

/// What the tool answered.
#[derive(Debug, Serialize)]
pub struct PassedOut {
    url: String,
    status: u16,
    headers: Map<String, Value>,
    data: Value,
}

/// Passes a request through to the tool, with the credentials of the integration.
///
/// # Errors
///
/// Whatever stands between the caller and the tool; an answer of the tool is no error.
pub async fn post(
    State(state): State<AppState>,
    caller: Caller,
    PathPair(tool, api): PathPair,
    here: ForIntegration,
    Extension(call): Extension<Arc<Call>>,
    body: JsonBody,
) -> Result<Warned<PassedOut>, Refused> {
    let mut request = read(&api, &body)?;
    let form = form(&body)?;
    if form.is_some() && request.body.is_some() {
        return Err(body.wrong("data", "nothing beside `multipart_form_data`"));
    }
    let as_base64 = match body.0.get("response_as_base64") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(wanted)) => *wanted,
        Some(_) => return Err(body.wrong("response_as_base64", "`true` or `false`")),
    };
    let own = &here.integration.tool;
    if tool != *own {
        return Err(invalid(format!(
            "Invalid request: `path.tool`: the integration is one of {own}, not of {tool:?}."
        )));
    }
    let config = gate::scope_config(&state, &caller.scope, &here.integration).await?;
    gate::passable(&state, &here, &config)?;
    check_api(&state, own, &api)?;
    if let Some(form) = &form {
        let (kind, bytes) = live::form(&state.parts, form).await?;
        request.body = Some((bytes, kind));
    }
    let slot = gate::room(&state, &call, &here.scope, InteractionKind::Passthrough).await?;
    let asked = async {
        let live = Live::open(&state.parts, &here.scope, &here.integration, &call.id).await?;
        live.pass(&request).await
    };
    let asked = asked.await;
    slot.release().await;
    let passed = asked.map_err(|judged| refused(&call, judged))?;
    let mut warnings = Vec::new();
    if body.0.get("api_options").and_then(Value::as_object).is_some_and(|map| !map.is_empty()) {
        warnings.push(format!("`api_options` means nothing to the API `{api}`."));
    }
    let (data, forced) = passed.data(as_base64);
    if forced {
        warnings.push("The answer is no text: `data` holds it as base64.".to_owned());
    }
    let data = PassedOut { url: passed.url, status: passed.status, headers: passed.headers, data };
    Ok(Warned { data, warnings })
}

fn invalid(message: String) -> Refused {
    Refused::new(Code::PlatformInputInvalid, message)
}

fn check_api(state: &AppState, tool: &str, api: &str) -> Result<(), Refused> {
    let Some(entry) = state.catalog.get(tool) else { return Ok(()) };
    let known = &entry.connector.manifest().passthrough;
    if known.contains_key(api) {
        return Ok(());
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    Err(invalid(format!(
        "Invalid request: `path.api`: expected one of {}, got {api:?}.",
        names.join(", ")
    )))
}

fn read(api: &str, body: &JsonBody) -> Result<PassRequest, Refused> {
    let method = body.0.get("method").and_then(Value::as_str);
    let method = method
        .filter(|method| METHODS.contains(method))
        .ok_or_else(|| body.wrong("method", &format!("one of {}", METHODS.join(", "))))?;
    let path = body.0.get("path").and_then(Value::as_str);
    let path = path.ok_or_else(|| body.wrong("path", "text"))?;
    let data = match body.0.get("data") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            Some((text.clone().into(), "text/plain; charset=utf-8".to_owned()))
        }
        Some(data) => Some((data.to_string().into(), "application/json".to_owned())),
    };
    Ok(PassRequest {
        api: api.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers: texts(body, "headers")?,
        params: texts(body, "params")?,
        body: data,
    })
}

/// The form of parts, checked; `None` when there is none.
fn form(body: &JsonBody) -> Result<Option<Checked>, Refused> {
    let Some(parts) = body.0.get("multipart_form_data").filter(|parts| !parts.is_null()) else {
        return Ok(None);
    };
    if parts.as_array().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let whole = Map::from_iter([("multipart_form_data".to_owned(), parts.clone())]);
    let checked = check(MULTIPART, &whole);
    if checked.wrong.is_empty() {
        return Ok(Some(checked));
    }
    let words: Vec<String> = checked.wrong.iter().map(ToString::to_string).collect();
    Err(invalid(format!("Invalid request: {}.", words.join("; "))))
}

/// The pairs of an object of texts.
fn texts(body: &JsonBody, name: &str) -> Result<Vec<(String, String)>, Refused> {
    let pairs = match body.0.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => return Err(body.wrong(name, "an object of texts")),
    };
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let read: Option<Vec<_>> = pairs.iter().map(pair).collect();
    read.ok_or_else(|| body.wrong(name, "an object of texts"))
}
