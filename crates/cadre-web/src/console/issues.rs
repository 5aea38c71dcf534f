//! `…/issues`: what is wrong with an integration, and what a person decides about it.

use askama::Template;
use axum::extract::State;
use cadre_model::mapped::Issue;
use cadre_store::{
    IntegrationIssue, IntegrationIssueKind, IntegrationIssueState, QaStatus, SetupStatus, Suspect,
};

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, html, see_other};
use super::shell::{Chosen, Header, Named, Shell};
use crate::state::AppState;

/// Issues, values and suspects that the page lists.
const ISSUES: u32 = 200;

#[derive(Debug, Template)]
#[template(path = "issues.html")]
struct Issues {
    shell: Shell,
    header: Header,
    open: Vec<IssueOut>,
    closed: Vec<IssueOut>,
    held: bool,
    quality: bool,
    locked: Option<&'static str>,
    values: Vec<Issue>,
    suspects: Vec<(String, String, Moment)>,
}

#[derive(Debug)]
struct IssueOut {
    id: String,
    title: &'static str,
    subject: String,
    state: Badge,
    message: String,
    hint: Option<String>,
    first_seen: Moment,
    last_seen: Moment,
    resolved: Option<Moment>,
    can_accept: bool,
    can_snooze: bool,
    can_reopen: bool,
}

/// What an issue is, in a few words.
pub(super) fn title(kind: IntegrationIssueKind) -> &'static str {
    match kind {
        IntegrationIssueKind::ActionFailing => "An action fails",
        IntegrationIssueKind::AuthenticationFailed => "The tool refuses the credentials",
        IntegrationIssueKind::DropHeld => "More records are missing than can be believed",
        IntegrationIssueKind::FieldDegraded => "A field that was filled came empty",
        IntegrationIssueKind::IncomingWebhookFailing => "Calls of the tool fail",
        IntegrationIssueKind::QualityFailed => "The first sync failed its quality checks",
        IntegrationIssueKind::SyncFailing => "The last sync failed",
    }
}

/// Lists what is wrong.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let store = &state.store;
    let issues = store.integration_issues(&chosen.scope, ISSUES).await?;
    let is_open = |issue: &IntegrationIssue| issue.state != IntegrationIssueState::Resolved;
    let holds =
        |kind| issues.iter().any(|i| i.kind == kind && i.state == IntegrationIssueState::Open);
    let suspects = store.records_suspects(&chosen.scope, ISSUES).await?;
    let integration = &chosen.found.integration;
    let page = Issues {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "issues"),
        held: holds(IntegrationIssueKind::DropHeld),
        quality: integration.qa_status == QaStatus::Failed,
        locked: match (integration.setup_status, integration.qa_status) {
            (SetupStatus::Incomplete, _) => Some("The customer has steps of the set-up left."),
            (_, QaStatus::Failed) => Some("The first sync did not pass its quality checks."),
            (SetupStatus::FinalSyncPending, _) => {
                Some("The sync after the set-up has not ended well yet.")
            }
            (SetupStatus::Completed, _) => None,
        },
        open: issues.iter().filter(|issue| is_open(issue)).map(issue_out).collect(),
        closed: issues.iter().filter(|issue| !is_open(issue)).map(issue_out).collect(),
        values: store.issues_list(&chosen.scope, ISSUES).await?,
        suspects: suspects.into_iter().map(suspect_out).collect(),
    };
    Ok(html(&page))
}

fn suspect_out(suspect: Suspect) -> (String, String, Moment) {
    (suspect.model, suspect.remote_id, Moment(suspect.since))
}

fn issue_out(issue: &IntegrationIssue) -> IssueOut {
    let open = issue.state == IntegrationIssueState::Open;
    IssueOut {
        id: issue.id.clone(),
        title: title(issue.kind),
        subject: issue.subject.clone(),
        state: match issue.state {
            IntegrationIssueState::Open => Badge::bad("open"),
            IntegrationIssueState::Snoozed => Badge::plain("snoozed"),
            IntegrationIssueState::Accepted => Badge::warn("accepted"),
            IntegrationIssueState::Resolved => Badge::good("resolved"),
        },
        message: issue.message.clone(),
        hint: issue.hint.clone(),
        first_seen: Moment(issue.first_seen_at),
        last_seen: Moment(issue.last_seen_at),
        resolved: issue.resolved_at.map(Moment),
        can_accept: open && issue.kind == IntegrationIssueKind::FieldDegraded,
        can_snooze: open,
        can_reopen: matches!(
            issue.state,
            IntegrationIssueState::Snoozed | IntegrationIssueState::Accepted
        ),
    }
}

/// Snoozes an issue, accepts what it says, or opens it again.
pub(super) async fn set(
    State(state): State<AppState>,
    chosen: Chosen,
    named: Named,
    form: Posted,
) -> Shown {
    let id = named.part("issue");
    let (wanted, done) = match form.text("state") {
        "snooze" => (IntegrationIssueState::Snoozed, "issue-snooze"),
        "accept" => (IntegrationIssueState::Accepted, "issue-accept"),
        _ => (IntegrationIssueState::Open, "issue-reopen"),
    };
    if !state.store.integration_issue_set(&chosen.scope, id, wanted).await? {
        return Err(Trouble::Missing("An issue with this id that is not over"));
    }
    chosen.note(&state, "issue.set", format!("{id}: {wanted}")).await?;
    back(&chosen, done)
}

/// Lets the next sync believe that many records are gone.
pub(super) async fn accept_drop(State(state): State<AppState>, chosen: Chosen) -> Shown {
    state.store.integration_drop_accept(&chosen.scope).await?;
    chosen.note(&state, "issue.drop-accepted", "").await?;
    back(&chosen, "drop-accept")
}

/// Keeps the records that look gone.
pub(super) async fn reject_drop(State(state): State<AppState>, chosen: Chosen) -> Shown {
    for issue in state.store.integration_issues(&chosen.scope, ISSUES).await? {
        let held = issue.kind == IntegrationIssueKind::DropHeld
            && issue.state == IntegrationIssueState::Open;
        if held {
            let snoozed = IntegrationIssueState::Snoozed;
            state.store.integration_issue_set(&chosen.scope, &issue.id, snoozed).await?;
        }
    }
    chosen.note(&state, "issue.drop-rejected", "").await?;
    back(&chosen, "drop-reject")
}

/// Opens an integration for reads although its first sync failed the quality checks.
pub(super) async fn accept_quality(State(state): State<AppState>, chosen: Chosen) -> Shown {
    cadre_jobs::accept_quality(&state.store, &chosen.scope).await?;
    chosen.note(&state, "issue.quality-accepted", "").await?;
    back(&chosen, "quality-accept")
}

/// Force unlock: the set-up counts as finished, whatever is left of it.
pub(super) async fn unlock(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let was = cadre_jobs::force_unlock(&state.store, &chosen.scope).await?;
    state.wake.notify_one();
    chosen.note(&state, "integration.force-unlocked", was).await?;
    back(&chosen, "unlock")
}

fn back(chosen: &Chosen, done: &str) -> Shown {
    Ok(see_other(&format!("{}/issues?done={done}", chosen.base())))
}
