//! `/v1/integrations/{integration_id}`: what an integration is, switching it, deleting it.

use axum::extract::State;
use cadre_model::action::{Action, actions};
use cadre_model::email::is_email;
use cadre_model::model::ModelDef;
use cadre_model::registry;
use cadre_model::time::wire;
use cadre_store::{Integration, IntegrationStatus, ScopeConfig};
use serde::Serialize;
use serde_json::{Value, json};

use crate::assets;
use crate::body::JsonBody;
use crate::gate::{self, Offered};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, IntegrationInPath, unavailable};
use crate::state::AppState;

/// An integration.
#[derive(Debug, Serialize)]
pub struct IntegrationOut {
    id: String,
    tool: ToolOut,
    category: String,
    status: &'static str,
    setup_status: &'static str,
    end_user: EndUserOut,
    scope_config: ScopeConfigOut,
    data_expired_at: Option<String>,
    created_at: String,
    beta: bool,
    read_models: Vec<CoveredOut>,
    write_actions: Vec<CoveredOut>,
}

#[derive(Debug, Serialize)]
struct ToolOut {
    id: String,
    label: String,
    internal_label: Option<String>,
    logo_url: String,
    icon_url: String,
}

#[derive(Debug, Serialize)]
struct EndUserOut {
    organization_name: String,
    creator_email: Option<String>,
    origin_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct ScopeConfigOut {
    id: String,
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct CoveredOut {
    id: &'static str,
    label: &'static str,
    is_available: bool,
    coverage_status: &'static str,
    scope_config_setting: &'static str,
    opted_out_by_customer: bool,
    fields: Vec<FieldOut>,
}

#[derive(Debug, Serialize)]
struct FieldOut {
    id: &'static str,
    is_available: bool,
    coverage_status: &'static str,
    scope_config_setting: &'static str,
    opted_out_by_customer: bool,
}

/// What an integration is, with what can be read of it.
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    IntegrationInPath(here): IntegrationInPath,
) -> Result<Data<IntegrationOut>, Refused> {
    let integration = here.integration;
    let config = gate::scope_config(&state, &caller.scope, &integration).await?;
    let offered = gate::offered(&state, &integration);
    let read_models = registry::models()
        .iter()
        .filter(|model| model.category.as_str() == integration.category)
        .map(|model| read_model(model, &offered, &config))
        .collect();
    let write_actions = actions()
        .filter(|action| action.category.as_str() == integration.category)
        .map(|action| write_action(&state, &integration, action, &config))
        .collect();
    let logo_url = assets::logo_url(&state, &integration.tool);
    Ok(Data(IntegrationOut {
        tool: ToolOut {
            label: gate::label(&state, &integration),
            id: integration.tool,
            internal_label: None,
            icon_url: logo_url.clone(),
            logo_url,
        },
        id: integration.id,
        category: integration.category,
        status: integration.status.as_str(),
        setup_status: integration.setup_status.as_str(),
        end_user: EndUserOut {
            organization_name: integration.end_user.organization_name,
            // Clients refuse the whole answer for an address that does not look like one.
            creator_email: integration.end_user.creator_email.filter(|email| is_email(email)),
            origin_id: integration.end_user.origin_id,
        },
        scope_config: ScopeConfigOut { id: config.id, name: config.name },
        data_expired_at: integration.data_expired_at.map(wire),
        created_at: wire(integration.created_at),
        beta: false,
        read_models,
        write_actions,
    }))
}

/// The fields that an action takes from callers, and whether the tool takes each.
pub(crate) fn action_fields(
    state: &AppState,
    tool: &str,
    action: &'static Action,
) -> impl Iterator<Item = (&'static str, bool)> {
    let entry = state.catalog.get(tool);
    action.body.iter().map(move |field| {
        let section = entry.as_ref().and_then(|entry| entry.connector.actions().get(action.id));
        (field.name, section.is_some_and(|section| section.names(field.name)))
    })
}

fn write_action(
    state: &AppState,
    integration: &Integration,
    action: &'static Action,
    config: &ScopeConfig,
) -> CoveredOut {
    let covered = gate::can_do(state, &integration.tool, action.id);
    let setting = config.action(action.id);
    let enabled = covered && config.action_enabled(action.id);
    let field = |(id, taken)| FieldOut {
        id,
        is_available: enabled && taken,
        coverage_status: coverage_status(taken),
        scope_config_setting: setting.as_str(),
        opted_out_by_customer: false,
    };
    CoveredOut {
        id: action.id,
        label: action.label,
        is_available: enabled,
        coverage_status: coverage_status(covered),
        scope_config_setting: setting.as_str(),
        opted_out_by_customer: config.is_opted_out(action.id),
        fields: action_fields(state, &integration.tool, action).map(field).collect(),
    }
}

fn read_model(model: &'static ModelDef, offered: &Offered, config: &ScopeConfig) -> CoveredOut {
    let covered = offered.model(model.id);
    let setting = config.model(model.id).as_str();
    let enabled = covered && config.model_enabled(model.id);
    let field = |name: &'static str| {
        let filled = offered.field(model.id, name);
        let setting = config.field(model.id, name).as_str();
        FieldOut {
            id: name,
            is_available: enabled && filled && config.field_enabled(model.id, name),
            coverage_status: coverage_status(filled),
            scope_config_setting: setting,
            opted_out_by_customer: config.is_opted_out(&format!("{}.{name}", model.id)),
        }
    };
    CoveredOut {
        id: model.id,
        label: model.label,
        is_available: enabled,
        coverage_status: coverage_status(covered),
        scope_config_setting: setting,
        opted_out_by_customer: config.is_opted_out(model.id),
        fields: field_names(model).map(field).collect(),
    }
}

/// The names that coverage speaks of: own fields, and relations that the record itself names.
pub(crate) fn field_names(model: &'static ModelDef) -> impl Iterator<Item = &'static str> {
    let own = model.shape.fields.iter().map(|field| field.name);
    own.chain(model.links().map(|relation| relation.name))
}

pub(crate) const fn coverage_status(covered: bool) -> &'static str {
    if covered { "SUPPORTED" } else { "NOT_IMPLEMENTED" }
}

/// Switches an integration on or off. Switched off, it is neither synced nor read.
pub async fn put_enabled(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<Value>, Refused> {
    let Some(enabled) = body.0.get("value").and_then(Value::as_bool) else {
        return Err(body.wrong("value", "`true` or `false`"));
    };
    let wanted = match (enabled, here.integration.status) {
        (true, IntegrationStatus::Inactive) => Some((IntegrationStatus::Active, None)),
        // Credentials that do not work do not begin to by switching.
        (true, _) | (false, IntegrationStatus::Inactive) => None,
        (false, _) => Some((IntegrationStatus::Inactive, Some("Switched off through the API."))),
    };
    if let Some((status, reason)) = wanted {
        let store = &state.store;
        store.integration_status_set(&here.scope, status, reason).await.map_err(unavailable)?;
        if enabled {
            // Due at once; the worker looks at what is due.
            let now = state.clock.now_ms();
            store.integration_next_sync_set(&here.scope, Some(now)).await.map_err(unavailable)?;
            state.wake.notify_one();
        }
    }
    Ok(Data(json!({})))
}

/// Deletes an integration. Its data is erased by upkeep later.
pub async fn delete(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    _body: JsonBody,
) -> Result<Data<Value>, Refused> {
    cadre_jobs::hooks::unsubscribe(&state.parts, &here.scope).await;
    state.store.integration_delete(&here.scope).await.map_err(unavailable)?;
    Ok(Data(json!({})))
}
