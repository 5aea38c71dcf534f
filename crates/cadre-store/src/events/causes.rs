//! What causes events: for each type a function that writes it in the transaction of its cause.

use cadre_model::email::is_email;
use cadre_model::registry::models;
use cadre_model::time::wire;
use serde_json::{Value, json};
use sqlx::Row;

use super::{EventType, NewEvent, append};
use crate::integrations::{EndUser, Integration, read_in};
use crate::runs::RunState;
use crate::store::{Attempt, Error, Tx};

/// Models that callers only see inside of others and that the contract has no name for. A change of one
/// touches the record that shows it, whose model is named.
pub const UNNAMED_MODELS: &[&str] = &["hris_job_positions", "hris_employee_skill_assignments"];

/// An issue whose status changed, as callers are told about it.
#[derive(Debug, Clone)]
pub struct IssueChange {
    /// Its id.
    pub id: String,
    /// What kind of issue it is: `integration.authentication_failed`.
    pub issue_type: String,
    /// What it says in a few words.
    pub title: String,
    /// What it says, and what to do about it.
    pub markdown_message: String,
    /// When it was seen first.
    pub first_observed_at: i64,
    /// When it was resolved; `None` while it is open.
    pub resolved_at: Option<i64>,
}

pub(super) fn end_user(user: &EndUser) -> Value {
    json!({
        "organization_name": user.organization_name,
        // Receivers refuse the whole event for an address that does not look like one.
        "creator_email": user.creator_email.as_deref().filter(|email| is_email(email)),
        "origin_id": user.origin_id,
    })
}

fn about(integration: &Integration, event_type: EventType, payload: Value) -> NewEvent {
    NewEvent {
        event_type,
        integration_id: Some(integration.id.clone()),
        subject: Some(integration.id.clone()),
        payload,
    }
}

fn identity(integration: &Integration) -> Value {
    json!({
        "id": integration.id,
        "tool": integration.tool,
        "category": integration.category,
        "end_user": end_user(&integration.end_user),
    })
}

/// An account was linked.
pub(crate) async fn integration_created(
    tx: &mut Tx,
    integration: &Integration,
    now: i64,
) -> Result<(), Error> {
    let event = about(integration, EventType::IntegrationCreated, identity(integration));
    append(tx, &integration.environment_id, &[event], now).await.map(drop)
}

/// An integration was deleted; it is read as it stands in the transaction.
pub(crate) async fn integration_deleted(
    tx: &mut Tx,
    environment_id: &str,
    integration_id: &str,
    now: i64,
) -> Result<(), Error> {
    let Some(integration) = read_in(tx, environment_id, integration_id).await? else {
        return Ok(());
    };
    let mut payload = identity(&integration);
    payload["deleted_at"] = wire(integration.deleted_at.unwrap_or(now)).into();
    let event = about(&integration, EventType::IntegrationDeleted, payload);
    append(tx, environment_id, &[event], now).await.map(drop)
}

/// State, quality checks or setup of an integration changed; it is read as it stands in the
/// transaction. Only to be called when one of the three is another one than before.
pub(crate) async fn state_changed(
    tx: &mut Tx,
    environment_id: &str,
    integration_id: &str,
    now: i64,
) -> Result<(), Error> {
    let Some(integration) = read_in(tx, environment_id, integration_id).await? else {
        return Ok(());
    };
    let payload = json!({
        "integration_tool": integration.tool,
        "integration_id": integration.id,
        "integration_category": integration.category,
        "end_user": end_user(&integration.end_user),
        "qa_status": integration.qa_status.as_str(),
        "setup_status": integration.setup_status.as_str(),
        "state": integration.status.as_str(),
        "updated_at": wire(now),
    });
    let event = about(&integration, EventType::IntegrationStateChanged, payload);
    append(tx, environment_id, &[event], now).await.map(drop)
}

/// An issue was raised or resolved. `integration_id` is absent for one of the whole environment.
pub(crate) async fn issue_status_changed(
    tx: &mut Tx,
    environment_id: &str,
    integration_id: Option<&str>,
    issue: &IssueChange,
    now: i64,
) -> Result<(), Error> {
    let integration = match integration_id {
        Some(id) => read_in(tx, environment_id, id).await?,
        None => None,
    };
    let (change, status) = match issue.resolved_at {
        None => ("raised", "OPEN"),
        Some(_) => ("resolved", "RESOLVED"),
    };
    let payload = json!({
        "change": change,
        "issue": {
            "id": issue.id,
            "type": issue.issue_type,
            "title": issue.title,
            "status": status,
            "markdown_message": issue.markdown_message,
            "first_observed_at": wire(issue.first_observed_at),
            "resolved_at": issue.resolved_at.map(wire),
        },
        "integration": integration.as_ref().map(identity),
    });
    let event = NewEvent {
        event_type: EventType::IssueStatusChanged,
        integration_id: integration_id.map(str::to_owned),
        subject: Some(format!("issue:{}", issue.id)),
        payload,
    };
    append(tx, environment_id, &[event], now).await.map(drop)
}

