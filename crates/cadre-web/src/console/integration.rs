//! `/env/{env}/integrations/{integration}`: one linked account, and switching, syncing, deleting it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::registry;
use cadre_store::{IntegrationState, IntegrationStatus, RunKind, RunState, RunTrigger};

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, duration, grouped, html, see_other};
use super::shell::{Chosen, Header, Shell};
use crate::gate;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "integration.html")]
struct Integration {
    shell: Shell,
    header: Header,
    steps: Vec<String>,
    busy: bool,
    inactive: bool,
    creator: Option<String>,
    origin: Option<String>,
    category: String,
    scope_config: String,
    created: Moment,
    first_synced: Option<Moment>,
    next_sync: Option<Moment>,
    interval: String,
    expired: Option<Moment>,
    latest: Option<Latest>,
    models: Vec<ModelOut>,
}

#[derive(Debug)]
struct Latest {
    id: String,
    badge: Badge,
    at: Moment,
    reason: Option<String>,
}

#[derive(Debug)]
struct ModelOut {
    id: &'static str,
    label: &'static str,
    count: String,
    known: Option<Moment>,
    age: Option<String>,
    fresh: Badge,
    changed: Option<Moment>,
}

/// Shows an integration.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let integration = &chosen.found.integration;
    let config = state.store.scope_config_of(&chosen.here.scope, integration).await?;
    let latest = state.store.run_latest(&chosen.scope).await?;
    let busy = matches!(chosen.found.latest, Some(RunState::Queued | RunState::Running));
    let page = Integration {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "overview"),
        steps: steps(&state, &chosen),
        busy,
        inactive: integration.status == IntegrationStatus::Inactive,
        creator: integration.end_user.creator_email.clone(),
        origin: integration.end_user.origin_id.clone(),
        category: integration.category.clone(),
        scope_config: config.name.unwrap_or(config.id),
        created: Moment(integration.created_at),
        first_synced: integration.first_synced_at.map(Moment),
        next_sync: integration.next_sync_at.map(Moment),
        interval: duration(integration.sync_interval_ms),
        expired: integration.data_expired_at.map(Moment),
        latest: latest.map(|run| Latest {
            badge: Badge::run(run.state),
            at: Moment(run.ended_at.or(run.started_at).unwrap_or(run.created_at)),
            reason: run.reason.filter(|reason| !reason.is_empty()),
            id: run.id,
        }),
        models: models(&state, &chosen).await?,
    };
    Ok(html(&page))
}

async fn models(state: &AppState, chosen: &Chosen) -> Result<Vec<ModelOut>, Trouble> {
    let integration = &chosen.found.integration;
    let now = state.clock.now_ms();
    let stats = state.store.records_stats(&chosen.scope).await?;
    let marks = state.store.model_marks(&chosen.scope).await?;
    let offered = gate::offered(state, integration);
    let mut rows = Vec::new();
    for model in registry::models() {
        let of = stats.iter().find(|of| of.model == model.id);
        let known = marks.iter().find(|(id, _)| id == model.id).map(|(_, at)| *at);
        let belongs = model.category.as_str() == integration.category;
        if of.is_none() && known.is_none() && !(belongs && offered.model(model.id)) {
            continue;
        }
        let age = known.map(|at| (now - at).max(0));
        rows.push(ModelOut {
            id: model.id,
            label: model.label,
            count: grouped(of.map_or(0, |of| i64::try_from(of.count).unwrap_or(i64::MAX))),
            known: known.map(Moment),
            age: age.map(duration),
            fresh: freshness(age, integration.sync_interval_ms),
            changed: of.map(|of| Moment(of.changed_at)),
        });
    }
    Ok(rows)
}

/// Data is fresh within two intervals: one for the pause, one for the sync.
fn freshness(age: Option<i64>, interval: i64) -> Badge {
    match age {
        None => Badge::plain("not read whole yet"),
        Some(age) if age <= 2 * interval => Badge::good("fresh"),
        Some(age) if age <= 8 * interval => Badge::warn("getting old"),
        Some(_) => Badge::bad("stale"),
    }
}

/// What somebody should do now, in words.
fn steps(state: &AppState, chosen: &Chosen) -> Vec<String> {
    let integration = &chosen.found.integration;
    let mut steps: Vec<String> =
        what_to_do(chosen.found.state).iter().map(|step| (*step).to_owned()).collect();
    if let Some(reason) = &integration.status_reason
        && chosen.found.state == IntegrationState::CredentialsInvalid
    {
        steps.push(reason.clone());
    }
    if state.catalog.get(&integration.tool).is_none() {
        let tool = &integration.tool;
        steps.push(format!(
            "This server has no connector for {tool}. Add it, or delete the integration."
        ));
    }
    if chosen.found.open_issues > 0 && chosen.found.state != IntegrationState::Quality {
        steps.push("Open issues wait for an answer on the tab Issues.".to_owned());
    }
    steps
}

