//! What all pages of the flow share: the link that proves who may see them, and how they are sent.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use cadre_jobs::Entry;
use cadre_model::fault::{Code, Fault};
use cadre_store::{
    ConnectLink, EnvironmentScope, Integration, IntegrationScope, LinkPurpose, LinkType,
    ScopeConfig,
};
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::texts::Texts;
use crate::assets;
use crate::recorder::Call;
use crate::refuse::{Finished, Refused};
use crate::scope::unavailable;
use crate::state::AppState;

/// The style sheet of the pages.
pub async fn style() -> Response {
    assets::file("text/css; charset=utf-8", include_str!("../../static/connect.css").to_owned())
}

/// The script of the pages.
pub async fn script() -> Response {
    let script = include_str!("../../static/connect.js").to_owned();
    assets::file("text/javascript; charset=utf-8", script)
}

/// What the frame around every page needs.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The words.
    pub(super) t: &'static Texts,
    /// The path of the flow.
    pub(super) path: String,
    /// Which step this is; none on a page outside of the way.
    pub(super) step: Option<Place>,
    /// The steps of the way.
    way: Vec<Place>,
    /// Who may show the page in a frame.
    ancestors: String,
}

impl Frame {
    /// A page outside of any flow.
    pub(super) fn alone(headers: &HeaderMap) -> Self {
        let t = Texts::of(accepted(headers));
        let ancestors = "'none'".to_owned();
        Self { t, path: String::new(), step: None, way: Vec::new(), ancestors }
    }

    /// The steps: number, name, and whether it is before (-1), this one (0) or after (1).
    pub(super) fn steps(&self) -> Vec<(usize, &'static str, i8)> {
        let Some(here) = self.step else { return Vec::new() };
        let numbered = self.way.iter().enumerate();
        let stands = |place: Place| (place as i8 - here as i8).signum();
        numbered.map(|(at, place)| (at + 1, self.t.say(place.text()), stands(*place))).collect()
    }
}

/// A step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Which tool it is.
    Choose,
    /// What is read and written.
    Review,
    /// Signing in.
    Credentials,
    /// What is left to do then.
    Setup,
    /// The end.
    Done,
}

impl Place {
    fn text(self) -> &'static str {
        match self {
            Place::Choose => "step.choose",
            Place::Review => "step.review",
            Place::Credentials => "step.credentials",
            Place::Setup => "step.setup",
            Place::Done => "step.done",
        }
    }
}

fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let listed = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    listed.unwrap_or_default().split(',').filter_map(|part| part.split(';').next()).map(str::trim)
}

/// A flow that a link has opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The token of the link.
    pub(super) token: String,
    /// The environment of the link.
    pub(super) scope: EnvironmentScope,
    /// The link.
    pub(super) link: ConnectLink,
    /// The integration that the link is about, or that came of it.
    pub(super) about: Option<(IntegrationScope, Integration)>,
    /// The words.
    pub(super) t: &'static Texts,
    ancestors: String,
}

impl FromRequestParts<AppState> for Opened {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        if let Some(call) = parts.extensions.get::<Arc<Call>>() {
            call.hide_path("/connect/[link]");
        }
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(IntoResponse::into_response)?;
        let token = path.iter().find(|(name, _)| *name == "token").map(|(_, token)| token);
        Self::open(state, &parts.headers, token.unwrap_or_default()).await
    }
}

