//! What a person decides about the data of an integration: drops, fields, quality, a running sync.

use std::collections::BTreeMap;

use cadre_jobs::Parts;
use cadre_model::time::wire as print_time;
use cadre_store::{IntegrationIssueKind, IntegrationIssueState, IntegrationScope};
use clap::Subcommand;
use serde_json::Value;

use super::integration::integration_scope;
use crate::Failed;

/// Decisions about the data of an integration.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Keep what looks gone: the records stay, and the question is not asked again until they are back.
    RejectDrop {
        /// Id of the integration.
        id: String,
    },
    /// Take a field as it is now, although it was filled before; holds from the next sync.
    AcceptIssue {
        /// Id of the integration.
        id: String,
        /// Id of the issue, as `cadre integration issues` shows it.
        issue: String,
    },
    /// Hear no more of an issue until it is over.
    SnoozeIssue {
        /// Id of the integration.
        id: String,
        /// Id of the issue, as `cadre integration issues` shows it.
        issue: String,
    },
    /// Open an integration for reads although its first sync failed the quality checks.
    AcceptQuality {
        /// Id of the integration.
        id: String,
    },
    /// Force unlock: count the set-up as finished, whatever is left of it. A last resort.
    Unlock {
        /// Id of the integration.
        id: String,
    },
    /// List the records that the tool did not show, and that are kept because nothing proves them gone.
    Suspects {
        /// Id of the integration.
        id: String,
    },
    /// Show how full each field was in the whole runs so far: what its next fall is judged by.
    Fills {
        /// Id of the integration.
        id: String,
    },
    /// Print the receipt of the latest run that ended, or of the one named, as JSON.
    Receipt {
        /// Id of the integration.
        id: String,
        /// Id of the run, as `cadre integration runs` shows it.
        run: Option<String>,
    },
    /// Say how often an integration is synced.
    Schedule {
        /// Id of the integration.
        id: String,
        /// Minutes from one scheduled sync to the next.
        #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(5..))]
        every: u32,
    },
    /// Read only recent data, where the tool can tell: for a first sync that takes too long.
    Recent {
        /// Id of the integration.
        id: String,
        /// Days back from now.
        #[arg(long, required_unless_present = "all", conflicts_with = "all")]
        days: Option<u32>,
        /// Lift the bound: the next sync reads everything.
        #[arg(long)]
        all: bool,
    },
    /// Show where the integration's tool tells or pushes what it has, with the secret that proves that it
    /// is the tool.
    Address {
        /// Id of the integration.
        id: String,
    },
    /// Cancel the sync that is queued or running; what it has read is kept.
    CancelSync {
        /// Id of the integration.
        id: String,
    },
}

impl TrustCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
    pub async fn run(self, parts: &Parts) -> Result<(), Failed> {
        let store = &parts.store;
        match self {
            TrustCommand::RejectDrop { id } => reject_drop(parts, &id).await,
            TrustCommand::Schedule { id, every } => {
                let scope = integration_scope(parts, &id).await?;
                let interval = i64::from(every) * 60_000;
                store.integration_interval_set(&scope, interval).await.map_err(words)?;
                println!("{id} is synced every {every} minutes");
                Ok(())
            }
            TrustCommand::Recent { id, days, .. } => {
                let scope = integration_scope(parts, &id).await?;
                let since = days.map(|days| parts.clock.now_ms() - i64::from(days) * 86_400_000);
                store.integration_recent_set(&scope, since).await.map_err(words)?;
                match since {
                    Some(since) => println!("from the next sync on: since {}", print_time(since)),
                    None => println!("the next sync reads everything"),
                }
                Ok(())
            }
            TrustCommand::AcceptIssue { id, issue } => {
                set_issue(parts, &id, &issue, IntegrationIssueState::Accepted).await?;
                println!("accepted; `cadre integration sync {id}` takes the data as it is");
                Ok(())
            }
            TrustCommand::SnoozeIssue { id, issue } => {
                set_issue(parts, &id, &issue, IntegrationIssueState::Snoozed).await?;
                println!("snoozed until it is over");
                Ok(())
            }
            TrustCommand::AcceptQuality { id } => {
                let scope = integration_scope(parts, &id).await?;
                cadre_jobs::accept_quality(store, &scope).await.map_err(words)?;
                println!("{id} can be read now");
                Ok(())
            }
            TrustCommand::Unlock { id } => {
                let scope = integration_scope(parts, &id).await?;
                let was = cadre_jobs::force_unlock(store, &scope).await;
                let was = was.map_err(super::integration::words)?;
                println!("{id} counts as set up now; it was: {was}");
                Ok(())
            }
            TrustCommand::Suspects { id } => suspects(parts, &id).await,
            TrustCommand::Fills { id } => fills(parts, &id).await,
            TrustCommand::Receipt { id, run } => receipt(parts, &id, run.as_deref()).await,
            TrustCommand::Address { id } => address(parts, &id).await,
            TrustCommand::CancelSync { id } => {
                let scope = integration_scope(parts, &id).await?;
                match store.run_cancel(&scope).await.map_err(words)? {
                    Some(run) => println!("run {run} ends at its next page"),
                    None => return Err("no sync is queued or running".to_owned()),
                }
                Ok(())
            }
        }
    }
}

