//! The issues of an integration that a run observes, or observes to be over.

use std::collections::{BTreeMap, BTreeSet};

use cadre_store::{IntegrationIssueKind, IntegrationIssueState, Observed, RunState};

use super::history;
use super::proof::{OfModel, Proof};
use super::run::{MOST_ISSUES, Sync};

/// Raises an issue for every field that was held, and resolves those of fields that came back, or whose
/// fall was accepted. What was held, in words.
pub(super) async fn field_issues(
    sync: &Sync<'_>,
    models: &BTreeMap<&'static str, OfModel>,
) -> Result<Option<String>, cadre_store::Error> {
    let store = &sync.parts.store;
    let held = sync
        .guard
        .lock()
        .await
        .as_ref()
        .map(|guard| guard.held(sync.scope.id(), |model| sync.signs(model, Some(guard))));
    let held = held.unwrap_or_default();
    let subjects = held.iter().map(|observed| observed.subject.clone()).collect();
    let emptier = history::judge(sync, models, &subjects).await?;
    for observed in held.iter().chain(&emptier) {
        store.integration_issue_raise(&sync.scope, observed).await?;
    }
    let still: BTreeSet<&str> =
        held.iter().chain(&emptier).map(|observed| observed.subject.as_str()).collect();
    for issue in store.integration_issues(&sync.scope, MOST_ISSUES).await? {
        let model = issue.subject.split('.').next().unwrap_or_default();
        let whole = models.get(model).is_some_and(|of| of.proof == Proof::Complete);
        let is_field = issue.kind == IntegrationIssueKind::FieldDegraded;
        let is_over = issue.state == IntegrationIssueState::Resolved;
        if is_field && !is_over && whole && !still.contains(issue.subject.as_str()) {
            store.integration_issue_resolve(&sync.scope, issue.kind, &issue.subject).await?;
        }
    }
    let names: Vec<&str> = held.iter().map(|observed| observed.subject.as_str()).collect();
    Ok((!names.is_empty()).then(|| {
        format!(
            "These were filled before and came empty, so their old values were kept: {}. \
             `cadre integration issues {}` says more.",
            names.join(", "),
            sync.scope.id()
        )
    }))
}

/// Raises or resolves what the end of a run says about the integration as a whole.
pub(super) async fn run_issues(
    sync: &Sync<'_>,
    state: RunState,
    reason: &str,
) -> Result<(), cadre_store::Error> {
    let (raised, over): (Option<IntegrationIssueKind>, &[IntegrationIssueKind]) = match state {
        RunState::AuthenticationFailed => {
            (Some(IntegrationIssueKind::AuthenticationFailed), &[IntegrationIssueKind::SyncFailing])
        }
        RunState::Failed | RunState::TimedOut => (Some(IntegrationIssueKind::SyncFailing), &[]),
        RunState::Succeeded | RunState::PartiallyFailed => {
            (None, &[IntegrationIssueKind::AuthenticationFailed, IntegrationIssueKind::SyncFailing])
        }
        RunState::Queued | RunState::Running | RunState::Cancelled => (None, &[]),
    };
    let store = &sync.parts.store;
    for kind in over {
        store.integration_issue_resolve(&sync.scope, *kind, "").await?;
    }
    if let Some(kind) = raised {
        let hint = match kind {
            IntegrationIssueKind::AuthenticationFailed => {
                "Ask the customer to reconnect the account with credentials that work."
            }
            _ => {
                "The log of the run says what the tool answered. The next sync tries again by itself."
            }
        };
        let observed = Observed {
            kind,
            subject: String::new(),
            message: reason.to_owned(),
            hint: Some(hint.to_owned()),
        };
        store.integration_issue_raise(&sync.scope, &observed).await?;
    }
    Ok(())
}
