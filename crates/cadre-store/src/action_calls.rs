//! How calls of actions ended lately.

use cadre_model::ids::random_id;
use sqlx::Row;

use crate::integration_issues::IntegrationIssueKind;
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

impl Store {
    /// Notes how a call of an action ended, and forgets those before `since`. How many calls there were from
    /// then on, and how many of them failed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_called(
        &self,
        scope: &IntegrationScope,
        operation: &str,
        failed: bool,
        since: i64,
    ) -> Result<(i64, i64), Error> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO action_calls (integration_id, operation, at, id, failed)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(scope.id())
        .bind(operation)
        .bind(self.now())
        .bind(random_id())
        .bind(i64::from(failed))
        .execute(&mut *tx)
        .await
        .attempt("note a call of an action")?;
        sqlx::query(
            "DELETE FROM action_calls WHERE integration_id = $1 AND operation = $2 AND at < $3",
        )
        .bind(scope.id())
        .bind(operation)
        .bind(since)
        .execute(&mut *tx)
        .await
        .attempt("forget calls of an action")?;
        let row = sqlx::query(
            "SELECT COUNT(*), COUNT(CASE WHEN failed = 1 THEN 1 END) FROM action_calls
             WHERE integration_id = $1 AND operation = $2",
        )
        .bind(scope.id())
        .bind(operation)
        .fetch_one(&mut *tx)
        .await
        .attempt("count the calls of an action")?;
        tx.commit().await.attempt("note a call of an action")?;
        Ok((row.get(0), row.get(1)))
    }

    /// Issues of a kind that were last observed before a moment and are not over, with what they are about.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_issues_unseen_since(
        &self,
        kind: IntegrationIssueKind,
        before: i64,
    ) -> Result<Vec<(IntegrationScope, String)>, Error> {
        let rows = sqlx::query(
            "SELECT i.environment_id, q.integration_id, q.subject FROM integration_issues q
             JOIN integrations i ON i.id = q.integration_id
             WHERE q.kind = $1 AND q.state <> 'RESOLVED' AND q.last_seen_at < $2 LIMIT 1000",
        )
        .bind(kind.as_str())
        .bind(before)
        .fetch_all(self.read())
        .await
        .attempt("look for issues that nobody observes")?;
        let of = |row: &sqlx::any::AnyRow| {
            (IntegrationScope::of(row.get(0), row.get(1)), row.get::<String, _>(2))
        };
        Ok(rows.iter().map(of).collect())
    }
}
