//! Who may come in: the session, the role, and for every act the proof that its form is ours.
//!
//! A session is a random token in a cookie that no script reads. The token of a form follows from the
//! session's token, so that another site, which cannot read the page, cannot know it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cadre_model::fault::{Code, Fault};
use cadre_store::{Act, EnvironmentScope, Role, SessionOf};
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use sha2::{Digest as _, Sha256};

use super::login;
use super::page::{Notice, Trouble, notice, wants_html};
use crate::listing::Pairs;
use crate::refuse::Refused;
use crate::scope::unavailable;
use crate::state::AppState;

/// Longest form, in bytes.
const FORM_BYTES: usize = 256 * 1024;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(20);

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who, for the audit log: an address, or words for whoever came through a log-in link.
    pub actor: String,
    /// Their name.
    pub name: String,
    /// Their id; nobody's behind a log-in link.
    pub person_id: Option<String>,
    /// What they may do.
    pub role: Role,
    /// The environments that may be seen.
    pub environments: Arc<[EnvironmentScope]>,
    /// The token of their forms.
    pub csrf: String,
}

impl Visitor {
    /// Notes what the visitor did, in an environment or with the installation as a whole.
    pub(super) async fn note(
        &self,
        state: &AppState,
        scope: Option<&EnvironmentScope>,
        act: &str,
        subject: &str,
        detail: impl Into<String>,
    ) -> Result<(), Trouble> {
        let act = Act {
            actor: self.actor.clone(),
            act: act.to_owned(),
            subject: subject.to_owned(),
            detail: detail.into(),
        };
        Ok(state.store.audit_write(scope, &act).await?)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Visitor>().cloned();
        visitor
            .ok_or_else(|| Refused::from(Fault::unknown("a page without a door")).into_response())
    }
}

/// The fields of a form whose token was right.
#[derive(Debug, Clone)]
pub struct Posted(Arc<Pairs>);

impl Posted {
    /// A field, without the spaces around it; empty when it is not there.
    pub(super) fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.all(name).next().unwrap_or_default().trim()
    }

    /// A field as it was typed: passwords may begin with a space.
    pub(super) fn exact<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.all(name).next().unwrap_or_default()
    }

    /// Every value of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.all(name)
    }
}

impl<S: Sync> FromRequestParts<S> for Posted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let posted = parts.extensions.get::<Posted>().cloned();
        posted.ok_or_else(|| Refused::from(Fault::unknown("an act without a form")).into_response())
    }
}

/// Lets a request in, or says why not.
pub(super) async fn enter(
    State((state, needs)): State<(AppState, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = match visitor(&state, request.headers()).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return log_in_first(&state, &request),
        Err(error) => return unavailable(error).into_response(),
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let (mut parts, body) = request.into_parts();
        let form = match form(&parts.headers, body).await {
            Ok(form) if same(form.exact("csrf"), &visitor.csrf) => form,
            _ => return foreign_form(),
        };
        parts.extensions.insert(form);
        request = Request::from_parts(parts, Body::empty());
    }
    if visitor.role < needs {
        return not_allowed(&visitor, needs);
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

async fn visitor(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<Visitor>, cadre_store::Error> {
    let Some(token) = cookie(state, headers, SESSION) else { return Ok(None) };
    let Some(of) = state.store.session_check(&token).await? else { return Ok(None) };
    let environments = state.store.system_scopes().await?.into();
    let csrf = form_token(&token);
    Ok(Some(match of {
        SessionOf::Person(person) => Visitor {
            actor: person.email,
            name: person.name,
            person_id: Some(person.id),
            role: person.role,
            environments,
            csrf,
        },
        SessionOf::Link => Visitor {
            actor: "log-in link".to_owned(),
            name: "Log-in link".to_owned(),
            person_id: None,
            role: Role::Admin,
            environments,
            csrf,
        },
    }))
}

/// Reads a form. Anything else than a form of a page is refused.
pub(super) async fn form(headers: &HeaderMap, body: Body) -> Result<Posted, ()> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(());
    }
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(());
    }
    let reading = Limited::new(body, FORM_BYTES).collect();
    let read = tokio::time::timeout(FORM_TIME, reading).await.map_err(|_| ())?.map_err(|_| ())?;
    let bytes = read.to_bytes();
    let text = std::str::from_utf8(&bytes).map_err(|_| ())?;
    let mut problems = Vec::new();
    let pairs = Pairs::parse(Some(text), &mut problems);
    if problems.is_empty() { Ok(Posted(Arc::new(pairs))) } else { Err(()) }
}

/// The cookie of a session.
pub(super) const SESSION: &str = "cadre_session";
/// The cookie of somebody who is about to log in.
pub(super) const GUEST: &str = "cadre_guest";

/// A cookie's name as browsers know it. Over TLS it has a prefix with which no other host and no
/// unprotected page can set it.
fn cookie_name(state: &AppState, name: &str) -> String {
    if is_secure(state) { format!("__Host-{name}") } else { name.to_owned() }
}

fn is_secure(state: &AppState) -> bool {
    state.public_url.starts_with("https:")
}

/// The value of a cookie that the request carries.
pub(super) fn cookie(state: &AppState, headers: &HeaderMap, name: &str) -> Option<String> {
    let name = cookie_name(state, name);
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// Sets a cookie that no script reads and that other sites' forms do not carry.
pub(super) fn set_cookie(
    state: &AppState,
    response: &mut Response,
    name: &str,
    value: &str,
    seconds: u64,
) {
    let secure = if is_secure(state) { "; Secure" } else { "" };
    let name = cookie_name(state, name);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// The token of the forms that belong to a cookie.
pub(super) fn form_token(cookie: &str) -> String {
    let digest = Sha256::new().chain_update("cadre form\0").chain_update(cookie).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two tokens are the same, in a time that does not tell how far they are.
pub(super) fn same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    one.len() == other.len() && differs == 0
}

fn log_in_first(state: &AppState, request: &Request) -> Response {
    if wants_html(request.headers()) {
        let is_get = request.method() == Method::GET;
        let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return login::page(
            state,
            request.headers(),
            if is_get { next } else { "/" },
            StatusCode::UNAUTHORIZED,
            None,
        );
    }
    let words = "This page is for the people who run this server.";
    let hint = format!("Log in with the link that `{}` prints.", login::COMMAND);
    Refused::from(Fault::new(Code::PlatformAuthenticationInvalid, words).hint(hint)).into_response()
}

pub(super) fn foreign_form() -> Response {
    notice(
        StatusCode::FORBIDDEN,
        Notice {
            title: "This form does not count any more",
            lines: vec![
                "It was opened before the last log-in, or it did not come from this server.".into(),
                "Go back, load the page again, and send it once more. Nothing was changed.".into(),
            ],
            command: None,
        },
    )
}

fn not_allowed(visitor: &Visitor, needs: Role) -> Response {
    notice(
        StatusCode::FORBIDDEN,
        Notice {
            title: "Your role does not include this",
            lines: vec![
                format!("It takes the role {needs}; yours is {}.", visitor.role),
                "An admin can change roles on the page People.".into(),
            ],
            command: None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::{form_token, same};

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("ab", "abc") && !same("", "a"));
        assert_eq!(form_token("x").len(), 32);
        assert_ne!(form_token("x"), form_token("y"));
    }
}
