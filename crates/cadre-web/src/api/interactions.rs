//! `GET /v1/interactions` and one of them: the log, for software.

use axum::extract::{RawQuery, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_model::fault::{Cause, Code, Retry, Who};
use cadre_model::time::wire;
use cadre_store::{ExchangeRow, Interaction, InteractionFilter, InteractionKind, InteractionState};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Moment, Pairs, Problem, fault};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart, unavailable};
use crate::state::AppState;

/// A page of the log.
#[derive(Debug, Serialize)]
pub struct LogOut {
    /// What `cursor` is to be for the next page; `null` at the end.
    next: Option<String>,
    results: Vec<InteractionOut>,
}

/// An interaction, as lists show it.
#[derive(Debug, Serialize)]
pub struct InteractionOut {
    id: String,
    r#type: &'static str,
    state: &'static str,
    title: String,
    integration_id: Option<String>,
    parent_id: Option<String>,
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    started_at: String,
    ended_at: Option<String>,
    duration_ms: Option<i64>,
    log_url: String,
}

/// An interaction with everything that is known of it.
#[derive(Debug, Serialize)]
pub struct WholeOut {
    #[serde(flatten)]
    interaction: InteractionOut,
    failure: Option<FailureOut>,
    request: Option<Value>,
    response: Option<Value>,
    timeline: Vec<MomentOut>,
    exchanges: Vec<ExchangeOut>,
    parts: Vec<InteractionOut>,
}

/// What a failure comes from, who judged it, and what to do.
#[derive(Debug, Serialize)]
struct FailureOut {
    code: String,
    title: Option<&'static str>,
    message: Option<String>,
    cause: Option<Cause>,
    rule: Option<String>,
    who_must_act: Option<Who>,
    retry: Option<Retry>,
    next_step: Option<String>,
}

#[derive(Debug, Serialize)]
struct MomentOut {
    at: String,
    what: String,
}

#[derive(Debug, Serialize)]
struct ExchangeOut {
    at: String,
    method: String,
    url: String,
    request_headers: Value,
    request_body: Option<String>,
    status: Option<u16>,
    response_headers: Value,
    response_body: Option<String>,
    duration_ms: i64,
    rule: Option<String>,
    error: Option<String>,
}

/// Lists the log, newest first.
///
/// # Errors
///
/// Everything that is wrong with the query, at once.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<LogOut>, Refused> {
    let mut filter = asked(query.as_deref())?;
    let page_size = filter.limit as usize;
    filter.limit += 1;
    // What was answered a moment ago may wait to be written.
    state.recorder.flush().await;
    let found = state.store.interaction_list(&caller.scope, &filter).await;
    let mut found = found.map_err(unavailable)?;
    let more = found.len() > page_size;
    found.truncate(page_size);
    let next = found.last().filter(|_| more).map(cursor);
    let results = found.into_iter().map(|one| out(&state, one)).collect();
    Ok(Data(LogOut { next, results }))
}

/// Shows one interaction.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` when the environment has none with this id.
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
) -> Result<Data<WholeOut>, Refused> {
    state.recorder.flush().await;
    let (store, scope) = (&state.store, &caller.scope);
    let found = store.interaction_get(scope, &id).await.map_err(unavailable)?;
    // One that belongs to nobody's environment is for the operator alone.
    let Some(found) = found.filter(|found| found.environment_id == scope.id()) else {
        let shown: String = id.chars().take(60).collect();
        let words = format!(
            "Invalid request: `path.interaction_id`: expected the id of an interaction, got {shown:?}."
        );
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    };
    let exchanges = store.exchange_list(scope, &id).await.map_err(unavailable)?;
    let parts = store.interaction_children(scope, &id).await.map_err(unavailable)?;
    Ok(Data(WholeOut {
        failure: failure(&found),
        timeline: timeline(&found, &exchanges, &parts),
        request: found.request.clone(),
        response: found.response.clone(),
        interaction: out(&state, found),
        exchanges: exchanges.into_iter().map(exchange).collect(),
        parts: parts.into_iter().map(|part| out(&state, part)).collect(),
    }))
}

fn out(state: &AppState, one: Interaction) -> InteractionOut {
    InteractionOut {
        r#type: one.kind.as_str(),
        state: one.state().as_str(),
        log_url: state.log_url(&one.id),
        id: one.id,
        title: one.title,
        integration_id: one.integration_id,
        parent_id: one.parent_id,
        method: one.method,
        path: one.path,
        status: one.status,
        code: one.code,
        message: one.message,
        started_at: wire(one.started_at),
        ended_at: one.ended_at.map(wire),
        duration_ms: one.duration_ms,
    }
}

