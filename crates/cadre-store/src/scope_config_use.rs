//! Which scope configurations there are, which is the default, and which integrations have which.

use sqlx::Row;

use crate::scope_configs::{self, ScopeConfig};
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::{EnvironmentScope, IntegrationScope};

impl Store {
    /// The scope configurations of an environment, the default one first, each with how many integrations
    /// have it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_configs(
        &self,
        scope: &EnvironmentScope,
    ) -> Result<Vec<(ScopeConfig, u64)>, Error> {
        let rows = sqlx::query(
            "SELECT s.id, s.name, s.is_default, s.settings,
                 (SELECT COUNT(*) FROM integrations i WHERE i.environment_id = s.environment_id
                      AND i.scope_config_id = s.id AND i.deleted_at IS NULL) AS used
             FROM scope_configs s WHERE s.environment_id = $1 ORDER BY s.is_default DESC, s.name, s.id",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("list the scope configurations")?;
        rows.iter()
            .map(|row| {
                let used = u64::try_from(row.get::<i64, _>("used")).unwrap_or_default();
                Ok((scope_configs::scope_config(row)?, used))
            })
            .collect()
    }

    /// Gives a scope configuration a name; whether there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_rename(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        name: &str,
    ) -> Result<bool, Error> {
        let done =
            sqlx::query("UPDATE scope_configs SET name = $3 WHERE environment_id = $1 AND id = $2")
                .bind(scope.id())
                .bind(storable(id))
                .bind(storable(name))
                .execute(self.write())
                .await
                .attempt("name a scope configuration")?;
        Ok(done.rows_affected() > 0)
    }

    /// Has new integrations get a scope configuration; whether there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_default_set(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<bool, Error> {
        if self.scope_config_get(scope, id).await?.is_none() {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE scope_configs SET is_default = CASE WHEN id = $2 THEN 1 ELSE 0 END
             WHERE environment_id = $1",
        )
        .bind(scope.id())
        .bind(id)
        .execute(self.write())
        .await
        .attempt("choose the default scope configuration")?;
        Ok(true)
    }

    /// Deletes a scope configuration that is not the default one and that no integration has; whether it
    /// was.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_delete(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "DELETE FROM scope_configs WHERE environment_id = $1 AND id = $2 AND is_default = 0
             AND NOT EXISTS (SELECT 1 FROM integrations i WHERE i.environment_id = $1
                 AND i.scope_config_id = $2 AND i.deleted_at IS NULL)",
        )
        .bind(scope.id())
        .bind(storable(id))
        .execute(self.write())
        .await
        .attempt("delete a scope configuration")?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives an integration a scope configuration of its environment; its data is out of date then.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_scope_config_set(
        &self,
        scope: &IntegrationScope,
        id: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE integrations SET scope_config_id = $3, data_expired_at = $4
             WHERE id = $1 AND environment_id = $2 AND scope_config_id <> $3 AND EXISTS
                 (SELECT 1 FROM scope_configs s WHERE s.environment_id = $2 AND s.id = $3)",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(storable(id))
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("give an integration a scope configuration")?;
        Ok(done.rows_affected() > 0)
    }
}
