//! When an integration is synced, and how far back.

use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

impl Store {
    /// Sets how long after a scheduled sync the next one is due, in milliseconds. The next one is due no
    /// later than that from now.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_interval_set(
        &self,
        scope: &IntegrationScope,
        interval_ms: i64,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE integrations SET sync_interval_ms = $3,
                 next_sync_at = CASE WHEN next_sync_at > $4 + $3 THEN $4 + $3 ELSE next_sync_at END
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(interval_ms)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("set a schedule")?;
        Ok(())
    }

    /// Sets since when data is read, of streams that can be bounded; `None` lifts the bound, and the next
    /// sync reads everything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_recent_set(
        &self,
        scope: &IntegrationScope,
        since: Option<i64>,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE integrations SET recent_since = $3,
                 data_expired_at = CASE WHEN $3 IS NULL AND recent_since IS NOT NULL THEN $4
                     ELSE data_expired_at END
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(since)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("bound an integration")?;
        Ok(())
    }

    /// Since when data is read, of streams that can be bounded.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_recent(&self, scope: &IntegrationScope) -> Result<Option<i64>, Error> {
        let row = sqlx::query(
            "SELECT recent_since FROM integrations WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .fetch_optional(self.write())
        .await
        .attempt("read a bound")?;
        Ok(row.and_then(|row| row.get(0)))
    }
}
