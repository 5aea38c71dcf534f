//! What can be said about the records of a model as a whole: what a run knew before it wrote, which
//! records are suspect, a fingerprint of all, and up to when they are known.

use std::collections::HashMap;
use std::fmt::Write;

use cadre_model::mapped::Record;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::delete::short;
use super::sql::{IDS, array};
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// Rows that are read at once.
const AT_ONCE: i64 = 5_000;

/// A live record as it was before a page.
#[derive(Debug, Clone)]
pub enum Before {
    /// As it is in the page.
    Same,
    /// Otherwise: its fields, and its links by name as `[[id, remote id, attributes?]]`.
    Other {
        /// Own fields, in the wire form.
        fields: Map<String, Value>,
        /// Links by name.
        links: Map<String, Value>,
    },
}

/// A record that passes did not see, and that may still be there.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// The model.
    pub model: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// When a pass first missed it.
    pub since: i64,
}

/// All live records of a model, in one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many there are.
    pub count: u64,
    /// SHA-256 over the remote ids and content hashes, in the order of the ids; hexadecimal.
    pub hash: String,
}

/// How fresh the records of a model are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The tool's records are known as they stood then.
    pub synced_at: Option<i64>,
    /// When one of them last changed, or something that it shows.
    pub changed_at: Option<i64>,
    /// Moves with every change to records of the integration, whatever their model.
    pub version: i64,
}

