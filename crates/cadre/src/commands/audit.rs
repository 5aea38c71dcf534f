//! `cadre audit`: who did what in the dashboard.

use std::sync::Arc;

use cadre_model::time::{SystemClock, wire as print_time};
use cadre_store::AuditFilter;

use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Flags of `audit`.
#[derive(Debug, clap::Args)]
pub struct Audit {
    /// Environment: `production` or `development`; `installation` for people and log-ins.
    #[arg(long, default_value = "production")]
    environment: String,
    /// Only what this person did.
    #[arg(long, value_name = "EMAIL")]
    actor: Option<String>,
    /// Only acts whose names begin so, as `key` or `integration.paused`.
    #[arg(long, value_name = "NAME")]
    act: Option<String>,
    /// Only about this.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Most entries.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

impl Audit {
    /// Prints the entries, newest first.
    #[expect(clippy::print_stdout, reason = "the entries are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        let scope = match self.environment.as_str() {
            "installation" => None,
            name => Some(environment_scope(&store, name).await?),
        };
        let Audit { actor, act, subject, limit, .. } = self;
        let filter = AuditFilter { actor, act, subject, before: None, limit };
        let entries = store.audit_list(scope.as_ref(), &filter).await;
        for entry in entries.map_err(|error| error.to_string())? {
            let act = entry.act;
            let at = print_time(entry.at);
            println!("{at}  {}  {}  {}  {}", act.actor, act.act, act.subject, act.detail);
        }
        Ok(())
    }
}
