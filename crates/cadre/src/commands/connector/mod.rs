//! `cadre connector`: the connectors, and help for who writes one.

mod columns;
mod new;
mod reading;
mod record;
mod schema;
mod try_out;

use std::path::{Path, PathBuf};

use cadre_jobs::authoring::coverage;
use cadre_jobs::cases;
use cadre_jobs::catalog::{Entry, Folder};
use clap::Subcommand;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Connectors: folders of text, one for each tool.
#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// List the connectors of this installation.
    List,
    /// Show a connector's connect form and what it covers.
    Show {
        /// Slug of the tool.
        tool: String,
    },
    /// Check connector folders offline, and run their cases.
    Check {
        /// Folders, each with a connector.yaml.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
    /// Begin a connector: a folder that passes its check, with comments that say what comes next.
    New(new::New),
    /// Read the beginning of each stream, and show raw records, unified records and issues side by side.
    Try(try_out::Try),
    /// Read the same, take everything out that must not be kept, and write a case of it.
    Record(record::Record),
    /// Print what the connectors cover, as a page of Markdown: docs/connectors.md is made by it.
    Coverage {
        /// Folders, each with a connector.yaml; by default every connector of this installation.
        folders: Vec<PathBuf>,
    },
    /// Print the JSON Schema of a connector's files, for editors.
    Schema(schema::SchemaCommand),
}

impl ConnectorCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the connectors are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        match self {
            ConnectorCommand::List => {
                let catalog = wire::catalog(&Config::read(overrides)?)?;
                for entry in catalog.entries() {
                    let manifest = entry.connector.manifest();
                    let categories: Vec<&str> =
                        manifest.categories.iter().map(|c| c.as_str()).collect();
                    println!(
                        "{:<14} {:<24} {:<9} {} models",
                        entry.tool(),
                        manifest.label,
                        categories.join(","),
                        entry.coverage().len()
                    );
                }
                Ok(())
            }
            ConnectorCommand::New(new) => new.run(overrides),
            ConnectorCommand::Try(command) => command.run(overrides).await,
            ConnectorCommand::Record(record) => record.run(overrides).await,
            ConnectorCommand::Coverage { folders } if folders.is_empty() => {
                let catalog = wire::catalog(&Config::read(overrides)?)?;
                print!("{}", coverage::page(&catalog.entries().collect::<Vec<_>>()));
                Ok(())
            }
            ConnectorCommand::Coverage { folders } => {
                let entries: Result<Vec<_>, Failed> =
                    folders.iter().map(|folder| reading::load(folder)).collect();
                print!("{}", coverage::page(&entries?));
                Ok(())
            }
            ConnectorCommand::Schema(schema) => schema.run(),
            ConnectorCommand::Show { tool } => show(&Config::read(overrides)?, &tool),
            ConnectorCommand::Check { folders } => {
                let mut failed = 0;
                for folder in &folders {
                    failed += usize::from(!check(folder).await);
                }
                if failed == 0 {
                    Ok(())
                } else {
                    Err(format!("{failed} of {} folders have problems", folders.len()))
                }
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
fn show(config: &Config, tool: &str) -> Result<(), Failed> {
    let catalog = wire::catalog(config)?;
    let entry = catalog
        .get(tool)
        .ok_or_else(|| format!("no connector \"{tool}\"; see `cadre connector list`"))?;
    let manifest = entry.connector.manifest();
    println!("{} ({tool})\n\nFields of the connect form:", manifest.label);
    for field in &manifest.connect.fields {
        let need = if field.optional || field.default.is_some() { "optional" } else { "required" };
        let secret = if field.secret { ", secret" } else { "" };
        println!(
            "  {:<20} {need}{secret}  {}. {}",
            field.name,
            field.label,
            field.help.as_deref().unwrap_or("")
        );
    }
    println!("\nModels and the fields that are filled:");
    for (model, fields) in entry.coverage().iter() {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        println!("  {model}: {}", fields.join(", "));
    }
    Ok(())
}

/// Checks one folder and prints what was found; true if all is well.
#[expect(clippy::print_stdout, reason = "the findings are the command's output")]
async fn check(path: &Path) -> bool {
    let folder = match Folder::read(path) {
        Ok(folder) => folder,
        Err(error) => {
            println!("{}: {error}", path.display());
            return false;
        }
    };
    let entry = match Entry::load(&folder) {
        Ok(entry) => entry,
        Err(problems) => {
            for problem in &problems {
                println!("{problem}");
            }
            println!("{}: {} problems", folder.name, problems.len());
            return false;
        }
    };
    let outcomes = cases::run_all(path, entry.into()).await;
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    for outcome in outcomes.iter().filter(|outcome| !outcome.differences.is_empty()) {
        println!("{}/cases/{}:", folder.name, outcome.case);
        for difference in &outcome.differences {
            println!("  {difference}");
        }
    }
    let unverified: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| outcome.unverified)
        .map(|outcome| outcome.case.as_str())
        .collect();
    for case in &unverified {
        println!("{}/cases/{case}: nobody has verified by hand what it expects:", folder.name);
        println!(
            "  compare its files with what the tool means, then take `unverified` out of case.yaml"
        );
    }
    let open = match unverified.len() {
        0 => String::new(),
        some => format!(", {some} not verified"),
    };
    println!("{}: {} cases, {failed} failed{open}", folder.name, outcomes.len());
    failed == 0
}
