//! `/hooks/{token}`: a tool tells that something happened. The address proves which account it is
//! about; the message has to prove that it comes from the tool. Below it, at `/hooks/{token}/{request}`, a tool asks:
//! what its connector says under `assessment`.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use cadre_jobs::assessment::{Called, serve};
use cadre_jobs::hooks::{Incoming, Received, receive};
use cadre_model::fault::Code;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use crate::recorder::Call;
use crate::refuse::{Finished, Refused};
use crate::reply::Data;
use crate::scope::{PathPair, PathPart, unavailable};
use crate::state::AppState;

/// Largest message, in bytes.
const LARGEST: usize = 1 << 20;

/// How long a message may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);

/// Takes a message. The work follows; the tool does not wait for it.
///
/// # Errors
///
/// When the address is nobody's, or the message proves nothing; both in the same words.
pub async fn post(
    State(state): State<AppState>,
    PathPart(token): PathPart,
    Extension(call): Extension<Arc<Call>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    call.hide_path("/hooks/[token]");
    let incoming = read(&headers, body).await?;
    match receive(&state.parts, &token, &incoming).await.map_err(unavailable)? {
        Received::Taken(_) => {
            state.wake.notify_one();
            Ok(Data(json!({})).into_response())
        }
        Received::Handshake(Value::String(text)) => Ok(text.into_response()),
        Received::Handshake(answer) => Ok(axum::Json(answer).into_response()),
        Received::Unknown | Received::Unproved => Err(unproved()),
    }
}

/// Answers a question of a tool.
///
/// # Errors
///
/// As [`post`].
pub async fn ask(
    State(state): State<AppState>,
    PathPair(token, request): PathPair,
    Extension(call): Extension<Arc<Call>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    call.hide_path("/hooks/[token]/[request]");
    let called = Called {
        method: method.as_str().to_owned(),
        request,
        query: query.unwrap_or_default(),
        incoming: read(&headers, body).await?,
    };
    let answered = serve(&state.parts, &token, &called).await.map_err(unavailable)?;
    let Some(answered) = answered else { return Err(unproved()) };
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::OK);
    let kind = [(CONTENT_TYPE, "application/json")];
    let mut response = (status, kind, answered.body.to_string()).into_response();
    // The answer is written for the tool, in its own form.
    response.extensions_mut().insert(Finished);
    Ok(response)
}

/// Whoever guesses addresses learns nothing about which of them are somebody's.
fn unproved() -> Refused {
    let words = "The message does not prove that it comes from a tool that is known here.";
    Refused::new(Code::PlatformAuthenticationInvalid, words)
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Incoming, Refused> {
    let reading = tokio::time::timeout(BODY_TIME, Limited::new(body, LARGEST).collect());
    let Ok(Ok(read)) = reading.await else {
        let words = "The message did not arrive, or is larger than 1 MiB.";
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    };
    let headers = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    Ok(Incoming { headers: headers.collect(), body: read.to_bytes().to_vec() })
}
