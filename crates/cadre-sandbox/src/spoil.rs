//! Answers that go wrong on their way out: cut, halved, emptied, sent once more.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use serde_json::Value;

use crate::fault::Fault;
use crate::server::HangUp;
use crate::world::Saved;

/// Spoils an answer after it was made; `last` is what was answered before for the same path.
pub(crate) async fn spoil(last: Option<Saved>, fault: Fault, response: Response) -> Response {
    if let Fault::LateAnswer { ms } = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        return response;
    }
    if matches!(fault, Fault::DropAnswer) {
        let mut response = response;
        response.extensions_mut().insert(HangUp);
        return response;
    }
    if !matches!(
        fault,
        Fault::CutBody | Fault::InvalidJson | Fault::EmptyPage | Fault::DuplicatePage
    ) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = whole(body).await;
    parts.headers.remove(CONTENT_LENGTH);
    let half = body.slice(..body.len() / 2);
    match fault {
        Fault::CutBody => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            let broken = futures::stream::once(std::future::ready(Ok(half))).chain(
                futures::stream::once(async {
                    // Long enough for the first half to be on its way.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(std::io::Error::other("cut as ordered"))
                }),
            );
            Response::from_parts(parts, Body::from_stream(broken))
        }
        Fault::InvalidJson => Response::from_parts(parts, Body::from(half)),
        Fault::EmptyPage => Response::from_parts(parts, Body::from(emptied(&body))),
        _ => match last {
            Some(saved) => (parts.status, saved.headers, saved.body).into_response(),
            None => Response::from_parts(parts, Body::from(body)),
        },
    }
}

/// The same list without its records.
fn emptied(body: &Bytes) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    match &mut value {
        Value::Array(records) => records.clear(),
        Value::Object(object) => {
            let inner = object.values_mut().filter_map(Value::as_array_mut);
            inner.for_each(Vec::clear);
        }
        _ => {}
    }
    value.to_string().into_bytes()
}

/// The body as one piece. Bodies here are made in memory, so nothing can fail or be too long.
pub(crate) async fn whole(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}
