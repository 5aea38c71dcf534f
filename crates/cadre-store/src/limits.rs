//! What all processes together may do: requests in a window, live work at once.

use cadre_model::ids::random_id;
use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::{EnvironmentScope, IntegrationScope};

/// Room for one piece of live work with the tool of an integration.
#[derive(Debug, Clone)]
pub struct LiveSlot {
    integration_id: String,
    id: String,
    /// How many pieces were under way before.
    pub others: u32,
}

impl Store {
    /// Takes requests of a window for a key, or for its whole environment; how many were taken of it
    /// before. A window that is older than the one that was counted last belongs to a clock that is
    /// behind, and counts as that one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rate_take(
        &self,
        scope: &EnvironmentScope,
        key_id: Option<&str>,
        window: u64,
        requests: u64,
    ) -> Result<u64, Error> {
        let requests = i64::try_from(requests).unwrap_or(i64::MAX);
        let row = sqlx::query(
            "INSERT INTO rate_windows (environment_id, key_id, number, taken) VALUES ($1, $2, $3, $4)
             ON CONFLICT (environment_id, key_id) DO UPDATE SET
                 taken = CASE WHEN excluded.number > rate_windows.number THEN excluded.taken
                              ELSE rate_windows.taken + excluded.taken END,
                 number = CASE WHEN excluded.number > rate_windows.number THEN excluded.number
                               ELSE rate_windows.number END
             RETURNING taken",
        )
        .bind(scope.id())
        .bind(key_id.unwrap_or_default())
        .bind(i64::try_from(window).unwrap_or(i64::MAX))
        .bind(requests)
        .fetch_one(self.write())
        .await
        .attempt("count requests")?;
        Ok(u64::try_from(row.get::<i64, _>("taken") - requests).unwrap_or(0))
    }

    /// Takes room for one piece of live work, if fewer than `most` are under way. It is free again when
    /// it is given back, and after `hold_ms` at the latest.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn live_slot_take(
        &self,
        scope: &IntegrationScope,
        most: u32,
        hold_ms: i64,
    ) -> Result<Option<LiveSlot>, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        // Whoever has this row counts alone.
        sqlx::query(
            "INSERT INTO live_rooms (integration_id, at) VALUES ($1, $2)
             ON CONFLICT (integration_id) DO UPDATE SET at = excluded.at",
        )
        .bind(scope.id())
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("count live work")?;
        sqlx::query("DELETE FROM live_slots WHERE integration_id = $1 AND until <= $2")
            .bind(scope.id())
            .bind(now)
            .execute(&mut *tx)
            .await
            .attempt("count live work")?;
        let row =
            sqlx::query("SELECT COUNT(*) AS others FROM live_slots WHERE integration_id = $1")
                .bind(scope.id())
                .fetch_one(&mut *tx)
                .await
                .attempt("count live work")?;
        let others = u32::try_from(row.get::<i64, _>("others")).unwrap_or(u32::MAX);
        if others >= most {
            return Ok(None);
        }
        let slot = LiveSlot { integration_id: scope.id().to_owned(), id: random_id(), others };
        sqlx::query("INSERT INTO live_slots (integration_id, id, until) VALUES ($1, $2, $3)")
            .bind(scope.id())
            .bind(&slot.id)
            .bind(now.saturating_add(hold_ms))
            .execute(&mut *tx)
            .await
            .attempt("begin live work")?;
        tx.commit().await.attempt("begin live work")?;
        Ok(Some(slot))
    }

    /// Gives room back.
    ///
    /// # Errors
    ///
    /// When the database fails; the room is free again when its time is over.
    pub async fn live_slot_give_back(&self, slot: &LiveSlot) -> Result<(), Error> {
        sqlx::query("DELETE FROM live_slots WHERE integration_id = $1 AND id = $2")
            .bind(&slot.integration_id)
            .bind(&slot.id)
            .execute(self.write())
            .await
            .attempt("end live work")?;
        Ok(())
    }

    /// How many pieces of live work are under way.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn live_slots(&self, scope: &IntegrationScope) -> Result<u32, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS taken FROM live_slots WHERE integration_id = $1 AND until > $2",
        )
        .bind(scope.id())
        .bind(self.now())
        .fetch_one(self.read())
        .await
        .attempt("count live work")?;
        Ok(u32::try_from(row.get::<i64, _>("taken")).unwrap_or(u32::MAX))
    }
}