impl Opened {
    /// Opens the link of a token.
    pub(super) async fn open(
        state: &AppState,
        headers: &HeaderMap,
        token: &str,
    ) -> Result<Self, Response> {
        let refuse = |error| Refused::into_response(unavailable(error));
        let found = state.store.connect_link_open(token).await.map_err(refuse)?;
        let alone = Frame::alone(headers);
        let Some((scope, link)) = found else {
            if !headers.get(ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
            {
                let code = Code::PlatformAuthenticationInvalid;
                let words = "The link is not one that was made here.";
                return Err(Refused::from(Fault::new(code, words)).into_response());
            }
            return Err(notice(StatusCode::UNAUTHORIZED, alone, "unknown"));
        };
        let t = Texts::of(link.request.language.as_deref().into_iter().chain(accepted(headers)));
        let ancestors = match (link.link_type, state.connect_origins.as_ref()) {
            (LinkType::MagicLink, _) => "'none'".to_owned(),
            (LinkType::Embedded, []) => "http: https:".to_owned(),
            (LinkType::Embedded, origins) => origins.join(" "),
        };
        let mut about = None;
        if let Some(id) = &link.integration_id {
            let scope = state.store.integration_scope(&scope, id).await.map_err(refuse)?;
            let Some(scope) = scope else {
                return Err(notice(StatusCode::GONE, Frame { t, ..alone }, "gone"));
            };
            let integration = state.store.integration_get(&scope).await.map_err(refuse)?;
            about = integration.map(|integration| (scope, integration));
        }
        let opened = Self { token: token.to_owned(), scope, link, about, t, ancestors };
        if opened.link.expires_at <= state.clock.now_ms() {
            return Err(notice(StatusCode::GONE, opened.plain_frame(), "ended"));
        }
        Ok(opened)
    }

    /// The frame of a page of this flow.
    pub(super) fn frame(&self, step: Place) -> Frame {
        Frame { step: Some(step), ..self.plain_frame() }
    }

    /// The same of a page outside of the way.
    pub(super) fn plain_frame(&self) -> Frame {
        let request = &self.link.request;
        let about = self.about.as_ref().map(|(_, integration)| &integration.setup);
        let sets_up = request.filtering
            || request.field_mapping
            || about.is_some_and(|setup| setup.is_open() || setup.filtering);
        let mut way = match self.link.purpose {
            LinkPurpose::Setup => vec![Place::Setup, Place::Done],
            _ => vec![Place::Choose, Place::Review, Place::Credentials, Place::Setup, Place::Done],
        };
        way.retain(|place| {
            *place != Place::Setup || sets_up || self.link.purpose == LinkPurpose::Setup
        });
        let ancestors = self.ancestors.clone();
        Frame { t: self.t, path: self.path(), step: None, way, ancestors }
    }

    /// The path of the flow.
    pub(super) fn path(&self) -> String {
        format!("/connect/{}", self.token)
    }

    /// Whether the flow is meant for a frame.
    pub(super) fn is_embedded(&self) -> bool {
        self.link.link_type == LinkType::Embedded
    }

    /// The end of the flow, where it was reached before.
    pub(super) fn ended(&self) -> Option<Response> {
        if self.link.purpose == LinkPurpose::Setup {
            return Some(redirect(&format!("{}/setup", self.path())));
        }
        self.link.completed_at.map(|_| redirect(&format!("{}/done", self.path())))
    }

    /// The connector of a tool that this link may link; else the page that says that there is none.
    #[expect(clippy::result_large_err, reason = "made once a request, and sent")]
    pub(super) fn tool(&self, state: &AppState, tool: &str) -> Result<Arc<Entry>, Response> {
        let fixed = self.link.request.tool.as_deref();
        let entry = state.catalog.get(tool).filter(|entry| {
            let categories = &entry.connector.manifest().categories;
            fixed.is_none_or(|fixed| fixed == tool)
                && categories.iter().any(|of| of.as_str() == self.link.request.category)
        });
        entry.ok_or_else(|| notice(StatusCode::NOT_FOUND, self.plain_frame(), "not_there"))
    }

    /// What the integration may be read for.
    pub(super) async fn scope_config(&self, state: &AppState) -> Result<ScopeConfig, Response> {
        let refuse = |error| Refused::into_response(unavailable(error));
        let known = self.about.as_ref().map(|(_, integration)| &integration.scope_config_id);
        if let Some(id) = self.link.request.scope_config_id.as_ref().or(known) {
            let named = state.store.scope_config_get(&self.scope, id).await.map_err(refuse)?;
            if let Some(config) = named {
                return Ok(config);
            }
        }
        state.store.scope_config_default(&self.scope).await.map_err(refuse)
    }
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "connect/notice.html")]
struct Notice {
    frame: Frame,
    title: String,
    lead: String,
    back: bool,
}

/// Answers with a page that says one thing, by the name of its texts.
pub(super) fn notice(status: StatusCode, frame: Frame, name: &str) -> Response {
    let title = frame.t.say(&format!("{name}.title")).to_owned();
    said(status, frame, title, name)
}

/// The same about a tool.
pub(super) fn notice_of(status: StatusCode, frame: Frame, name: &str, tool: &str) -> Response {
    let title = frame.t.put(&format!("{name}.title"), tool);
    said(status, frame, title, name)
}

fn said(status: StatusCode, frame: Frame, title: String, name: &str) -> Response {
    let lead = frame.t.say(&format!("{name}.lead")).to_owned();
    let back = name == "not_there";
    html(status, &frame.clone(), &Notice { frame, title, lead, back })
}

/// Answers with a page. It may load nothing from elsewhere, and be shown only where the link may be.
pub(super) fn html(status: StatusCode, frame: &Frame, page: &impl Template) -> Response {
    let body = match page.render() {
        Ok(body) => body,
        Err(error) => {
            return Refused::from(Fault::unknown(format!("render a page: {error}")))
                .into_response();
        }
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let mut put = |name, text| headers.insert(name, HeaderValue::from_static(text));
    put(CONTENT_TYPE, "text/html; charset=utf-8");
    put(CACHE_CONTROL, "no-store");
    put(REFERRER_POLICY, "no-referrer");
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors {}",
        frame.ancestors
    );
    // The origins were looked at when the server started.
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response.extensions_mut().insert(Finished);
    response
}

/// Sends the browser to another page of ours, with a GET request.
pub(super) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, value);
    }
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
