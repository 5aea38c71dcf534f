//! What an end customer does after signing in: choosing which employees are read, saying which of their
//! fields fill the custom fields, and the tool's own steps.
//!
//! * here: which steps there are, and what becomes of doing one;
//! * [`choices`]: what employees can be chosen by;
//! * [`limit`]: the filter in force, page by page.

pub mod choices;
pub mod limit;

use std::collections::BTreeMap;

use cadre_connector::Account;
pub use cadre_connector::manifest::{ConnectField, SetupStep};
use cadre_model::fault::{Code, Fault};
use cadre_model::registry;
use cadre_store::{
    EmployeeFilter, Error, Integration, IntegrationScope, RunKind, RunTrigger, ScopeConfig, Setup,
    SetupStatus, Store,
};
use serde_json::{Map, Value};

use crate::catalog::Entry;
use crate::connect::Terms;
use crate::enqueue::enqueue_sync;
use crate::settings::Parts;

/// A step of a set-up.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Which of the customer's fields fill the custom fields.
    Fields,
    /// Which employees are read.
    Filters,
    /// A step of the tool's own.
    Tool(&'a SetupStep),
}

impl Step<'_> {
    /// Its name in addresses.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Step::Fields => "fields",
            Step::Filters => "filters",
            Step::Tool(step) => &step.id,
        }
    }

    /// Whether it was done.
    #[must_use]
    pub fn is_done(&self, setup: &Setup) -> bool {
        match self {
            Step::Fields => setup.fields_mapped,
            Step::Filters => setup.filter.is_some(),
            Step::Tool(step) => setup.done.contains(&step.id),
        }
    }

    /// Whether nothing can be read before it was done.
    #[must_use]
    pub fn is_required(&self) -> bool {
        match self {
            Step::Fields | Step::Filters => true,
            Step::Tool(step) => !step.optional,
        }
    }
}

/// The steps of an integration's set-up, in their order.
#[must_use]
pub fn steps<'a>(entry: &'a Entry, setup: &Setup) -> Vec<Step<'a>> {
    let tool = entry.connector.manifest().setup.iter().map(Step::Tool);
    let mut steps: Vec<Step<'a>> = tool.collect();
    if setup.field_mapping {
        steps.push(Step::Fields);
    }
    if setup.filtering {
        steps.push(Step::Filters);
    }
    steps
}

/// The set-up that a new integration begins with. A step that asks nothing of anybody is none: filters
/// are of employees, and fields are mapped where custom fields were defined.
pub(crate) async fn begin(
    parts: &Parts,
    scope: &cadre_store::EnvironmentScope,
    entry: &Entry,
    category: &str,
    terms: &Terms,
) -> Result<Setup, Error> {
    let wanted =
        terms.field_mapping && maps_custom_fields(&parts.store, scope, entry, category).await?;
    let steps = entry.connector.manifest().setup.iter().filter(|step| !step.optional);
    Ok(Setup {
        filtering: terms.filtering && category == "HRIS",
        field_mapping: wanted,
        required: steps.map(|step| step.id.clone()).collect(),
        ..Setup::default()
    })
}

/// Whether the environment has custom fields of models that the connector maps.
///
/// # Errors
///
/// When the database fails.
pub async fn maps_custom_fields(
    store: &Store,
    scope: &cadre_store::EnvironmentScope,
    entry: &Entry,
    category: &str,
) -> Result<bool, Error> {
    let fields = store.custom_fields(scope).await?;
    let of_category =
        |id: &str| registry::model(id).is_some_and(|m| m.category.as_str() == category);
    Ok(fields.iter().any(|field| {
        of_category(&field.model) && entry.maps.iter().any(|map| map.model().id == field.model)
    }))
}

/// What employees of an integration can be chosen by: what the connector fills and the scope
/// configuration lets through.
pub fn filter_fields<'a>(
    entry: &'a Entry,
    config: &'a ScopeConfig,
) -> impl Iterator<Item = &'static limit::FilterField> + 'a {
    let maps = |id: &str| entry.maps.iter().find(|map| map.model().id == id);
    let offered = maps(limit::EMPLOYEES).map(cadre_map::Mapping::offered_fields);
    limit::FIELDS.iter().filter(move |field| {
        offered.as_ref().is_some_and(|offered| offered.contains(field.place))
            && config.field_enabled(limit::EMPLOYEES, field.place)
            && field.model.is_none_or(|model| maps(model).is_some() && config.model_enabled(model))
    })
}

