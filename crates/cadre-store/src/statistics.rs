//! Figures of an environment for its overview: calls and failures, how fresh data is, what waits for
//! receivers.

use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::{EnvironmentScope, IntegrationScope};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What was written to the log in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsInHour {
    /// When the hour began.
    pub from: i64,
    /// Interactions of all kinds.
    pub all: i64,
    /// Those that failed.
    pub failed: i64,
}

/// How often something failed with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailuresOfCode {
    /// The code.
    pub code: String,
    /// How often.
    pub count: i64,
}

/// How old the oldest data of an integration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staleness {
    /// The integration.
    pub integration_id: String,
    /// Up to when all of its models are known; `None`: one of them was never read whole.
    pub synced_at: Option<i64>,
}

/// What waits for a webhook endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The endpoint.
    pub endpoint_id: String,
    /// Deliveries that wait.
    pub waiting: i64,
    /// When the first of them was made.
    pub oldest_at: Option<i64>,
    /// Deliveries that were given up.
    pub failed: i64,
    /// Events of the ledger that were not looked at for it, because it is paused or behind.
    pub unread: i64,
}

impl Store {
    /// How many calls of an integration's tool came since a moment, and how many of them failed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn incoming_calls(
        &self,
        scope: &IntegrationScope,
        since: i64,
    ) -> Result<(i64, i64), Error> {
        // What is asked because of a call is written down beside it, without a status.
        let row = sqlx::query(
            "SELECT COUNT(*), COUNT(code) FROM interactions
             WHERE environment_id = $1 AND integration_id = $2 AND started_at >= $3
             AND kind = 'webhook_in' AND status IS NOT NULL",
        )
        .bind(scope.environment_id())
        .bind(scope.id())
        .bind(since)
        .fetch_one(self.write())
        .await
        .attempt("count the calls of a tool")?;
        Ok((row.get(0), row.get(1)))
    }

    /// Interactions by hour since a moment; hours without any are left out.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn calls_by_hour(
        &self,
        scope: &EnvironmentScope,
        since: i64,
    ) -> Result<Vec<CallsInHour>, Error> {
        let rows = sqlx::query(
            "SELECT started_at / 3600000, COUNT(*), COUNT(code) FROM interactions
             WHERE environment_id = $1 AND started_at >= $2 GROUP BY 1 ORDER BY 1",
        )
        .bind(scope.id())
        .bind(since)
        .fetch_all(self.read())
        .await
        .attempt("count calls")?;
        let hour = |row| CallsInHour {
            from: Row::get::<i64, _>(row, 0) * HOUR_MS,
            all: Row::get(row, 1),
            failed: Row::get(row, 2),
        };
        Ok(rows.iter().map(hour).collect())
    }

    /// Failures by code since a moment, the most frequent first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn failures_by_code(
        &self,
        scope: &EnvironmentScope,
        since: i64,
    ) -> Result<Vec<FailuresOfCode>, Error> {
        let rows = sqlx::query(
            "SELECT code, COUNT(*) FROM interactions
             WHERE environment_id = $1 AND code IS NOT NULL AND started_at >= $2
             GROUP BY code ORDER BY 2 DESC, code",
        )
        .bind(scope.id())
        .bind(since)
        .fetch_all(self.read())
        .await
        .attempt("count failures")?;
        let of = |row| FailuresOfCode { code: Row::get(row, 0), count: Row::get(row, 1) };
        Ok(rows.iter().map(of).collect())
    }

    /// How old the oldest data of each active integration is.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn staleness(&self, scope: &EnvironmentScope) -> Result<Vec<Staleness>, Error> {
        let rows = sqlx::query(
            "SELECT i.id, (SELECT MIN(m.synced_at) FROM model_marks m WHERE m.integration_id = i.id)
             FROM integrations i
             WHERE i.environment_id = $1 AND i.deleted_at IS NULL AND i.status <> 'INACTIVE' ORDER BY i.id",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("look how fresh integrations are")?;
        let of = |row| Staleness { integration_id: Row::get(row, 0), synced_at: Row::get(row, 1) };
        Ok(rows.iter().map(of).collect())
    }

    /// Up to when the records of each model of an integration are known.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn model_marks(
        &self,
        scope: &crate::tenants::IntegrationScope,
    ) -> Result<Vec<(String, i64)>, Error> {
        let rows =
            sqlx::query("SELECT model, synced_at FROM model_marks WHERE integration_id = $1")
                .bind(scope.id())
                .fetch_all(self.read())
                .await
                .attempt("look how fresh models are")?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// What waits for each webhook endpoint of an environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn backlogs(&self, scope: &EnvironmentScope) -> Result<Vec<Backlog>, Error> {
        let rows = sqlx::query(
            "SELECT w.id,
                 (SELECT COUNT(*) FROM deliveries d WHERE d.endpoint_id = w.id AND d.state = 'pending'),
                 (SELECT d.created_at FROM deliveries d WHERE d.endpoint_id = w.id AND d.state = 'pending'
                     ORDER BY d.sequence LIMIT 1),
                 (SELECT COUNT(*) FROM deliveries d WHERE d.endpoint_id = w.id AND d.state = 'failed'),
                 COALESCE((SELECT h.last FROM event_heads h WHERE h.environment_id = w.environment_id), 0)
                     - w.read_through
             FROM webhook_endpoints w WHERE w.environment_id = $1 ORDER BY w.created_at, w.id",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("look what waits for webhook endpoints")?;
        let backlog = |row| Backlog {
            endpoint_id: Row::get(row, 0),
            waiting: Row::get(row, 1),
            oldest_at: Row::get(row, 2),
            failed: Row::get(row, 3),
            unread: Row::get::<i64, _>(row, 4).max(0),
        };
        Ok(rows.iter().map(backlog).collect())
    }
}
