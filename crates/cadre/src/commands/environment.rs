//! `cadre environment`: the environments of this installation.

use std::sync::Arc;

use cadre_model::time::SystemClock;
use cadre_store::EnvironmentKind;
use clap::Subcommand;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Environments: nothing of one is seen in another.
#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// List the environments.
    List,
    /// Make an environment.
    Create {
        /// Its name: small letters, digits and hyphens.
        name: String,
        /// For customers' data; without it, for trials.
        #[arg(long)]
        production: bool,
    },
}

impl EnvironmentCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the environments are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        let failed = |error: cadre_store::Error| error.to_string();
        let there = store.environments().await.map_err(failed)?;
        match self {
            EnvironmentCommand::List => {
                for one in there {
                    println!("{}  {}  {}", one.slug, one.kind, one.id);
                }
            }
            EnvironmentCommand::Create { name, production } => {
                let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if name.is_empty() || name.len() > 40 || !name.chars().all(fits) {
                    return Err(
                        "a name has small letters, digits and hyphens, up to 40 of them".into()
                    );
                }
                if there.iter().any(|one| one.slug == name) {
                    return Err(format!("there is an environment {name}"));
                }
                let kind = match production {
                    true => EnvironmentKind::Production,
                    false => EnvironmentKind::Development,
                };
                let made = store.environment_create(&name, kind).await.map_err(failed)?;
                println!("{}", made.id);
            }
        }
        Ok(())
    }
}
