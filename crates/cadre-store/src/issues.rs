//! Values that did not fit, as runs found them.

use cadre_model::mapped::Issue;
use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

impl Store {
    /// Models of which a run read something without being able to say which record it is.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_unidentified(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
    ) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(
            "SELECT DISTINCT model FROM issues
             WHERE integration_id = $1 AND run_id = $2 AND remote_id IS NULL ORDER BY model",
        )
        .bind(scope.id())
        .bind(run_id)
        .fetch_all(self.write())
        .await
        .attempt("list the issues")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Values of the latest runs that did not fit.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn issues_list(
        &self,
        scope: &IntegrationScope,
        limit: u32,
    ) -> Result<Vec<Issue>, Error> {
        let rows = sqlx::query(
            "SELECT model, remote_id, field, problem, expected, got FROM issues
             WHERE integration_id = $1 ORDER BY model, remote_id, field LIMIT $2",
        )
        .bind(scope.id())
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await
        .attempt("list the issues")?;
        Ok(rows
            .iter()
            .map(|row| Issue {
                model: row.get("model"),
                remote_id: row.get("remote_id"),
                field: row.get("field"),
                problem: row.get("problem"),
                expected: row.get("expected"),
                got: row.get("got"),
            })
            .collect())
    }
}
