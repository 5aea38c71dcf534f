//! What all pages share: who may see them, and how they are sent.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{EnvironmentScope, Interaction};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::refuse::{Finished, Refused};
use crate::scope::unavailable;
use crate::state::AppState;

/// The cookie that holds the session.
pub(super) const COOKIE_NAME: &str = "cadre_session";

/// The command that prints a log-in link.
pub(super) const LOGIN_COMMAND: &str = "cadre login-link";

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The environments that may be seen.
    pub environments: Vec<Environment>,
}

/// An environment with what may be seen of it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// What may be seen of it.
    pub scope: EnvironmentScope,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let session = match cookie(&parts.headers) {
            Some(token) => state.store.dashboard_session_check(&token).await,
            None => Ok(false),
        };
        let refuse = |error| Refused::into_response(unavailable(error));
        if !session.map_err(refuse)? {
            return Err(log_in_first(&parts.headers));
        }
        let mut environments = Vec::new();
        for environment in state.store.environments().await.map_err(refuse)? {
            // A session is for the whole installation: who has one may see every environment.
            let scope = state.store.system_scope(&environment.id).await.map_err(refuse)?;
            if let Some(scope) = scope {
                environments.push(Environment { name: environment.slug, scope });
            }
        }
        Ok(Self { environments })
    }
}

/// The session that the request's cookie holds.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, token)| token.to_owned())
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

fn log_in_first(headers: &HeaderMap) -> Response {
    let title = "Log in first";
    let words = "This page is for the people who run this server.";
    if !wants_html(headers) {
        let code = Code::PlatformAuthenticationInvalid;
        let hint = format!("Log in with the link that `{LOGIN_COMMAND}` prints.");
        return Refused::from(Fault::new(code, words).hint(hint)).into_response();
    }
    notice(
        StatusCode::UNAUTHORIZED,
        Notice {
            title,
            lines: vec![
                words.to_owned(),
                "Where Cadre runs, print a log-in link and open it in this browser:".to_owned(),
            ],
            command: Some(LOGIN_COMMAND.to_owned()),
        },
    )
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub(super) struct Notice {
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
    pub(super) command: Option<String>,
}

/// Answers with a page that says one thing.
pub(super) fn notice(status: StatusCode, notice: Notice) -> Response {
    let mut response = html(&notice);
    *response.status_mut() = status;
    response.extensions_mut().insert(Finished);
    response
}

/// Something that is not there: as a page for people, as an envelope for programs.
pub(super) fn not_found(headers: &HeaderMap, title: &'static str, words: &str) -> Response {
    if !wants_html(headers) {
        return Refused::new(Code::PlatformInputInvalid, words).into_response();
    }
    notice(StatusCode::NOT_FOUND, Notice { title, lines: vec![words.to_owned()], command: None })
}

/// Answers with a page. It may load nothing from elsewhere, run no script and be in no frame.
pub(super) fn html(page: &impl Template) -> Response {
    let body = match page.render() {
        Ok(body) => body,
        Err(error) => {
            return Refused::from(Fault::unknown(format!("render a page: {error}")))
                .into_response();
        }
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let mut put = |name, text| headers.insert(name, HeaderValue::from_static(text));
    put(CONTENT_TYPE, "text/html; charset=utf-8");
    put(CACHE_CONTROL, "no-store");
    put(REFERRER_POLICY, "no-referrer");
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    );
    response
}

/// A coloured word.
#[derive(Debug, Clone)]
pub(super) struct Badge {
    /// `good`, `bad` or `plain`.
    pub(super) class: &'static str,
    /// The word.
    pub(super) text: String,
}

impl Badge {
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { class: "good", text: text.into() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { class: "bad", text: text.into() }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { class: "plain", text: text.into() }
    }

    /// How an interaction ended: its code, or else its HTTP status, or else that it ended.
    pub(super) fn result(interaction: &Interaction) -> Self {
        match (interaction.code.as_deref(), interaction.status, interaction.ended_at) {
            (Some(code), _, _) => Self::bad(code),
            (None, Some(status), _) if status >= 400 => Self::bad(status.to_string()),
            (None, Some(status), _) => Self::good(status.to_string()),
            (None, None, Some(_)) => Self::good("done"),
            (None, None, None) => Self::plain("going on"),
        }
    }
}

/// A moment for people: `2026-01-31 08:15:00 UTC`.
pub(super) fn moment(ms: i64) -> String {
    let wire = wire(ms);
    let (day, time) = wire.split_at_checked(10).unwrap_or((&wire, ""));
    let time = time.trim_start_matches('T').get(..8).unwrap_or_default();
    format!("{day} {time} UTC")
}

/// A word for a POSIX shell, quoted where it must be.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:._-=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{moment, shell_word};

    #[test]
    fn moments_read_well() {
        assert_eq!(moment(1_769_847_300_005), "2026-01-31 08:15:00 UTC");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell_word("/v1/hris/employees"), "/v1/hris/employees");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
    }
}
