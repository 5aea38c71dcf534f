//! The end of a run: deletions, the state it ends in, and what becomes of the integration.

use std::collections::BTreeMap;

use cadre_connector::Failure;
use cadre_model::fault::{Code, Fault};
use cadre_store::{Integration, IntegrationScope, IntegrationStatus, Job, Run, RunEnd, RunState};
use serde_json::{Value, json};

use super::look::finish_look;
use super::proof::{self, OfModel, Proofs};
use super::run::{Stop, StreamEnd, Sync};
use super::{issues, quality, receipt};
use crate::catalog::Catalog;
use crate::settings::Parts;

/// After so long in which nothing but authentication failures came, syncing stops until the customer
/// reconnects.
const THREE_DAYS_MS: i64 = 3 * 24 * 3_600_000;

/// Why an integration must not be synced now, in words; `None` if it may.
pub(super) fn reason_not_to_run(integration: &Integration, catalog: &Catalog) -> Option<String> {
    if integration.deleted_at.is_some() {
        return Some("The integration was deleted.".into());
    }
    if integration.status == IntegrationStatus::Inactive {
        return Some("The integration is switched off.".into());
    }
    if catalog.get(&integration.tool).is_none() {
        return Some(format!(
            "There is no connector for the tool \"{}\" here. Add its folder, then sync again.",
            integration.tool
        ));
    }
    None
}

/// Ends a run that cannot begin.
pub(super) async fn end_without_running(
    parts: &Parts,
    scope: &IntegrationScope,
    run: &Run,
    reason: &str,
) -> Result<(), cadre_store::Error> {
    let end = RunEnd {
        state: RunState::Cancelled,
        reason: Some(reason.to_owned()),
        fault: None,
        counts: json!({}),
    };
    parts.store.run_end(scope, &run.id, end).await
}

/// Ends the run of a job that failed on our own side again and again: a run that goes on for ever
/// would be the answer to everybody who asks for a sync.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn give_up(parts: &Parts, job: &Job) -> Result<(), cadre_store::Error> {
    let store = &parts.store;
    let integration_id = job.integration_id.as_deref().unwrap_or_default();
    let Some(scope) = store.system_integration_scope(integration_id).await? else { return Ok(()) };
    let run_id = job.payload.get("run_id").and_then(Value::as_str).unwrap_or_default();
    let message = "The sync failed on our side, and failed again whenever it was taken up.";
    let end = RunEnd {
        state: RunState::Failed,
        reason: Some(message.to_owned()),
        fault: Some(Fault::new(Code::PlatformUnknownError, message)),
        counts: counts_so_far(parts, &scope, run_id).await?,
    };
    store.run_finish(&scope, run_id, end, job).await
}

/// What a run that was cut off has done.
async fn counts_so_far(
    parts: &Parts,
    scope: &IntegrationScope,
    run_id: &str,
) -> Result<Value, cadre_store::Error> {
    let progress = parts.store.run_stream_progress(scope, run_id).await?;
    let streams: serde_json::Map<String, Value> = progress
        .into_iter()
        .map(|stream| {
            let row = json!({
                "pages": stream.pages, "rows": stream.rows, "complete": stream.complete,
                "incomplete": stream.incomplete, "failures": [],
            });
            (stream.stream, row)
        })
        .collect();
    Ok(json!({ "streams": streams, "deleted": {} }))
}

/// Ends a run.
///
/// # Errors
///
/// When the database fails; the job is then tried again.
pub(super) async fn finish(
    sync: &Sync<'_>,
    ends: Result<BTreeMap<String, StreamEnd>, Stop>,
) -> Result<(), cadre_store::Error> {
    let ends = match ends {
        Ok(ends) => ends,
        Err(Stop::Store(error)) => return Err(error),
        // Whoever holds the job now ends the run.
        Err(Stop::LeaseLost) => return Ok(()),
        Err(stop) => {
            let mut counts = counts_so_far(sync.parts, &sync.scope, &sync.run.id).await?;
            add_waits(sync, &mut counts);
            let verdict = stopped(&stop, sync);
            if sync.looks && verdict.state != RunState::AuthenticationFailed {
                return finish_look(sync, &BTreeMap::new(), verdict).await;
            }
            return end(sync, verdict, counts, false).await;
        }
    };
    if sync.looks {
        return finish_look(sync, &ends, verdict(sync, &ends)).await;
    }
    if sync.integration.setup.filtering {
        sync.keep_choices(&ends).await?;
    }
    let Proofs { models, kept, used_drop } = proof::prove(sync, &ends).await?;
    let mut verdict = verdict(sync, &ends);
    let held = issues::field_issues(sync, &models).await?;
    let doubts = [kept, held].into_iter().flatten();
    for doubt in doubts {
        verdict.state = RunState::PartiallyFailed;
        verdict.reason = format!("{} {doubt}", verdict.reason).trim().to_owned();
    }
    let receipt = receipt::receipt(sync, &models).await?;
    let mut counts = counts(sync, &ends, &models);
    counts["receipt"] = receipt;
    end(sync, verdict, counts, used_drop).await
}

/// How a run ends.
pub(super) struct Verdict {
    pub(super) state: RunState,
    pub(super) reason: String,
    pub(super) fault: Option<Fault>,
}

