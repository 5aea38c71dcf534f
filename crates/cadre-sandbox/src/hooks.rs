//! Webhooks of Sandbox HR: who wants to be told, and telling them.
//!
//! A message is posted once, signed with the subscriber's secret; nobody hears of one that was lost.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mutate::Done;
use crate::world::World;

/// Longest a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Somebody who wants to be told.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    id: u64,
    url: String,
    secret: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    url: String,
    secret: String,
}

/// `POST /hris/v1/webhooks`
pub(crate) async fn subscribe(State(world): State<Arc<World>>, Json(wish): Json<Wish>) -> Response {
    if !wish.url.starts_with("http://127.0.0.1:") {
        let error = json!({"code": "validation_failed", "message": "Only this machine can be told.",
            "fields": [{"field": "url", "problem": "must begin with http://127.0.0.1:"}]});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"error": error}))).into_response();
    }
    let mut state = world.state();
    let id = state.subscribers.iter().map(|one| one.id).max().unwrap_or(0) + 1;
    state.subscribers.push(Subscriber { id, url: wish.url, secret: wish.secret });
    (StatusCode::CREATED, Json(json!({"id": id}))).into_response()
}

/// `GET /hris/v1/webhooks`
pub(crate) async fn list(State(world): State<Arc<World>>) -> Response {
    let state = world.state();
    let all = state.subscribers.iter().map(|one| json!({"id": one.id, "url": one.url}));
    Json(json!({"data": all.collect::<Vec<_>>()})).into_response()
}

/// `DELETE /hris/v1/webhooks/{id}`
pub(crate) async fn unsubscribe(
    State(world): State<Arc<World>>,
    Path(id): Path<u64>,
) -> StatusCode {
    let mut state = world.state();
    let before = state.subscribers.len();
    state.subscribers.retain(|one| one.id != id);
    if state.subscribers.len() < before { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// Tells everybody what was done in Sandbox HR.
pub(crate) fn tell(subscribers: Vec<Subscriber>, done: &[Done]) {
    for one in done.iter().filter(|one| one.is_hris()) {
        let body = json!({
            "event": format!("{}.{}", one.table, one.op), "data": {"id": one.id},
        });
        for subscriber in subscribers.clone() {
            let body = body.to_string();
            tokio::spawn(async move {
                let mut headers = HeaderMap::new();
                if let Ok(value) = HeaderValue::from_str(&signature(&subscriber.secret, &body)) {
                    headers.insert("x-sandbox-signature", value);
                }
                let post = post(&subscriber.url, &headers, &body);
                let _ = tokio::time::timeout(PATIENCE, post).await;
            });
        }
    }
}

/// The signature of a body, as the header has it.
fn signature(secret: &str, body: &str) -> String {
    format!("sha256={}", hmac_sha256(secret, body))
}

/// HMAC-SHA256 in hex.
pub(crate) fn hmac_sha256(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(message.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Posts JSON to an address on this machine, once.
pub(crate) async fn post(url: &str, headers: &HeaderMap, body: &str) -> std::io::Result<()> {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).await?;
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n",
        body.len(),
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(())
}