/// Prints what is wrong with an integration as a whole; how many of these issues are not over.
#[expect(clippy::print_stdout, reason = "the issues are the command's output")]
pub async fn print_issues(parts: &Parts, scope: &IntegrationScope) -> Result<usize, Failed> {
    let issues = parts.store.integration_issues(scope, 200).await.map_err(words)?;
    let open = issues.iter().filter(|issue| issue.state != IntegrationIssueState::Resolved);
    let mut count = 0;
    for issue in open {
        count += 1;
        println!(
            "{}  {}  {} {} since {}: {}",
            issue.id,
            issue.state,
            issue.kind,
            issue.subject,
            print_time(issue.first_seen_at),
            issue.message
        );
        if let Some(hint) = &issue.hint {
            println!("  {hint}");
        }
    }
    Ok(count)
}

async fn set_issue(
    parts: &Parts,
    id: &str,
    issue: &str,
    state: IntegrationIssueState,
) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    if parts.store.integration_issue_set(&scope, issue, state).await.map_err(words)? {
        Ok(())
    } else {
        Err(format!("no open issue {issue}; `cadre integration issues {id}` shows them"))
    }
}

#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
async fn reject_drop(parts: &Parts, id: &str) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let issues = parts.store.integration_issues(&scope, 200).await.map_err(words)?;
    let held = issues.iter().filter(|issue| {
        issue.kind == IntegrationIssueKind::DropHeld && issue.state == IntegrationIssueState::Open
    });
    let mut models = Vec::new();
    for issue in held {
        let state = IntegrationIssueState::Snoozed;
        parts.store.integration_issue_set(&scope, &issue.id, state).await.map_err(words)?;
        models.push(issue.subject.as_str());
    }
    if models.is_empty() {
        return Err("no drop is held".to_owned());
    }
    println!("kept, as suspect: {}", models.join(", "));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the records are the command's output")]
async fn suspects(parts: &Parts, id: &str) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let suspects = parts.store.records_suspects(&scope, 10_000).await.map_err(words)?;
    for suspect in &suspects {
        println!("{} {} since {}", suspect.model, suspect.remote_id, print_time(suspect.since));
    }
    println!("{} suspects", suspects.len());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the address is the command's output")]
async fn address(parts: &Parts, id: &str) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let integration = parts.store.integration_get(&scope).await.map_err(words)?;
    let entry = integration.and_then(|integration| parts.catalog.get(&integration.tool));
    let Some(entry) = entry else { return Err(format!("there is no connector for {id}")) };
    let manifest = entry.connector.manifest();
    if manifest.webhooks.is_none() && manifest.inbound.is_none() {
        return Err(format!("{} neither tells nor pushes anything by itself", manifest.label));
    }
    let pushed = cadre_jobs::scim::address(parts, &scope).await.map_err(words)?;
    let found = match pushed {
        Some(found) => Some(found),
        None => cadre_jobs::hooks::address(parts, &scope).await.map_err(words)?,
    };
    let Some((url, hook)) = found else {
        return Err("`public_url` is not set: the tool has no address to call".to_owned());
    };
    println!("address  {url}");
    println!("secret   {}", hook.secret.expose());
    println!("agreed   {}", hook.subscribed_at.map_or("-".to_owned(), print_time));
    println!("called   {}", hook.last_event_at.map_or("never".to_owned(), print_time));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are the command's output")]
async fn fills(parts: &Parts, id: &str) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let mut shares: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for run in parts.store.field_fills(&scope).await.map_err(words)? {
        for (field, fill) in run.fields {
            let share = fill.filled as f64 * 100.0 / run.records.max(1) as f64;
            shares.entry(format!("{}.{field}", run.model)).or_default().push(share);
        }
    }
    println!("latest  lowest  highest  runs  field");
    for (field, shares) in &shares {
        let lowest = shares.iter().copied().fold(100.0, f64::min);
        let highest = shares.iter().copied().fold(0.0, f64::max);
        println!("{:5.1}%  {lowest:5.1}%  {highest:6.1}%  {:4}  {field}", shares[0], shares.len());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the receipt is the command's output")]
async fn receipt(parts: &Parts, id: &str, run: Option<&str>) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let runs = parts.store.run_list(&scope, 100).await.map_err(words)?;
    let found = runs.into_iter().find(|one| match run {
        Some(run) => one.id == run,
        None => one.ended_at.is_some() && !one.counts["receipt"].is_null(),
    });
    let Some(found) = found else {
        return Err(format!(
            "no such run with a receipt; `cadre integration runs {id}` shows the runs"
        ));
    };
    let receipt = match &found.counts["receipt"] {
        Value::Null => {
            return Err(format!("run {} ended as {} without a receipt", found.id, found.state));
        }
        receipt => serde_json::to_string_pretty(receipt).map_err(|error| error.to_string())?,
    };
    println!("{receipt}");
    Ok(())
}

fn words(error: cadre_store::Error) -> Failed {
    error.to_string()
}
