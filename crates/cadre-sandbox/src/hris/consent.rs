//! The authorization server of Sandbox HR: a page on which people consent, codes, and refresh tokens
//! that work once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::query::Params;
use crate::world::World;

/// How many seconds a code can be exchanged.
const CODE_SECONDS: i64 = 60;

/// What was consented to and not fetched yet, and what can be renewed.
#[derive(Debug, Default)]
pub(crate) struct Consents {
    given: u64,
    codes: HashMap<String, Code>,
    /// Refresh tokens by the consent that they come from; a used one stays, to be recognised.
    refresh: HashMap<String, Refresh>,
}

#[derive(Debug)]
struct Code {
    consent: u64,
    challenge: String,
    redirect_uri: String,
    ends: jiff::Timestamp,
}

#[derive(Debug)]
struct Refresh {
    consent: u64,
    used: bool,
}

/// What the page of consent is asked with.
fn wrong(world: &World, params: &Params) -> Option<&'static str> {
    let is = |name: &str, value: &str| params.get(name).is_some_and(|given| given == value);
    if !is("client_id", &world.credentials.client_id) {
        return Some("This client is not registered.");
    }
    if !params.get("redirect_uri").is_some_and(|uri| uri.starts_with("http")) {
        return Some("The parameter redirect_uri is missing.");
    }
    if !is("response_type", "code") {
        return Some("The parameter response_type must be code.");
    }
    if !is("code_challenge_method", "S256") || !params.contains_key("code_challenge") {
        return Some("This server wants PKCE with S256.");
    }
    None
}

/// The page on which people consent.
pub(crate) async fn page(
    State(world): State<Arc<World>>,
    Query(params): Query<Params>,
) -> Response {
    if let Some(words) = wrong(&world, &params) {
        return (StatusCode::BAD_REQUEST, Html(format!("<h1>{words}</h1>"))).into_response();
    }
    let hidden: String = params
        .iter()
        .map(|(name, value)| {
            let (name, value) = (escaped(name), escaped(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        })
        .collect();
    let scope = escaped(params.get("scope").map_or("everything", String::as_str));
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Sandbox HR</title><h1>Sandbox HR</h1>\
         <p>Shall this application read: {scope}?</p><form method=\"post\">{hidden}\
         <button id=\"allow\" name=\"answer\" value=\"allow\">Allow</button> \
         <button id=\"refuse\" name=\"answer\" value=\"refuse\">Refuse</button></form></html>"
    ))
    .into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The answer that somebody gave on the page.
pub(crate) async fn answer(
    State(world): State<Arc<World>>,
    Form(params): Form<Params>,
) -> Response {
    if let Some(words) = wrong(&world, &params) {
        return (StatusCode::BAD_REQUEST, Html(format!("<h1>{words}</h1>"))).into_response();
    }
    let text = |name: &str| params.get(name).cloned().unwrap_or_default();
    let redirect_uri = text("redirect_uri");
    let state = percent(&text("state"));
    if text("answer") != "allow" {
        let to = format!("{redirect_uri}?error=access_denied&state={state}");
        return Redirect::to(&to).into_response();
    }
    let code = {
        let mut locked = world.state();
        let ends = world.now(&locked) + jiff::SignedDuration::from_secs(CODE_SECONDS);
        locked.consents.given += 1;
        let code = format!("sbc_{:08x}", (locked.consents.given << 8) ^ world.plan.seed);
        let kept = Code {
            consent: locked.consents.given,
            challenge: text("code_challenge"),
            redirect_uri: redirect_uri.clone(),
            ends,
        };
        locked.consents.codes.insert(code.clone(), kept);
        code
    };
    Redirect::to(&format!("{redirect_uri}?code={code}&state={state}")).into_response()
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Exchanges a code; the refresh token of the new grant, or what is wrong.
pub(crate) fn exchange(world: &World, form: &Params) -> Result<Value, &'static str> {
    let mut state = world.state();
    let now = world.now(&state);
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let code = state.consents.codes.remove(text("code")).ok_or("The code is not known.")?;
    if code.ends < now {
        return Err("The code has ended.");
    }
    if code.redirect_uri != text("redirect_uri") {
        return Err("The redirect_uri is not the one that consent was asked with.");
    }
    let digest = Sha256::digest(text("code_verifier").as_bytes());
    if URL_SAFE_NO_PAD.encode(digest) != code.challenge {
        return Err("The code_verifier does not belong to the code_challenge.");
    }
    Ok(refresh_token(&mut state.consents, code.consent))
}

/// Uses a refresh token up; the next one, or what is wrong. One that is used twice was stolen from
/// somebody: every refresh token of its consent ends.
pub(crate) fn refresh(world: &World, form: &Params) -> Result<Value, &'static str> {
    let mut state = world.state();
    let consents = &mut state.consents;
    let token = form.get("refresh_token").map(String::as_str).unwrap_or_default();
    let known = consents.refresh.get_mut(token).ok_or("The refresh token is not known.")?;
    let consent = known.consent;
    if known.used {
        consents.refresh.retain(|_, refresh| refresh.consent != consent);
        return Err("The refresh token was used before.");
    }
    known.used = true;
    Ok(refresh_token(consents, consent))
}

fn refresh_token(consents: &mut Consents, consent: u64) -> Value {
    let token = format!("sbr_{consent:04x}_{:04x}", consents.refresh.len());
    consents.refresh.insert(token.clone(), Refresh { consent, used: false });
    json!(token)
}
