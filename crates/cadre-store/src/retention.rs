//! Removing what has been kept long enough. How long that is, the caller says.

use cadre_model::mapped::Record;
use serde_json::{Map, Value};
use sqlx::Row;

use crate::events;
use crate::records::keys;
use crate::records::sql::Place;
use crate::records::version::records_moved;
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// A record that was deleted in the tool, and still has its values.
#[derive(Debug, Clone)]
pub struct Expired {
    /// Whose it is.
    pub scope: IntegrationScope,
    /// Its model.
    pub model: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// Own fields, in the wire form.
    pub fields: Map<String, Value>,
    /// Links by name, `[[id, remote id, attributes?], …]`.
    pub links: Map<String, Value>,
}

/// What an integration leaves behind, each table with its key.
const OF_INTEGRATION: &[&str] = &[
    "record_refs",
    "records",
    "record_raw",
    "raw_lookups",
    "integration_fields",
    "custom_field_sources",
    "filter_choices",
    "hooks",
    "assessment_packages",
    "assessment_orders",
    "issues",
    "integration_issues",
    "run_seen",
    "run_streams",
    "runs",
    "model_marks",
    "field_fills",
    "action_calls",
    "directory_resources",
    "directory_members",
    "record_versions",
    "key_names",
    "connect_links",
    "grants",
];

impl Store {
    /// Removes interactions that began before a moment, with their exchanges.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interactions_prune(&self, before: i64) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "DELETE FROM exchanges WHERE interaction_id IN (SELECT id FROM interactions WHERE started_at < $1)",
        )
        .bind(before)
        .execute(&mut *tx)
        .await
        .attempt("remove old exchanges")?;
        let done = sqlx::query("DELETE FROM interactions WHERE started_at < $1")
            .bind(before)
            .execute(&mut *tx)
            .await
            .attempt("remove old interactions")?;
        tx.commit().await.attempt("remove old interactions")?;
        Ok(done.rows_affected())
    }

    /// Removes jobs that ended before a moment, and the record of runs that did; how many jobs.
    /// The latest run of an integration may go with them: its interaction has gone before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn history_prune(&self, before: i64) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        for statement in [
            "DELETE FROM run_streams WHERE EXISTS (SELECT 1 FROM runs r
                 WHERE r.integration_id = run_streams.integration_id AND r.id = run_streams.run_id
                 AND r.ended_at < $1)",
            "DELETE FROM runs WHERE ended_at < $1",
            "DELETE FROM logins WHERE expires_at < $1",
            "DELETE FROM connect_links WHERE expires_at < $1",
            "DELETE FROM consents WHERE expires_at < $1",
        ] {
            sqlx::query(statement)
                .bind(before)
                .execute(&mut *tx)
                .await
                .attempt("remove old runs")?;
        }
        let done = sqlx::query("DELETE FROM jobs WHERE ended_at < $1")
            .bind(before)
            .execute(&mut *tx)
            .await
            .attempt("remove old jobs")?;
        tx.commit().await.attempt("remove old jobs")?;
        Ok(done.rows_affected())
    }

    /// Records that were deleted in the tool before a moment and still have their values.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_records_expired(
        &self,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Expired>, Error> {
        let rows = sqlx::query(
            "SELECT i.environment_id, r.integration_id, r.model, r.remote_id, r.body, r.links FROM records r
             JOIN integrations i ON i.id = r.integration_id
             WHERE r.remote_deleted_at < $1 AND r.remote_deleted_at IS NOT NULL AND r.blanked_at IS NULL
             LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(self.write())
        .await
        .attempt("look for expired records")?;
        let object = |text: String| {
            serde_json::from_str(&text).map_err(|_| Error::damaged("a record", &text))
        };
        rows.iter()
            .map(|row| {
                Ok(Expired {
                    scope: IntegrationScope::of(row.get(0), row.get(1)),
                    model: row.get(2),
                    remote_id: row.get(3),
                    fields: object(row.get(4))?,
                    links: object(row.get(5))?,
                })
            })
            .collect()
    }

    /// Stores what is left of a record whose values are removed. It can be found by its ids only; were
    /// the tool to show it again, it would be written as if it were new.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn record_blank(&self, scope: &IntegrationScope, left: &Record) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let at = Place {
            backend: self.backend(),
            integration_id: scope.id(),
            model: left.model,
            now: self.now(),
        };
        let old = keys::stored(&mut tx, at, &[left.id.as_str()]).await?;
        keys::forget(&mut tx, at, &old).await?;
        let nothing: Vec<u8> = Vec::new();
        sqlx::query(
            "UPDATE records SET body = $4, links = $5, hash = $6, link_hash = $6, blanked_at = $7, keys = '{}',
                 extensions = ''
             WHERE integration_id = $1 AND model = $2 AND id = $3 AND remote_deleted_at IS NOT NULL",
        )
        .bind(scope.id())
        .bind(left.model)
        .bind(&left.id)
        .bind(&left.body)
        .bind(&left.links)
        .bind(nothing)
        .bind(self.now())
        .execute(&mut *tx)
        .await
        .attempt("remove the values of a record")?;
        for table in ["record_refs", "record_raw"] {
            let sql =
                format!("DELETE FROM {table} WHERE integration_id = $1 AND model = $2 AND id = $3");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(scope.id())
                .bind(left.model)
                .bind(&left.id)
                .execute(&mut *tx)
                .await
                .attempt("remove the values of a record")?;
        }
        records_moved(&mut tx, scope.id()).await?;
        tx.commit().await.attempt("remove the values of a record")
    }

    /// Removes everything of the integrations that were deleted before a moment, but for the fact that
    /// they were there. How many there were.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_integrations_erase(&self, before: i64) -> Result<u64, Error> {
        let rows =
            sqlx::query("SELECT id FROM integrations WHERE deleted_at < $1 AND erased_at IS NULL")
                .bind(before)
                .fetch_all(self.write())
                .await
                .attempt("look for deleted integrations")?;
        for row in &rows {
            let id: String = row.get(0);
            self.erase(&id).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn erase(&self, integration_id: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let own = OF_INTEGRATION
            .iter()
            .map(|table| format!("DELETE FROM {table} WHERE integration_id = $1"));
        let others = [
            "DELETE FROM record_keys WHERE key_id IN
                 (SELECT key_id FROM key_names WHERE integration_id = $1)",
            "DELETE FROM exchanges WHERE interaction_id IN
                 (SELECT id FROM interactions WHERE integration_id = $1)",
            "DELETE FROM interactions WHERE integration_id = $1",
            "UPDATE integrations SET organization_name = '', creator_email = NULL, origin_id = NULL,
                 settings = '{}', mapping = NULL WHERE id = $1",
        ];
        for sql in others.map(str::to_owned).into_iter().chain(own) {
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(integration_id)
                .execute(&mut *tx)
                .await
                .attempt("erase an integration")?;
        }
        events::forget_end_user(&mut tx, integration_id).await?;
        sqlx::query("UPDATE integrations SET erased_at = $2 WHERE id = $1")
            .bind(integration_id)
            .bind(self.now())
            .execute(&mut *tx)
            .await
            .attempt("erase an integration")?;
        tx.commit().await.attempt("erase an integration")
    }
}
