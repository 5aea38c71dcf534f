//! One attempt: a message goes out, and what comes back is judged.

use std::time::{Duration, Instant};

use cadre_connector::{HttpRequest, HttpResponse, SendError};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_store::{Endpoint, ExchangeRow, InteractionKind, NewInteraction, SigningSecrets};
use serde_json::{Map, Value, json};
use url::Url;

use super::message::Message;
use crate::settings::Parts;

/// Longest answer that is read; nobody looks at more than its beginning.
const ANSWER_BYTES: u64 = 64 << 10;
/// How much of an answer is kept, in bytes.
const KEPT_BYTES: usize = 1 << 10;
/// Longest pause that a receiver is granted.
const LONGEST_PAUSE_MS: i64 = 24 * 3_600_000;
/// Headers whose value stays out of the log: whoever has them can repeat the message.
const SIGNATURES: &[&str] = &["x-kombo-signature", "webhook-signature"];

/// What came of one attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether the receiver took the message.
    pub delivered: bool,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Why it did not take it, and what to do about that.
    pub fault: Option<Fault>,
    /// Beginning of the answer.
    pub answer: Option<String>,
    /// How long the receiver asked to be left alone, in milliseconds.
    pub pause_ms: Option<i64>,
    /// Whether the receiver wants no more messages at all.
    pub gone: bool,
    /// The request and its answer, redacted.
    pub exchange: ExchangeRow,
}

/// Reads the URL of an endpoint.
///
/// # Errors
///
/// Words that say what was expected.
pub fn check_url(text: &str, allow_private: bool) -> Result<Url, String> {
    let shown: String = text.chars().take(100).collect();
    let url = Url::parse(text)
        .map_err(|_| format!("an https:// URL that events are sent to, got \"{shown}\""))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && allow_private) {
        return Err(format!("a URL that begins with https://, got \"{shown}\""));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL without user and password; check the signature instead".to_owned());
    }
    Ok(url)
}

/// Sends a message once.
pub(super) async fn post(
    parts: &Parts,
    endpoint: &Endpoint,
    secrets: &SigningSecrets,
    message: &Message,
    attempt: i64,
) -> Outcome {
    let at = parts.clock.now_ms();
    let headers = message.headers(secrets, at);
    let shown = shown_url(&endpoint.url);
    let begun = Instant::now();
    let result = match Url::parse(&endpoint.url) {
        Ok(url) => {
            let request = HttpRequest {
                headers: headers.clone(),
                body: Some(message.body.clone().into()),
                max_body_bytes: ANSWER_BYTES,
                stays: true,
                ..HttpRequest::new("POST", url)
            };
            parts.http.send(request, parts.settings.webhook_timeout).await
        }
        Err(error) => Err(SendError::Unsendable(error.to_string())),
    };
    let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let fault = judge(&result, parts.settings.webhook_timeout).err();
    let response = result.as_ref().ok();
    let answer = response.map(|response| beginning(&response.body));
    let exchange = ExchangeRow {
        seq: attempt,
        at,
        method: "POST".to_owned(),
        url: shown,
        request_headers: object(headers.iter().map(|(name, value)| {
            let secret = SIGNATURES.contains(&name.as_str());
            (name.as_str(), if secret { "[redacted]" } else { value.as_str() })
        })),
        request_body: Some(message.body.clone()),
        status: response.map(|response| response.status),
        response_headers: object(response.into_iter().flat_map(|response| {
            let shown = response.headers.iter().filter(|(name, _)| name != "set-cookie");
            shown.map(|(name, value)| (name.as_str(), value.as_str()))
        })),
        response_body: answer.clone(),
        duration_ms,
        rule: None,
        error: fault.as_ref().map(|fault| fault.message.clone()),
    };
    Outcome {
        delivered: fault.is_none(),
        status: response.map(|response| response.status),
        pause_ms: response.filter(|_| fault.is_some()).and_then(|response| pause(response, at)),
        gone: response.is_some_and(|response| response.status == 410),
        fault,
        answer,
        exchange,
    }
}