impl Store {
    /// How live records of one model stood before these are written, by id. Those that are new or were
    /// deleted are left out.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_before(
        &self,
        scope: &IntegrationScope,
        model: &str,
        records: &[&Record],
    ) -> Result<HashMap<String, Before>, Error> {
        let mut found = HashMap::new();
        for chunk in records.chunks(IDS) {
            let by_id: HashMap<&str, &Record> =
                chunk.iter().map(|record| (record.id.as_str(), *record)).collect();
            let sql = format!(
                "SELECT id, hash, link_hash FROM records WHERE integration_id = $1 AND model = $2
                 AND remote_deleted_at IS NULL AND {}",
                self.backend().among("id", "$3")
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(scope.id())
                .bind(model)
                .bind(array(by_id.keys()))
                .fetch_all(self.read())
                .await
                .attempt("compare records")?;
            let mut other = Vec::new();
            for row in rows {
                let id: String = row.get(0);
                let Some(record) = by_id.get(id.as_str()) else { continue };
                let same = row.get::<Vec<u8>, _>(1) == record.hash
                    && row.get::<Vec<u8>, _>(2) == record.link_hash;
                if same {
                    found.insert(id, Before::Same);
                } else {
                    other.push(id);
                }
            }
            if !other.is_empty() {
                found.extend(self.bodies(scope, model, &other).await?);
            }
        }
        Ok(found)
    }

    async fn bodies(
        &self,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
    ) -> Result<Vec<(String, Before)>, Error> {
        let sql = format!(
            "SELECT id, body, links FROM records WHERE integration_id = $1 AND model = $2 AND {}",
            self.backend().among("id", "$3")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(model)
            .bind(array(ids))
            .fetch_all(self.read())
            .await
            .attempt("read records")?;
        let object =
            |text: &str| serde_json::from_str(text).map_err(|_| Error::damaged("a record", text));
        rows.iter()
            .map(|row| {
                let (body, links): (String, String) = (row.get(1), row.get(2));
                Ok((row.get(0), Before::Other { fields: object(&body)?, links: object(&links)? }))
            })
            .collect()
    }

    /// Marks the live records of a model that a run has not seen as suspect, and takes the mark from
    /// those that it has. How many are suspect now.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_suspect_unseen(
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
            after = last;
            for ids in unseen.chunks(IDS) {
                self.suspect(scope, model, ids, Some(self.now())).await?;
                count += ids.len() as u64;
            }
        }
        let back: Vec<String> = self
            .suspect_ids(scope, model)
            .await?
            .into_iter()
            .filter(|id| seen.binary_search(&short(id)).is_ok())
            .collect();
        for ids in back.chunks(IDS) {
            self.suspect(scope, model, ids, None).await?;
        }
        Ok(count)
    }

    /// Takes the mark from every record of a model: a pass has proved which are there.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_suspect_none(
        &self,
        scope: &IntegrationScope,
        model: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE records SET suspect_since = NULL
             WHERE integration_id = $1 AND model = $2 AND suspect_since IS NOT NULL",
        )
        .bind(scope.id())
        .bind(model)
        .execute(self.write())
        .await
        .attempt("clear suspects")?;
        Ok(())
    }

    /// The suspect records of an integration, by model.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_suspects(
        &self,
        scope: &IntegrationScope,
        limit: u32,
    ) -> Result<Vec<Suspect>, Error> {
        let rows = sqlx::query(
            "SELECT model, remote_id, suspect_since FROM records
             WHERE integration_id = $1 AND suspect_since IS NOT NULL AND remote_deleted_at IS NULL
             ORDER BY model, remote_id LIMIT $2",
        )
        .bind(scope.id())
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await
        .attempt("list suspects")?;
        let suspect = |row| Suspect {
            model: Row::get(row, 0),
            remote_id: Row::get(row, 1),
            since: Row::get(row, 2),
        };
        Ok(rows.iter().map(suspect).collect())
    }

    async fn suspect_ids(
        &self,
        scope: &IntegrationScope,
        model: &str,
    ) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(
            "SELECT id FROM records
             WHERE integration_id = $1 AND model = $2 AND suspect_since IS NOT NULL",
        )
        .bind(scope.id())
        .bind(model)
        .fetch_all(self.write())
        .await
        .attempt("list suspects")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Marks records as suspect since a moment, if they are not already, or takes the mark from them.
    async fn suspect(
        &self,
        scope: &IntegrationScope,
        model: &str,
        ids: &[String],
        since: Option<i64>,
    ) -> Result<(), Error> {
        let sql = format!(
            "UPDATE records SET suspect_since = CASE WHEN $4 = 1 THEN COALESCE(suspect_since, $5) END
             WHERE integration_id = $1 AND model = $2 AND {}",
            self.backend().among("id", "$3")
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(model)
            .bind(array(ids))
            .bind(i64::from(since.is_some()))
            .bind(since.unwrap_or_default())
            .execute(self.write())
            .await
            .attempt("mark suspects")?;
        Ok(())
    }

    /// The fingerprint of the live records of a model.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_fingerprint(
        &self,
        scope: &IntegrationScope,
        model: &str,
    ) -> Result<Fingerprint, Error> {
        let mut hasher = Sha256::new();
        let (mut count, mut after) = (0, String::new());
        loop {
            let rows = sqlx::query(
                "SELECT id, remote_id, hash, remote_deleted_at FROM records
                 WHERE integration_id = $1 AND model = $2 AND id > $3 ORDER BY id LIMIT $4",
            )
            .bind(scope.id())
            .bind(model)
            .bind(&after)
            .bind(AT_ONCE)
            .fetch_all(self.write())
            .await
            .attempt("take a fingerprint")?;
            let Some(last) = rows.last() else { break };
            after = last.get(0);
            for row in rows.iter().filter(|row| row.get::<Option<i64>, _>(3).is_none()) {
                let remote_id: String = row.get(1);
                hasher.update((remote_id.len() as u64).to_le_bytes());
                hasher.update(remote_id.as_bytes());
                hasher.update(row.get::<Vec<u8>, _>(2));
                count += 1;
            }
        }
        let hash = hasher.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Fingerprint { count, hash })
    }

    /// How many links of a field or relation the live records of a model have, and how many of them lead to
    /// no record of the target model.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_broken_links(
        &self,
        scope: &IntegrationScope,
        model: &str,
        field: &str,
        target: &str,
    ) -> Result<(u64, u64), Error> {
        let row = sqlx::query(
            "SELECT COUNT(*), COUNT(*) - COUNT(t.id) FROM record_refs f
             LEFT JOIN records t ON t.integration_id = f.integration_id AND t.model = $4 AND t.id = f.target_id
             WHERE f.integration_id = $1 AND f.model = $2 AND f.field = $3",
        )
        .bind(scope.id())
        .bind(model)
        .bind(field)
        .bind(target)
        .fetch_one(self.write())
        .await
        .attempt("follow references")?;
        let number = |at: usize| u64::try_from(row.get::<i64, _>(at)).unwrap_or(0);
        Ok((number(0), number(1)))
    }

    /// Notes that all records of these models are known as they stood at the moment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn models_mark(
        &self,
        scope: &IntegrationScope,
        models: &[&str],
        synced_at: i64,
    ) -> Result<(), Error> {
        for model in models {
            sqlx::query(
                "INSERT INTO model_marks (integration_id, model, synced_at) VALUES ($1, $2, $3)
                 ON CONFLICT (integration_id, model) DO UPDATE SET synced_at = excluded.synced_at",
            )
            .bind(scope.id())
            .bind(*model)
            .bind(synced_at)
            .execute(self.write())
            .await
            .attempt("mark a model as read")?;
        }
        Ok(())
    }

    /// Up to when the records of a model are known, and when what it shows last changed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn model_freshness(
        &self,
        scope: &IntegrationScope,
        model: &str,
    ) -> Result<Freshness, Error> {
        let row = sqlx::query(
            "SELECT (SELECT synced_at FROM model_marks WHERE integration_id = $1 AND model = $2),
                    (SELECT MAX(touched_at) FROM records WHERE integration_id = $1 AND model = $2),
                    (SELECT version FROM record_versions WHERE integration_id = $1)",
        )
        .bind(scope.id())
        .bind(model)
        .fetch_one(self.read())
        .await
        .attempt("look how fresh a model is")?;
        let version = row.get::<Option<i64>, _>(2).unwrap_or(0);
        Ok(Freshness { synced_at: row.get(0), changed_at: row.get(1), version })
    }
}
