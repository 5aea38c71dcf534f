//! Fields beyond the unified model: an integration's own mapping, and custom fields of an environment.

use std::path::PathBuf;
use std::sync::Arc;

use cadre_jobs::Parts;
use cadre_jobs::fields::again::{Preview, Remapped, preview, remap};
use cadre_jobs::fields::refresh_all;
use cadre_model::registry;
use cadre_model::time::SystemClock;
use cadre_store::NewCustomField;
use clap::{Args, Subcommand};

use super::integration::{integration_scope, read_json, words};
use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Gives an integration a mapping of its own and applies it to what is stored.
#[derive(Debug, Args)]
pub struct Remap {
    /// Id of the integration.
    id: String,
    /// JSON file with the mapping.
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Take the integration's own mapping away.
    #[arg(long)]
    remove: bool,
    /// Only show what would change.
    #[arg(long)]
    preview: bool,
}

impl Remap {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
    pub async fn run(self, parts: &Parts) -> Result<(), Failed> {
        let scope = integration_scope(parts, &self.id).await?;
        let mapping = self.file.map(|path| read_json(&path)).transpose()?;
        if self.preview {
            let found = preview(parts, &scope, mapping.as_ref(), u64::MAX).await.map_err(words)?;
            print(&found);
            return Ok(());
        }
        match remap(parts, &scope, mapping.as_ref()).await.map_err(words)? {
            Remapped::Again => {
                println!("set; a running server applies it to the stored records now");
            }
            Remapped::Sync => println!("set; records get other ids, so a full sync is queued"),
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "the preview is the command's output")]
fn print(preview: &Preview) {
    if preview.models.is_empty() {
        println!("No raw values are stored yet: sync the integration first.");
    }
    for (model, of) in &preview.models {
        println!("{model}: {} of {} records would change", of.changed, of.read);
        if of.refused > 0 {
            println!("  {} records would not be made any more; they stay as they are", of.refused);
        }
        if of.issues > 0 {
            println!("  {} values would not fit", of.issues);
        }
        for (field, count) in &of.fields {
            println!("  {field}: {count}");
            for example in of.examples.iter().filter(|example| example.field == *field) {
                println!("    {}: {} -> {}", example.remote_id, example.before, example.after);
            }
        }
    }
}

/// Custom fields. A custom field belongs to one environment and one model.
#[derive(Debug, Subcommand)]
pub enum CustomFieldCommand {
    /// Create a custom field.
    Create {
        /// The model whose records show it, such as `hris_employees`.
        #[arg(long)]
        model: String,
        /// Its key in `custom_fields`.
        #[arg(long)]
        key: String,
        /// What people call it.
        #[arg(long)]
        label: Option<String>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
        /// Key of an integration field that fills it by itself; may be given several times.
        #[arg(long = "alias", value_name = "KEY")]
        aliases: Vec<String>,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// List the custom fields of an environment.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Remove a custom field; records do not show it any more.
    Delete {
        /// Id of the custom field, as `cadre custom-field list` prints it.
        id: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
}

impl CustomFieldCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the fields are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        let failed = |error: cadre_store::Error| error.to_string();
        match self {
            CustomFieldCommand::Create { model, key, label, description, aliases, environment } => {
                let known = registry::model(&model);
                if !known.is_some_and(|known| known.extensions.custom_fields) {
                    return Err(format!("records of `{model}` have no custom fields"));
                }
                if key.is_empty() || key.len() > 200 {
                    return Err("a key has 1 to 200 bytes".into());
                }
                let scope = environment_scope(&store, &environment).await?;
                let said = format!("{model} has a custom field `{key}` already");
                let new = NewCustomField { model, key, label, description, aliases };
                let made = store.custom_field_create(&scope, new).await.map_err(failed)?;
                println!("{}", made.ok_or(said)?.id);
                refresh_all(&store, &scope).await.map_err(failed)?;
            }
            CustomFieldCommand::List { environment } => {
                let scope = environment_scope(&store, &environment).await?;
                for field in store.custom_fields(&scope).await.map_err(failed)? {
                    let label = field.label.unwrap_or_default();
                    println!("{}  {}  {}  {label}", field.id, field.model, field.key);
                }
            }
            CustomFieldCommand::Delete { id, environment } => {
                let scope = environment_scope(&store, &environment).await?;
                if !store.custom_field_delete(&scope, &id).await.map_err(failed)? {
                    return Err(format!("no custom field {id} in {environment}"));
                }
                refresh_all(&store, &scope).await.map_err(failed)?;
                println!("deleted {id}");
            }
        }
        Ok(())
    }
}
