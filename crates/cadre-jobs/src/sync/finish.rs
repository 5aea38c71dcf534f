//! The end of a run: deletions, the state it ends in, and what becomes of the integration.

use std::collections::BTreeMap;

use cadre_model::fault::{Code, Fault};
use cadre_store::{
    Integration, IntegrationScope, IntegrationStatus, Run, RunEnd, RunState, SetupStatus,
};
use serde_json::{Value, json};

use super::run::{Stop, StreamEnd, Sync};
use crate::catalog::Catalog;
use crate::settings::Parts;

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
        Err(stop) => return end(sync, stopped(&stop, sync), json!({})).await,
    };
    let (deleted, kept) = delete_unseen(sync, &ends).await?;
    let mut verdict = verdict(sync, &ends);
    if let Some(kept) = kept {
        verdict.state = RunState::PartiallyFailed;
        verdict.reason = format!("{} {kept}", verdict.reason).trim().to_owned();
    }
    end(sync, verdict, counts(sync, &ends, &deleted)).await
}

/// How a run ends.
struct Verdict {
    state: RunState,
    reason: String,
    fault: Option<Fault>,
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
                "The sync was not done after {} minutes. What it read is kept; the next one reads on.",
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
        let skipped =
            ends.iter().filter(|(_, end)| end.failure.is_some() || !end.problems.is_empty());
        let skipped: Vec<_> = skipped.map(|(stream, _)| stream.as_str()).collect();
        if !skipped.is_empty() {
            reason.push_str(&format!(
                " Not all of these could be read, and need not be: {}.",
                skipped.join(", ")
            ));
        }
        return Verdict { state: RunState::Succeeded, reason, fault: None };
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

/// Marks as deleted what a complete pass did not see; the second part says what was kept although
/// it was not seen.
async fn delete_unseen(
    sync: &Sync<'_>,
    ends: &BTreeMap<String, StreamEnd>,
) -> Result<(BTreeMap<&'static str, u64>, Option<String>), cadre_store::Error> {
    let mut deleted = BTreeMap::new();
    let mut kept = Vec::new();
    let settings = &sync.parts.settings;
    for model in &sync.models {
        if !pass_was_complete(sync, model, ends) {
            continue;
        }
        let store = &sync.parts.store;
        let live = store.records_count(&sync.scope, model, false).await?;
        let unseen = store.records_unseen(&sync.scope, &sync.run.id, model).await?;
        if live >= settings.suspicious_drop_from
            && unseen as f64 > live as f64 * settings.suspicious_drop
            && !sync.integration.drop_accepted
        {
            kept.push(format!("{unseen} of {live} records of {model}"));
            continue;
        }
        if unseen > 0 {
            let count =
                store.records_delete_unseen(&sync.scope, &sync.run.id, model, sync.job).await?;
            deleted.insert(*model, count);
        }
    }
    let kept = (!kept.is_empty()).then(|| {
        format!(
            "The tool no longer returned {}. That is too many to believe: they were kept. If they are \
             really gone, run `cadre integration accept-drop {}` and sync again.",
            kept.join(", "),
            sync.scope.id()
        )
    });
    Ok((deleted, kept))
}

/// Whether every stream that feeds the model was read to its end in this run.
fn pass_was_complete(sync: &Sync<'_>, model: &str, ends: &BTreeMap<String, StreamEnd>) -> bool {
    let feeding =
        sync.maps.iter().filter(|map| map.model().id == model).flat_map(|map| map.streams());
    for stream in feeding {
        let Some(end) = ends.get(&sync.entry.root_of(stream)) else { return false };
        if !end.complete || end.incomplete.contains(stream) {
            return false;
        }
    }
    true
}

fn counts(
    sync: &Sync<'_>,
    ends: &BTreeMap<String, StreamEnd>,
    deleted: &BTreeMap<&'static str, u64>,
) -> Value {
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
            });
            (stream.clone(), row)
        })
        .collect();
    let waits = sync.log.waits();
    json!({
        "streams": streams,
        "deleted": deleted,
        "exchanges": sync.log.count(),
        "waits": {"count": waits.count, "total_ms": waits.total_ms, "latest": waits.latest},
    })
}

async fn end(sync: &Sync<'_>, verdict: Verdict, counts: Value) -> Result<(), cadre_store::Error> {
    let store = &sync.parts.store;
    let now = sync.parts.clock.now_ms();
    let state = verdict.state;
    let reason = verdict.reason.clone();
    let end = RunEnd { state, reason: Some(verdict.reason), fault: verdict.fault, counts };
    store.run_end(&sync.scope, &sync.run.id, end).await?;
    match state {
        RunState::Succeeded | RunState::PartiallyFailed => {
            store.integration_first_synced(&sync.scope, now).await?;
            if sync.integration.setup_status != SetupStatus::Completed {
                store.integration_setup_status_set(&sync.scope, SetupStatus::Completed).await?;
            }
            store.integration_auth_failing_set(&sync.scope, None).await?;
            if sync.integration.status == IntegrationStatus::Invalid {
                store.integration_status_set(&sync.scope, IntegrationStatus::Active, None).await?;
            }
        }
        RunState::AuthenticationFailed => authentication_failed(sync, now, &reason).await?,
        _ => {}
    }
    Ok(())
}

/// After three days in which nothing but authentication failures came, syncing stops until the
/// customer reconnects.
async fn authentication_failed(
    sync: &Sync<'_>,
    now: i64,
    reason: &str,
) -> Result<(), cadre_store::Error> {
    const THREE_DAYS_MS: i64 = 3 * 24 * 3_600_000;
    let store = &sync.parts.store;
    let since = sync.integration.auth_failing_since.unwrap_or(now);
    store.integration_auth_failing_set(&sync.scope, Some(since)).await?;
    if now - since >= THREE_DAYS_MS {
        store.integration_status_set(&sync.scope, IntegrationStatus::Invalid, Some(reason)).await?;
        store.integration_next_sync_set(&sync.scope, None).await?;
    }
    Ok(())
}
