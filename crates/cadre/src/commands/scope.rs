//! `cadre scope`: scope configurations: which models, fields and actions may be used.

use std::path::PathBuf;
use std::sync::Arc;

use cadre_model::action::action;
use cadre_model::registry;
use cadre_model::time::SystemClock;
use cadre_store::{EnvironmentScope, Store};
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::integration::read_json;
use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Scope configurations. Each belongs to one environment; what one does not name is enabled.
#[derive(Debug, Subcommand)]
pub enum ScopeCommand {
    /// List the scope configurations of an environment.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Show what a scope configuration says, as JSON.
    Show {
        /// Its id.
        id: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Make a scope configuration.
    Create {
        /// Its name.
        #[arg(long)]
        name: String,
        /// JSON file with what it says; without one everything is enabled.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Change what a scope configuration says, for every integration that has it.
    Set {
        /// Its id.
        id: String,
        /// A model, a `model.field` or an action, and what becomes of it; may be given several times.
        #[arg(required = true, value_name = "WHAT=enabled|disabled|optional")]
        changes: Vec<String>,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Have new integrations get a scope configuration.
    Default {
        /// Its id.
        id: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Give an integration a scope configuration.
    Assign {
        /// Id of the scope configuration.
        id: String,
        /// Id of the integration.
        #[arg(long)]
        integration: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Delete a scope configuration that no integration has.
    Delete {
        /// Its id.
        id: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
}

fn failed(error: cadre_store::Error) -> Failed {
    error.to_string()
}

fn missing(id: &str) -> Failed {
    format!("no scope configuration {id} here; `cadre scope list` shows them")
}

impl ScopeCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the configurations are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        match self {
            ScopeCommand::List { environment } => {
                let scope = environment_scope(&store, &environment).await?;
                store.scope_config_default(&scope).await.map_err(failed)?;
                for (one, used) in store.scope_configs(&scope).await.map_err(failed)? {
                    let default = if one.is_default { "  default" } else { "" };
                    let name = one.name.unwrap_or_default();
                    println!("{}  {name}  {used} integrations{default}", one.id);
                }
            }
            ScopeCommand::Show { id, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                let found = store.scope_config_get(&scope, &id).await.map_err(failed)?;
                println!("{:#}", found.ok_or_else(|| missing(&id))?.settings);
            }
            ScopeCommand::Create { name, settings, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                let settings = settings.map(|path| read_json(&path)).transpose()?;
                let settings = settings.unwrap_or_else(|| json!({}));
                let made = store.scope_config_create(&scope, Some(&name), false, settings).await;
                println!("{}", made.map_err(failed)?.id);
            }
            ScopeCommand::Set { id, changes, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                set(&store, &scope, &id, &changes).await?;
                println!(
                    "changed; it holds from the next full sync of each integration that has it"
                );
            }
            ScopeCommand::Default { id, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                if !store.scope_config_default_set(&scope, &id).await.map_err(failed)? {
                    return Err(missing(&id));
                }
                println!("new integrations get {id}");
            }
            ScopeCommand::Assign { id, integration, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                store
                    .scope_config_get(&scope, &id)
                    .await
                    .map_err(failed)?
                    .ok_or_else(|| missing(&id))?;
                let of = store.integration_scope(&scope, &integration).await.map_err(failed)?;
                let of =
                    of.ok_or_else(|| format!("no integration {integration} in {environment}"))?;
                store.integration_scope_config_set(&of, &id).await.map_err(failed)?;
                println!("{integration} has {id} from its next full sync");
            }
            ScopeCommand::Delete { id, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                if !store.scope_config_delete(&scope, &id).await.map_err(failed)? {
                    return Err(format!(
                        "{id} is not there, is the default one, or an integration has it"
                    ));
                }
                println!("deleted {id}");
            }
        }
        Ok(())
    }
}

async fn set(
    store: &Store,
    scope: &EnvironmentScope,
    id: &str,
    changes: &[String],
) -> Result<(), Failed> {
    let found = store.scope_config_get(scope, id).await.map_err(failed)?;
    let mut settings = found.ok_or_else(|| missing(id))?.settings;
    for change in changes {
        let (what, word) = change
            .split_once('=')
            .ok_or_else(|| format!("{change}: expected WHAT=enabled|disabled|optional"))?;
        let word = word.to_ascii_uppercase();
        if !["ENABLED", "DISABLED", "OPTIONAL"].contains(&word.as_str()) {
            return Err(format!("{what}: expected enabled, disabled or optional, got \"{word}\""));
        }
        let place: Vec<&str> = match what.split_once('.') {
            Some((model, field)) if registry::model(model).is_some() => {
                vec!["models", model, "fields", field]
            }
            None if registry::model(what).is_some() => vec!["models", what, "setting"],
            None if action(what).is_some() => vec!["actions", what],
            _ => return Err(format!("{what}: there is no such model, field or action")),
        };
        put(&mut settings, &place, word.into());
    }
    store.scope_config_update(scope, id, &settings).await.map_err(failed)?;
    store.integrations_expire(scope, id).await.map_err(failed)
}

/// Puts a value into nested objects, which are made where they are missing.
fn put(into: &mut Value, place: &[&str], value: Value) {
    let Some((first, rest)) = place.split_first() else {
        *into = value;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    if let Value::Object(fields) = into {
        put(fields.entry((*first).to_owned()).or_insert(Value::Null), rest, value);
    }
}
