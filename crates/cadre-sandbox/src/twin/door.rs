//! Before a twin answers: orders of a test, faults, the budget. After it: what is spoiled, who is told.
//!
//! Orders come under `/admin`, as those of the made-up vendors: see the README of this crate.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{Fault, Script, strike};
use crate::hooks::post;
use crate::server::HangUp;
use crate::spoil::{spoil, whole};
use crate::twin::Twin;
use crate::twin::call::{Call, Reply};
use crate::twin::change::{Change, perform};
use crate::twin::company::list_named;
use crate::twin::house::Subscriber;
use crate::world::{Saved, Seen};
use crate::{RateLimit, given};

/// Longest a receiver of a message may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// One door for everything: a vendor looks at the path itself.
pub(crate) fn router(twin: Arc<Twin>) -> Router {
    Router::new().fallback(enter).with_state(twin)
}

async fn enter(State(twin): State<Arc<Twin>>, request: Request) -> Response {
    let call = Call::read(request).await;
    if let Some(rest) = call.path.strip_prefix("/admin/") {
        let reply = ordered(&twin, &call, rest);
        tell(&twin);
        return reply.into_response();
    }
    let (fault, slow_ms) = {
        let mut house = twin.house();
        // Functions and operations stand in the body for some vendors: a script may name them too.
        let body = String::from_utf8_lossy(&call.body);
        let looked_at = format!("{} {body}", call.query);
        let fault = strike(&mut house.faults, &call.method, &call.path, &looked_at);
        (fault, house.slow_ms)
    };
    let late = if let Some(Fault::DelayMs { ms }) = &fault { *ms } else { 0 };
    if slow_ms + late > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms + late)).await;
    }
    let mut response = match fault.as_ref().and_then(|fault| instead(&twin, fault)) {
        Some(response) => response,
        None => admitted(&twin, &call).into_response(),
    };
    if let Some(fault) = fault {
        let last = twin.house().last_pages.get(&call.path).cloned();
        response = spoil(last, fault, response).await;
    } else if call.method == "GET" && response.status().is_success() {
        let (parts, body) = response.into_parts();
        let body = whole(body).await;
        let saved = Saved { headers: parts.headers.clone(), body: body.clone() };
        twin.house().last_pages.insert(call.path.clone(), saved);
        response = Response::from_parts(parts, Body::from(body));
    }
    let hung_up = response.extensions().get::<HangUp>().is_some();
    let status = if hung_up { 0 } else { response.status().as_u16() };
    let seen =
        Seen { method: call.method.clone(), path: call.path.clone(), query: call.query, status };
    twin.house().saw(seen);
    tell(&twin);
    response
}

/// The vendor's answer, if budget and permission allow it.
fn admitted(twin: &Twin, call: &Call) -> Reply {
    let mut house = twin.house();
    let budget = match house.charge() {
        Ok(budget) => budget,
        Err(seconds) => return twin.vendor.throttled(seconds, house.now()),
    };
    let forbidden = house.forbidden.iter().any(|start| call.path.starts_with(start.as_str()));
    let mut reply = if forbidden {
        twin.vendor.error(403, "The credentials do not have this permission.")
    } else {
        twin.vendor.answer(&mut house, call)
    };
    if let Some(budget) = budget {
        reply.headers.extend(twin.vendor.budget_headers(budget, house.now()));
    }
    reply
}

/// The answer that a fault gives in place of the vendor's own.
fn instead(twin: &Twin, fault: &Fault) -> Option<Response> {
    let reply = match fault {
        Fault::Status { status, body: Some(body) } => Reply::json(*status, body),
        Fault::Status { status, body: None } => twin.vendor.error(*status, "A fault was ordered."),
        Fault::Html { status } => {
            let page = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>";
            Reply::text(status.unwrap_or(200), "text/html; charset=utf-8", page)
        }
        Fault::DropConnection => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(HangUp);
            return Some(response);
        }
        Fault::RateLimit { retry_after } => twin.vendor.throttled(*retry_after, twin.house().now()),
        Fault::Forbid => twin.vendor.error(403, "The credentials do not have this permission."),
        Fault::ExpireTokens => {
            twin.house().tokens.clear();
            return None;
        }
        _ => return None,
    };
    Some(reply.into_response())
}

