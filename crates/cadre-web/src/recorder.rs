//! Writes API calls down: each call with a valid key is an interaction that `log_url` opens.
//!
//! [`record`] wraps every route. It gives the call an id, lets the rooms inside say whose call it is,
//! turns failures and panics into the envelope, and hands the interaction to a writer in the
//! background, so that an answer does not wait for its log. The queue has a length: when the
//! database is too slow, notes on successful calls are dropped, and counted, before callers wait.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cadre_model::fault::Fault;
use cadre_model::ids::random_id;
use cadre_store::{EnvironmentScope, InteractionKind, NewInteraction, Store};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::limit::Standing;
use crate::refuse::{self, Class, Refused};
use crate::state::AppState;

/// The id of the interaction that an answer belongs to.
pub const INTERACTION_HEADER: HeaderName = HeaderName::from_static("x-cadre-interaction-id");

/// Interactions that may wait to be written.
const QUEUE_LENGTH: usize = 4096;
/// How often the use of a key is noted.
const TOUCH_MS: i64 = 60_000;
/// How long a failed call waits for room in the queue, so that its log is not lost.
const ROOM_WAIT: Duration = Duration::from_millis(500);
/// Longest query or body that an interaction keeps, in bytes.
const KEPT_BYTES: usize = 16 * 1024;

/// What becomes known of a call on its way through the rooms.
#[derive(Debug)]
pub struct Call {
    /// The id of its interaction.
    pub id: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    environment_id: Option<String>,
    integration_id: Option<String>,
    standing: Option<Standing>,
    body: Option<Value>,
    live: Option<LiveWork>,
    /// What stands in the log in place of a path that is itself a secret.
    shown_path: Option<&'static str>,
}

/// What is known of a call that asks the tool.
#[derive(Debug)]
struct LiveWork {
    kind: InteractionKind,
    limit: u32,
    remaining: u32,
    rule: Option<String>,
}

impl Call {
    fn new() -> Arc<Self> {
        Arc::new(Self { id: random_id(), known: Mutex::default() })
    }