fn stopped(stop: &Stop, sync: &Sync<'_>) -> Verdict {
    match stop {
        Stop::Failed(failure) => Verdict {
            state: if failure.fault.code == Code::IntegrationAuthenticationInvalid {
                RunState::AuthenticationFailed
            } else {
                RunState::Failed
            },
            reason: failure.fault.message.clone(),
            fault: Some(failure.fault.clone()),
        },
        Stop::TimedOut => Verdict {
            state: RunState::TimedOut,
            reason: format!(
                "The sync was not done after {} minutes. What it read is kept; the next sync begins anew.",
                sync.parts.settings.sync_timeout.as_secs() / 60
            ),
            fault: None,
        },
        Stop::Cancelled(reason) => {
            Verdict { state: RunState::Cancelled, reason: reason.clone(), fault: None }
        }
        Stop::LeaseLost | Stop::Store(_) => {
            Verdict { state: RunState::Failed, reason: String::new(), fault: None }
        }
    }
}

/// The state that the ends of the streams add up to.
fn verdict(sync: &Sync<'_>, ends: &BTreeMap<String, StreamEnd>) -> Verdict {
    let failed: Vec<_> = ends
        .iter()
        .filter_map(|(stream, end)| end.failure.as_ref().map(|failure| (stream, failure)))
        .filter(|(stream, failure)| !sync.entry.may_be_missing(stream, failure))
        .collect();
    let Some((stream, first)) = failed.first() else {
        let mut reason = format!(
            "{} streams were read to their end.",
            ends.values().filter(|e| e.complete).count()
        );
        let skipped = ends.iter().filter(|(_, end)| {
            end.failure.is_some() || end.problems.iter().any(Failure::is_absence)
        });
        let skipped: Vec<_> = skipped.map(|(stream, _)| stream.as_str()).collect();
        if !skipped.is_empty() {
            reason.push_str(&format!(
                " Not all of these could be read, and need not be: {}.",
                skipped.join(", ")
            ));
        }
        let mut lost = ends.values().flat_map(|end| &end.problems).filter(|p| !p.is_absence());
        let Some(first) = lost.next() else {
            return Verdict { state: RunState::Succeeded, reason, fault: None };
        };
        reason.push_str(&format!(" But not everything came: {}", first.fault.message));
        let fault = Some(first.fault.clone());
        return Verdict { state: RunState::PartiallyFailed, reason, fault };
    };
    let state =
        if failed.len() == ends.len() { RunState::Failed } else { RunState::PartiallyFailed };
    let reason = format!(
        "{} of {} streams failed; the first was {stream}: {}",
        failed.len(),
        ends.len(),
        first.fault.message
    );
    Verdict { state, reason, fault: Some(first.fault.clone()) }
}

pub(super) fn counts(
    sync: &Sync<'_>,
    ends: &BTreeMap<String, StreamEnd>,
    models: &BTreeMap<&'static str, OfModel>,
) -> Value {
    let deleted: BTreeMap<&str, u64> = models
        .iter()
        .filter(|(_, of)| of.deleted > 0)
        .map(|(model, of)| (*model, of.deleted))
        .collect();
    let streams: serde_json::Map<String, Value> = ends
        .iter()
        .map(|(stream, end)| {
            let failures: Vec<&str> = end
                .failure
                .iter()
                .chain(&end.problems)
                .map(|failure| failure.fault.message.as_str())
                .take(5)
                .collect();
            let row = json!({
                "pages": end.pages, "rows": end.rows, "complete": end.complete,
                "incomplete": end.incomplete, "failures": failures,
                "since": end.since.map(cadre_model::time::wire), "stated": end.stated,
            });
            (stream.clone(), row)
        })
        .collect();
    let mut counts = json!({"streams": streams, "deleted": deleted});
    if sync.integration.setup.in_force().is_some() {
        counts["left_out"] = sync.left_out();
    }
    add_waits(sync, &mut counts);
    counts
}

fn add_waits(sync: &Sync<'_>, counts: &mut Value) {
    let waits = sync.log.waits();
    counts["exchanges"] = sync.log.count().into();
    counts["waits"] =
        json!({"count": waits.count, "total_ms": waits.total_ms, "latest": waits.latest});
}

/// What follows for the integration comes first: whoever takes up a run that was cut off in between
/// does it again, and it is the same twice. The end of the run and of its job is one step.
async fn end(
    sync: &Sync<'_>,
    verdict: Verdict,
    counts: Value,
    used_drop: bool,
) -> Result<(), cadre_store::Error> {
    let store = &sync.parts.store;
    if !store.job_extend(sync.job, sync.parts.settings.lease_ms()).await? {
        return Ok(());
    }
    match verdict.state {
        RunState::Succeeded | RunState::PartiallyFailed => {
            let whole = verdict.state == RunState::Succeeded;
            let used_drop = used_drop || whole && sync.integration.drop_accepted;
            let run = store.run_get(&sync.scope, &sync.run.id).await?;
            let started_at = run.and_then(|run| run.started_at).unwrap_or_default();
            store.integration_synced(&sync.scope, started_at, whole, used_drop).await?;
            quality::judge(sync).await?;
        }
        RunState::AuthenticationFailed => {
            store.integration_refused(&sync.scope, THREE_DAYS_MS, &verdict.reason).await?;
        }
        _ => {}
    }
    issues::run_issues(sync, verdict.state, &verdict.reason).await?;
    let Verdict { state, reason, fault } = verdict;
    let end = RunEnd { state, reason: Some(reason), fault, counts };
    store.run_finish(&sync.scope, &sync.run.id, end, sync.job).await
}