/// Reads a filter that somebody asks for.
///
/// # Errors
///
/// What is wrong with it, by its path.
pub fn filter_of(
    value: &Value,
    known: &[&'static limit::FilterField],
) -> Result<EmployeeFilter, Vec<String>> {
    let Some(object) = value.as_object() else {
        return Err(vec!["`filter`: expected an object of lists by field".to_owned()]);
    };
    let mut filter = EmployeeFilter::new();
    let mut wrong = Vec::new();
    for (name, values) in object {
        if !known.iter().any(|field| field.id == name) {
            let names: Vec<&str> = known.iter().map(|field| field.id).collect();
            wrong.push(format!("`filter.{name}`: expected one of {}", names.join(", ")));
            continue;
        }
        let texts: Option<Vec<String>> = values
            .as_array()
            .map(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        match texts {
            Some(texts) if texts.is_empty() => {}
            Some(texts) => {
                filter.insert(name.clone(), texts);
            }
            None => wrong.push(format!("`filter.{name}`: expected a list of texts")),
        }
    }
    if wrong.is_empty() { Ok(filter) } else { Err(wrong) }
}

/// Changes what an integration's set-up asks for or holds, and has it read accordingly: with open steps
/// only as far as these need, else whole.
///
/// # Errors
///
/// `PLATFORM.UNKNOWN_ERROR` when the database fails.
pub async fn change(
    store: &Store,
    scope: &IntegrationScope,
    change: impl FnOnce(&mut Setup),
) -> Result<Option<Integration>, Fault> {
    let failed = |error: Error| Fault::unknown(format!("change a set-up: {error}"));
    let before = store.integration_get(scope).await.map_err(failed)?;
    let after = store.integration_setup_change(scope, change).await.map_err(failed)?;
    let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
    let ready = before.setup_status == SetupStatus::Incomplete
        && after.setup_status != SetupStatus::Incomplete;
    let unseen = after.setup.is_open() && after.setup.looked_at.is_none();
    if ready || unseen || !after.setup.reads_as(&before.setup) {
        enqueue_sync(store, scope, RunKind::Full, RunTrigger::Setup).await?;
    }
    Ok(Some(after))
}

/// Confirms which employees are read.
///
/// # Errors
///
/// As [`change`].
pub async fn confirm_filter(
    store: &Store,
    scope: &IntegrationScope,
    filter: EmployeeFilter,
) -> Result<(), Fault> {
    change(store, scope, |setup| setup.filter = Some(filter)).await.map(drop)
}

/// Confirms which of the customer's fields fill the custom fields: an integration field, or none, by the
/// id of the custom field.
///
/// # Errors
///
/// As [`change`].
pub async fn confirm_fields(
    store: &Store,
    scope: &IntegrationScope,
    sources: &BTreeMap<String, Option<String>>,
) -> Result<(), Fault> {
    let failed = |error: Error| Fault::unknown(format!("map a field: {error}"));
    for (field, source) in sources {
        store.custom_field_source_set(scope, field, source.as_deref()).await.map_err(failed)?;
    }
    let after = change(store, scope, |setup| setup.fields_mapped = true).await?;
    if after.is_some_and(|integration| integration.first_synced_at.is_some()) {
        crate::fields::again::ask(store, scope).await.map_err(failed)?;
    }
    Ok(())
}

/// Does a step of the tool's own: keeps what its form asks for.
///
/// # Errors
///
/// One problem for each field that is wrong.
pub async fn do_step(
    parts: &Parts,
    (scope, integration): (&IntegrationScope, &Integration),
    step: &SetupStep,
    form: &Map<String, Value>,
) -> Result<Result<(), Vec<cadre_connector::manifest::FieldProblem>>, Fault> {
    let failed = |error: Error| Fault::unknown(format!("do a step of a set-up: {error}"));
    let given = match step.accept(form) {
        Ok(given) => given,
        Err(problems) => return Ok(Err(problems)),
    };
    if !step.fields.is_empty() {
        let store = &parts.store;
        let mut settings = integration.settings.as_object().cloned().unwrap_or_default();
        let mut secrets = store.integration_secrets(scope).await.map_err(failed)?;
        for (name, value) in given.settings.as_object().into_iter().flatten() {
            settings.insert(name.clone(), value.clone());
        }
        secrets.extend(given.secrets);
        let settings = Value::Object(settings);
        store.integration_reconnect(scope, &settings, &secrets).await.map_err(failed)?;
    }
    let id = step.id.clone();
    change(&parts.store, scope, |setup| {
        setup.done.insert(id);
    })
    .await?;
    Ok(Ok(()))
}

/// An account with what the steps of the set-up brought, which the connect form does not ask for again.
pub(crate) async fn with_steps(
    parts: &Parts,
    here: &IntegrationScope,
    integration: &Integration,
    entry: &Entry,
    mut account: Account,
) -> Result<Account, Fault> {
    let steps = &entry.connector.manifest().setup;
    if steps.iter().all(|step| step.fields.is_empty()) {
        return Ok(account);
    }
    let mut secrets = parts.store.integration_secrets(here).await.map_err(Fault::unknown)?;
    for field in steps.iter().flat_map(|step| &step.fields) {
        if let Some(secret) = secrets.remove(&field.name) {
            account.secrets.insert(field.name.clone(), secret);
        }
        if let Some(value) = integration.settings.get(&field.name) {
            account.settings[&field.name] = value.clone();
        }
    }
    Ok(account)
}

/// Why a set-up cannot be forced to its end, if it cannot.
pub(crate) fn holds_back(integration: &Integration) -> Option<Fault> {
    let setup = &integration.setup;
    (setup.filtering && setup.filter.is_none()).then(|| {
        Fault::new(
            Code::PlatformInputInvalid,
            "The customer has not confirmed yet which employees may be read.",
        )
        .hint("Confirm a filter, or switch filtering off, on the tab Set-up; then unlock.")
    })
}
