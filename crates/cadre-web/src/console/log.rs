//! `GET /logs/{interaction}`: the page behind `log_url`, and `/env/{env}/logs/{interaction}`.
//!
//! What was asked, what was sent to the connected tool and came back, which rule classified it, and
//! whose turn it is. Everything it shows was redacted before it was stored.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::fault::{Code, Retry, Who};
use cadre_model::mapped::Issue;
use cadre_store::{Error, ExchangeRow, Interaction, InteractionKind, Run, StreamProgress};
use http::HeaderMap;
use serde_json::Value;

use super::chart::Span;
use super::door::Visitor;
use super::logs::kind_words;
use super::page::{Badge, Moment, Shown, duration, html, not_found, shell_word};
use super::shell::{Here, Named, Shell};
use crate::state::AppState;

/// Exchanges that the page shows; a long sync has many more.
const EXCHANGES: usize = 200;
/// Runs of an integration among which the page looks for its own.
const RUNS: u32 = 200;
/// Values that did not fit that the page shows.
const ISSUES: u32 = 100;
/// Longest body that is laid out as JSON, in bytes.
const LAID_OUT_BYTES: usize = 256 * 1024;

#[derive(Debug, Template)]
#[template(path = "log.html")]
struct LogPage {
    shell: Shell,
    id: String,
    kind: &'static str,
    parent: Option<String>,
    title: String,
    badge: Badge,
    started: Moment,
    running: bool,
    duration: Option<String>,
    fault: Option<FaultOut>,
    integration: Option<String>,
    request: Vec<Row>,
    body: Option<String>,
    curl: Option<String>,
    sync: Option<SyncOut>,
    exchanges: Vec<ExchangeOut>,
    children: Vec<ChildOut>,
}

#[derive(Debug)]
struct FaultOut {
    code: String,
    title: &'static str,
    message: String,
    who: &'static str,
    hint: String,
    retry: &'static str,
    rule: Option<String>,
    context: Option<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    value: String,
}

#[derive(Debug)]
struct SyncOut {
    reason: Option<String>,
    streams: Vec<StreamOut>,
    deleted: Vec<Row>,
    issues: Vec<Issue>,
}

#[derive(Debug)]
struct StreamOut {
    name: String,
    pages: u64,
    rows: u64,
    end: String,
}

#[derive(Debug)]
struct ExchangeOut {
    number: i64,
    method: String,
    url: String,
    badge: Badge,
    span: Span,
    duration: String,
    rule: Option<String>,
    error: Option<String>,
    parts: Vec<Row>,
    open: bool,
}

#[derive(Debug)]
struct ChildOut {
    id: String,
    title: String,
    started: Moment,
    badge: Badge,
}

/// Shows an interaction of any environment: what `log_url` opens.
pub(super) async fn anywhere(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    named: Named,
) -> Shown {
    // It may be so new that it waits to be written.
    state.recorder.flush().await;
    for scope in visitor.environments.iter() {
        let here = Here::new(visitor.clone(), scope.clone(), None);
        if let Some(page) = show(&state, &here, named.part("interaction")).await? {
            return Ok(html(&page));
        }
    }
    Ok(not_there(&headers))
}

/// Shows an interaction of the environment.
pub(super) async fn get(
    State(state): State<AppState>,
    here: Here,
    headers: HeaderMap,
    named: Named,
) -> Shown {
    state.recorder.flush().await;
    let page = show(&state, &here, named.part("interaction")).await?;
    Ok(page.map_or_else(|| not_there(&headers), |page| html(&page)))
}

fn not_there(headers: &HeaderMap) -> Response {
    let words = "There is no interaction with this id. Logs are kept for a limited time.";
    not_found(headers, "Not in the log", words)
}

async fn show(state: &AppState, here: &Here, id: &str) -> Result<Option<LogPage>, Error> {
    let (store, scope) = (&state.store, &here.scope);
    let Some(interaction) = store.interaction_get(scope, id).await? else { return Ok(None) };
    let exchanges = store.exchange_list(scope, id).await?;
    let children = store.interaction_children(scope, id).await?;
    let sync = match &interaction.integration_id {
        Some(integration_id) if interaction.kind == InteractionKind::Sync => {
            sync_of(state, here, integration_id, id).await?
        }
        _ => None,
    };
    Ok(Some(page(state, here, interaction, exchanges, children, sync)))
}

