//! `/scim/{token}/v2/…`: identity providers push people and groups. The protocol is in `cadre_jobs::scim`;
//! here its requests are taken and its answers written, errors included: they are the protocol's own.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use cadre_jobs::scim::{self, Answer};
use cadre_model::fault::Code;
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, WWW_AUTHENTICATE,
};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use crate::recorder::Call;
use crate::refuse::{Finished, Refused};
use crate::scope::{PathPair, unavailable};
use crate::state::AppState;

/// Largest request, in bytes: a group with all of its members.
const LARGEST: usize = 8 << 20;

/// How long a request may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Takes any request below the address of an integration.
///
/// # Errors
///
/// When the request does not arrive, or the database fails.
pub async fn any(
    State(state): State<AppState>,
    PathPair(token, path): PathPair,
    Extension(call): Extension<Arc<Call>>,
    request: Request,
) -> Result<Response, Refused> {
    call.hide_path("/scim/[token]");
    let (head, body) = request.into_parts();
    let reading = tokio::time::timeout(BODY_TIME, Limited::new(body, LARGEST).collect());
    let Ok(Ok(read)) = reading.await else {
        let words = "The request did not arrive, or is larger than 8 MiB.";
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    };
    let header = |name: HeaderName| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let query = Query::<Vec<(String, String)>>::try_from_uri(&head.uri);
    let asked = scim::Request {
        method: head.method.as_str().to_owned(),
        path: format!("/{path}"),
        query: query.map(|Query(pairs)| pairs).unwrap_or_default(),
        authorization: header(AUTHORIZATION),
        if_match: header(IF_MATCH),
        if_none_match: header(IF_NONE_MATCH),
        body: read.to_bytes().to_vec(),
    };
    let answer = scim::answer(&state.parts, &token, &asked).await.map_err(unavailable)?;
    if asked.method != "GET" {
        state.wake.notify_one();
    }
    Ok(response(answer))
}

fn response(answer: Answer) -> Response {
    let body = answer.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
    if answer.status == 401 {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    for (name, value) in [(LOCATION, answer.location), (ETAG, answer.etag)] {
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    response.extensions_mut().insert(Finished);
    response
}