/// One or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Several<T> {
    All(Vec<T>),
    One(T),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    slow_ms: Option<u64>,
    advance_seconds: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    rate_limit: Option<Option<RateLimit>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permission {
    resource: String,
    allowed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    url: String,
    secret: String,
    #[serde(default)]
    events: Vec<String>,
}

/// Does what a test ordered.
fn ordered(twin: &Twin, call: &Call, what: &str) -> Reply {
    let done = match (call.method.as_str(), what) {
        ("POST", "faults") => take::<Several<Script>>(call).map(|scripts| {
            twin.house().faults.extend(all(scripts));
            Value::Null
        }),
        ("GET", "faults") => Ok(json!(twin.house().faults)),
        ("DELETE", "faults") => {
            twin.house().faults.clear();
            Ok(Value::Null)
        }
        ("POST", "mutate") => take::<Several<Change>>(call).and_then(|changes| {
            let mut house = twin.house();
            let mut done = Vec::new();
            for change in all(changes) {
                let (list, id) = perform(&mut house, change)?;
                done.push(json!({"list": list, "id": id}));
            }
            Ok(json!({"done": done}))
        }),
        ("POST", "permissions") => take::<Permission>(call).map(|wanted| {
            let mut house = twin.house();
            if wanted.allowed {
                house.forbidden.remove(&wanted.resource);
            } else {
                house.forbidden.insert(wanted.resource);
            }
            Value::Null
        }),
        ("POST", "settings") => take::<Settings>(call).map(|wanted| turn(twin, &wanted)),
        ("POST", "webhooks") => take::<Wish>(call).map(|wish| {
            let mut house = twin.house();
            let id = house.subscribers.len() as u64 + 1;
            let Wish { url, secret, events } = wish;
            house.subscribers.push(Subscriber { id, url, secret, events });
            json!({"id": id})
        }),
        ("GET", "requests") => Ok(json!(twin.house().seen)),
        ("DELETE", "requests") => {
            twin.house().seen.clear();
            Ok(Value::Null)
        }
        ("GET", "tables") => {
            let house = twin.house();
            let counts = house.tables.iter().map(|(name, table)| (*name, table.len()));
            Ok(json!(counts.collect::<std::collections::BTreeMap<_, _>>()))
        }
        ("GET", other) if other.starts_with("tables/") => {
            let name = &other["tables/".len()..];
            let house = twin.house();
            list_named(name)
                .map(|list| house.rows(list).map(|row| row.value.clone()).collect())
                .ok_or_else(|| format!("there is no list `{name}`"))
        }
        _ => Err(format!("there is no order {} /admin/{what}", call.method)),
    };
    match done {
        Ok(Value::Null) => Reply::empty(204),
        Ok(body) => Reply::json(200, &body),
        Err(problem) => Reply::json(400, &json!({"error": problem})),
    }
}

fn turn(twin: &Twin, wanted: &Settings) -> Value {
    let mut house = twin.house();
    if let Some(ms) = wanted.slow_ms {
        house.slow_ms = ms;
    }
    if let Some(seconds) = wanted.advance_seconds {
        house.skew += jiff::SignedDuration::from_secs(seconds);
    }
    if let Some(limit) = wanted.rate_limit {
        house.budget = limit;
    }
    Value::Null
}

fn take<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}

fn all<T>(several: Several<T>) -> Vec<T> {
    match several {
        Several::All(all) => all,
        Several::One(one) => vec![one],
    }
}

/// Tells subscribers what has happened since the last time; nobody hears twice of one thing.
fn tell(twin: &Twin) {
    let mut house = twin.house();
    let end = house.journal.len();
    let begin = std::mem::replace(&mut house.told, end);
    for serial in begin..end {
        for subscriber in &house.subscribers {
            let event = &house.journal[serial];
            let Some((headers, body)) = twin.vendor.message(&house, event, subscriber, serial)
            else {
                continue;
            };
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    map.insert(HeaderName::from_static(name), value);
                }
            }
            let url = subscriber.url.clone();
            tokio::spawn(async move {
                // A receiver that does not listen is not told.
                let _ = tokio::time::timeout(PATIENCE, post(&url, &map, &body)).await;
            });
        }
    }
}
