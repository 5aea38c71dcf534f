//! `cadre integration`: linked accounts.

use std::path::PathBuf;

use cadre_jobs::connect::{Link, link};
use cadre_jobs::{Parts, enqueue_sync, possible_kind, worker};
use cadre_model::fault::Fault;
use cadre_model::time::wire as print_time;
use cadre_store::{EndUser, IntegrationScope, IntegrationStatus, RunKind, RunState, RunTrigger};
use clap::Subcommand;
use serde_json::{Map, Value};

use super::fields::Remap;
use super::key::environment_scope;
use super::setup::SetupCommand;
use super::trust::{TrustCommand, print_issues};
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Linked accounts of tools.
#[derive(Debug, Subcommand)]
pub enum IntegrationCommand {
    /// Link an account: the fields are those of the tool's connect form (`cadre connector show TOOL`).
    Create {
        /// Slug of the tool.
        #[arg(long)]
        tool: String,
        /// Name of the customer whose account it is.
        #[arg(long, default_value = "unnamed")]
        organization: String,
        /// `HRIS` or `ATS`, where the tool is both.
        #[arg(long)]
        category: Option<String>,
        /// A field of the connect form, `name=value`; may be given several times.
        #[arg(long = "field", value_name = "NAME=VALUE")]
        fields: Vec<String>,
        /// A field read from a file, `name=path`: for keys and passwords.
        #[arg(long = "field-file", value_name = "NAME=PATH")]
        field_files: Vec<String>,
        /// JSON file with a mapping of the integration's own, which goes over the connector's.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Do not ask the tool whether the credentials work.
        #[arg(long)]
        no_check: bool,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// List the integrations of an environment.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Sync an integration now and wait for the end.
    Sync {
        /// Id of the integration.
        id: String,
        /// Read only what changed since the last sync, where the tool can tell.
        #[arg(long)]
        delta: bool,
    },
    /// Show the latest runs of an integration.
    Runs {
        /// Id of the integration.
        id: String,
    },
    /// Show what is wrong with an integration, and the values of the latest sync that did not fit.
    Issues {
        /// Id of the integration.
        id: String,
    },
    /// Switch an integration on.
    Enable {
        /// Id of the integration.
        id: String,
    },
    /// Switch an integration off: no syncs, no reads; everything is kept.
    Disable {
        /// Id of the integration.
        id: String,
    },
    /// Believe the tool when many records are gone at once; holds for the next sync.
    AcceptDrop {
        /// Id of the integration.
        id: String,
    },
    /// Give an integration a mapping of its own and apply it to the stored records, or preview that.
    Remap(Remap),
    /// Show where the set-up stands and what employees can be chosen by, or change what it asks for.
    Setup(SetupCommand),
    #[command(flatten)]
    Trust(TrustCommand),
    /// Delete an integration.
    Delete {
        /// Id of the integration.
        id: String,
    },
}

impl IntegrationCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the integrations are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let parts = wire::parts(&config).await?;
        let store = &parts.store;
        match self {
            IntegrationCommand::Create {
                tool,
                organization,
                category,
                fields,
                field_files,
                mapping,
                no_check,
                environment,
            } => {
                let scope = environment_scope(store, &environment).await?;
                let new = Link {
                    tool,
                    category,
                    suffix: None,
                    end_user: EndUser {
                        organization_name: organization,
                        creator_email: None,
                        origin_id: None,
                    },
                    form: form(&fields, &field_files)?,
                    mapping: mapping.map(|path| read_json(&path)).transpose()?,
                    check: !no_check,
                };
                let (integration, _) = link(&parts, &scope, new).await.map_err(words)?;
                println!("{}", integration.id);
                println!(
                    "Its first sync is queued; a running server does it, or `cadre integration sync {}`.",
                    integration.id
                );
            }
            IntegrationCommand::List { environment } => {
                let scope = environment_scope(store, &environment).await?;
                let integrations =
                    store.integration_list(&scope).await.map_err(|e| e.to_string())?;
                if integrations.is_empty() {
                    println!(
                        "No integrations in {environment}. Link one with `cadre integration create`."
                    );
                }
                for integration in integrations {
                    let synced = integration
                        .first_synced_at
                        .map_or("not synced yet".into(), |at| format!("since {}", print_time(at)));
                    println!(
                        "{}  {}  {}  {}  {synced}",
                        integration.id,
                        integration.category,
                        integration.status,
                        integration.end_user.organization_name
                    );
                }
            }
            IntegrationCommand::Sync { id, delta } => sync(&parts, &id, delta).await?,
            IntegrationCommand::Runs { id } => {
                let scope = integration_scope(&parts, &id).await?;
                for run in store.run_list(&scope, 20).await.map_err(|e| e.to_string())? {
                    let at = run.started_at.map_or_else(|| "queued".into(), print_time);
                    println!("{}  {at}  {}  {}", run.id, run.state, run.reason.unwrap_or_default());
                }
            }
            IntegrationCommand::Issues { id } => {
                let scope = integration_scope(&parts, &id).await?;
                let open = print_issues(&parts, &scope).await?;
                let issues = store.issues_list(&scope, 200).await.map_err(|e| e.to_string())?;
                for issue in &issues {
                    println!(
                        "{} {} {}: {}; expected {}, got {}",
                        issue.model,
                        issue.remote_id.as_deref().unwrap_or("(no id)"),
                        issue.field.as_deref().unwrap_or("(record)"),
                        issue.problem,
                        issue.expected,
                        issue.got
                    );
                }
                println!(
                    "{open} issues of the integration, {} values that did not fit",
                    issues.len()
                );
            }
            IntegrationCommand::Enable { id } => {
                let scope = integration_scope(&parts, &id).await?;
                set_status(&parts, &scope, IntegrationStatus::Active).await?;
                println!("{id} is on");
            }
            IntegrationCommand::Disable { id } => {
                let scope = integration_scope(&parts, &id).await?;
                set_status(&parts, &scope, IntegrationStatus::Inactive).await?;
                println!("{id} is off");
            }
            IntegrationCommand::AcceptDrop { id } => {
                let scope = integration_scope(&parts, &id).await?;
                store.integration_drop_accept(&scope).await.map_err(|e| e.to_string())?;
                println!("the next sync of {id} marks as deleted what the tool no longer returns");
            }
            IntegrationCommand::Remap(remap) => remap.run(&parts).await?,
            IntegrationCommand::Setup(command) => command.run(&parts).await?,
            IntegrationCommand::Trust(command) => command.run(&parts).await?,
            IntegrationCommand::Delete { id } => {
                let scope = integration_scope(&parts, &id).await?;
                cadre_jobs::hooks::unsubscribe(&parts, &scope).await;
                store.integration_delete(&scope).await.map_err(|e| e.to_string())?;
                println!("deleted {id}");
            }
        }
        Ok(())
    }
}

