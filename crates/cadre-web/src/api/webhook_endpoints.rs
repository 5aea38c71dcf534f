//! `/v1/webhook-endpoints`: who is told about events, how far, and telling again.

use axum::extract::{RawQuery, State};
use cadre_jobs::webhooks::{check_url, send_test};
use cadre_model::fault::{Code, Fault};
use cadre_model::secret::Secret;
use cadre_model::time::wire;
use cadre_store::{
    Delivery, DeliveryState, Endpoint, EndpointChange, EndpointState, EventType, NewEndpoint,
    Replay, Replayed, new_secret,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::events::known_types;
use crate::body::JsonBody;
use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Pairs, Problem, fault};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart, unavailable};
use crate::state::AppState;

/// Shortest secret that a caller may bring along, in characters.
const SHORTEST_SECRET: usize = 16;
/// Hours for which the secret before the present one also counts, when nothing else is asked for.
const OLD_SECRET_HOURS: i64 = 24;

/// An endpoint.
#[derive(Debug, Serialize)]
pub struct EndpointOut {
    id: String,
    url: String,
    types: Vec<&'static str>,
    state: &'static str,
    state_reason: Option<String>,
    sequence_in_body: bool,
    last_sequence: i64,
    read_through: i64,
    failing_since: Option<String>,
    created_at: String,
}

impl From<Endpoint> for EndpointOut {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            types: endpoint.types.iter().map(|known| known.as_str()).collect(),
            state: endpoint.state.as_str(),
            state_reason: endpoint.state_reason,
            sequence_in_body: endpoint.numbered,
            last_sequence: endpoint.last_sequence,
            read_through: endpoint.read_through,
            failing_since: endpoint.failing_since.map(wire),
            created_at: wire(endpoint.created_at),
            id: endpoint.id,
            url: endpoint.url,
        }
    }
}

/// The endpoints of the environment.
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Data<Value>, Refused> {
    let endpoints = state.store.endpoint_list(&caller.scope).await.map_err(unavailable)?;
    let results: Vec<EndpointOut> = endpoints.into_iter().map(EndpointOut::from).collect();
    Ok(Data(json!({ "results": results })))
}

/// Makes an endpoint. Its secret is in this answer and in no other.
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let Some(url) = url(&state, &body)? else {
        return Err(body.wrong("url", "the URL that events are posted to"));
    };
    let secret = match body.0.get("secret") {
        None | Some(Value::Null) => new_secret(),
        Some(Value::String(text)) if text.len() >= SHORTEST_SECRET => Secret::from(text.as_str()),
        // The secret itself must not come back in the message.
        Some(_) => {
            let words = "Invalid request: `body.secret`: expected text of 16 characters or more.";
            return Err(Refused::new(Code::PlatformInputInvalid, words));
        }
    };
    let new = NewEndpoint {
        url,
        types: types(&body)?.unwrap_or_default(),
        numbered: flag(&body, "sequence_in_body")?.unwrap_or(true),
        after: place(&body, "after")?,
        secret: secret.clone(),
    };
    let made = state.store.endpoint_create(&caller.scope, new).await.map_err(unavailable)?;
    let mut out = json!(EndpointOut::from(made));
    out["secret"] = secret.expose().into();
    Ok(Data(out))
}

/// An endpoint, with how much waits for it.
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
) -> Result<Data<Value>, Refused> {
    let found = state.store.endpoint_get(&caller.scope, &id).await.map_err(unavailable)?;
    let endpoint = found.ok_or_else(|| not_there(&id))?;
    let counts = state.store.delivery_counts(&caller.scope, &id).await.map_err(unavailable)?;
    let mut out = json!(EndpointOut::from(endpoint));
    out["pending_deliveries"] = counts.0.into();
    out["failed_deliveries"] = counts.1.into();
    Ok(Data(out))
}

