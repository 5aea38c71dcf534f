//! Conditions that hold for an integration: raised when first observed, kept while observed, resolved
//! when they clear. Values that did not fit are another thing: those are in [`crate::issues`].

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::events::{self, IssueChange};
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::IntegrationScope;

stored_words! {
    /// What is wrong with an integration.
    pub enum IntegrationIssueKind {
        /// Half or more of the calls of an action failed.
        ActionFailing = "integration.action_failing",
        /// The tool refuses the credentials.
        AuthenticationFailed = "integration.authentication_failed",
        /// More records are missing than can be believed.
        DropHeld = "integration.drop_held",
        /// A field that was filled is empty; its old values are kept.
        FieldDegraded = "integration.field_degraded",
        /// Half or more of the calls by which the tool tells what happened failed.
        IncomingWebhookFailing = "integration.incoming_webhook_failing",
        /// The first sync failed its quality checks.
        QualityFailed = "integration.quality_failed",
        /// The last sync failed.
        SyncFailing = "integration.sync_failing",
    }
}

stored_words! {
    /// Where an issue of an integration stands.
    pub enum IntegrationIssueState {
        /// It holds.
        Open = "OPEN",
        /// It holds, and a person does not want to hear of it.
        Snoozed = "SNOOZED",
        /// A person says that it is all right; the next complete run takes the data as it is.
        Accepted = "ACCEPTED",
        /// It is over.
        Resolved = "RESOLVED",
    }
}

/// An issue of an integration.
#[derive(Debug, Clone)]
pub struct IntegrationIssue {
    /// Its id.
    pub id: String,
    /// What is wrong.
    pub kind: IntegrationIssueKind,
    /// What it is about, such as `hris_employees.work_email`; empty for the whole integration.
    pub subject: String,
    /// Where it stands.
    pub state: IntegrationIssueState,
    /// What happened, in words.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// When it was first observed.
    pub first_seen_at: i64,
    /// When it was last observed.
    pub last_seen_at: i64,
    /// When it was over.
    pub resolved_at: Option<i64>,
}

impl IntegrationIssue {
    /// What it is, in a few words.
    fn title(&self) -> String {
        let what = match self.kind {
            IntegrationIssueKind::ActionFailing => "An action fails",
            IntegrationIssueKind::AuthenticationFailed => "The tool refuses the credentials",
            IntegrationIssueKind::DropHeld => "More records are missing than can be believed",
            IntegrationIssueKind::FieldDegraded => "A field that was filled is empty",
            IntegrationIssueKind::IncomingWebhookFailing => "Calls of the tool fail",
            IntegrationIssueKind::QualityFailed => "The first sync failed its quality checks",
            IntegrationIssueKind::SyncFailing => "The last sync failed",
        };
        if self.subject.is_empty() { what.to_owned() } else { format!("{what}: {}", self.subject) }
    }
}

/// An observation.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What is wrong.
    pub kind: IntegrationIssueKind,
    /// What it is about.
    pub subject: String,
    /// What happened, in words.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

pub(crate) const COLUMNS: &str =
    "id, kind, subject, state, message, hint, first_seen_at, last_seen_at, resolved_at";

