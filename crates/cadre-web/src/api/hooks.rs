//! `POST /hooks/{token}`: a tool tells that something happened. The address proves which account it is
//! about; the message has to prove that it comes from the tool.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use cadre_jobs::hooks::{Incoming, Received, receive};
use cadre_model::fault::Code;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{PathPart, unavailable};
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
    let reading = tokio::time::timeout(BODY_TIME, Limited::new(body, LARGEST).collect());
    let Ok(Ok(read)) = reading.await else {
        let words = "The message did not arrive, or is larger than 1 MiB.";
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    };
    let headers = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let incoming = Incoming { headers: headers.collect(), body: read.to_bytes().to_vec() };
    match receive(&state.parts, &token, &incoming).await.map_err(unavailable)? {
        Received::Taken(_) => {
            state.wake.notify_one();
            Ok(Data(json!({})).into_response())
        }
        Received::Handshake(Value::String(text)) => Ok(text.into_response()),
        Received::Handshake(answer) => Ok(axum::Json(answer).into_response()),
        // Whoever guesses addresses learns nothing about which of them are somebody's.
        Received::Unknown | Received::Unproved => {
            let words = "The message does not prove that it comes from a tool that is known here.";
            Err(Refused::new(Code::PlatformAuthenticationInvalid, words))
        }
    }
}
