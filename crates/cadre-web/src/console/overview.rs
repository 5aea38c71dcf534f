//! `GET /`: the integrations, their latest syncs, the latest interactions.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cadre_store::{
    EnvironmentKind, Error, Integration, IntegrationStatus, InteractionFilter, Run, RunState,
};

use super::page::{Badge, Environment, Visitor, html, moment};
use crate::gate;
use crate::scope::unavailable;
use crate::state::AppState;

/// Interactions that the page shows of each environment.
const INTERACTIONS: u32 = 30;

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct Overview {
    environments: Vec<EnvironmentOut>,
}

#[derive(Debug)]
struct EnvironmentOut {
    name: String,
    kind: &'static str,
    integrations: Vec<IntegrationOut>,
    interactions: Vec<InteractionOut>,
}

#[derive(Debug)]
struct IntegrationOut {
    id: String,
    tool: String,
    organisation: String,
    status: Badge,
    run: Option<RunOut>,
    next_sync: String,
}

#[derive(Debug)]
struct RunOut {
    badge: Badge,
    at: String,
    reason: Option<String>,
    log: Option<String>,
}

#[derive(Debug)]
struct InteractionOut {
    id: String,
    title: String,
    started: String,
    integration: String,
    badge: Badge,
}

/// Shows the overview.
pub async fn get(State(state): State<AppState>, visitor: Visitor) -> Response {
    let mut environments = Vec::new();
    for environment in visitor.environments {
        match show(&state, environment).await {
            Ok(shown) => environments.push(shown),
            Err(error) => return unavailable(error).into_response(),
        }
    }
    html(&Overview { environments })
}

async fn show(state: &AppState, environment: Environment) -> Result<EnvironmentOut, Error> {
    let Environment { name, scope } = environment;
    let store = &state.store;
    let mut integrations = Vec::new();
    for integration in store.integration_list(&scope).await? {
        let latest = match store.integration_scope(&scope, &integration.id).await? {
            Some(scope) => store.run_latest(&scope).await?,
            None => None,
        };
        integrations.push(integration_out(state, integration, latest));
    }
    let filter = InteractionFilter { limit: INTERACTIONS, ..InteractionFilter::default() };
    let interactions = store
        .interaction_list(&scope, &filter)
        .await?
        .into_iter()
        .map(|interaction| InteractionOut {
            badge: Badge::result(&interaction),
            id: interaction.id,
            title: interaction.title,
            started: moment(interaction.started_at),
            integration: interaction.integration_id.unwrap_or_default(),
        })
        .collect();
    let kind = match scope.kind() {
        EnvironmentKind::Production => "Production environment",
        EnvironmentKind::Development => "Development environment",
    };
    Ok(EnvironmentOut { name, kind, integrations, interactions })
}

fn integration_out(state: &AppState, integration: Integration, run: Option<Run>) -> IntegrationOut {
    let status = match integration.status {
        IntegrationStatus::Active => Badge::good("active"),
        IntegrationStatus::Invalid => Badge::bad("credentials invalid"),
        IntegrationStatus::Inactive => Badge::plain("inactive"),
    };
    IntegrationOut {
        tool: gate::label(state, &integration),
        organisation: integration.end_user.organization_name,
        status,
        run: run.map(run_out),
        next_sync: integration.next_sync_at.map_or_else(|| "not planned".to_owned(), moment),
        id: integration.id,
    }
}

fn run_out(run: Run) -> RunOut {
    let badge = match run.state {
        RunState::Queued => Badge::plain("queued"),
        RunState::Running => Badge::plain("running"),
        RunState::Succeeded => Badge::good("succeeded"),
        RunState::PartiallyFailed => Badge::bad("partially failed"),
        RunState::Failed => Badge::bad("failed"),
        RunState::AuthenticationFailed => Badge::bad("authentication failed"),
        RunState::TimedOut => Badge::bad("timed out"),
        RunState::Cancelled => Badge::plain("cancelled"),
    };
    RunOut {
        badge,
        at: moment(run.ended_at.or(run.started_at).unwrap_or(run.created_at)),
        reason: run.reason.filter(|reason| !reason.is_empty()),
        log: run.interaction_id,
    }
}
