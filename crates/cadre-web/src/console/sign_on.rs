//! `/login/oidc`: logging in with the identity provider of the operator's organisation.
//!
//! Who may log in, and as what, is decided here all the same: the provider says which address a person
//! has, and there must be an account of that address.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use cadre_jobs::oidc::Visit;
use cadre_store::Act;
use http::{HeaderMap, StatusCode};

use super::door::{cookie, same, set_cookie};
use super::login;
use super::page::{Trouble, see_other};
use crate::listing::Pairs;
use crate::state::AppState;

/// The cookie of somebody who is at the provider.
const VISIT: &str = "cadre_visit";
/// How long one may stay there, in seconds.
const VISIT_SECONDS: u64 = 600;

fn back(state: &AppState) -> String {
    format!("{}/login/oidc/callback", state.public_url)
}

/// Sends the browser to the provider.
pub async fn start(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let Some(provider) = &state.parts.settings.identity_provider else {
        return Trouble::Missing("An identity provider").into_response();
    };
    let visit = Visit::begin();
    match provider.ask(&state.parts, &visit, &back(&state)).await {
        Ok(url) => {
            let mut response = see_other(url.as_str());
            set_cookie(&state, &mut response, VISIT, &visit.kept(), VISIT_SECONDS);
            response
        }
        Err(words) => refused(&state, &headers, words),
    }
}

/// Takes the browser back from the provider.
pub async fn callback(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(provider) = &state.parts.settings.identity_provider else {
        return Trouble::Missing("An identity provider").into_response();
    };
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let visit = cookie(&state, &headers, VISIT).and_then(|kept| Visit::read(&kept));
    let came = pairs.one("state", &mut problems).unwrap_or_default();
    let Some(visit) = visit.filter(|visit| same(&visit.state, came)) else {
        let words = "This log-in was not begun in this browser, or too long ago. Try again.";
        return refused(&state, &headers, words.to_owned());
    };
    let Some(code) = pairs.one("code", &mut problems) else {
        let error = pairs.one("error", &mut problems).unwrap_or("no reason given");
        let error: String = error.chars().take(100).collect();
        return refused(&state, &headers, format!("The identity provider refused: {error}."));
    };
    let email = match provider.redeem(&state.parts, &visit, &back(&state), code).await {
        Ok(email) => email,
        Err(words) => return refused(&state, &headers, words),
    };
    match enter(&state, &headers, &email).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            let words =
                format!("Nobody with the address {email} may log in. An admin can add them.");
            refused(&state, &headers, words)
        }
        Err(error) => Trouble::from(error).into_response(),
    }
}

async fn enter(
    state: &AppState,
    headers: &HeaderMap,
    email: &str,
) -> Result<Option<Response>, cadre_store::Error> {
    let Some((session, person)) = state.store.person_vouched(email).await? else {
        return Ok(None);
    };
    let detail = "with the identity provider".to_owned();
    let act = Act { actor: person.email, act: "log-in".into(), detail, ..Act::default() };
    state.store.audit_write(None, &act).await?;
    let mut response = login::begin(state, headers, &session, "/").await?;
    set_cookie(state, &mut response, VISIT, "", 0);
    Ok(Some(response))
}

fn refused(state: &AppState, headers: &HeaderMap, words: String) -> Response {
    login::page(state, headers, "/", StatusCode::UNAUTHORIZED, Some(("", words)))
}
