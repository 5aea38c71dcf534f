//! Signing in by consent: the way to the tool's page and back.
//!
//! What the flow needs when the customer comes back is kept under a random word, which goes with them
//! as OAuth's `state` and is used once. A cookie that only this browser has must come back with it, so
//! that nobody can finish a consent in another person's name.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_jobs::Entry;
use cadre_jobs::connect::{ConsentRequest, Whose, consent_page, consent_refused, consented};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use http::header::{ACCEPT, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::credentials::{Failed, connect};
use super::page::{Frame, Opened, Place, html, notice_of, redirect};
use crate::listing::Pairs;
use crate::refuse::Refused;
use crate::scope::{PathPart, unavailable};
use crate::state::AppState;

/// How long a consent may take.
const LASTS_MS: i64 = 30 * 60 * 1000;
const COOKIE_NAME: &str = "cadre_consent";
const BROWSER: &str = "consent-browser";

/// What is kept while the customer is away.
#[derive(Serialize, Deserialize)]
struct Away {
    token: String,
    tool: String,
    form: Map<String, Value>,
    off: Vec<String>,
    verifier: String,
}

impl Away {
    fn request(&self, state: &AppState, word: &str) -> ConsentRequest {
        ConsentRequest {
            redirect_uri: redirect_uri(state),
            state: word.to_owned(),
            verifier: Secret::new(self.verifier.as_str()),
        }
    }
}

/// Where tools send customers back to; the operator enters it where the client is registered.
fn redirect_uri(state: &AppState) -> String {
    format!("{}/oauth/callback", state.public_url)
}

#[derive(Debug, Template)]
#[template(path = "connect/consent.html")]
struct Consent {
    frame: Frame,
    label: String,
    start: String,
    waiting: String,
    embedded: bool,
}

/// Keeps what was chosen, and shows the way to the tool.
pub(super) async fn begin(
    state: &AppState,
    opened: &Opened,
    entry: &Entry,
    form: Map<String, Value>,
    off: Vec<String>,
) -> Result<Response, Response> {
    let word = format!("{}{}", random_id(), random_id());
    let away = Away {
        token: opened.token.clone(),
        tool: entry.tool().to_owned(),
        form,
        off,
        verifier: format!("{}{}", random_id(), random_id()),
    };
    let frame = opened.frame(Place::Credentials);
    let label = entry.connector.manifest().label.clone();
    let request = away.request(state, &word);
    if let Err(fault) = consent_page(&state.parts, &away.tool, &away.form, &request) {
        tracing::warn!(tool = away.tool, problem = %fault.message, "a consent cannot be asked for");
        return Ok(notice_of(StatusCode::SERVICE_UNAVAILABLE, frame, "unready", &label));
    }
    let content = serde_json::to_vec(&away).unwrap_or_default();
    let kept = state.store.consent_begin(&word, &content, LASTS_MS).await;
    kept.map_err(|error| unavailable(error).into_response())?;
    let page = Consent {
        start: format!("/oauth/start/{word}"),
        waiting: format!("{}/waiting/{}", opened.path(), away.tool),
        embedded: opened.is_embedded(),
        frame: frame.clone(),
        label,
    };
    Ok(html(StatusCode::OK, &frame, &page))
}

/// Sends the customer to the tool, and leaves a cookie that must come back.
pub async fn start(
    State(state): State<AppState>,
    PathPart(word): PathPart,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let kept = state.store.consent_peek(&word).await;
    let kept = kept.map_err(|error| unavailable(error).into_response())?;
    let away: Away = kept
        .and_then(|content| serde_json::from_slice(&content).ok())
        .ok_or_else(|| unknown(&headers))?;
    let request = away.request(&state, &word);
    let page = consent_page(&state.parts, &away.tool, &away.form, &request);
    let page = page.map_err(|fault| Refused::from(fault).into_response())?;
    let mut response = redirect(page.as_str());
    let pass = URL_SAFE_NO_PAD.encode(state.store.ticket_seal(BROWSER, word.as_bytes()));
    let secure = if state.public_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE_NAME}={pass}; Path=/oauth; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        LASTS_MS / 1000
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    Ok(response)
}