/// Changes an endpoint; pauses and resumes it.
pub async fn change(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    body: JsonBody,
) -> Result<Data<EndpointOut>, Refused> {
    let wanted = match body.0.get("state") {
        None => None,
        Some(Value::String(word)) if word == "enabled" => Some(EndpointState::Enabled),
        Some(Value::String(word)) if word == "paused" => Some(EndpointState::Paused),
        Some(_) => return Err(body.wrong("state", "`enabled` or `paused`")),
    };
    let change = EndpointChange {
        url: url(&state, &body)?,
        types: types(&body)?,
        numbered: flag(&body, "sequence_in_body")?,
        state: wanted,
    };
    let changed = state.store.endpoint_change(&caller.scope, &id, change).await;
    let endpoint = changed.map_err(unavailable)?.ok_or_else(|| not_there(&id))?;
    Ok(Data(endpoint.into()))
}

/// Deletes an endpoint with its deliveries.
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
) -> Result<Data<Value>, Refused> {
    if !state.store.endpoint_delete(&caller.scope, &id).await.map_err(unavailable)? {
        return Err(not_there(&id));
    }
    Ok(Data(json!({})))
}

/// Sends one message of type `test`, and says what came back.
pub async fn test(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    _body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let found = state.store.endpoint_get(&caller.scope, &id).await.map_err(unavailable)?;
    let endpoint = found.ok_or_else(|| not_there(&id))?;
    let secrets = state.store.endpoint_secrets(&caller.scope, &id).await.map_err(unavailable)?;
    let secrets = secrets.ok_or_else(|| not_there(&id))?;
    let sent = send_test(&state.parts, &endpoint, &secrets).await;
    let (outcome, interaction_id) = sent.map_err(unavailable)?;
    Ok(Data(json!({
        "delivered": outcome.delivered,
        "status": outcome.status,
        "duration_ms": outcome.exchange.duration_ms,
        "answer": outcome.answer,
        "error": outcome.fault.as_ref().map(|fault| &fault.message),
        "hint": outcome.fault.as_ref().map(Fault::next_step),
        "log_url": state.log_url(&interaction_id),
    })))
}

/// Tells the endpoint again.
pub async fn replay(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let after = place(&body, "after")?;
    let from = place(&body, "from_sequence")?;
    let failed = flag(&body, "failed")?.unwrap_or(false);
    let replay = match (after, from, failed) {
        (Some(after), None, false) => Replay::Events { after, until: place(&body, "until")? },
        (None, Some(from), false) => {
            Replay::Deliveries { from, to: place(&body, "to_sequence")?.unwrap_or(i64::MAX) }
        }
        (None, None, true) => Replay::Failed,
        _ => {
            return Err(Refused::new(
                Code::PlatformInputInvalid,
                "Invalid request: `body`: expected one of `after` (with `until`, places in the ledger), \
                 `from_sequence` (with `to_sequence`, numbers of deliveries), and `failed`.",
            ));
        }
    };
    let done = state.store.deliveries_replay(&caller.scope, &id, replay).await;
    let done: Replayed = done.map_err(unavailable)?.ok_or_else(|| not_there(&id))?;
    Ok(Data(json!({
        "replayed": done.again, "new": done.new, "through": done.through, "more": done.more,
    })))
}

/// Gives the endpoint another secret.
pub async fn rotate_secret(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let hours = place(&body, "keep_old_hours")?.unwrap_or(OLD_SECRET_HOURS);
    let until = state.clock.now_ms().saturating_add(hours.saturating_mul(3_600_000));
    let secret = new_secret();
    let shown = secret.expose().to_owned();
    let there = state.store.endpoint_secret_rotate(&caller.scope, &id, secret, until).await;
    if !there.map_err(unavailable)? {
        return Err(not_there(&id));
    }
    Ok(Data(json!({ "secret": shown, "old_secret_counts_until": wire(until) })))
}

