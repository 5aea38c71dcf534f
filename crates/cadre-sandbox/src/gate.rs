//! What every request passes before a vendor looks at it: faults, budget, log-in, permission.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use crate::fault::{Fault, strike};
use crate::server::HangUp;
use crate::spoil::{spoil, whole};
use crate::tool::Tool;
use crate::world::{Saved, Seen, Window, World};

/// Below it, Sandbox HR asks people for consent and gives out access tokens.
const OAUTH_PATH: &str = "/hris/oauth/";

/// Lets a request pass, or not; and spoils the answer where a fault wants that.
pub(crate) async fn gate(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Some(tool) = Tool::of_path(&path) else { return next.run(request).await };
    let (fault, slow_ms) = {
        let mut state = world.state();
        (strike(&mut state.faults, method.as_str(), &path, &query), state.slow_ms)
    };
    let late = if let Some(Fault::DelayMs { ms }) = &fault { *ms } else { 0 };
    if slow_ms + late > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms + late)).await;
    }
    let response = match fault.as_ref().and_then(|fault| instead(&world, tool, fault)) {
        Some(response) => response,
        None => admitted(&world, tool, request, next).await,
    };
    let response = match fault {
        Some(fault) => {
            let last = world.state().last_pages.get(&path).cloned();
            spoil(last, fault, response).await
        }
        None => remember(&world, &method, &path, response).await,
    };
    let hung_up = response.extensions().get::<HangUp>().is_some();
    let status = if hung_up { 0 } else { response.status().as_u16() };
    world.state().saw(Seen { method: method.to_string(), path, query, status });
    response
}

/// The answer that a fault gives in place of the vendor's own.
fn instead(world: &World, tool: Tool, fault: &Fault) -> Option<Response> {
    match fault {
        Fault::Status { status, body } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(match body {
                Some(body) => (status, axum::Json(body)).into_response(),
                None => tool.error(status, "fault", "A fault was ordered for this request."),
            })
        }
        Fault::Html { status } => {
            let status =
                status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
            let page = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>";
            Some((status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
        }
        Fault::DropConnection => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(HangUp);
            Some(response)
        }
        Fault::RateLimit { retry_after } => Some(too_many(tool, *retry_after)),
        Fault::Forbid => Some(forbidden(tool, "this")),
        Fault::ExpireTokens => {
            world.state().tokens.clear();
            None
        }
        Fault::DelayMs { .. }
        | Fault::DropAnswer
        | Fault::LateAnswer { .. }
        | Fault::CutBody
        | Fault::InvalidJson
        | Fault::EmptyPage
        | Fault::DuplicatePage => None,
    }
}

/// What the vendor answers, if budget, log-in and permission allow it.
async fn admitted(world: &World, tool: Tool, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let budget = match charge(world, tool) {
        Ok(budget) => budget,
        Err(seconds) => return too_many(tool, seconds),
    };
    let refusal = if path.starts_with(OAUTH_PATH) {
        None
    } else {
        refused(world, tool, request.headers()).or_else(|| denied(world, tool, path))
    };
    let response = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    with_budget(response, budget)
}

/// The refusal of a request for something that permission was taken for.
fn denied(world: &World, tool: Tool, path: &str) -> Option<Response> {
    // `/hris/v1/employees/1/time-off-balances`: a list below a record has a permission of its own.
    let state = world.state();
    let mut parts = path.split('/').skip(3);
    let names = [parts.next(), parts.nth(1)];
    let name = names
        .into_iter()
        .flatten()
        .find(|name| state.forbidden.contains(&(tool, (*name).to_owned())))?;
    Some(forbidden(tool, name))
}

/// Limit, what is left of it, and seconds until it is whole again.
type Budget = Option<(u32, u32, u64)>;

/// Takes one request off the budget; `Err` holds the seconds until there is more.
fn charge(world: &World, tool: Tool) -> Result<Budget, u64> {
    let mut state = world.state();
    let Some(limit) = state.rate_limit else { return Ok(None) };
    let length = Duration::from_secs(limit.per_seconds);
    let now = Instant::now();
    let window = state.windows.entry(tool).or_insert(Window { begun: now, used: 0 });
    if now.duration_since(window.begun) >= length {
        *window = Window { begun: now, used: 0 };
    }
    // Rounded up, so that whoever waits that long finds the budget whole.
    let left = length.saturating_sub(now.duration_since(window.begun));
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    if window.used >= limit.requests {
        return Err(seconds);
    }
    window.used += 1;
    Ok(Some((limit.requests, limit.requests - window.used, seconds)))
}

fn with_budget(mut response: Response, budget: Budget) -> Response {
    if let Some((limit, remaining, reset)) = budget {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
    }
    response
}

fn too_many(tool: Tool, seconds: u64) -> Response {
    let mut response =
        tool.error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests. Slow down.");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn forbidden(tool: Tool, what: &str) -> Response {
    let message = format!("The credentials do not have the permission to read {what}.");
    tool.error(StatusCode::FORBIDDEN, "permission_missing", &message)
}

/// The refusal of a request without a valid log-in.
fn refused(world: &World, tool: Tool, headers: &HeaderMap) -> Option<Response> {
    let given =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, rest) = given.split_once(' ').unwrap_or(("", ""));
    let (code, message) = match tool {
        Tool::Hris if scheme.eq_ignore_ascii_case("bearer") => {
            let state = world.state();
            match state.tokens.get(rest.trim()) {
                Some(end) if *end > world.now(&state) => return None,
                _ => (
                    "token_expired",
                    "The access token is unknown or has ended. Ask for a new one.",
                ),
            }
        }
        Tool::Hris => ("token_missing", "Send an access token: Authorization: Bearer …"),
        Tool::Lms => {
            let key = headers.get("x-api-key").and_then(|value| value.to_str().ok());
            if key == Some(world.credentials.learning_key.as_str()) {
                return None;
            }
            ("key_unknown", "Send your key in the header X-Api-Key.")
        }
        Tool::Ats => {
            let decoded = STANDARD.decode(rest.trim()).unwrap_or_default();
            let pair = String::from_utf8(decoded).unwrap_or_default();
            let key = pair.split_once(':').map_or(pair.as_str(), |(user, _)| user);
            if scheme.eq_ignore_ascii_case("basic") && key == world.credentials.api_key {
                return None;
            }
            ("unauthorized", "Send your API key as the user name of basic authentication.")
        }
    };
    Some(tool.error(StatusCode::UNAUTHORIZED, code, message))
}

/// Keeps the answer of a list, for a fault that wants it once more.
async fn remember(world: &World, method: &Method, path: &str, response: Response) -> Response {
    if *method != Method::GET || response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = whole(body).await;
    let saved = Saved { headers: parts.headers.clone(), body: body.clone() };
    world.state().last_pages.insert(path.to_owned(), saved);
    Response::from_parts(parts, Body::from(body))
}
