//! Who calls, and for which integration: what a handler names in its signature is proven before it
//! begins.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Path};
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{
    Admitted, EnvironmentScope, Freshness, Integration, IntegrationScope, KeyCheck, ScopeConfig,
};
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::address;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::state::AppState;

/// The header that names the integration.
pub const INTEGRATION_HEADER: &str = "X-Integration-Id";

/// A caller whose key is valid, from an address that is allowed, within its quota.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the key may see.
    pub scope: EnvironmentScope,
    /// The id of the key.
    pub key_id: String,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refused> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            if let Some(call) = parts.extensions.get::<Arc<Call>>() {
                call.of_environment(caller.scope.id());
            }
            return Ok(caller.clone());
        }
        let key = bearer(parts)?;
        let check = state.store.api_key_authenticate(key).await.map_err(unavailable)?;
        let caller = Self::checked(parts, state, check).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

impl Caller {
    /// The caller whose key was looked up.
    async fn checked(parts: &Parts, state: &AppState, check: KeyCheck) -> Result<Self, Refused> {
        let key = match check {
            KeyCheck::Valid(key) => key,
            KeyCheck::Unknown => {
                return Err(unauthenticated("The API key is not known here.".to_owned()));
            }
            KeyCheck::Expired { at } => {
                return Err(unauthenticated(format!("The API key expired at {}.", wire(at))));
            }
            KeyCheck::Revoked { at } => {
                return Err(unauthenticated(format!("The API key was revoked at {}.", wire(at))));
            }
        };
        let call = parts.extensions.get::<Arc<Call>>().cloned();
        if let Some(call) = &call {
            call.of_environment(key.scope.id());
        }
        check_address(parts, state, &key.environment_allow_list, "Keys of this environment")?;
        check_address(parts, state, &key.allow_list, "The API key")?;
        let now = state.clock.now_ms();
        let quotas = state.quotas;
        let standing = state.rates.count(&state.store, quotas, &key.scope, &key.key_id, now);
        let standing = standing.await.map_err(unavailable)?;
        if let Some(call) = &call {
            call.stands(standing);
        }
        if let Some(fault) = standing.and_then(|standing| standing.fault()) {
            return Err(fault.into());
        }
        state.recorder.touch(&key.scope, &key.key_id, now);
        Ok(Caller { scope: key.scope, key_id: key.key_id })
    }
}

/// A caller, and the integration that the header names, whose records of a model are to be read.
#[derive(Debug)]
pub struct Reader {
    /// Who calls.
    pub caller: Caller,
    /// What the header names.
    pub integration_id: String,
    of: Option<Admitted>,
}

impl Reader {
    /// Proves who calls, in one statement with everything that a read must know.
    ///
    /// # Errors
    ///
    /// Whatever stands between the caller and its integrations.
    pub async fn admit(parts: &mut Parts, state: &AppState, model: &str) -> Result<Self, Refused> {
        let named = NamedIntegration::from_request_parts(parts, state).await;
        let key = bearer(parts)?;
        let id = named.as_ref().map_or("", |named| named.0.as_str());
        let admission = state.store.admit(key, id, model).await.map_err(unavailable)?;
        let caller = Caller::checked(parts, state, admission.key).await?;
        Ok(Self { caller, integration_id: named?.0, of: admission.of })
    }

    /// The integration that the header names.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INTEGRATION_NOT_FOUND`, as [`ForIntegration::find`].
    pub fn found(
        self,
        call: &Call,
    ) -> Result<(ForIntegration, Option<ScopeConfig>, Freshness), Refused> {
        let Some(of) = self.of else { return Err(not_found(&self.integration_id)) };
        call.of_integration(&of.integration.id);
        let here = ForIntegration { scope: of.scope, integration: of.integration };
        Ok((here, of.config, of.freshness))
    }
}

fn bearer(parts: &Parts) -> Result<&str, Refused> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(unauthenticated("The request has no Authorization header.".to_owned()));
    };
    let text = header.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => {
            Ok(key.trim())
        }
        _ => Err(unauthenticated(
            "The Authorization header does not have the form `Bearer <API key>`.".to_owned(),
        )),
    }
}