async fn set_status(
    parts: &Parts,
    scope: &IntegrationScope,
    status: IntegrationStatus,
) -> Result<(), Failed> {
    parts.store.integration_status_set(scope, status, None).await.map_err(|error| error.to_string())
}

/// The scope of an integration that is named on the command line.
pub async fn integration_scope(parts: &Parts, id: &str) -> Result<IntegrationScope, Failed> {
    let scope =
        parts.store.system_integration_scope(id).await.map_err(|error| error.to_string())?;
    scope.ok_or_else(|| format!("no integration {id}; `cadre integration list` shows them"))
}

#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
async fn sync(parts: &Parts, id: &str, delta: bool) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let integration =
        parts.store.integration_get(&scope).await.map_err(|error| error.to_string())?;
    let tool = integration.map(|integration| integration.tool).unwrap_or_default();
    let asked = if delta { RunKind::Delta } else { RunKind::Full };
    let kind = possible_kind(&parts.catalog, &tool, asked);
    if kind != asked {
        println!("{tool} cannot tell what changed: everything is read.");
    }
    let asked =
        enqueue_sync(&parts.store, &scope, kind, RunTrigger::ForceSync).await.map_err(words)?;
    loop {
        worker::drain(parts).await.map_err(|error| error.to_string())?;
        let run =
            parts.store.run_get(&scope, &asked.run_id).await.map_err(|error| error.to_string())?;
        let run = run.ok_or("the record of the sync is gone")?;
        if run.ended_at.is_some() {
            let words = format!("{}: {}", run.state, run.reason.unwrap_or_default());
            if run.state != RunState::Succeeded {
                return Err(format!("the sync ended as {words}"));
            }
            println!("{words}");
            return Ok(());
        }
        // A server may be doing the work.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

fn form(fields: &[String], files: &[String]) -> Result<Map<String, Value>, Failed> {
    let mut form = Map::new();
    for field in fields {
        let (name, value) = split(field, "--field")?;
        form.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    for field in files {
        let (name, path) = split(field, "--field-file")?;
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        form.insert(name.to_owned(), Value::String(text.trim_end_matches('\n').to_owned()));
    }
    Ok(form)
}

fn split<'a>(field: &'a str, flag: &str) -> Result<(&'a str, &'a str), Failed> {
    field
        .split_once('=')
        .ok_or_else(|| format!("{flag}: expected NAME=VALUE, got a text without \"=\""))
}

/// A JSON file that is named on the command line.
pub fn read_json(path: &std::path::Path) -> Result<Value, Failed> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A fault as a person at a terminal reads it.
pub fn words(fault: Fault) -> Failed {
    let context =
        fault.context.as_deref().map(|context| format!("\n  ({context})")).unwrap_or_default();
    format!("{} {}\n  {}{context}", fault.code, fault.message, fault.next_step())
}
