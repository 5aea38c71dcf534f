//! SCIM 2.0 as a service (RFC 7643 and 7644): an identity provider pushes people and groups, which are
//! kept as a directory of the integration and become records at once.
//!
//! A connector with `inbound` has streams like any other, which ask a SCIM service. That service is here:
//! [`inbox`] answers their requests out of the directory, so that reading, proofs, receipts and remapping are
//! those of every tool. To add an attribute: a line in `schema`.

mod filter;
pub mod inbox;
mod patch;
mod path;
mod refusal;
mod resource;
mod schema;
mod service;

use base64::Engine as _;
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{Hook, IntegrationScope, IntegrationStatus, InteractionKind, NewInteraction};
use serde_json::{Value, json};

use self::refusal::Refusal;
use self::service::Service;
use crate::hooks::{judge_calls, same};
use crate::settings::Parts;

/// A request, below the address of an integration.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// What follows the address: `/Users/2819c223`.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `If-Match`.
    pub if_match: Option<String>,
    /// The header `If-None-Match`.
    pub if_none_match: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; `None` for none.
    pub body: Option<Value>,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `ETag`.
    pub etag: Option<String>,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer { status: refusal.status, body: Some(refusal.body()), ..Answer::default() }
    }
}

/// Where an integration's tool pushes to, and with which token; `None` where its connector is not one that is
/// pushed to, or while this server has no address of its own.
///
/// # Errors
///
/// When the database fails.
pub async fn address(
    parts: &Parts,
    scope: &IntegrationScope,
) -> Result<Option<(String, Hook)>, cadre_store::Error> {
    let Some(integration) = parts.store.integration_get(scope).await? else { return Ok(None) };
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(None) };
    let Some(base) = &parts.settings.public_url else { return Ok(None) };
    if entry.connector.manifest().inbound.is_none() {
        return Ok(None);
    }
    let hook = parts.store.hook(scope).await?;
    Ok(Some((format!("{base}/scim/{}/v2", hook.token), hook)))
}

/// Answers a request at the address with this token. The bearer token is the proof.
///
/// # Errors
///
/// When the database fails.
pub async fn answer(
    parts: &Parts,
    token: &str,
    request: &Request,
) -> Result<Answer, cadre_store::Error> {
    let began_at = parts.clock.now_ms();
    let store = &parts.store;
    // Whoever guesses addresses learns nothing about which of them are somebody's.
    let refused = || Refusal::new(401, "The bearer token does not belong to this address.").into();
    let Some((scope, hook)) = store.system_hook(token).await? else { return Ok(refused()) };
    let Some(integration) = store.integration_get(&scope).await? else { return Ok(refused()) };
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(refused()) };
    if entry.connector.manifest().inbound.is_none() {
        return Ok(refused());
    }
    let proved = is_proved(request.authorization.as_deref(), hook.secret.expose());
    let answer = if !proved {
        refused()
    } else if integration.status == IntegrationStatus::Inactive {
        Refusal::new(403, "The integration is switched off.").into()
    } else {
        let base = parts.settings.public_url.as_deref().unwrap_or_default();
        let base = format!("{base}/scim/{token}/v2");
        let service = Service { parts, scope: &scope, base };
        let answer = service.answer(request).await?;
        if request.method != "GET" && answer.status < 300 {
            inbox::ask_to_apply(store, &scope, began_at).await?;
            store.hook_called(&scope).await?;
        }
        answer
    };
    // Looking is not written down: a provider looks for each of its people again and again.
    if request.method != "GET" || answer.status >= 400 && answer.status != 404 {
        let what = (request, &answer);
        note(parts, &scope, what, (&entry.connector.manifest().label, began_at)).await?;
        if answer.status == 401 || request.method != "GET" {
            judge_calls(parts, &scope).await?;
        }
    }
    Ok(answer)
}

fn is_proved(authorization: Option<&str>, secret: &str) -> bool {
    let Some((scheme, given)) = authorization.and_then(|text| text.trim().split_once(' ')) else {
        return false;
    };
    if scheme.eq_ignore_ascii_case("Basic") {
        // Providers that know basic log-ins only: the password is the token.
        let plain = base64::engine::general_purpose::STANDARD.decode(given.trim());
        let plain = plain.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        return plain
            .as_deref()
            .and_then(|text| text.split_once(':'))
            .is_some_and(|(_, given)| same(given.as_bytes(), secret.as_bytes()));
    }
    scheme.eq_ignore_ascii_case("Bearer") && same(given.trim().as_bytes(), secret.as_bytes())
}

/// Writes a call down, without what it says of people.
async fn note(
    parts: &Parts,
    scope: &IntegrationScope,
    (request, answer): (&Request, &Answer),
    (label, began_at): (&str, i64),
) -> Result<(), cadre_store::Error> {
    let mut interaction = NewInteraction {
        environment_id: scope.environment_id().to_owned(),
        integration_id: Some(scope.id().to_owned()),
        title: format!("{label}: {} {}", request.method, request.path),
        request: Some(
            json!({ "method": request.method, "path": request.path, "at": wire(began_at) }),
        ),
        status: Some(answer.status),
        ended_at: Some(parts.clock.now_ms()),
        ..NewInteraction::new(InteractionKind::WebhookIn, began_at)
    };
    if answer.status >= 400 {
        let body = answer.body.clone().unwrap_or_default();
        let words = body["detail"].as_str().unwrap_or_default().to_owned();
        let code = match answer.status {
            401 => Code::PlatformAuthenticationInvalid,
            _ => Code::PlatformInputInvalid,
        };
        interaction.fault = Some(Fault::new(code, words));
    }
    parts.store.interaction_write(interaction).await.map(drop)
}