/// The sync that the interaction is the log of.
async fn sync_of(
    state: &AppState,
    here: &Here,
    integration_id: &str,
    interaction_id: &str,
) -> Result<Option<SyncOut>, Error> {
    let store = &state.store;
    let Some(scope) = store.integration_scope(&here.scope, integration_id).await? else {
        return Ok(None);
    };
    let runs = store.run_list(&scope, RUNS).await?;
    let found = runs.iter().position(|run| run.interaction_id.as_deref() == Some(interaction_id));
    let Some(position) = found else { return Ok(None) };
    let run = &runs[position];
    let progress = store.run_stream_progress(&scope, &run.id).await?;
    // What did not fit is kept of the latest run alone.
    let issues = if position == 0 { store.issues_list(&scope, ISSUES).await? } else { Vec::new() };
    Ok(Some(sync_out(run, progress, issues)))
}

fn sync_out(run: &Run, progress: Vec<StreamProgress>, issues: Vec<Issue>) -> SyncOut {
    let ended = run.counts.get("streams").and_then(Value::as_object);
    let streams = match ended {
        Some(streams) => streams.iter().map(|(name, end)| stream_out(name, end)).collect(),
        None => progress.into_iter().map(progress_out).collect(),
    };
    let deleted = run.counts.get("deleted").and_then(Value::as_object).into_iter().flatten();
    SyncOut {
        reason: run.reason.clone().filter(|reason| !reason.is_empty()),
        streams,
        deleted: deleted
            .filter(|(_, count)| count.as_u64() != Some(0))
            .map(|(model, count)| Row { name: model.clone(), value: count.to_string() })
            .collect(),
        issues,
    }
}

fn stream_out(name: &str, end: &Value) -> StreamOut {
    let number = |key: &str| end.get(key).and_then(Value::as_u64).unwrap_or(0);
    let words = |key: &str| {
        let list = end.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    };
    let complete = end.get("complete").and_then(Value::as_bool).unwrap_or(false);
    let mut parts = vec![if complete { "complete".to_owned() } else { "not complete".to_owned() }];
    let (incomplete, failures) = (words("incomplete"), words("failures"));
    if !incomplete.is_empty() {
        parts.push(format!("without all of {incomplete}"));
    }
    if !failures.is_empty() {
        parts.push(failures);
    }
    StreamOut {
        name: name.to_owned(),
        pages: number("pages"),
        rows: number("rows"),
        end: parts.join(": "),
    }
}

fn progress_out(progress: StreamProgress) -> StreamOut {
    let end = if progress.complete { "complete" } else { "going on" };
    StreamOut {
        name: progress.stream,
        pages: progress.pages,
        rows: progress.rows,
        end: end.to_owned(),
    }
}

fn page(
    state: &AppState,
    here: &Here,
    interaction: Interaction,
    exchanges: Vec<ExchangeRow>,
    children: Vec<Interaction>,
    sync: Option<SyncOut>,
) -> LogPage {
    let curl = curl(state, &interaction);
    let request = interaction.request.as_ref();
    let body = request.and_then(|request| request.get("body")).filter(|body| !body.is_null());
    let first = interaction.started_at;
    let ends = exchanges.iter().map(|exchange| exchange.at + exchange.duration_ms);
    let last = ends.chain(interaction.ended_at).max().unwrap_or(first);
    LogPage {
        shell: here.shell("logs"),
        kind: kind_words(interaction.kind),
        badge: Badge::result(&interaction),
        started: Moment(interaction.started_at),
        running: interaction.ended_at.is_none(),
        duration: interaction.duration_ms.map(duration),
        fault: fault(&interaction),
        request: request_rows(request),
        body: body.map(laid_out),
        curl,
        sync,
        exchanges: exchanges
            .into_iter()
            .take(EXCHANGES)
            .map(|exchange| exchange_out(exchange, first, last))
            .collect(),
        children: children.into_iter().map(child_out).collect(),
        id: interaction.id,
        parent: interaction.parent_id,
        title: interaction.title,
        integration: interaction.integration_id,
    }
}

fn fault(interaction: &Interaction) -> Option<FaultOut> {
    let code = interaction.code.clone()?;
    let known = Code::parse(&code);
    Some(FaultOut {
        title: known.map_or("", Code::title),
        message: interaction.message.clone().unwrap_or_default(),
        who: known.map_or("Look at the message", |code| who(code.who())),
        hint: interaction
            .hint
            .clone()
            .or_else(|| known.map(|code| code.hint().to_owned()))
            .unwrap_or_default(),
        retry: known.map_or("Unknown", |code| retry(code.retry())),
        rule: interaction.rule.clone(),
        context: interaction.context.clone(),
        code,
    })
}

