//! Fields beyond the unified model: what an environment wants, what a tool has, which of it fills which.

use axum::extract::{RawQuery, State};
use cadre_jobs::fields::again;
use cadre_model::fault::Code;
use cadre_model::ids::is_id;
use cadre_store::{IntegrationField, SourcedField};
use serde::Serialize;
use serde_json::Value;

use crate::body::JsonBody;
use crate::listing::{DEFAULT_PAGE_SIZE, Pairs, Problem, fault};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, ForIntegration, IntegrationInPath, PathPair, unavailable};
use crate::state::AppState;

/// Most custom fields on a page.
const MOST_CUSTOM_FIELDS: u32 = 250;

/// Most integration fields on a page.
const MOST_INTEGRATION_FIELDS: u32 = 2_000;

/// Records of each model that a preview looks at, so that its answer comes while the caller waits.
const PREVIEWED: u64 = 5_000;

/// A page of anything that is listed by id.
#[derive(Debug, Serialize)]
pub struct PageOut<T> {
    results: Vec<T>,
    next: Option<String>,
}

/// A custom field of an integration.
#[derive(Debug, Serialize)]
pub struct CustomFieldOut {
    id: String,
    key: String,
    integration_field: Option<SourceOut>,
    model: String,
    label: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Serialize)]
struct SourceOut {
    id: String,
    key: String,
    r#type: &'static str,
    label: Option<String>,
}

/// A raw field of an integration.
#[derive(Debug, Serialize)]
pub struct IntegrationFieldOut {
    id: String,
    key: String,
    model: String,
    r#type: &'static str,
    label: Option<String>,
    is_passthrough_enabled: bool,
    is_writable: bool,
}

impl From<SourcedField> for CustomFieldOut {
    fn from(sourced: SourcedField) -> Self {
        let SourcedField { field, source } = sourced;
        let source = source.map(|one| SourceOut {
            id: one.id,
            key: one.key,
            r#type: one.kind.as_str(),
            label: one.label,
        });
        Self {
            id: field.id,
            key: field.key,
            integration_field: source,
            model: field.model,
            label: field.label,
            description: field.description,
        }
    }
}

impl From<IntegrationField> for IntegrationFieldOut {
    fn from(field: IntegrationField) -> Self {
        Self {
            id: field.id,
            key: field.key,
            model: field.model,
            r#type: field.kind.as_str(),
            label: field.label,
            is_passthrough_enabled: field.passed,
            is_writable: false,
        }
    }
}

/// The custom fields of the environment, and what fills each for this integration.
pub async fn custom_list(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    RawQuery(query): RawQuery,
) -> Result<Data<PageOut<CustomFieldOut>>, Refused> {
    let (after, size) = asked(query.as_deref(), MOST_CUSTOM_FIELDS)?;
    let fields = state.store.custom_fields_of(&here.scope).await.map_err(unavailable)?;
    let mut rest = fields.into_iter().filter(|sourced| sourced.field.id > after);
    let results: Vec<CustomFieldOut> =
        rest.by_ref().take(size as usize).map(CustomFieldOut::from).collect();
    let next = rest.next().and(results.last()).map(|last| last.id.clone());
    Ok(Data(PageOut { results, next }))
}

/// Says which integration field fills a custom field.
pub async fn custom_put(
    State(state): State<AppState>,
    caller: Caller,
    PathPair(integration_id, field_id): PathPair,
    body: JsonBody,
) -> Result<Data<CustomFieldOut>, Refused> {
    let here = ForIntegration::find(&state, &caller, None, &integration_id).await?;
    let known = state.store.custom_fields_of(&here.scope).await.map_err(unavailable)?;
    let Some(wanted) = known.into_iter().find(|sourced| sourced.field.id == field_id) else {
        return Err(unknown("custom field", &field_id));
    };
    let source = match body.0.get("integration_field_id") {
        Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        _ => return Err(body.wrong("integration_field_id", "the id of a field, or `null`")),
    };
    if let Some(id) = &source {
        let fields = state.store.integration_fields(&here.scope).await.map_err(unavailable)?;
        let fits = |one: &IntegrationField| one.id == *id && one.model == wanted.field.model;
        if !fields.iter().any(fits) {
            let model = &wanted.field.model;
            let expected = format!("the id of an integration field of `{model}`, or `null`");
            return Err(body.wrong("integration_field_id", &expected));
        }
    }
    let store = &state.store;
    store
        .custom_field_source_set(&here.scope, &field_id, source.as_deref())
        .await
        .map_err(unavailable)?;
    make_again(&state, &here).await?;
    let now = store.custom_fields_of(&here.scope).await.map_err(unavailable)?;
    let now = now.into_iter().find(|sourced| sourced.field.id == field_id).unwrap_or(wanted);
    Ok(Data(now.into()))
}