/// The deliveries of an endpoint, the latest first.
pub async fn deliveries(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
    RawQuery(query): RawQuery,
) -> Result<Data<Value>, Refused> {
    let found = state.store.endpoint_get(&caller.scope, &id).await.map_err(unavailable)?;
    found.ok_or_else(|| not_there(&id))?;
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let wanted = pairs.one("state", &mut problems).and_then(|word| match word {
        "pending" => Some(DeliveryState::Pending),
        "delivered" => Some(DeliveryState::Delivered),
        "failed" => Some(DeliveryState::Failed),
        other => {
            problems.push(Problem::new("state", "pending, delivered or failed", other));
            None
        }
    });
    let mut number = |name: &'static str, most: i64| {
        let text = pairs.one(name, &mut problems)?;
        let number = text.parse::<i64>().ok().filter(|number| (1..=most).contains(number));
        if number.is_none() {
            problems.push(Problem::new(name, format!("a number from 1 to {most}"), text));
        }
        number
    };
    let before = number("before", i64::MAX);
    let size = number("page_size", MAX_PAGE_SIZE.into());
    if !problems.is_empty() {
        return Err(fault(&problems).into());
    }
    let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(DEFAULT_PAGE_SIZE);
    let store = &state.store;
    let list = store.delivery_list(&caller.scope, &id, wanted, before, size + 1).await;
    let mut list = list.map_err(unavailable)?;
    let more = list.len() > size as usize;
    list.truncate(size as usize);
    let next = list.last().filter(|_| more).map(|one| one.sequence);
    let results: Vec<Value> = list.iter().map(|one| delivery(one, &state)).collect();
    Ok(Data(json!({ "next": next, "results": results })))
}

fn delivery(one: &Delivery, state: &AppState) -> Value {
    let waits = one.state == DeliveryState::Pending;
    json!({
        "sequence": one.sequence,
        "state": one.state.as_str(),
        "event_id": one.event.id,
        "event_type": one.event.event_type.as_str(),
        "event_sequence": one.event.sequence,
        "integration_id": one.event.integration_id,
        "attempts": one.attempts,
        "next_attempt_at": waits.then(|| wire(one.next_at)),
        "last_attempt_at": one.last_attempt_at.map(wire),
        "last_status": one.last_status,
        "last_error": one.last_error,
        "last_answer": one.last_answer,
        "log_url": one.interaction_id.as_deref().map(|id| state.log_url(id)),
    })
}

fn not_there(id: &str) -> Refused {
    let shown: String = id.chars().take(100).collect();
    Fault::new(
        Code::PlatformInputInvalid,
        format!("There is no webhook endpoint `{shown}` in the environment of this API key."),
    )
    .hint("GET /v1/webhook-endpoints lists them.")
    .into()
}

fn url(state: &AppState, body: &JsonBody) -> Result<Option<String>, Refused> {
    match body.0.get("url") {
        None => Ok(None),
        Some(Value::String(text)) => {
            let allow_private = state.parts.settings.read.allow_private;
            match check_url(text, allow_private) {
                Ok(_) => Ok(Some(text.clone())),
                Err(words) => Err(Refused::new(
                    Code::PlatformInputInvalid,
                    format!("Invalid request: `body.url`: expected {words}."),
                )),
            }
        }
        Some(_) => Err(body.wrong("url", "a URL")),
    }
}

fn types(body: &JsonBody) -> Result<Option<Vec<EventType>>, Refused> {
    let wrong =
        || body.wrong("types", &format!("a list of types of events, each {}", known_types()));
    match body.0.get("types") {
        None => Ok(None),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().and_then(EventType::named).ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}

fn flag(body: &JsonBody, name: &str) -> Result<Option<bool>, Refused> {
    match body.0.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(body.wrong(name, "`true` or `false`")),
    }
}

fn place(body: &JsonBody, name: &str) -> Result<Option<i64>, Refused> {
    match body.0.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64().filter(|number| *number >= 0) {
            Some(number) => Ok(Some(number)),
            None => Err(body.wrong(name, "a whole number from 0 on")),
        },
    }
}
