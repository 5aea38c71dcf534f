//! Looking through the integrations of an environment: each with how it does, in one statement.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::integration_issues::{self, IntegrationIssue};
use crate::integrations::{COLUMNS, Integration, integration};
use crate::runs::RunState;
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::{EnvironmentScope, IntegrationScope};

stored_words! {
    /// How an integration does, as one word: the first of these that holds.
    pub enum IntegrationState {
        /// Its credentials no longer hold; it waits for a reconnect.
        CredentialsInvalid = "credentials-invalid",
        /// It was switched off.
        Inactive = "inactive",
        /// The end customer has steps to do.
        SetUp = "set-up",
        /// The first sync failed its quality checks.
        Quality = "quality",
        /// The tool refuses the credentials, not yet for long.
        AuthenticationFailing = "authentication-failing",
        /// The last sync failed.
        Failing = "failing",
        /// Its first sync is on its way.
        FirstSync = "first-sync",
        /// The last sync failed in part.
        Warnings = "warnings",
        /// It is well.
        Active = "active",
    }
}

impl IntegrationState {
    /// Every state, what needs a person first.
    pub const ALL: [IntegrationState; 9] = [
        IntegrationState::CredentialsInvalid,
        IntegrationState::AuthenticationFailing,
        IntegrationState::Quality,
        IntegrationState::Failing,
        IntegrationState::SetUp,
        IntegrationState::Warnings,
        IntegrationState::FirstSync,
        IntegrationState::Inactive,
        IntegrationState::Active,
    ];

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<IntegrationState> {
        IntegrationState::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Which integrations are wanted.
#[derive(Debug, Clone, Default)]
pub struct IntegrationFilter {
    /// A part of the id, the customer's name, their id or who linked it; letters count as small ones.
    pub text: Option<String>,
    /// Only of this tool.
    pub tool: Option<String>,
    /// Only in this state.
    pub state: Option<IntegrationState>,
    /// So many are passed over.
    pub skip: u32,
    /// Most of them.
    pub limit: u32,
}

/// An integration, and how it does.
#[derive(Debug, Clone)]
pub struct IntegrationFound {
    /// The integration.
    pub integration: Integration,
    /// How it does.
    pub state: IntegrationState,
    /// The state of its latest run.
    pub latest: Option<RunState>,
    /// When its latest run that ended did.
    pub synced_at: Option<i64>,
    /// Issues that hold and that nobody snoozed or accepted.
    pub open_issues: i64,
}

/// A page of integrations.
#[derive(Debug, Clone)]
pub struct IntegrationsPage {
    /// The page, the latest linked first.
    pub found: Vec<IntegrationFound>,
    /// How many there are on all pages.
    pub total: i64,
}

const STATE: &str = "CASE
    WHEN i.status = 'INVALID' THEN 'credentials-invalid'
    WHEN i.status = 'INACTIVE' THEN 'inactive'
    WHEN i.setup_status = 'INCOMPLETE' THEN 'set-up'
    WHEN i.qa_status = 'FAILED' THEN 'quality'
    WHEN i.auth_failing_since IS NOT NULL OR r.state = 'AUTHENTICATION_FAILED' THEN 'authentication-failing'
    WHEN r.state IN ('FAILED', 'TIMED_OUT') THEN 'failing'
    WHEN i.first_synced_at IS NULL THEN 'first-sync'
    WHEN r.state = 'PARTIALLY_FAILED' THEN 'warnings'
    ELSE 'active' END";

/// Integrations with the latest of their runs that ended.
const FROM: &str = "FROM integrations i LEFT JOIN runs r ON r.integration_id = i.id AND r.id = (
        SELECT x.id FROM runs x WHERE x.integration_id = i.id AND x.ended_at IS NOT NULL
        ORDER BY x.created_at DESC LIMIT 1)
    WHERE i.environment_id = $1 AND i.deleted_at IS NULL";

const NARROW: &str = r"AND ($2 = '' OR LOWER(i.id) LIKE $2 ESCAPE '\'
        OR LOWER(i.organization_name) LIKE $2 ESCAPE '\'
        OR LOWER(COALESCE(i.origin_id, '')) LIKE $2 ESCAPE '\'
        OR LOWER(COALESCE(i.creator_email, '')) LIKE $2 ESCAPE '\')
    AND ($3 = '' OR i.tool = $3)";

fn columns() -> String {
    let own: Vec<String> =
        COLUMNS.split(", ").map(|column| format!("i.{0} AS {0}", column.trim())).collect();
    format!(
        "{}, {STATE} AS found_state, r.ended_at AS run_ended_at,
         (SELECT x.state FROM runs x WHERE x.integration_id = i.id ORDER BY x.created_at DESC LIMIT 1)
             AS latest_state,
         (SELECT COUNT(*) FROM integration_issues s
             WHERE s.integration_id = i.id AND s.state <> 'RESOLVED' AND s.state = 'OPEN') AS open_issues",
        own.join(", ")
    )
}

impl Store {
    /// A page of the integrations of an environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_search(
        &self,
        scope: &EnvironmentScope,
        filter: &IntegrationFilter,
    ) -> Result<IntegrationsPage, Error> {
        let text = filter.text.as_deref().unwrap_or_default().trim().to_lowercase();
        let pattern =
            if text.is_empty() { text } else { format!("%{}%", escaped(&storable(&text))) };
        let tool = storable(filter.tool.as_deref().unwrap_or_default());
        let state = filter.state.map_or("", IntegrationState::as_str);
        let count = if state.is_empty() {
            format!("SELECT COUNT(*) {FROM} {NARROW} AND $4 = ''")
        } else {
            format!("SELECT COUNT(*) {FROM} {NARROW} AND {STATE} = $4")
        };
        let total: i64 = sqlx::query(sqlx::AssertSqlSafe(count))
            .bind(scope.id())
            .bind(&pattern)
            .bind(&tool)
            .bind(state)
            .fetch_one(self.read())
            .await
            .attempt("count the integrations")?
            .get(0);
        let sql = format!(
            "SELECT {} {FROM} {NARROW} AND ($4 = '' OR {STATE} = $4)
             ORDER BY i.created_at DESC, i.id LIMIT $5 OFFSET $6",
            columns()
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(&pattern)
            .bind(&tool)
            .bind(state)
            .bind(i64::from(filter.limit))
            .bind(i64::from(filter.skip))
            .fetch_all(self.read())
            .await
            .attempt("look through the integrations")?;
        Ok(IntegrationsPage { found: rows.iter().map(found).collect::<Result<_, _>>()?, total })
    }

    /// One integration, and how it does.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_found(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Option<IntegrationFound>, Error> {
        let sql = format!("SELECT {} {FROM} AND i.id = $2", columns());
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.environment_id())
            .bind(scope.id())
            .fetch_optional(self.read())
            .await
            .attempt("read an integration")?;
        row.as_ref().map(found).transpose()
    }

    /// How many integrations of an environment are in each state.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_states(
        &self,
        scope: &EnvironmentScope,
    ) -> Result<Vec<(IntegrationState, i64)>, Error> {
        let sql = format!("SELECT {STATE} AS found_state, COUNT(*) {FROM} GROUP BY 1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .fetch_all(self.read())
            .await
            .attempt("count the integrations")?;
        rows.iter()
            .map(|row| Ok((IntegrationState::read(row.get::<&str, _>(0))?, row.get(1))))
            .collect()
    }

    /// Issues of the integrations of an environment that hold and that nobody snoozed or accepted, with
    /// the integration of each; the latest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn open_issues(
        &self,
        scope: &EnvironmentScope,
        limit: u32,
    ) -> Result<Vec<(String, IntegrationIssue)>, Error> {
        let columns: Vec<String> =
            integration_issues::COLUMNS.split(", ").map(|c| format!("s.{c} AS {c}")).collect();
        let sql = format!(
            "SELECT s.integration_id, {} FROM integrations i
             JOIN integration_issues s ON s.integration_id = i.id AND s.state <> 'RESOLVED'
             WHERE i.environment_id = $1 AND i.deleted_at IS NULL AND s.state = 'OPEN'
             ORDER BY s.first_seen_at DESC, s.id LIMIT $2",
            columns.join(", ")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(i64::from(limit))
            .fetch_all(self.read())
            .await
            .attempt("list the open issues")?;
        rows.iter()
            .map(|row| Ok((row.get("integration_id"), integration_issues::issue(row)?)))
            .collect()
    }
}

fn found(row: &AnyRow) -> Result<IntegrationFound, Error> {
    let latest: Option<String> = row.get("latest_state");
    Ok(IntegrationFound {
        integration: integration(row)?,
        state: IntegrationState::read(row.get::<&str, _>("found_state"))?,
        latest: latest.as_deref().map(RunState::read).transpose()?,
        synced_at: row.get("run_ended_at"),
        open_issues: row.get("open_issues"),
    })
}

/// A text in which nothing is a placeholder of LIKE.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
