//! `/v1/integrations/{id}/setup`: the steps of an integration's set-up, and the filter of employees.

use axum::extract::State;
use cadre_jobs::setup::{Step, change, filter_fields, filter_of, steps};
use cadre_model::fault::Code;
use cadre_store::{EmployeeFilter, FilterChoice};
use serde::Serialize;
use serde_json::Value;

use crate::body::JsonBody;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, ForIntegration, IntegrationInPath, unavailable};
use crate::state::AppState;

/// Where a set-up stands.
#[derive(Debug, Serialize)]
pub struct SetupOut {
    setup_status: &'static str,
    filtering: bool,
    field_mapping: bool,
    steps: Vec<StepOut>,
    filter: Option<EmployeeFilter>,
    choices: Vec<ChoiceOut>,
}

#[derive(Debug, Serialize)]
struct StepOut {
    id: String,
    required: bool,
    done: bool,
}

#[derive(Debug, Serialize)]
struct ChoiceOut {
    field: String,
    value: String,
    label: String,
    employees: u64,
}

impl From<FilterChoice> for ChoiceOut {
    fn from(choice: FilterChoice) -> Self {
        let FilterChoice { field, value, label, employees } = choice;
        Self { field, value, label, employees }
    }
}

/// Where the set-up stands, and what employees can be chosen by.
pub async fn get(
    State(state): State<AppState>,
    IntegrationInPath(here): IntegrationInPath,
) -> Result<Data<SetupOut>, Refused> {
    shown(&state, here).await
}

async fn shown(state: &AppState, here: ForIntegration) -> Result<Data<SetupOut>, Refused> {
    let setup = &here.integration.setup;
    let choices = state.store.filter_choices(&here.scope).await.map_err(unavailable)?;
    let entry = state.catalog.get(&here.integration.tool);
    let steps = entry.as_ref().map(|entry| steps(entry, setup)).unwrap_or_default();
    let step = |step: &Step<'_>| StepOut {
        id: step.id().to_owned(),
        required: step.is_required(),
        done: step.is_done(setup),
    };
    Ok(Data(SetupOut {
        setup_status: here.integration.setup_status.as_str(),
        filtering: setup.filtering,
        field_mapping: setup.field_mapping,
        steps: steps.iter().map(step).collect(),
        filter: setup.filter.clone(),
        choices: choices.into_iter().map(ChoiceOut::from).collect(),
    }))
}

/// Switches steps on and off, and sets the filter. What is not named stays as it is.
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<SetupOut>, Refused> {
    let mut problems = Vec::new();
    let flag = |name: &str, problems: &mut Vec<String>| match body.0.get(name) {
        None => None,
        Some(Value::Bool(flag)) => Some(*flag),
        Some(other) => {
            problems.push(format!("`body.{name}`: expected `true` or `false`, got {other}"));
            None
        }
    };
    let filtering = flag("filtering", &mut problems);
    let field_mapping = flag("field_mapping", &mut problems);
    if filtering == Some(true) && here.integration.category != "HRIS" {
        problems.push("`body.filtering`: expected `false`: filters are of employees".to_owned());
    }
    let entry = state.catalog.get(&here.integration.tool);
    let config = state.store.scope_config_of(&caller.scope, &here.integration).await;
    let config = config.map_err(unavailable)?;
    let known: Vec<_> =
        entry.as_deref().map(|entry| filter_fields(entry, &config).collect()).unwrap_or_default();
    let filter = match body.0.get("filter") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => match filter_of(value, &known) {
            Ok(filter) => Some(Some(filter)),
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(|words| words.replacen('`', "`body.", 1)));
                None
            }
        },
    };
    if !problems.is_empty() {
        let words = format!("Invalid request: {}.", problems.join("; "));
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    }
    change(&state.store, &here.scope, |setup| {
        setup.filtering = filtering.unwrap_or(setup.filtering);
        setup.field_mapping = field_mapping.unwrap_or(setup.field_mapping);
        if let Some(filter) = filter {
            setup.filter = filter;
        }
    })
    .await?;
    state.wake.notify_one();
    let here = ForIntegration::find(&state, &caller, None, here.scope.id()).await?;
    shown(&state, here).await
}
