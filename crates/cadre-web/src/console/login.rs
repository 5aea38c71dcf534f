//! `GET /login?token=…` and `POST /logout`.
//!
//! A log-in link works once and soon expires. Opening it sets a cookie that no script can read and
//! that other sites' forms do not carry.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::page::{COOKIE_NAME, LOGIN_COMMAND, Notice, cookie, notice};
use crate::listing::Pairs;
use crate::scope::unavailable;
use crate::state::AppState;

/// How long a browser keeps a session, in seconds; the store decides how long it is valid.
const COOKIE_SECONDS: u64 = 30 * 24 * 3600;

/// Redeems a log-in link.
pub async fn get(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let token = pairs.one("token", &mut problems).unwrap_or_default();
    let session = match state.store.login_link_redeem(token).await {
        Ok(session) => session,
        Err(error) => return unavailable(error).into_response(),
    };
    let Some(session) = session else {
        return notice(
            StatusCode::UNAUTHORIZED,
            Notice {
                title: "This link does not work any more",
                lines: vec![
                    "A log-in link works once, and only for a short time.".to_owned(),
                    "Where Cadre runs, print a new one:".to_owned(),
                ],
                command: Some(LOGIN_COMMAND.to_owned()),
            },
        );
    };
    let next = pairs.one("next", &mut problems).filter(|next| is_local(next)).unwrap_or("/");
    redirect(next, &set_cookie(&state, session.expose(), COOKIE_SECONDS))
}

/// Ends the session of this browser.
pub async fn logout(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if let Some(token) = cookie(&headers)
        && let Err(error) = state.store.dashboard_session_end(&token).await
    {
        return unavailable(error).into_response();
    }
    redirect("/", &set_cookie(&state, "", 0))
}

fn set_cookie(state: &AppState, value: &str, seconds: u64) -> String {
    let secure = if state.public_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn redirect(to: &str, cookie: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    for (name, text) in [(LOCATION, to), (SET_COOKIE, cookie)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    }
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
