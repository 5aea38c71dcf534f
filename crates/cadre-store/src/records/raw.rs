//! Raw values, and records that are made of them once more.

use std::collections::HashMap;

use cadre_model::mapped::{Raw, Record};
use serde_json::Value;
use sqlx::Row;

use super::sql::{Place, chunks};
use super::version::records_moved;
use super::write::{PageOutcome, Stored, by_model, due, stored, write_model};
use crate::events;
use crate::jobs::{Job, fence, finish_fenced};
use crate::store::{Attempt, Error, Store, Tx};
use crate::tenants::IntegrationScope;

/// A raw value that is stored, and the record that was made of it.
#[derive(Debug, Clone)]
pub struct RawRow {
    /// The record.
    pub id: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// The value as it is stored, with the stream that it came from.
    pub raw: Raw,
    /// The value.
    pub value: Value,
    /// The parent record of its sub-request, or null.
    pub parent: Value,
    /// The record's own fields as they are stored.
    pub body: String,
    /// Its links, `{name: [[id, remote id, attributes?], …]}`.
    pub links: String,
}

impl Store {
    /// The raw values of the live records of a model, after an id, by id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn raw_page(
        &self,
        scope: &IntegrationScope,
        model: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RawRow>, Error> {
        let rows = sqlx::query(
            "SELECT r.id, r.remote_id, w.stream, w.raw, r.body, r.links, w.hash FROM record_raw w
             JOIN records r ON r.integration_id = w.integration_id AND r.model = w.model AND r.id = w.id
             WHERE w.integration_id = $1 AND w.model = $2 AND w.id > $3 AND r.remote_deleted_at IS NULL
             ORDER BY w.id LIMIT $4",
        )
        .bind(scope.id())
        .bind(model)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await
        .attempt("read raw values")?;
        rows.iter()
            .map(|row| {
                let (text, hash): (String, Vec<u8>) = (row.get(3), row.get(6));
                let damaged = || Error::damaged("a raw value", "something else");
                let (value, parent) = serde_json::from_str(&text).map_err(|_| damaged())?;
                let hash = hash.try_into().map_err(|_| damaged())?;
                Ok(RawRow {
                    id: row.get(0),
                    remote_id: row.get(1),
                    raw: Raw { stream: row.get(2), text, hash },
                    value,
                    parent,
                    body: row.get(4),
                    links: row.get(5),
                })
            })
            .collect()
    }

    /// Keeps the lookups that records are made with.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn raw_lookups_set(
        &self,
        scope: &IntegrationScope,
        lookups: &Value,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO raw_lookups (integration_id, value) VALUES ($1, $2)
             ON CONFLICT (integration_id) DO UPDATE SET value = excluded.value",
        )
        .bind(scope.id())
        .bind(lookups.to_string())
        .execute(self.write())
        .await
        .attempt("keep lookups")?;
        Ok(())
    }

    /// The lookups that the records were made with; null where there were none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn raw_lookups(&self, scope: &IntegrationScope) -> Result<Value, Error> {
        let row = sqlx::query("SELECT value FROM raw_lookups WHERE integration_id = $1")
            .bind(scope.id())
            .fetch_optional(self.write())
            .await
            .attempt("read lookups")?;
        let Some(row) = row else { return Ok(Value::Null) };
        let text: String = row.get(0);
        serde_json::from_str(&text).map_err(|_| Error::damaged("lookups", &text))
    }

    /// Stores records that were made once more of the raw values that are stored. One whose raw value is
    /// another one by now, and one that was deleted, is left as it is: a sync was there meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker has the job; nothing is written then.
    pub async fn records_write_again(
        &self,
        scope: &IntegrationScope,
        records: &[Record],
        job: &Job,
    ) -> Result<PageOutcome, Error> {
        let mut outcome = PageOutcome::default();
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, job).await?;
        let mut issues = Vec::new();
        for (model, mut records) in by_model(records.iter(), &mut issues) {
            let at = Place { backend: self.backend(), integration_id: scope.id(), model, now };
            let stored = stored(&mut tx, at, &records).await?;
            records
                .retain(|record| stored.get(&record.id).is_some_and(|old| is_made_of(old, record)));
            let due = due(&records, &stored, i64::MAX, now, &mut outcome, &mut issues);
            write_model(&mut tx, at, &due).await?;
            // Nobody has seen them: what was suspect is so still.
            let suspects = records
                .iter()
                .filter(|record| stored.get(&record.id).is_some_and(|old| old.suspect));
            for record in suspects {
                sqlx::query(
                    "UPDATE records SET suspect_since = COALESCE(suspect_since, $4)
                     WHERE integration_id = $1 AND model = $2 AND id = $3",
                )
                .bind(scope.id())
                .bind(model)
                .bind(&record.id)
                .bind(now)
                .execute(&mut *tx)
                .await
                .attempt("keep a record suspect")?;
            }
        }
        if outcome.wrote() {
            records_moved(&mut tx, scope.id()).await?;
        }
        tx.commit().await.attempt("store records that were made again")?;
        Ok(outcome)
    }

    /// Ends a job that changed records beside any sync: callers are told which models changed since then.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker has the job; nothing is written then.
    pub async fn records_changed_finish(
        &self,
        scope: &IntegrationScope,
        since: i64,
        job: &Job,
    ) -> Result<(), Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, job).await?;
        events::data_changed(&mut tx, (scope.environment_id(), scope.id()), since, now).await?;
        finish_fenced(&mut tx, job, now).await?;
        tx.commit().await.attempt("end a job")
    }
}

/// Whether this is the raw value that is stored of the record, and nobody has deleted it.
fn is_made_of(stored: &Stored, record: &Record) -> bool {
    let hash = record.raw.as_ref().map(|raw| &raw.hash[..]);
    !stored.deleted && hash.is_some() && stored.raw_hash.as_deref() == hash
}

/// Stores the raw values that differ from those that are stored.
pub(super) async fn write_raw(
    tx: &mut Tx,
    at: Place<'_>,
    records: &[&Record],
    stored: &HashMap<String, Stored>,
) -> Result<(), Error> {
    let mut due: Vec<(&Record, &Raw)> = records
        .iter()
        .filter_map(|record| {
            let raw = record.raw.as_ref()?;
            let known = stored.get(&record.id).and_then(|old| old.raw_hash.as_deref());
            (known != Some(&raw.hash[..])).then_some((*record, raw))
        })
        .collect();
    due.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    for chunk in chunks(&due) {
        let sql = format!(
            "INSERT INTO record_raw (integration_id, model, id, stream, raw, hash) VALUES {}
             ON CONFLICT (integration_id, model, id) DO UPDATE SET
                 stream = excluded.stream, raw = excluded.raw, hash = excluded.hash",
            at.backend.rows(6, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (record, raw) in chunk {
            query = query
                .bind(at.integration_id)
                .bind(at.model)
                .bind(&record.id)
                .bind(&raw.stream)
                .bind(&raw.text)
                .bind(raw.hash.to_vec());
        }
        query.execute(&mut **tx).await.attempt("store raw values")?;
    }
    Ok(())
}