fn unauthenticated(message: String) -> Refused {
    let code = Code::PlatformAuthenticationInvalid;
    Fault::new(code, message).hint(code.hint()).into()
}

fn not_found(id: &str) -> Refused {
    let shown: String = id.chars().take(100).collect();
    Refused::new(
        Code::PlatformIntegrationNotFound,
        format!("There is no integration `{shown}` in the environment of this API key."),
    )
}

fn check_address(
    parts: &Parts,
    state: &AppState,
    allow_list: &[String],
    whose: &str,
) -> Result<(), Refused> {
    if allow_list.is_empty() {
        return Ok(());
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let address = address::caller(peer, &parts.headers, &state.trusted_proxies);
    if address::allowed(address, allow_list) {
        return Ok(());
    }
    let from = address.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string());
    Err(Refused::new(
        Code::PlatformIpNotWhitelisted,
        format!("{whose} may not be used from {from}."),
    ))
}

/// The integration that the header names, as text: nothing is proven of it yet.
#[derive(Debug, Clone)]
pub struct NamedIntegration(pub String);

impl<S: Sync> FromRequestParts<S> for NamedIntegration {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let invalid = |message: &str| {
            Refused::from(
                Fault::new(Code::PlatformInputInvalid, message)
                    .hint("It is the id of an integration, and has the form `<tool>:<id>`."),
            )
        };
        match parts.headers.get(INTEGRATION_HEADER).map(|value| value.to_str()) {
            Some(Ok(id)) if !id.trim().is_empty() => Ok(Self(id.trim().to_owned())),
            Some(_) => Err(invalid("The header `X-Integration-Id` holds no id.")),
            None => Err(invalid("The header `X-Integration-Id` is missing.")),
        }
    }
}

/// An integration of the caller's environment.
#[derive(Debug, Clone)]
pub struct ForIntegration {
    /// What may be seen of it.
    pub scope: IntegrationScope,
    /// The integration.
    pub integration: Integration,
}

impl ForIntegration {
    /// The integration with this id, if it is one of the caller's environment.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INTEGRATION_NOT_FOUND`, with the same words whether it is somebody else's or
    /// nobody's.
    pub async fn find(
        state: &AppState,
        caller: &Caller,
        call: Option<&Call>,
        id: &str,
    ) -> Result<Self, Refused> {
        let found = state.store.integration_find(&caller.scope, id).await.map_err(unavailable)?;
        let (scope, integration) = found.ok_or_else(|| not_found(id))?;
        if let Some(call) = call {
            call.of_integration(&integration.id);
        }
        Ok(Self { scope, integration })
    }
}

impl FromRequestParts<AppState> for ForIntegration {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refused> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let NamedIntegration(id) = NamedIntegration::from_request_parts(parts, state).await?;
        let call = parts.extensions.get::<Arc<Call>>().cloned();
        Self::find(state, &caller, call.as_deref(), &id).await
    }
}

/// The one variable part of a path, as text.
#[derive(Debug, Clone)]
pub struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| not_text(parts.uri.path()))?;
        Ok(Self(text))
    }
}

/// The two variable parts of a path, as text.
#[derive(Debug, Clone)]
pub struct PathPair(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPair {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let pair = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((first, second)) = pair.map_err(|_| not_text(parts.uri.path()))?;
        Ok(Self(first, second))
    }
}

fn not_text(path: &str) -> Refused {
    Refused::new(
        Code::PlatformInputInvalid,
        format!("The path {path} is not percent-encoded UTF-8."),
    )
}

/// The integration that the path names, of the caller's environment.
#[derive(Debug, Clone)]
pub struct IntegrationInPath(pub ForIntegration);

impl FromRequestParts<AppState> for IntegrationInPath {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refused> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let PathPart(id) = PathPart::from_request_parts(parts, state).await?;
        let call = parts.extensions.get::<Arc<Call>>().cloned();
        Ok(Self(ForIntegration::find(state, &caller, call.as_deref(), &id).await?))
    }
}

/// A failure of the store. The caller learns that it is ours, the log learns the cause.
pub(crate) fn unavailable(error: cadre_store::Error) -> Refused {
    Fault::unknown(error).into()
}