    fn update(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Known {
        std::mem::take(&mut *self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn of_environment(&self, id: &str) {
        self.update(|known| known.environment_id = Some(id.to_owned()));
    }

    pub(crate) fn of_integration(&self, id: &str) {
        self.update(|known| known.integration_id = Some(id.to_owned()));
    }

    pub(crate) fn stands(&self, standing: Option<Standing>) {
        self.update(|known| known.standing = standing);
    }

    /// The call asks the tool; its log holds the exchanges.
    pub(crate) fn asks_the_tool(&self, kind: InteractionKind, limit: u32, remaining: u32) {
        let live = LiveWork { kind, limit, remaining, rule: None };
        self.update(|known| known.live = Some(live));
    }

    /// The rule that classified what the tool answered.
    pub(crate) fn judged_by(&self, rule: Option<String>) {
        self.update(|known| {
            if let Some(live) = &mut known.live {
                live.rule = rule;
            }
        });
    }

    /// Keeps the path out of the log.
    pub(crate) fn hide_path(&self, shown: &'static str) {
        self.update(|known| known.shown_path = Some(shown));
    }

    pub(crate) fn with_body(&self, body: Value) {
        self.update(|known| known.body = Some(body));
    }
}

/// Hands interactions to the writer.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
    touched: Arc<Mutex<HashMap<String, i64>>>,
}

enum Message {
    Write(Box<NewInteraction>),
    Touch(EnvironmentScope, String),
    Flush(oneshot::Sender<()>),
}

impl Recorder {
    /// Starts the writer. It ends when the last recorder is dropped.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_LENGTH);
        tokio::spawn(write_down(store, waiting));
        Self { queue, dropped: Arc::default(), touched: Arc::default() }
    }

    /// Waits until everything that was handed over before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // An error means that the writer is gone, and with it everything there was to wait for.
            let _ = written.await;
        }
    }

    /// How many notes on successful calls were dropped because the queue was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Notes that a key is in use, at most once a minute.
    pub(crate) fn touch(&self, scope: &EnvironmentScope, key_id: &str, now_ms: i64) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        if touched.get(key_id).is_some_and(|at| now_ms < at + TOUCH_MS) {
            return;
        }
        let message = Message::Touch(scope.clone(), key_id.to_owned());
        // Without room it is noted with one of the next calls.
        if self.queue.try_send(message).is_ok() {
            touched.insert(key_id.to_owned(), now_ms);
        }
    }

    async fn hand_over(&self, interaction: NewInteraction, failed: bool) {
        let message = Message::Write(Box::new(interaction));
        match self.queue.try_send(message) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(message)) if failed => {
                if self.queue.send_timeout(message, ROOM_WAIT).await.is_err() {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(_) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

async fn write_down(store: Store, mut waiting: mpsc::Receiver<Message>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 256).await > 0 {
        let mut calls = Vec::new();
        for message in batch.drain(..) {
            match message {
                Message::Write(interaction) => calls.push(*interaction),
                Message::Touch(scope, key_id) => {
                    if let Err(error) = store.api_key_touch(&scope, &key_id).await {
                        tracing::warn!(key.id = %key_id, %error, "the use of a key was not noted");
                    }
                }
                Message::Flush(done) => {
                    write_calls(&store, std::mem::take(&mut calls)).await;
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(());
                }
            }
        }
        write_calls(&store, calls).await;
    }
}

/// Writes calls in one transaction; where that fails, one by one, so that none is lost for another.
async fn write_calls(store: &Store, calls: Vec<NewInteraction>) {
    if calls.is_empty() || (calls.len() > 1 && store.interactions_write(&calls).await.is_ok()) {
        return;
    }
    for call in calls {
        let id = call.id.clone();
        if let Err(error) = store.interaction_write(call).await {
            tracing::warn!(interaction.id = %id, %error, "an interaction was not written");
        }
    }
}

/// Wraps every route: see the module.
pub async fn record(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started_at = state.clock.now_ms();
    let clock = std::time::Instant::now();
    let call = Call::new();
    request.extensions_mut().insert(Arc::clone(&call));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let asked_headers = kept_headers(request.headers());

    let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = outcome.unwrap_or_else(|panic| {
        let words = panic_words(panic.as_ref());
        tracing::error!(%method, path = uri.path(), panic = %words, "a handler panicked");
        Refused::from(Fault::unknown(format!("a handler panicked: {words}"))).into_response()
    });

    let known = call.take();
    let path = known.shown_path.unwrap_or(uri.path());
    let fault = refuse::fault_of(&response, &method, uri.path());
    let recorded = known.environment_id.is_some();
    if let Some(fault) = &fault {
        if fault.code == cadre_model::fault::Code::PlatformUnknownError {
            let cause = fault.context.as_deref().unwrap_or_default();
            tracing::error!(interaction.id = %call.id, %method, path, cause, "failed");
        }
        let log_url = recorded.then(|| state.log_url(&call.id));
        let class = Class::of_path(uri.path());
        let wording = &state.wording;
        response = refuse::finish(response, fault, class, wording, log_url.as_deref());
    }
    add_headers(&mut response, &call.id, &known);

    if let Some(environment_id) = known.environment_id {
        let failed = fault.is_some();
        // Of a call that succeeded, what it asked is enough.
        let query = uri.query().map(shortened);
        let request = if failed {
            let body = known.body.map(redacted);
            Some(json!({ "query": query, "headers": asked_headers, "body": body }))
        } else {
            query.map(|query| json!({ "query": query }))
        };
        let took = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let interaction = NewInteraction {
            id: call.id.clone(),
            environment_id,
            integration_id: known.integration_id,
            parent_id: None,
            kind: known.live.as_ref().map_or(InteractionKind::Api, |live| live.kind),
            title: format!("{method} {path}"),
            method: Some(method.to_string()),
            path: Some(path.to_owned()),
            status: Some(response.status().as_u16()),
            fault,
            rule: known.live.and_then(|live| live.rule),
            started_at,
            ended_at: Some(started_at.saturating_add(took)),
            request,
            response: None,
        };
        state.recorder.hand_over(interaction, failed).await;
    }
    response
}

fn add_headers(response: &mut Response, interaction_id: &str, known: &Known) {
    let headers = response.headers_mut();
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    put(INTERACTION_HEADER, interaction_id);
    if let Some(live) = &known.live {
        put(HeaderName::from_static("concurrency-limit"), &live.limit.to_string());
        put(HeaderName::from_static("concurrency-remaining"), &live.remaining.to_string());
    }
    if let Some(standing) = known.standing {
        put(HeaderName::from_static("ratelimit-policy"), &standing.policy_header());
        put(HeaderName::from_static("ratelimit"), &standing.header());
    }
}

/// The headers of a request that its log shows. Everything else may hold secrets.
fn kept_headers(headers: &HeaderMap) -> Value {
    let shown = ["x-integration-id", "content-type", "accept", "user-agent", "idempotency-key"];
    let pairs = shown.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), Value::from(shortened(value))))
    });
    Value::Object(pairs.collect())
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(KEPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A body without what looks like a secret by its name, and not longer than a log should be.
fn redacted(mut body: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    let name = name.to_ascii_lowercase();
                    let secret = ["password", "secret", "token", "api_key", "credential", "ssn"]
                        .iter()
                        .any(|word| name.contains(word));
                    if secret && !value.is_null() {
                        *value = "[redacted]".into();
                    } else {
                        walk(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut body);
    let text = body.to_string();
    if text.len() > KEPT_BYTES { shortened(&text).into() } else { body }
}

fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::redacted;

    #[test]
    fn secrets_do_not_reach_the_log() {
        let auth = json!({"api_key": "k", "list": [{"Password": 1}]});
        let body = json!({"name": "x", "auth": auth});
        let auth = json!({"api_key": "[redacted]", "list": [{"Password": "[redacted]"}]});
        let kept = json!({"name": "x", "auth": auth});
        assert_eq!(redacted(body), kept);
        assert!(redacted(json!({"a": "x".repeat(100_000)})).is_string());
    }
}
