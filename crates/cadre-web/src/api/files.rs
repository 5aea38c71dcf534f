//! `GET /files/{ticket}`: what is in a file of a tool, for whoever was given the link.
//!
//! The link is sealed and ends soon; it holds the way to the file, so that nothing is stored. The
//! file is fetched from the tool when the link is followed.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_jobs::live::{File, Live};
use cadre_model::fault::{Code, Fault};
use cadre_store::{IntegrationStatus, InteractionKind};
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::attachments::refused;
use super::force_sync::inactive;
use crate::gate;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::scope::{ForIntegration, PathPart, unavailable};
use crate::state::AppState;

/// How long a link can be followed.
const LASTS_MS: i64 = 15 * 60 * 1000;
const KIND: &str = "file";

/// The way to a file. Short names: the whole stands in a URL.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    #[serde(rename = "i")]
    integration_id: String,
    #[serde(rename = "p")]
    path: String,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "t")]
    content_type: String,
    #[serde(rename = "e")]
    ends_at: i64,
}

impl Ticket {
    pub(super) fn new(state: &AppState, integration_id: &str, path: &str, file: &File) -> Self {
        Self {
            integration_id: integration_id.to_owned(),
            path: path.to_owned(),
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            ends_at: state.clock.now_ms() + LASTS_MS,
        }
    }

    pub(super) fn url(&self, state: &AppState) -> String {
        let content = serde_json::to_vec(self).unwrap_or_default();
        let sealed = URL_SAFE_NO_PAD.encode(state.store.ticket_seal(KIND, &content));
        format!("{}/files/{sealed}", state.public_url)
    }

    fn read(state: &AppState, text: &str) -> Result<Self, Refused> {
        let refusal = |words: &str| {
            let hint = "Ask for the attachments again; each answer holds fresh links.";
            Refused::from(Fault::new(Code::PlatformAuthenticationInvalid, words).hint(hint))
        };
        let sealed = URL_SAFE_NO_PAD.decode(text).ok();
        let content = sealed.and_then(|sealed| state.store.ticket_open(KIND, &sealed));
        let ticket: Option<Ticket> =
            content.and_then(|content| serde_json::from_slice(&content).ok());
        let ticket = ticket.ok_or_else(|| refusal("The link is not one that was made here."))?;
        if ticket.ends_at <= state.clock.now_ms() {
            return Err(refusal("The link has ended: it could be followed for 15 minutes."));
        }
        Ok(ticket)
    }
}

/// Fetches a file.
///
/// # Errors
///
/// When the link is no good, and what the tool said.
pub async fn get(
    State(state): State<AppState>,
    PathPart(ticket): PathPart,
    Extension(call): Extension<Arc<Call>>,
) -> Result<Response, Refused> {
    call.hide_path("/files/[link]");
    let ticket = Ticket::read(&state, &ticket)?;
    let gone = || Refused::new(Code::PlatformIntegrationNotFound, "The integration is not there.");
    let scope = state.store.system_integration_scope(&ticket.integration_id).await;
    let scope = scope.map_err(unavailable)?.ok_or_else(gone)?;
    let found = state.store.integration_get(&scope).await.map_err(unavailable)?;
    let integration = found.filter(|found| found.deleted_at.is_none()).ok_or_else(gone)?;
    call.of_environment(scope.environment_id());
    call.of_integration(&integration.id);
    if integration.status == IntegrationStatus::Inactive {
        return Err(inactive(&integration.id).into());
    }
    let here = ForIntegration { scope, integration };
    let slot = gate::room(&state, &call, &here.scope, InteractionKind::Action).await?;
    let asked = async {
        let live = Live::open(&state.parts, &here.scope, &here.integration, &call.id).await?;
        live.file(&ticket.path).await
    };
    let asked = asked.await;
    slot.release().await;
    let content = asked.map_err(|judged| refused(&call, judged))?;
    let mut response = Response::new(content.into());
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&ticket.content_type);
    let unknown = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind.unwrap_or(unknown));
    let name = utf8_percent_encode(&ticket.name, NON_ALPHANUMERIC);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    // Whatever somebody uploaded to the tool must not run as a page of ours.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}
