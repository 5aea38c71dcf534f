//! What stands between a caller and the records of an integration, in the order in which it is
//! looked at.

use std::sync::Arc;

use cadre_model::action::Action;
use cadre_model::fault::{Code, Fault};
use cadre_model::live::LiveRead;
use cadre_model::model::ModelDef;
use cadre_store::{
    EnvironmentScope, Integration, IntegrationScope, IntegrationStatus, InteractionKind, QaStatus,
    RunState, ScopeConfig, SetupStatus,
};

use crate::api::force_sync::inactive;
use crate::limit::Slot;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::scope::{ForIntegration, unavailable};
use crate::state::{AppState, Coverage, LIVE_AT_ONCE};

/// What the tool of an integration offers.
#[derive(Debug, Clone)]
pub struct Offered(Option<Arc<Coverage>>);

impl Offered {
    /// Whether the tool offers the model.
    #[must_use]
    pub fn model(&self, model: &str) -> bool {
        // Without its connector nothing is known of a tool; what was read before stays readable.
        self.0.as_ref().is_none_or(|coverage| coverage.contains_key(model))
    }

    /// Whether the tool fills the field of the model.
    #[must_use]
    pub fn field(&self, model: &str, field: &str) -> bool {
        let Some(coverage) = &self.0 else { return true };
        coverage.get(model).is_some_and(|fields| fields.contains(field))
    }
}

/// What the tool of the integration offers, with the integration's own mapping counted in.
#[must_use]
pub fn offered(state: &AppState, integration: &Integration) -> Offered {
    let built_in = state.coverage(&integration.tool);
    if integration.mapping.is_none() {
        return Offered(built_in);
    }
    let own = state.catalog.get(&integration.tool).and_then(|entry| {
        // A mapping that cannot be used is the sync's to report; here the connector's own counts.
        let maps = entry.maps_for(integration).ok()?;
        Some(Arc::new(maps.iter().map(|map| (map.model().id, map.offered_fields())).collect()))
    });
    Offered(own.or(built_in))
}

/// The scope configuration of an integration.
///
/// # Errors
///
/// `PLATFORM.UNKNOWN_ERROR` when the database cannot be reached.
pub async fn scope_config(
    state: &AppState,
    environment: &EnvironmentScope,
    integration: &Integration,
) -> Result<ScopeConfig, Refused> {
    state.store.scope_config_of(environment, integration).await.map_err(unavailable)
}

/// Whether records of the model may be read now.
///
/// # Errors
///
/// The first reason why not.
pub async fn readable(
    state: &AppState,
    here: &ForIntegration,
    config: &ScopeConfig,
    offered: &Offered,
    model: &ModelDef,
) -> Result<(), Refused> {
    let integration = &here.integration;
    switched_on(here)?;
    set_up(state, here).await?;
    if !offered.model(model.id) {
        return Err(Refused::new(
            Code::IntegrationModelNotAvailable,
            format!(
                "The model {} ({}) is not available for {}.",
                model.id,
                model.label,
                label(state, integration)
            ),
        ));
    }
    if !config.model_enabled(model.id) {
        return Err(Refused::new(
            Code::IntegrationModelDisabled,
            format!(
                "The model {} ({}) is switched off in the scope configuration {} of `{}`.",
                model.id,
                model.label,
                config.name.as_deref().unwrap_or(&config.id),
                integration.id
            ),
        ));
    }
    Ok(())
}

/// Whether an action of the integration, or a live read, may be done now.
///
/// # Errors
///
/// The first reason why not.
pub async fn doable(
    state: &AppState,
    here: &ForIntegration,
    config: &ScopeConfig,
    read: &LiveRead,
) -> Result<(), Refused> {
    let integration = &here.integration;
    let entry = state.catalog.get(&integration.tool);
    let offered = entry.is_some_and(|entry| entry.live.contains_key(read.id));
    switched_on(here)?;
    set_up(state, here).await?;
    permitted(state, here, config, (read.id, read.label), offered)
}

/// Whether the tool may be asked to do this now.
///
/// # Errors
///
/// The first reason why not.
pub async fn permits(
    state: &AppState,
    here: &ForIntegration,
    config: &ScopeConfig,
    action: &Action,
) -> Result<(), Refused> {
    let offered = can_do(state, &here.integration.tool, action.id);
    switched_on(here)?;
    set_up(state, here).await?;
    permitted(state, here, config, (action.id, action.label), offered)
}

/// Whether assessments can be ordered in the tool, and the integration is on.
///
/// # Errors
///
/// The first reason why not.
pub fn orders(state: &AppState, here: &ForIntegration) -> Result<(), Refused> {
    switched_on(here)?;
    let entry = state.catalog.get(&here.integration.tool);
    if entry.is_some_and(|entry| entry.connector.manifest().assessment.is_some()) {
        return Ok(());
    }
    let label = label(state, &here.integration);
    let words = format!("Assessments cannot be ordered in {label}.");
    Err(Refused::new(Code::IntegrationActionNotAvailable, words))
}

/// Whether the tool can do this.
#[must_use]
pub fn can_do(state: &AppState, tool: &str, action: &str) -> bool {
    let entry = state.catalog.get(tool);
    entry.is_some_and(|entry| entry.connector.actions().contains_key(action))
}