const fn who(who: Who) -> &'static str {
    match who {
        Who::Caller => "The software that called the API",
        Who::EndCustomer => "The person at the end customer who connected the tool",
        Who::Operator => "Whoever runs this server or its connectors",
        Who::Wait => "Nobody: wait and try again",
    }
}

const fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Backoff => "Yes, with growing pauses between the tries",
        Retry::AfterCorrection => "Yes, once the request is corrected",
        Retry::SameIdempotencyKey => "Yes, with the same idempotency key: the work goes on",
        Retry::Never => "Not before somebody has acted",
    }
}

fn request_rows(request: Option<&Value>) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(request) = request else { return rows };
    if let Some(query) = request.get("query").and_then(Value::as_str) {
        rows.push(Row { name: "Query".to_owned(), value: query.to_owned() });
    }
    for (name, value) in request.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push(Row { name: name.clone(), value });
    }
    rows
}

/// The call as a command, for calls of the API.
fn curl(state: &AppState, interaction: &Interaction) -> Option<String> {
    let kinds = [InteractionKind::Api, InteractionKind::Action, InteractionKind::Passthrough];
    if !kinds.contains(&interaction.kind) {
        return None;
    }
    let (method, path) = (interaction.method.as_deref()?, interaction.path.as_deref()?);
    let request = interaction.request.as_ref();
    let query = request.and_then(|request| request.get("query")).and_then(Value::as_str);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    if !path.starts_with("/v1/") {
        return None;
    }
    let url = shell_word(&format!("{}{path}{query}", state.public_url));
    let mut command =
        format!("curl -X {method} \\\n  {url} \\\n  -H \"Authorization: Bearer $CADRE_API_KEY\"");
    let headers = request.and_then(|request| request.get("headers"));
    let named = headers.and_then(|headers| headers.get("x-integration-id")).and_then(Value::as_str);
    if let Some(integration) = named.or(interaction.integration_id.as_deref()) {
        let header = shell_word(&format!("X-Integration-Id: {integration}"));
        command.push_str(&format!(" \\\n  -H {header}"));
    }
    let body = request.and_then(|request| request.get("body")).filter(|body| !body.is_null());
    if let Some(body) = body {
        let body = shell_word(&body.to_string());
        command.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d {body}"));
    }
    Some(command)
}

/// An exchange within an interaction that took from one moment to another.
fn exchange_out(exchange: ExchangeRow, first: i64, last: i64) -> ExchangeOut {
    let badge = match exchange.status {
        Some(status) if status < 400 => Badge::good(status.to_string()),
        Some(status) => Badge::bad(status.to_string()),
        None => Badge::bad("no answer"),
    };
    let failed = exchange.error.is_some() || exchange.status.is_none_or(|status| status >= 400);
    let mut parts = Vec::new();
    let mut part = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty() && value != "{}") {
            parts.push(Row { name: name.to_owned(), value });
        }
    };
    part("Request headers", Some(headers_text(&exchange.request_headers)));
    part("Request body", exchange.request_body.as_deref().map(laid_out_text));
    part("Response headers", Some(headers_text(&exchange.response_headers)));
    part("Response body", exchange.response_body.as_deref().map(laid_out_text));
    ExchangeOut {
        number: exchange.seq + 1,
        method: exchange.method,
        url: exchange.url,
        badge,
        span: Span {
            from: exchange.at - first,
            took: exchange.duration_ms,
            whole: last - first,
            bad: failed,
        },
        duration: duration(exchange.duration_ms),
        rule: exchange.rule,
        error: exchange.error,
        parts,
        open: failed,
    }
}

/// Headers as lines.
fn headers_text(headers: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines: Vec<String> = match headers {
        Value::Object(map) => map.iter().map(|(n, v)| format!("{n}: {}", text(v))).collect(),
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([name, value]) => format!("{}: {}", text(name), text(value)),
                _ => pair.to_string(),
            })
            .collect(),
        _ => Vec::new(),
    };
    lines.join("\n")
}

fn laid_out(value: &Value) -> String {
    match value {
        Value::String(text) => laid_out_text(text),
        value => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
    }
}

/// JSON on lines of its own; anything else as it is.
fn laid_out_text(text: &str) -> String {
    if text.len() > LAID_OUT_BYTES {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned())
        }
        _ => text.to_owned(),
    }
}

fn child_out(child: Interaction) -> ChildOut {
    ChildOut {
        badge: Badge::result(&child),
        started: Moment(child.started_at),
        id: child.id,
        title: child.title,
    }
}