/// What a state asks of people.
fn what_to_do(state: IntegrationState) -> &'static [&'static str] {
    match state {
        IntegrationState::CredentialsInvalid => &[
            "The tool refuses the credentials, so syncing has stopped.",
            "Send the customer a reconnection link. Everything that was read stays.",
        ],
        IntegrationState::AuthenticationFailing => &[
            "The tool refuses the credentials. Syncing goes on for three days before it stops.",
            "Ask the customer whether a password, key or permission was changed in the tool; a \
             reconnection link takes new credentials.",
        ],
        IntegrationState::Quality => &[
            "The first sync brought data that looks wrong, so nothing can be read yet.",
            "Look at the tab Issues. If the data is right, accept it there; if not, the customer \
             must usually grant a permission, then sync again.",
        ],
        IntegrationState::Failing => &[
            "The last sync failed; what was read before stays readable. The next one tries again \
             by itself.",
            "If it goes on, open the log of the sync: it names the request that failed, and who \
             must act.",
        ],
        IntegrationState::SetUp => &[
            "The customer has steps of the set-up left. Until they are done nothing can be read.",
            "Remind them of the set-up link. As a last resort an admin can force unlock on the \
             tab Issues.",
        ],
        IntegrationState::Warnings => &["The last sync could not read everything. The receipt on \
             the tab Syncs says what is missing."],
        IntegrationState::FirstSync => &["The first sync is on its way. Reads answer \
             INTEGRATION.SETUP_SYNC_PENDING until it has ended."],
        IntegrationState::Inactive => {
            &["It is switched off: no syncs, and reads answer INTEGRATION.INACTIVE."]
        }
        IntegrationState::Active => &[],
    }
}

/// Asks for a sync now.
pub(super) async fn sync(
    State(state): State<AppState>,
    chosen: Chosen,
    form: Posted,
) -> Result<Response, Trouble> {
    let integration = &chosen.found.integration;
    if integration.status == IntegrationStatus::Inactive {
        return Err(crate::api::force_sync::inactive(&integration.id).into());
    }
    let asked = if form.text("kind") == "DELTA" { RunKind::Delta } else { RunKind::Full };
    let kind = cadre_jobs::possible_kind(&state.catalog, &integration.tool, asked);
    let trigger = RunTrigger::ForceSync;
    let queued = cadre_jobs::enqueue_sync(&state.store, &chosen.scope, kind, trigger).await?;
    state.wake.notify_one();
    chosen.note(&state, "integration.sync", kind.as_str()).await?;
    let done = if queued.already_queued { "sync-there" } else { "sync" };
    Ok(see_other(&format!("{}/syncs?done={done}", chosen.base())))
}

/// Ends the sync that is queued or running.
pub(super) async fn cancel(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let run = state.store.run_cancel(&chosen.scope).await?;
    if let Some(run) = run {
        chosen.note(&state, "integration.sync-cancelled", run).await?;
    }
    Ok(see_other(&format!("{}/syncs?done=cancel", chosen.base())))
}

/// Switches an integration off.
pub(super) async fn pause(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let status = IntegrationStatus::Inactive;
    let words = format!("Switched off in the dashboard by {}.", chosen.here.visitor.actor);
    state.store.integration_status_set(&chosen.scope, status, Some(&words)).await?;
    state.store.run_cancel(&chosen.scope).await?;
    chosen.note(&state, "integration.paused", "").await?;
    Ok(see_other(&format!("{}?done=pause", chosen.base())))
}

/// Switches an integration on.
pub(super) async fn resume(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let status = IntegrationStatus::Active;
    state.store.integration_status_set(&chosen.scope, status, None).await?;
    state.wake.notify_one();
    chosen.note(&state, "integration.resumed", "").await?;
    Ok(see_other(&format!("{}?done=resume", chosen.base())))
}

/// Deletes an integration whose id was typed.
pub(super) async fn delete(
    State(state): State<AppState>,
    chosen: Chosen,
    form: Posted,
) -> Result<Response, Trouble> {
    if form.text("confirm") != chosen.scope.id() {
        return Ok(see_other(&format!("{}?confirm=wrong#delete", chosen.base())));
    }
    cadre_jobs::hooks::unsubscribe(&state.parts, &chosen.scope).await;
    state.store.integration_delete(&chosen.scope).await?;
    let name = chosen.found.integration.end_user.organization_name.clone();
    chosen.note(&state, "integration.deleted", name).await?;
    Ok(see_other(&format!("{}/integrations?done=delete", chosen.here.base())))
}
