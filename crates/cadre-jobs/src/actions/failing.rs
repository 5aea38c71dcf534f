//! Whether an action fails on an integration: an issue for as long as half or more of its calls do.

use cadre_store::{IntegrationIssueKind, IntegrationScope, Observed};

use super::Finished;
use crate::live::Judged;
use crate::settings::Parts;

/// How far back calls are judged, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;

/// With fewer calls than this a share means nothing.
const ENOUGH: i64 = 5;

/// Notes how a call ended. What we refused ourselves is the caller's matter, and not counted.
pub(super) async fn note(
    parts: &Parts,
    scope: &IntegrationScope,
    action: &'static str,
    ended: &Result<Finished, Judged>,
) {
    let failed = match ended {
        Ok(_) => false,
        Err(judged) if judged.fault.code.as_str().starts_with("PLATFORM.") => return,
        Err(_) => true,
    };
    if let Err(error) = judge(parts, scope, action, failed).await {
        tracing::warn!(integration.id = scope.id(), %error, "the end of an action was not counted");
    }
}

async fn judge(
    parts: &Parts,
    scope: &IntegrationScope,
    action: &'static str,
    failed: bool,
) -> Result<(), cadre_store::Error> {
    let store = &parts.store;
    let since = parts.clock.now_ms() - DAY_MS;
    let (all, failed) = store.action_called(scope, action, failed, since).await?;
    let kind = IntegrationIssueKind::ActionFailing;
    if all < ENOUGH || failed * 2 < all {
        return store.integration_issue_resolve(scope, kind, action).await.map(drop);
    }
    let observed = Observed {
        kind,
        subject: action.to_owned(),
        message: format!("{failed} of {all} calls of `{action}` in the last 24 hours failed."),
        hint: Some("The log of the integration shows what the tool said to each.".to_owned()),
    };
    store.integration_issue_raise(scope, &observed).await.map(drop)
}

/// Ends the issues of actions that were not called for a day.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn forget(parts: &Parts) -> Result<(), cadre_store::Error> {
    let kind = IntegrationIssueKind::ActionFailing;
    let before = parts.clock.now_ms() - DAY_MS;
    for (scope, action) in parts.store.system_issues_unseen_since(kind, before).await? {
        parts.store.integration_issue_resolve(&scope, kind, &action).await?;
    }
    Ok(())
}
