//! `/login` and `/logout`: links that work once, passwords, and the end of a session.
//!
//! Every log-in starts a session with a token of its own and ends the one that the browser had: what
//! somebody put into the browser beforehand is worth nothing afterwards.

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use cadre_store::{Act, LogIn};
use http::{HeaderMap, StatusCode};

use super::door::{GUEST, SESSION, cookie, foreign_form, form, form_token, same, set_cookie};
use super::page::{Notice, Trouble, html_as, notice, see_other};
use crate::listing::Pairs;
use crate::scope::unavailable;
use crate::state::AppState;

/// The command that prints a log-in link.
pub(super) const COMMAND: &str = "cadre login-link";
/// How long a browser keeps a session, in seconds; the store decides how long it is valid.
const SESSION_SECONDS: u64 = 30 * 24 * 3600;
/// How long a browser keeps the proof that it was shown the form, in seconds.
const GUEST_SECONDS: u64 = 24 * 3600;
/// Longest password that is looked at, in bytes.
const PASSWORD_BYTES: usize = 1024;

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    next: &'a str,
    csrf: String,
    email: &'a str,
    wrong: Option<String>,
    has_provider: bool,
    command: &'static str,
}

/// The page to log in on.
pub(super) fn page(
    state: &AppState,
    headers: &HeaderMap,
    next: &str,
    status: StatusCode,
    wrong: Option<(&str, String)>,
) -> Response {
    let known = cookie(state, headers, GUEST);
    let guest = known.clone().unwrap_or_else(random_id);
    let (email, wrong) = wrong.map_or(("", None), |(email, words)| (email, Some(words)));
    let next = if is_local(next) { next } else { "/" };
    let page = LoginPage {
        next,
        csrf: form_token(&guest),
        email,
        wrong,
        has_provider: state.parts.settings.identity_provider.is_some(),
        command: COMMAND,
    };
    let mut response = html_as(status, &page);
    if known.is_none() {
        set_cookie(state, &mut response, GUEST, &guest, GUEST_SECONDS);
    }
    response
}

/// Redeems a log-in link, or shows the page to log in on.
pub async fn get(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let next = pairs.one("next", &mut problems);
    match pairs.one("token", &mut problems) {
        None => page(&state, &headers, next.unwrap_or("/"), StatusCode::OK, None),
        Some(token) => match redeem(&state, &headers, token, next).await {
            Ok(response) => response,
            Err(error) => unavailable(error).into_response(),
        },
    }
}

async fn redeem(
    state: &AppState,
    headers: &HeaderMap,
    token: &str,
    next: Option<&str>,
) -> Result<Response, cadre_store::Error> {
    let Some(session) = state.store.login_link_redeem(token).await? else {
        return Ok(notice(
            StatusCode::UNAUTHORIZED,
            Notice {
                title: "This link does not work any more",
                lines: vec![
                    "A log-in link works once, and only for a short time.".to_owned(),
                    "Where Cadre runs, print a new one:".to_owned(),
                ],
                command: Some(COMMAND.to_owned()),
            },
        ));
    };
    // Who comes first makes the account of the admin.
    let first = if state.store.people().await?.is_empty() { "/welcome" } else { "/" };
    let next = next.filter(|next| is_local(next)).unwrap_or(first);
    let act = Act { actor: "log-in link".into(), act: "log-in".into(), ..Act::default() };
    state.store.audit_write(None, &act).await?;
    begin(state, headers, &session, next).await
}

/// Ends the session that the browser had, and gives it the new one.
pub(super) async fn begin(
    state: &AppState,
    headers: &HeaderMap,
    session: &Secret,
    next: &str,
) -> Result<Response, cadre_store::Error> {
    if let Some(old) = cookie(state, headers, SESSION) {
        state.store.session_end(&old).await?;
    }
    let mut response = see_other(next);
    set_cookie(state, &mut response, SESSION, session.expose(), SESSION_SECONDS);
    Ok(response)
}

/// Logs in with a password.
pub async fn post(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let guest = cookie(&state, &headers, GUEST).unwrap_or_default();
    let form = match form(&headers, body).await {
        Ok(form) if !guest.is_empty() && same(form.exact("csrf"), &form_token(&guest)) => form,
        _ => return foreign_form(),
    };
    let (email, next) = (form.text("email"), form.text("next"));
    let password = Secret::from(form.exact("password"));
    if password.expose().len() > PASSWORD_BYTES {
        let words = "The address or the password is wrong.".to_owned();
        return page(&state, &headers, next, StatusCode::UNAUTHORIZED, Some((email, words)));
    }
    let outcome = match state.store.person_log_in(email, &password).await {
        Ok(outcome) => outcome,
        Err(error) => return unavailable(error).into_response(),
    };
    let (status, words) = match outcome {
        LogIn::Done(session, person) => {
            let act = Act { actor: person.email, act: "log-in".into(), ..Act::default() };
            let next = if is_local(next) { next } else { "/" };
            let begun = async {
                state.store.audit_write(None, &act).await?;
                begin(&state, &headers, &session, next).await
            };
            return begun.await.unwrap_or_else(|error| unavailable(error).into_response());
        }
        LogIn::Refused => {
            (StatusCode::UNAUTHORIZED, "The address or the password is wrong.".to_owned())
        }
        LogIn::Locked { until } => {
            let seconds = (until - state.clock.now_ms()).max(0) / 1_000 + 1;
            let words = format!("Too many wrong passwords. Try again in {seconds} seconds.");
            (StatusCode::TOO_MANY_REQUESTS, words)
        }
    };
    page(&state, &headers, next, status, Some((email, words)))
}

/// Ends the session of this browser.
pub async fn logout(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    if let Some(token) = cookie(&state, &headers, SESSION) {
        match form(&headers, body).await {
            Ok(form) if same(form.exact("csrf"), &form_token(&token)) => {}
            _ => return foreign_form(),
        }
        if let Err(error) = state.store.session_end(&token).await {
            return Trouble::from(error).into_response();
        }
    }
    let mut response = see_other("/login");
    set_cookie(&state, &mut response, SESSION, "", 0);
    response
}

/// Whether a path leads to this server: `//elsewhere` and `/\elsewhere` do not.
fn is_local(path: &str) -> bool {
    let mut letters = path.chars();
    letters.next() == Some('/')
        && !matches!(letters.next(), Some('/' | '\\'))
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_log_in_does_not_lead_elsewhere() {
        assert!(is_local("/") && is_local("/logs/abc"));
        for away in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb"] {
            assert!(!is_local(away), "{away}");
        }
    }
}
