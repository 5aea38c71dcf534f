//! A receiver of webhooks on the loopback address, which behaves as a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Uri};
use serde_json::Value;
use sha2::Sha256;

/// A message that came.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub headers: HeaderMap,
    pub raw: Bytes,
    pub json: Value,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn sequence(&self) -> i64 {
        self.json["sequence"].as_i64().expect("a number")
    }

    /// Whether the signature of the contract was made with the secret.
    pub fn is_signed(&self, secret: &str) -> bool {
        let mac = hmac(secret.as_bytes(), &[&self.raw]);
        self.header("x-kombo-signature") == URL_SAFE_NO_PAD.encode(mac)
    }

    /// Whether one of the signatures of Standard Webhooks was made with the secret.
    pub fn is_signed_standard(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let mac = hmac(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", &self.raw]);
        let expected = format!("v1,{}", STANDARD.encode(mac));
        self.header("webhook-signature").split(' ').any(|one| one == expected)
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// How a message is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// With 200 and a body that never ends, a byte at a time.
    Drip,
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        Reply::Status(status, Vec::new(), String::new())
    }
}

type Rule = Box<dyn Fn(&Got) -> Option<Reply> + Send>;

struct Inner {
    got: Mutex<Vec<Got>>,
    script: Mutex<VecDeque<Reply>>,
    rule: Mutex<Option<Rule>>,
}

/// A receiver. Without a script and a rule it answers 200.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let inner = Arc::new(Inner {
            got: Mutex::default(),
            script: Mutex::default(),
            rule: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(take).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, inner }
    }

    /// Answers the next messages so, one after the other.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.inner.script.lock().expect("not poisoned").extend(replies);
    }

    /// Answers messages so, where it says how.
    pub fn rule(&self, rule: impl Fn(&Got) -> Option<Reply> + Send + 'static) {
        *self.inner.rule.lock().expect("not poisoned") = Some(Box::new(rule));
    }

    pub fn no_rule(&self) {
        *self.inner.rule.lock().expect("not poisoned") = None;
    }

    /// What came since it was last asked.
    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.inner.got.lock().expect("not poisoned"))
    }
}

async fn take(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let json = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let got = Got { path: uri.path().to_owned(), headers, raw, json };
    let scripted = inner.script.lock().expect("not poisoned").pop_front();
    let ruled = || inner.rule.lock().expect("not poisoned").as_ref().and_then(|rule| rule(&got));
    let reply = scripted.or_else(ruled).unwrap_or(Reply::status(200));
    inner.got.lock().expect("not poisoned").push(got);
    match reply {
        Reply::Status(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).expect("a response")
        }
        Reply::Drip => {
            let drops = futures::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(b".")), ()))
            });
            Response::new(Body::from_stream(drops))
        }
    }
}
