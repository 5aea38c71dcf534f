//! Values that did not fit, as runs found them.

use cadre_model::ids::random_id;
use cadre_model::mapped::Issue;
use sqlx::Row;

use crate::records::chunks;
use crate::store::{Attempt, Backend, Error, Store, Tx, storable, storable_or_null};
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

/// Stores values of a run that did not fit.
pub(crate) async fn insert_issues(
    tx: &mut Tx,
    backend: Backend,
    scope: &IntegrationScope,
    run_id: &str,
    issues: &[Issue],
) -> Result<(), Error> {
    for chunk in chunks(issues) {
        let sql = format!(
            "INSERT INTO issues (integration_id, run_id, id, model, remote_id, field, problem, expected, got)
             VALUES {}",
            backend.rows(9, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for issue in chunk {
            query = query
                .bind(scope.id())
                .bind(run_id)
                .bind(random_id())
                .bind(&issue.model)
                .bind(storable_or_null(issue.remote_id.as_deref()))
                .bind(storable_or_null(issue.field.as_deref()))
                .bind(&issue.problem)
                .bind(storable(&issue.expected))
                .bind(storable(&issue.got));
        }
        query.execute(&mut **tx).await.attempt("store issues")?;
    }
    Ok(())
}
