//! One event as bytes: body, signatures, headers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cadre_model::secret::Secret;
use cadre_store::{Event, SigningSecrets};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// What stands in front of the base64 of a secret that was made for Standard Webhooks.
const PREFIX: &str = "whsec_";

/// A message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same in every attempt, and in a replay: what a receiver knows a repetition by.
    pub id: String,
    /// The body, as it is signed.
    pub body: String,
}

impl Message {
    /// An event for an endpoint. `sequence` is the number of the delivery; it is part of the id, which
    /// the signature covers, and with `numbered` a member of the body.
    #[must_use]
    pub fn of(event: &Event, sequence: i64, numbered: bool, public_url: &str) -> Message {
        let mut body = json!({ "id": event.id, "type": event.event_type.as_str() });
        if numbered {
            body["sequence"] = sequence.into();
        }
        body["data"] = absolute(&event.payload, public_url);
        Message { id: format!("{}-{sequence}", event.id), body: body.to_string() }
    }

    /// The headers: content type, signature of the contract, Standard Webhooks.
    ///
    /// While two secrets count, the first signature is still made with the older one, so that nobody
    /// who knows only that one is cut off; the others are there for both.
    #[must_use]
    pub fn headers(&self, secrets: &SigningSecrets, now_ms: i64) -> Vec<(String, String)> {
        let previous = secrets.previous_at(now_ms);
        let seconds = now_ms / 1_000;
        let signed = format!("{}.{seconds}.{}", self.id, self.body);
        let standard = |secret: &Secret| {
            format!("v1,{}", STANDARD.encode(hmac(&standard_key(secret), signed.as_bytes())))
        };
        let signatures: Vec<String> =
            std::iter::once(&secrets.current).chain(previous).map(standard).collect();
        let plain = previous.unwrap_or(&secrets.current);
        let plain = hmac(plain.expose().as_bytes(), self.body.as_bytes());
        [
            ("content-type", "application/json".to_owned()),
            ("x-kombo-signature", URL_SAFE_NO_PAD.encode(plain)),
            ("webhook-id", self.id.clone()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The payload of an event with the server's address in front of its `log_url`.
#[must_use]
pub fn absolute(payload: &Value, public_url: &str) -> Value {
    let mut payload = payload.clone();
    if let Some(Value::String(path)) = payload.get_mut("log_url")
        && path.starts_with('/')
    {
        path.insert_str(0, public_url);
    }
    payload
}

/// The key of Standard Webhooks: what the base64 of the secret stands for. A secret that is none is
/// taken as it is.
fn standard_key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose();
    let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
    STANDARD.decode(encoded).unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