#[derive(Debug, Template)]
#[template(path = "connect/returned.html")]
struct Returned {
    frame: Frame,
    failed: Option<Failed>,
    retry: Option<String>,
}

/// The customer comes back: the code is exchanged, and the account linked.
pub async fn callback(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let word = pairs.one("state", &mut problems).unwrap_or_default().to_owned();
    if word.is_empty() || !is_this_browser(&state, &headers, &word) {
        return Err(unknown(&headers));
    }
    let kept = state.store.consent_take(&word).await;
    let kept = kept.map_err(|error| unavailable(error).into_response())?;
    let away: Away = kept
        .and_then(|content| serde_json::from_slice(&content).ok())
        .ok_or_else(|| unknown(&headers))?;
    let opened = Opened::open(&state, &headers, &away.token).await?;
    if let Some(end) = opened.ended() {
        return Ok(end);
    }
    let entry = opened.tool(&state, &away.tool)?;
    let code = pairs.one("code", &mut problems).filter(|code| !code.is_empty());
    let outcome = finish(&state, &opened, &away, &word, code, &pairs).await;
    let frame = opened.frame(Place::Credentials);
    let label = &entry.connector.manifest().label;
    let Err(fault) = outcome else {
        if !opened.is_embedded() {
            return Ok(redirect(&format!("{}/done", opened.path())));
        }
        let page = Returned { frame: opened.frame(Place::Done), failed: None, retry: None };
        return Ok(html(StatusCode::OK, &frame, &page));
    };
    // By way of the page that says what is read: what they opted out of is asked again, not forgotten.
    let retry = (!opened.is_embedded()).then(|| format!("{}/tools/{}", opened.path(), away.tool));
    let failed = Some(Failed::of(&frame, label, &fault));
    let page = Returned { frame: frame.clone(), failed, retry };
    Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &frame, &page))
}

async fn finish(
    state: &AppState,
    opened: &Opened,
    away: &Away,
    word: &str,
    code: Option<&str>,
    pairs: &Pairs,
) -> Result<(), Fault> {
    let request = &opened.link.request;
    let whose = Whose {
        tool: &away.tool,
        category: &request.category,
        end_user: &request.end_user,
        form: &away.form,
    };
    let Some(code) = code else {
        let said = pairs.all("error").chain(pairs.all("error_description")).next();
        let words = opened.t.say("returned.declined");
        return Err(consent_refused(&state.parts, &opened.scope, whose, words, said).await);
    };
    let asked = away.request(state, word);
    let grant = consented(&state.parts, &opened.scope, whose, code, &asked).await?;
    connect(state, opened, &away.tool, away.form.clone(), away.off.clone(), Some(grant)).await
}

/// Whether the consent was begun in this browser.
fn is_this_browser(state: &AppState, headers: &HeaderMap, word: &str) -> bool {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE_NAME)
        .filter_map(|(_, pass)| URL_SAFE_NO_PAD.decode(pass).ok())
        .filter_map(|pass| state.store.ticket_open(BROWSER, &pass))
        .any(|begun| begun == word.as_bytes())
}

/// A consent that nobody here has begun.
fn unknown(headers: &HeaderMap) -> Response {
    let code = Code::PlatformAuthenticationInvalid;
    if !headers.get(ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        return Refused::new(code, "No consent with this state was begun in this browser.")
            .into_response();
    }
    let frame = Frame::alone(headers);
    let title = frame.t.say("returned.failed").to_owned();
    let message = frame.t.say("returned.unknown").to_owned();
    let failed = Some(Failed { title, message, next: String::new() });
    let page = Returned { frame: frame.clone(), failed, retry: None };
    html(StatusCode::UNAUTHORIZED, &frame, &page)
}
