//! Which of some records are there, and which records refer to them.

use sqlx::Row;

use super::sql::array;
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

impl Store {
    /// Those of these ids under which a model has a record that is not deleted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_live_among(
        &self,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT id FROM records WHERE integration_id = $1 AND model = $2
             AND remote_deleted_at IS NULL AND {}",
            self.backend().among("id", "$3")
        );
        // Where writing goes on: what was just written is there.
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(model)
            .bind(array(ids))
            .fetch_all(self.write())
            .await
            .attempt("compare records")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The ids of the records of a model whose field refers to one of these records.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_referring(
        &self,
        scope: &IntegrationScope,
        (model, field): (&str, &str),
        targets: &[String],
    ) -> Result<Vec<String>, Error> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT id FROM record_refs WHERE integration_id = $1 AND model = $2 AND field = $3 AND {}",
            self.backend().among("target_id", "$4")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(model)
            .bind(field)
            .bind(array(targets))
            .fetch_all(self.write())
            .await
            .attempt("find records by what they refer to")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