/// An account could not be linked.
pub(crate) async fn connection_flow_failed(
    tx: &mut Tx,
    environment_id: &str,
    interaction_id: &str,
    (tool, category): (&str, &str),
    user: &EndUser,
    now: i64,
) -> Result<(), Error> {
    let payload = json!({
        "integration_tool": tool,
        "integration_category": category,
        "end_user": end_user(user),
        "log_url": log_path(interaction_id),
    });
    let event = NewEvent {
        event_type: EventType::ConnectionFlowFailed,
        integration_id: None,
        subject: None,
        payload,
    };
    append(tx, environment_id, &[event], now).await.map(drop)
}

/// A run ended: that it did, and before that which models it changed, when it changed any.
pub(crate) async fn run_ended(
    tx: &mut Tx,
    (environment_id, integration_id): (&str, &str),
    run_id: &str,
    state: RunState,
    now: i64,
) -> Result<(), Error> {
    let row = sqlx::query(
        "SELECT created_at, started_at, interaction_id FROM runs WHERE integration_id = $1 AND id = $2",
    )
    .bind(integration_id)
    .bind(run_id)
    .fetch_optional(&mut **tx)
    .await
    .attempt("read a run")?;
    let integration = read_in(tx, environment_id, integration_id).await?;
    let (Some(row), Some(integration)) = (row, integration) else { return Ok(()) };
    let begun: Option<i64> = row.get("started_at");
    let interaction_id: Option<String> = row.get("interaction_id");
    let mut events = Vec::new();
    if let Some(since) = begun {
        events.extend(changed(tx, &integration, since).await?);
    }
    let started_at = begun.unwrap_or_else(|| row.get("created_at"));
    events.push(about(
        &integration,
        EventType::SyncFinished,
        json!({
            "sync_id": run_id,
            "sync_state": state.as_str(),
            "sync_started_at": wire(started_at),
            "sync_ended_at": wire(now),
            "sync_duration_seconds": (now - started_at).max(0) / 1_000,
            "integration_id": integration.id,
            "integration_tool": integration.tool,
            "integration_category": integration.category,
            "end_user": end_user(&integration.end_user),
            // A run that never began has no log.
            "log_url": interaction_id.as_deref().map_or_else(|| "/".to_owned(), log_path),
        }),
    ));
    append(tx, environment_id, &events, now).await.map(drop)
}

/// Something other than a run changed records since then.
pub(crate) async fn data_changed(
    tx: &mut Tx,
    (environment_id, integration_id): (&str, &str),
    since: i64,
    now: i64,
) -> Result<(), Error> {
    let Some(integration) = read_in(tx, environment_id, integration_id).await? else {
        return Ok(());
    };
    match changed(tx, &integration, since).await? {
        Some(event) => append(tx, environment_id, &[event], now).await.map(drop),
        None => Ok(()),
    }
}

/// Which models changed since then; `None` when none did.
async fn changed(
    tx: &mut Tx,
    integration: &Integration,
    since: i64,
) -> Result<Option<NewEvent>, Error> {
    let changed = changed_models(tx, integration, since).await?;
    let payload = json!({
        "integration_id": integration.id,
        "integration_tool": integration.tool,
        "integration_category": integration.category,
        "changed_models": changed.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
    });
    Ok((!changed.is_empty()).then(|| about(integration, EventType::DataChanged, payload)))
}

/// Models of which a caller who read everything before `since` would now be given something new.
async fn changed_models(
    tx: &mut Tx,
    integration: &Integration,
    since: i64,
) -> Result<Vec<String>, Error> {
    // The names are ours, so that they may stand in the statement.
    let names: Vec<String> = models()
        .iter()
        .filter(|model| !UNNAMED_MODELS.contains(&model.id))
        .map(|model| format!("('{}')", model.id))
        .collect();
    let sql = format!(
        "SELECT column1 FROM (VALUES {}) AS known WHERE EXISTS (
             SELECT 1 FROM records WHERE integration_id = $1 AND model = column1 AND touched_at >= $2)",
        names.join(", ")
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(&integration.id)
        .bind(since)
        .fetch_all(&mut **tx)
        .await
        .attempt("look for what a run changed")?;
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let in_order = models().iter().map(|model| model.id.to_owned());
    Ok(in_order.filter(|id| found.contains(id)).collect())
}

/// Where the log of an interaction is, on whichever server.
fn log_path(interaction_id: &str) -> String {
    format!("/logs/{interaction_id}")
}