fn failure(one: &Interaction) -> Option<FailureOut> {
    let code = one.code.clone()?;
    let known = Code::parse(&code);
    Some(FailureOut {
        title: known.map(Code::title),
        message: one.message.clone(),
        cause: known.map(|code| code.cause(one.rule.as_deref())),
        rule: one.rule.clone(),
        who_must_act: known.map(Code::who),
        retry: known.map(Code::retry),
        next_step: one.hint.clone().or_else(|| known.map(|code| code.hint().to_owned())),
        code,
    })
}

/// What happened, in order.
fn timeline(one: &Interaction, exchanges: &[ExchangeRow], parts: &[Interaction]) -> Vec<MomentOut> {
    let mut moments = vec![(one.started_at, one.title.clone())];
    moments.extend(exchanges.iter().map(|exchange| {
        let end = match (&exchange.status, &exchange.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => error.clone(),
            (None, None) => "no answer".to_owned(),
        };
        let (method, url, took) = (&exchange.method, &exchange.url, exchange.duration_ms);
        (exchange.at, format!("{method} {url}: {end} after {took} ms"))
    }));
    moments.extend(parts.iter().map(|part| (part.started_at, part.title.clone())));
    moments.sort_by_key(|(at, _)| *at);
    if let Some(at) = one.ended_at {
        let end = one.code.clone().unwrap_or_else(|| "ended well".to_owned());
        moments.push((at, end));
    }
    moments.into_iter().map(|(at, what)| MomentOut { at: wire(at), what }).collect()
}

fn exchange(row: ExchangeRow) -> ExchangeOut {
    ExchangeOut {
        at: wire(row.at),
        method: row.method,
        url: row.url,
        request_headers: named(row.request_headers),
        request_body: row.request_body,
        status: row.status,
        response_headers: named(row.response_headers),
        response_body: row.response_body,
        duration_ms: row.duration_ms,
        rule: row.rule,
        error: row.error,
    }
}

/// Headers as an object, however they were kept.
fn named(headers: Value) -> Value {
    match headers {
        Value::Array(pairs) => {
            let pairs = pairs
                .into_iter()
                .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.clone())));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        object @ Value::Object(_) => object,
        _ => json!({}),
    }
}

fn cursor(last: &Interaction) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", last.started_at, last.id))
}

fn position(text: &str) -> Option<(i64, String)> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at, id) = plain.split_once(' ')?;
    Some((at.parse().ok()?, id.to_owned()))
}

fn asked(query: Option<&str>) -> Result<InteractionFilter, Refused> {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query, &mut problems);
    let kinds: Vec<&str> = InteractionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let states: Vec<&str> = InteractionState::ALL.iter().map(|state| state.as_str()).collect();
    let kind = pairs.one("type", &mut problems).map(|text| {
        let known = InteractionKind::ALL.iter().find(|kind| kind.as_str() == text).copied();
        known.ok_or_else(|| Problem::new("type", format!("one of {}", kinds.join(", ")), text))
    });
    let state = pairs.one("state", &mut problems).map(|text| {
        let known = InteractionState::ALL.iter().find(|state| state.as_str() == text).copied();
        known.ok_or_else(|| Problem::new("state", format!("one of {}", states.join(", ")), text))
    });
    let moment = |name: &'static str, problems: &mut Vec<Problem>| {
        let text = pairs.one(name, problems)?;
        let at = Moment::parse(text).map(|moment| moment.ms);
        if at.is_none() {
            problems.push(Problem::new(name, "a moment (YYYY-MM-DDTHH:mm:ss.sssZ) or a day", text));
        }
        at
    };
    let since = moment("after", &mut problems);
    let before = moment("before", &mut problems);
    let after = pairs.one("cursor", &mut problems).map(|text| {
        position(text).ok_or_else(|| Problem::new("cursor", "`next` of an earlier page", text))
    });
    let limit = pairs.one("page_size", &mut problems).map(|text| {
        let size = text.parse::<u32>().ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size));
        let expected = format!("a number from 1 to {MAX_PAGE_SIZE}");
        size.ok_or_else(|| Problem::new("page_size", expected, text))
    });
    let code = pairs.one("code", &mut problems).map(str::to_owned);
    let integration_id = pairs.one("integration_id", &mut problems).map(str::to_owned);
    let kind = kept(kind, &mut problems);
    let state = kept(state, &mut problems);
    let after = kept(after, &mut problems);
    let limit = kept(limit, &mut problems).unwrap_or(DEFAULT_PAGE_SIZE);
    if !problems.is_empty() {
        return Err(fault(&problems).into());
    }
    let filter = InteractionFilter {
        kind,
        integration_id,
        code,
        state,
        since,
        before,
        after,
        limit,
        ..Default::default()
    };
    Ok(filter)
}

/// What was read; a problem goes to the others.
fn kept<T>(read: Option<Result<T, Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    match read? {
        Ok(value) => Some(value),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}