/// The raw fields that the integration's tool was seen to have.
pub async fn integration_list(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    RawQuery(query): RawQuery,
) -> Result<Data<PageOut<IntegrationFieldOut>>, Refused> {
    let (after, size) = asked(query.as_deref(), MOST_INTEGRATION_FIELDS)?;
    let fields = state.store.integration_fields_after(&here.scope, &after, size + 1).await;
    let mut fields = fields.map_err(unavailable)?;
    let more = fields.len() > size as usize;
    fields.truncate(size as usize);
    let next = fields.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Data(PageOut { results: fields.into_iter().map(Into::into).collect(), next }))
}

/// Says whether records show an integration field.
pub async fn integration_patch(
    State(state): State<AppState>,
    caller: Caller,
    PathPair(integration_id, field_id): PathPair,
    body: JsonBody,
) -> Result<Data<IntegrationFieldOut>, Refused> {
    let here = ForIntegration::find(&state, &caller, None, &integration_id).await?;
    let passed = match body.0.get("enable_passthrough") {
        Some(Value::Bool(passed)) => Some(*passed),
        Some(Value::Null) => None,
        _ => return Err(body.wrong("enable_passthrough", "`true`, `false` or `null`")),
    };
    let fields = state.store.integration_fields(&here.scope).await.map_err(unavailable)?;
    let Some(field) = fields.into_iter().find(|field| field.id == field_id) else {
        return Err(unknown("integration field", &field_id));
    };
    let Some(passed) = passed else { return Ok(Data(field.into())) };
    let changed = state.store.integration_field_pass(&here.scope, &field_id, passed).await;
    let changed = changed.map_err(unavailable)?.unwrap_or(field);
    make_again(&state, &here).await?;
    Ok(Data(changed.into()))
}

/// An integration's own mapping.
#[derive(Debug, Serialize)]
pub struct MappingOut {
    mapping: Option<Value>,
}

/// The integration's own mapping, which goes over the connector's.
pub async fn mapping_get(
    IntegrationInPath(here): IntegrationInPath,
) -> Result<Data<MappingOut>, Refused> {
    Ok(Data(MappingOut { mapping: here.integration.mapping }))
}

/// Sets it, and applies it to what is stored.
pub async fn mapping_put(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<MappingOut>, Refused> {
    let mapping = mapping_of(&body)?;
    again::remap(&state.parts, &here.scope, mapping.as_ref()).await?;
    state.wake.notify_one();
    Ok(Data(MappingOut { mapping }))
}

/// What a mapping would change in the first records of each model.
pub async fn mapping_preview(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<again::Preview>, Refused> {
    let mapping = mapping_of(&body)?;
    let preview = again::preview(&state.parts, &here.scope, mapping.as_ref(), PREVIEWED).await?;
    Ok(Data(preview))
}

fn mapping_of(body: &JsonBody) -> Result<Option<Value>, Refused> {
    match body.0.get("mapping") {
        Some(Value::Null) => Ok(None),
        Some(mapping @ Value::Object(_)) => Ok(Some(mapping.clone())),
        _ => Err(body.wrong("mapping", "an object by model, or `null`")),
    }
}

async fn make_again(state: &AppState, here: &ForIntegration) -> Result<(), Refused> {
    again::ask(&state.store, &here.scope).await.map_err(unavailable)?;
    state.wake.notify_one();
    Ok(())
}

fn unknown(what: &str, id: &str) -> Refused {
    let shown: String = id.chars().take(100).collect();
    Refused::new(
        Code::PlatformInputInvalid,
        format!("There is no {what} `{shown}` for this integration."),
    )
}

/// After which id, and how many.
fn asked(query: Option<&str>, most: u32) -> Result<(String, u32), Refused> {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query, &mut problems);
    let after = pairs.one("cursor", &mut problems).unwrap_or_default().to_owned();
    if !after.is_empty() && !is_id(&after) {
        problems.push(Problem::new("cursor", "the `next` of an earlier page", &after));
    }
    let size = match pairs.one("page_size", &mut problems) {
        None => DEFAULT_PAGE_SIZE,
        Some(text) => {
            let size = text.parse::<u32>().ok().filter(|size| (1..=most).contains(size));
            if size.is_none() {
                let expected = format!("a number from 1 to {most}");
                problems.push(Problem::new("page_size", expected, text));
            }
            size.unwrap_or(DEFAULT_PAGE_SIZE)
        }
    };
    if problems.is_empty() { Ok((after, size)) } else { Err(fault(&problems).into()) }
}
