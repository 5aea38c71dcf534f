//! `cadre integration setup`: the steps of an integration's set-up, and the filter of employees.

use cadre_jobs::Parts;
use cadre_jobs::setup::{change, filter_fields, filter_of, steps};
use cadre_store::{EmployeeFilter, FilterChoice};
use clap::Args;
use serde_json::{Map, Value};

use super::integration::{integration_scope, words};
use crate::Failed;

/// Shows where a set-up stands, or changes what it asks for.
#[derive(Debug, Args)]
pub struct SetupCommand {
    /// Id of the integration.
    id: String,
    /// Whether the customer chooses which employees are read.
    #[arg(long, value_name = "on|off", value_parser = switch)]
    filtering: Option<bool>,
    /// Whether the customer says which of their fields fill your custom fields.
    #[arg(long, value_name = "on|off", value_parser = switch)]
    field_mapping: Option<bool>,
    /// Confirm a filter in the customer's place: a field and its values, separated by commas; may be given
    /// several times. Alone `all` reads every employee.
    #[arg(long = "filter", value_name = "FIELD=VALUE,…")]
    filter: Vec<String>,
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

impl SetupCommand {
    /// Runs the command.
    pub async fn run(self, parts: &Parts) -> Result<(), Failed> {
        let scope = integration_scope(parts, &self.id).await?;
        let failed = |error: cadre_store::Error| error.to_string();
        let found = parts.store.integration_get(&scope).await.map_err(failed)?;
        let integration = found.ok_or_else(|| format!("{} is gone", self.id))?;
        if self.filtering == Some(true) && integration.category != "HRIS" {
            return Err("--filtering: filters are of employees, in the category HRIS".into());
        }
        let filter = self.asked_filter(parts, &integration).await?;
        if self.filtering.is_some() || self.field_mapping.is_some() || filter.is_some() {
            let changed = change(&parts.store, &scope, |setup| {
                setup.filtering = self.filtering.unwrap_or(setup.filtering);
                setup.field_mapping = self.field_mapping.unwrap_or(setup.field_mapping);
                if filter.is_some() {
                    setup.filter = filter;
                }
            });
            changed.await.map_err(words)?;
        }
        show(parts, &self.id).await
    }

    async fn asked_filter(
        &self,
        parts: &Parts,
        integration: &cadre_store::Integration,
    ) -> Result<Option<EmployeeFilter>, Failed> {
        if self.filter.is_empty() {
            return Ok(None);
        }
        if self.filter.iter().any(|one| one == "all") {
            return Ok(Some(EmployeeFilter::new()));
        }
        let mut asked = Map::new();
        for one in &self.filter {
            let (field, values) = one
                .split_once('=')
                .ok_or("--filter: expected FIELD=VALUE,… or all, got a text without \"=\"")?;
            let values: Vec<&str> = values.split(',').map(str::trim).collect();
            asked.insert(field.to_owned(), values.into());
        }
        let failed = |error: cadre_store::Error| error.to_string();
        let environment = parts.store.system_scope(&integration.environment_id).await;
        let environment = environment.map_err(failed)?.ok_or("the environment is gone")?;
        let config = parts.store.scope_config_of(&environment, integration).await;
        let config = config.map_err(failed)?;
        let entry = parts.catalog.get(&integration.tool);
        let known: Vec<_> = entry.iter().flat_map(|entry| filter_fields(entry, &config)).collect();
        let filter = filter_of(&Value::Object(asked), &known);
        filter.map(Some).map_err(|wrong| format!("--filter: {}", wrong.join("; ")))
    }
}

#[expect(clippy::print_stdout, reason = "where the set-up stands is the command's output")]
async fn show(parts: &Parts, id: &str) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let failed = |error: cadre_store::Error| error.to_string();
    let found = parts.store.integration_get(&scope).await.map_err(failed)?;
    let integration = found.ok_or_else(|| format!("{id} is gone"))?;
    let setup = &integration.setup;
    println!("set-up {}", integration.setup_status);
    let entry = parts.catalog.get(&integration.tool);
    let steps = entry.as_ref().map(|entry| steps(entry, setup)).unwrap_or_default();
    if steps.is_empty() {
        println!("No step is switched on.");
    }
    for step in steps {
        println!("  {}: {}", step.id(), if step.is_done(setup) { "done" } else { "open" });
    }
    for (field, values) in setup.filter.iter().flatten() {
        println!("only {field}: {}", values.join(", "));
    }
    for choice in parts.store.filter_choices(&scope).await.map_err(failed)? {
        let FilterChoice { field, value, label, employees } = choice;
        println!("  {field}={value}  {label}  {employees} employees");
    }
    Ok(())
}
