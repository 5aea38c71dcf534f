//! What a complete pass did not see.
//!
//! A run keeps 8 bytes of each id that it saw. Two ids with the same 8 bytes would hide a deletion, never
//! cause one; with two million records that has a chance of about one in a hundred thousand.

use std::collections::BTreeMap;

use cadre_model::ids::record_id;
use sqlx::Row;

use super::sql::{IDS, Place, array};
use super::touch::{Changes, Links, touch};
use super::version::records_moved;
use super::write::old_links;
use crate::jobs::{Job, fence};
use crate::store::{Attempt, Backend, Error, Store, Tx};
use crate::tenants::IntegrationScope;

/// Ids that are compared at once.
const AT_ONCE: i64 = 5_000;

/// The first ten characters of an id as a number: 58 bits.
pub(super) fn short(id: &str) -> u64 {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    id.bytes().take(10).fold(0, |number, byte| {
        number * 58 + ALPHABET.iter().position(|known| *known == byte).unwrap_or(0) as u64
    })
}

impl Store {
    /// How many live records of a model a run has not seen.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_unseen(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
        model: &str,
    ) -> Result<u64, Error> {
        let seen = self.seen(scope, run_id, model).await?;
        let (mut count, mut after) = (0, String::new());
        while let Some((unseen, last)) =
            self.unseen_after(scope, run_id, model, &seen, &after).await?
        {
            count += unseen.len() as u64;
            after = last;
        }
        Ok(count)
    }

    /// Marks as deleted every live record of a model that a run has not seen; how many there were.
    /// Only to be called after every stream that feeds the model was read to its end.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker has the job.
    pub async fn records_delete_unseen(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
        model: &str,
        job: &Job,
    ) -> Result<u64, Error> {
        let seen = self.seen(scope, run_id, model).await?;
        let (mut count, mut after) = (0, String::new());
        while let Some((unseen, last)) =
            self.unseen_after(scope, run_id, model, &seen, &after).await?
        {
            after = last;
            for ids in unseen.chunks(IDS) {
                self.mark_deleted(scope, model, ids, job).await?;
                count += ids.len() as u64;
            }
        }
        Ok(count)
    }

    /// How many records of a model there are.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_count(
        &self,
        scope: &IntegrationScope,
        model: &str,
        include_deleted: bool,
    ) -> Result<u64, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM records WHERE integration_id = $1 AND model = $2
             AND (remote_deleted_at IS NULL OR $3 = 1)",
        )
        .bind(scope.id())
        .bind(model)
        .bind(i64::from(include_deleted))
        .fetch_one(self.write())
        .await
        .attempt("count records")?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    async fn mark_deleted(
        &self,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
        job: &Job,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        fence(&mut tx, job).await?;
        self.mark_deleted_in(&mut tx, scope, model, ids).await?;
        records_moved(&mut tx, scope.id()).await?;
        tx.commit().await.attempt("mark records as deleted")
    }

    /// Marks records as deleted that an action has deleted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_forget(
        &self,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        self.mark_deleted_in(&mut tx, scope, model, ids).await?;
        records_moved(&mut tx, scope.id()).await?;
        tx.commit().await.attempt("mark records as deleted")
    }

    async fn mark_deleted_in(
        &self,
        tx: &mut Tx,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
    ) -> Result<(), Error> {
        let (now, integration_id) = (self.now(), scope.id());
        let at = Place { backend: self.backend(), integration_id, model, now };
        mark_deleted(tx, at, ids).await
    }

    /// What a run has seen of a model, sorted. A record that could not be stored, because a field
    /// that it must have did not fit, is there all the same: its issue names it.
    pub(super) async fn seen(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
        model: &str,
    ) -> Result<Vec<u64>, Error> {
        let rows = sqlx::query(
            "SELECT ids FROM run_seen WHERE integration_id = $1 AND run_id = $2 AND model = $3",
        )
        .bind(scope.id())
        .bind(run_id)
        .bind(model)
        .fetch_all(self.write())
        .await
        .attempt("read what a run has seen")?;
        let mut seen = Vec::new();
        for row in rows {
            let ids: Vec<u8> = row.get(0);
            seen.extend(ids.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        }
        let rows = sqlx::query(
            "SELECT DISTINCT remote_id FROM issues WHERE integration_id = $1 AND run_id = $2 AND model = $3
             AND problem = 'missing_required' AND remote_id IS NOT NULL",
        )
        .bind(scope.id())
        .bind(run_id)
        .bind(model)
        .fetch_all(self.write())
        .await
        .attempt("read what a run has seen")?;
        seen.extend(rows.iter().map(|row| short(&record_id(scope.id(), model, row.get(0)))));
        seen.sort_unstable();
        Ok(seen)
    }

    /// Of the next live ids those that were not seen, and the last id that was looked at. What came
    /// while the run went on, by an action, is newer than what the run has read.
    pub(super) async fn unseen_after(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
        model: &str,
        seen: &[u64],
        after: &str,
    ) -> Result<Option<(Vec<String>, String)>, Error> {
        let rows = sqlx::query(
            "SELECT id FROM records WHERE integration_id = $1 AND model = $2 AND id > $3
             AND remote_deleted_at IS NULL AND NOT EXISTS (
                 SELECT 1 FROM runs WHERE runs.integration_id = $1 AND runs.id = $5
                 AND runs.started_at < records.created_at)
             ORDER BY id LIMIT $4",
        )
        .bind(scope.id())
        .bind(model)
        .bind(after)
        .bind(AT_ONCE)
        .bind(run_id)
        .fetch_all(self.write())
        .await
        .attempt("look for records that are gone")?;
        let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let Some(last) = ids.last().cloned() else { return Ok(None) };
        let unseen = ids.into_iter().filter(|id| seen.binary_search(&short(id)).is_err()).collect();
        Ok(Some((unseen, last)))
    }
}