/// Sends an endpoint a message that is about nothing, once, and writes the attempt down. It has no
/// number and no place in the ledger.
///
/// # Errors
///
/// When the database fails.
pub async fn send_test(
    parts: &Parts,
    endpoint: &Endpoint,
    secrets: &SigningSecrets,
) -> Result<(Outcome, String), cadre_store::Error> {
    let started_at = parts.clock.now_ms();
    let id = random_id();
    let body = json!({ "id": id, "type": "test", "data": { "endpoint_id": endpoint.id } });
    let message = Message { id, body: body.to_string() };
    let outcome = post(parts, endpoint, secrets, &message, 0).await;
    let interaction = NewInteraction {
        environment_id: endpoint.environment_id.clone(),
        request: Some(json!({ "endpoint_id": endpoint.id })),
        ..interaction(endpoint, "test", &outcome, started_at, parts.clock.now_ms())
    };
    let interaction_id = interaction.id.clone();
    parts.store.interaction_write(interaction).await?;
    parts.store.exchange_write(&interaction_id, std::slice::from_ref(&outcome.exchange)).await?;
    Ok((outcome, interaction_id))
}

/// The interaction of an attempt.
pub(super) fn interaction(
    endpoint: &Endpoint,
    event_type: &str,
    outcome: &Outcome,
    started_at: i64,
    ended_at: i64,
) -> NewInteraction {
    let shown = shown_url(&endpoint.url);
    NewInteraction {
        environment_id: endpoint.environment_id.clone(),
        title: format!("Webhook {event_type} to {shown}"),
        method: Some("POST".to_owned()),
        path: Some(shown),
        status: outcome.status,
        fault: outcome.fault.clone(),
        ended_at: Some(ended_at),
        ..NewInteraction::new(InteractionKind::WebhookOut, started_at)
    }
}

/// Whether an answer means that the message was taken; if not, why, and what to do.
fn judge(result: &Result<HttpResponse, SendError>, timeout: Duration) -> Result<(), Fault> {
    let unavailable = |message: String, hint: &str| {
        Err(Fault::new(Code::RemoteServiceUnavailable, message).hint(hint))
    };
    let response = match result {
        Ok(response) => response,
        Err(SendError::Timeout(_)) => {
            let seconds = timeout.as_secs_f64();
            return unavailable(
                format!("The receiver did not answer within {seconds} s."),
                "Answer 200 as soon as the message is stored, and work on it afterwards.",
            );
        }
        Err(SendError::TooLarge(most)) => {
            return unavailable(
                format!("The receiver answered with more than {most} bytes."),
                "Answer 200 with an empty body.",
            );
        }
        Err(SendError::Blocked(why)) => {
            return Err(Fault::new(
                Code::PlatformInputInvalid,
                format!("The receiver may not be reached: {why}."),
            )
            .hint("Give the endpoint a public URL, or have the operator set `allow_private_networks`."));
        }
        Err(error) => {
            return unavailable(
                format!("There was no answer: {error}."),
                "Check that the URL of the endpoint is right and that its server runs.",
            );
        }
    };
    let status = response.status;
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Fault::new(
            Code::PlatformInputInvalid,
            format!("The receiver answered with a redirect ({status}), which is not followed."),
        )
        .hint("Set the URL of the endpoint to where the redirect leads.")),
        401 | 403 => unavailable(
            format!("The receiver refused the message ({status})."),
            "Check that the receiver verifies the signature with the secret of this endpoint.",
        ),
        410 => unavailable(
            "The receiver wants no more messages (410).".to_owned(),
            "Enable the endpoint again once the receiver takes messages; its events wait.",
        ),
        429 => {
            Err(Fault::new(Code::RemoteRateLimitExceeded, "The receiver asked for a pause (429).")
                .hint("Nothing: the message is sent again after the pause."))
        }
        _ => unavailable(
            format!("The receiver answered {status}."),
            "Look into the log of the receiver; the message is sent again.",
        ),
    }
}

/// The pause that an answer asks for.
fn pause(response: &HttpResponse, now: i64) -> Option<i64> {
    if response.status != 429 && response.status != 503 {
        return None;
    }
    let text = response.header("retry-after")?.trim();
    let ms = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()?
            .as_millisecond()
            .saturating_sub(now),
    };
    (ms > 0).then(|| ms.min(LONGEST_PAUSE_MS))
}

/// A URL as logs show it: what stands behind the question mark may be a secret.
pub(super) fn shown_url(text: &str) -> String {
    match text.split_once('?') {
        Some((address, _)) => format!("{address}?[redacted]"),
        None => text.to_owned(),
    }
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(KEPT_BYTES)]).into_owned();
    if body.len() > KEPT_BYTES { format!("{text}…") } else { text }
}

fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let map: Map<String, Value> =
        pairs.map(|(name, value)| (name.to_owned(), value.into())).collect();
    Value::Object(map)
}