impl Store {
    /// Notes that a condition holds: opens an issue, or keeps the one that there is as it stands.
    /// Returns the id if it was opened now.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_issue_raise(
        &self,
        scope: &IntegrationScope,
        observed: &Observed,
    ) -> Result<Option<String>, Error> {
        let id = random_id();
        let mut tx = self.begin().await?;
        let row = sqlx::query(
            "INSERT INTO integration_issues
                 (integration_id, id, kind, subject, state, message, hint, first_seen_at, last_seen_at)
             VALUES ($1, $2, $3, $4, 'OPEN', $5, $6, $7, $7)
             ON CONFLICT (integration_id, kind, subject) WHERE state <> 'RESOLVED'
             DO UPDATE SET message = excluded.message, hint = excluded.hint, last_seen_at = excluded.last_seen_at
             RETURNING id",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(observed.kind.as_str())
        .bind(storable(&observed.subject))
        .bind(storable(&observed.message))
        .bind(storable_or_null(observed.hint.as_deref()))
        .bind(self.now())
        .fetch_one(&mut *tx)
        .await
        .attempt("raise an issue")?;
        let opened = row.get::<String, _>(0) == id;
        if opened {
            self.tell(&mut tx, scope, &id).await?;
        }
        tx.commit().await.attempt("raise an issue")?;
        Ok(opened.then_some(id))
    }

    /// Notes that a condition does not hold any more. Returns the id if an issue was open.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_issue_resolve(
        &self,
        scope: &IntegrationScope,
        kind: IntegrationIssueKind,
        subject: &str,
    ) -> Result<Option<String>, Error> {
        let mut tx = self.begin().await?;
        let row = sqlx::query(
            "UPDATE integration_issues SET state = 'RESOLVED', resolved_at = $4
             WHERE integration_id = $1 AND kind = $2 AND subject = $3 AND state <> 'RESOLVED' RETURNING id",
        )
        .bind(scope.id())
        .bind(kind.as_str())
        .bind(storable(subject))
        .bind(self.now())
        .fetch_optional(&mut *tx)
        .await
        .attempt("resolve an issue")?;
        let id: Option<String> = row.map(|row| row.get(0));
        if let Some(id) = &id {
            self.tell(&mut tx, scope, id).await?;
        }
        tx.commit().await.attempt("resolve an issue")?;
        Ok(id)
    }

    /// Tells callers that an issue was raised or resolved.
    async fn tell(&self, tx: &mut Tx, scope: &IntegrationScope, id: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_issues WHERE integration_id = $1 AND id = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(id)
            .fetch_one(&mut **tx)
            .await
            .attempt("read an issue")?;
        let issue = issue(&row)?;
        let change = IssueChange {
            title: issue.title(),
            markdown_message: match &issue.hint {
                Some(hint) => format!("{}\n\n{hint}", issue.message),
                None => issue.message,
            },
            id: issue.id,
            issue_type: issue.kind.as_str().to_owned(),
            first_observed_at: issue.first_seen_at,
            resolved_at: issue.resolved_at,
        };
        let (environment_id, id) = (scope.environment_id(), Some(scope.id()));
        events::issue_status_changed(tx, environment_id, id, &change, self.now()).await
    }

    /// Changes where an issue that holds stands: snoozed, accepted or open. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_issue_set(
        &self,
        scope: &IntegrationScope,
        id: &str,
        state: IntegrationIssueState,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE integration_issues SET state = $3
             WHERE integration_id = $1 AND id = $2 AND state <> 'RESOLVED'",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(state.as_str())
        .execute(self.write())
        .await
        .attempt("change an issue")?;
        Ok(done.rows_affected() > 0)
    }

    /// The issues of an integration, those that hold first; the latest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_issues(
        &self,
        scope: &IntegrationScope,
        limit: u32,
    ) -> Result<Vec<IntegrationIssue>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_issues WHERE integration_id = $1
             ORDER BY CASE WHEN state = 'RESOLVED' THEN 1 ELSE 0 END, first_seen_at DESC, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(i64::from(limit))
            .fetch_all(self.write())
            .await
            .attempt("list the issues of an integration")?;
        rows.iter().map(issue).collect()
    }
}

pub(crate) fn issue(row: &AnyRow) -> Result<IntegrationIssue, Error> {
    let (kind, state): (String, String) = (row.get("kind"), row.get("state"));
    Ok(IntegrationIssue {
        id: row.get("id"),
        kind: IntegrationIssueKind::read(&kind)?,
        subject: row.get("subject"),
        state: IntegrationIssueState::read(&state)?,
        message: row.get("message"),
        hint: row.get("hint"),
        first_seen_at: row.get("first_seen_at"),
        last_seen_at: row.get("last_seen_at"),
        resolved_at: row.get("resolved_at"),
    })
}