/// Marks live records as deleted.
pub(super) async fn mark_deleted(tx: &mut Tx, at: Place<'_>, ids: &[String]) -> Result<(), Error> {
    let among = at.backend.among("id", "$4");
    let sql = format!(
        "UPDATE records SET remote_deleted_at = $1, changed_at = $1, touched_at = $1, suspect_since = NULL
         WHERE integration_id = $2 AND model = $3 AND remote_deleted_at IS NULL AND {among}"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.now)
        .bind(at.integration_id)
        .bind(at.model)
        .bind(array(ids))
        .execute(&mut **tx)
        .await
        .attempt("mark records as deleted")?;
    let of: Vec<&str> = ids.iter().map(String::as_str).collect();
    let links = old_links(tx, at, &of).await?;
    let links: Links = links.into_values().flatten().collect();
    let changes = Changes {
        ids: ids.to_vec(),
        came_or_went: ids.to_vec(),
        targets: links.clone(),
        moved: links,
    };
    touch(tx, at, &changes).await
}

/// Marks as deleted what the tool says is deleted, as far as it is there. How many records that were.
pub(super) async fn delete_named<'a>(
    tx: &mut Tx,
    backend: Backend,
    scope: &IntegrationScope,
    gone: impl Iterator<Item = &'a (&'static str, String)>,
    now: i64,
) -> Result<usize, Error> {
    let mut deleted = 0;
    let mut models: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (model, id) in gone {
        models.entry(model).or_default().push(id);
    }
    for (model, ids) in models {
        let at = Place { backend, integration_id: scope.id(), model, now };
        for chunk in ids.chunks(IDS) {
            let sql = format!(
                "SELECT id FROM records WHERE integration_id = $1 AND model = $2
                 AND remote_deleted_at IS NULL AND {}",
                backend.among("id", "$3")
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(scope.id())
                .bind(model)
                .bind(array(chunk))
                .fetch_all(&mut **tx)
                .await
                .attempt("compare records")?;
            let live: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            if !live.is_empty() {
                mark_deleted(tx, at, &live).await?;
                deleted += live.len();
            }
        }
    }
    Ok(deleted)
}