/// Whether requests may be passed through to the tool now.
///
/// # Errors
///
/// The first reason why not.
pub fn passable(
    state: &AppState,
    here: &ForIntegration,
    config: &ScopeConfig,
) -> Result<(), Refused> {
    let entry = state.catalog.get(&here.integration.tool);
    let offered = entry.is_some_and(|entry| !entry.connector.manifest().passthrough.is_empty());
    switched_on(here)?;
    permitted(state, here, config, ("passthrough", "Pass a request through"), offered)
}

/// Room for one piece of live work; the call is of this kind from now on.
///
/// # Errors
///
/// `PLATFORM.CONCURRENCY_LIMIT_EXCEEDED` when there is none.
pub async fn room(
    state: &AppState,
    call: &Call,
    scope: &IntegrationScope,
    kind: InteractionKind,
) -> Result<Slot, Refused> {
    match state.live_slot(scope).await {
        Ok(slot) => {
            call.asks_the_tool(kind, slot.limit, slot.remaining);
            Ok(slot)
        }
        Err(fault) => {
            call.asks_the_tool(kind, LIVE_AT_ONCE, 0);
            Err(fault.into())
        }
    }
}

/// Says on an answer that is refused before that how much room there is.
pub async fn tell_room(
    state: &AppState,
    call: &Call,
    scope: &IntegrationScope,
    kind: InteractionKind,
) {
    // The refusal counts; without a database it says so itself.
    if let Ok(taken) = state.store.live_slots(scope).await {
        call.asks_the_tool(kind, LIVE_AT_ONCE, LIVE_AT_ONCE.saturating_sub(taken));
    }
}

/// Whether the integration is on.
fn switched_on(here: &ForIntegration) -> Result<(), Refused> {
    let integration = &here.integration;
    if integration.status == IntegrationStatus::Inactive {
        return Err(inactive(&integration.id).into());
    }
    Ok(())
}

/// Whether the tool can do it, and nobody switched it off.
fn permitted(
    state: &AppState,
    here: &ForIntegration,
    config: &ScopeConfig,
    (id, words): (&str, &str),
    offered: bool,
) -> Result<(), Refused> {
    let integration = &here.integration;
    if !offered {
        return Err(Refused::new(
            Code::IntegrationActionNotAvailable,
            format!(
                "The action {id} ({words}) is not available for {}.",
                label(state, integration)
            ),
        ));
    }
    if !config.action_enabled(id) {
        return Err(Refused::new(
            Code::IntegrationActionDisabled,
            format!(
                "The action {id} ({words}) is switched off in the scope configuration {} of `{}`.",
                config.name.as_deref().unwrap_or(&config.id),
                integration.id
            ),
        ));
    }
    Ok(())
}

/// Whether the integration is set up, and its first sync has passed.
async fn set_up(state: &AppState, here: &ForIntegration) -> Result<(), Refused> {
    let integration = &here.integration;
    match (integration.setup_status, integration.qa_status) {
        (SetupStatus::Incomplete, _) => Err(Refused::new(
            Code::IntegrationSetupIncomplete,
            format!("The set-up of `{}` has steps that are not finished yet.", integration.id),
        )),
        (_, QaStatus::Failed) => Err(Refused::new(
            Code::IntegrationQaFailed,
            format!("The first sync of `{}` did not pass its quality checks.", integration.id),
        )),
        (SetupStatus::FinalSyncPending, _) => Err(pending(state, here).await?),
        (SetupStatus::Completed, _) if integration.first_synced_at.is_none() => {
            Err(pending(state, here).await?)
        }
        (SetupStatus::Completed, _) => Ok(()),
    }
}

/// Why there is nothing to read yet: the first sync is on its way, or it failed for a reason that
/// somebody must remove first.
async fn pending(state: &AppState, here: &ForIntegration) -> Result<Refused, Refused> {
    let latest = state.store.run_latest(&here.scope).await.map_err(unavailable)?;
    let id = &here.integration.id;
    let waiting = |words: &str| {
        Refused::from(
            Fault::new(
                Code::IntegrationSetupSyncPending,
                format!("The first sync of `{id}` has not ended successfully yet{words}."),
            )
            .hint("Ask again later, or wait for the webhook that tells of its end."),
        )
    };
    let Some(run) = latest else { return Ok(waiting("")) };
    let reason = run.reason.unwrap_or_default();
    Ok(match run.state {
        RunState::Queued | RunState::Running => waiting(""),
        _ => match run.code.as_deref().and_then(Code::parse) {
            Some(
                code
                @ (Code::IntegrationAuthenticationInvalid | Code::IntegrationPermissionMissing),
            ) => {
                let words = format!("The first sync of `{id}` failed. {reason}");
                Refused::new(code, words.trim_end())
            }
            _ if reason.is_empty() => waiting(""),
            _ => waiting(&format!("; the latest try said: {}", reason.trim_end_matches('.'))),
        },
    })
}

/// What people call the tool.
pub(crate) fn label(state: &AppState, integration: &Integration) -> String {
    let entry = state.catalog.get(&integration.tool);
    entry.map_or_else(|| integration.tool.clone(), |entry| entry.connector.manifest().label.clone())
}
