//! Imports into a feed: lines are set aside while they come in, and take effect in one transaction.

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::effect::{archive_others, upsert};
use super::events;
use crate::records::sql::chunks;
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// How an import stands.
    pub enum ImportState {
        /// It is under way.
        Running = "running",
        /// It took effect.
        Done = "done",
        /// Its lines were wrong.
        Refused = "refused",
        /// It took too long.
        TimedOut = "timed_out",
        /// It broke off: the caller hung up, the process ended, the database failed.
        Broken = "broken",
    }
}

/// An import.
#[derive(Debug, Clone)]
pub struct FeedImport {
    /// Its id.
    pub id: String,
    /// The feed.
    pub feed_id: String,
    /// How it stands.
    pub state: ImportState,
    /// What it did.
    pub counts: ImportCounts,
    /// Why it did not end well.
    pub message: Option<String>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Postings that were not there before.
    pub created: i64,
    /// Lines.
    pub processed: i64,
    /// Postings that it took down.
    pub archived: i64,
}

/// What became of beginning an import.
#[derive(Debug)]
pub enum BeginImport {
    /// It is begun.
    Begun(ImportLease),
    /// Another one is under way, and holds the feed until this moment at least.
    Running(i64),
    /// There is no such feed.
    NoFeed,
}

/// The right to import into a feed.
#[derive(Debug, Clone)]
pub struct ImportLease {
    pub(super) environment_id: String,
    pub(super) feed_id: String,
    pub(super) import_id: String,
    token: String,
}

impl ImportLease {
    /// The id of the import.
    #[must_use]
    pub fn import_id(&self) -> &str {
        &self.import_id
    }
}

/// A line of a feed that was understood.
#[derive(Debug, Clone)]
pub struct FeedLine {
    /// The id of the posting it names.
    pub posting_id: String,
    /// The id of the career site it names.
    pub career_site_id: String,
    /// The label of the career site.
    pub label: String,
    /// Where the posting's page is.
    pub url: String,
    /// The employer's own code of the job.
    pub job_code: Option<String>,
    /// Country of the job.
    pub country: Option<String>,
    /// Postal code of the job.
    pub postal_code: Option<String>,
}

impl Store {
    /// Begins an import, unless one is under way.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn feed_import_begin(
        &self,
        scope: &EnvironmentScope,
        feed_id: &str,
        lease_ms: i64,
    ) -> Result<BeginImport, Error> {
        let (now, feed_id) = (self.now(), storable(feed_id));
        let lease = ImportLease {
            environment_id: scope.id().to_owned(),
            feed_id,
            import_id: random_id(),
            token: random_id(),
        };
        // A plain look first: it does not wait for the transaction of an import that takes effect just now.
        let row =
            sqlx::query("SELECT lease_until FROM job_feeds WHERE environment_id = $1 AND id = $2")
                .bind(scope.id())
                .bind(&lease.feed_id)
                .fetch_optional(self.read())
                .await
                .attempt("look for a feed")?;
        let Some(row) = row else { return Ok(BeginImport::NoFeed) };
        let held: Option<i64> = row.get(0);
        if let Some(until) = held.filter(|until| *until >= now) {
            return Ok(BeginImport::Running(until));
        }
        let mut tx = self.begin().await?;
        let taken = sqlx::query(
            "UPDATE job_feeds SET lease_token = $3, lease_until = $4
             WHERE environment_id = $1 AND id = $2 AND (lease_until IS NULL OR lease_until < $5)",
        )
        .bind(scope.id())
        .bind(&lease.feed_id)
        .bind(&lease.token)
        .bind(now + lease_ms)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("begin an import")?;
        if taken.rows_affected() == 0 {
            return Ok(BeginImport::Running(now + lease_ms));
        }
        // Whoever held the lease before is gone, and what it set aside with it.
        forget_lines(&mut tx, &lease).await?;
        sqlx::query(
            "UPDATE feed_imports SET state = 'broken', ended_at = $3, message = 'The server that ran it went away.'
             WHERE environment_id = $1 AND feed_id = $2 AND state = 'running'",
        )
        .bind(scope.id())
        .bind(&lease.feed_id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("end an import that broke off")?;
        sqlx::query(
            "INSERT INTO feed_imports (environment_id, id, feed_id, state, started_at)
             VALUES ($1, $2, $3, 'running', $4)",
        )
        .bind(scope.id())
        .bind(&lease.import_id)
        .bind(&lease.feed_id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("begin an import")?;
        tx.commit().await.attempt("begin an import")?;
        Ok(BeginImport::Begun(lease))
    }

    /// Sets lines aside, and keeps the feed. Of two lines about one posting the later one counts.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another import has begun since; when the database fails.
    pub async fn feed_import_stage(
        &self,
        lease: &ImportLease,
        lines: &[FeedLine],
        lease_ms: i64,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        fence(&mut tx, lease, self.now() + lease_ms).await?;
        for some in chunks(lines) {
            let sql = format!(
                "INSERT INTO feed_lines (import_id, posting_id, career_site_id, label, url, job_code, country,
                     postal_code) VALUES {}
                 ON CONFLICT (import_id, posting_id) DO UPDATE SET country = excluded.country,
                     postal_code = excluded.postal_code",
                self.backend().rows(8, some.len())
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for line in some {
                query = query
                    .bind(&lease.import_id)
                    .bind(&line.posting_id)
                    .bind(&line.career_site_id)
                    .bind(storable(&line.label))
                    .bind(storable(&line.url))
                    .bind(storable_or_null(line.job_code.as_deref()))
                    .bind(storable_or_null(line.country.as_deref()))
                    .bind(storable_or_null(line.postal_code.as_deref()));
            }
            query.execute(&mut *tx).await.attempt("set lines of a feed aside")?;
        }
        tx.commit().await.attempt("set lines of a feed aside")
    }

    /// Lets an import take effect, all of it in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another import has begun since; when the database fails. Nothing is
    /// changed then.
    pub async fn feed_import_apply(
        &self,
        lease: &ImportLease,
        processed: i64,
        lease_ms: i64,
    ) -> Result<ImportCounts, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, lease, now + lease_ms).await?;
        let created = upsert(&mut tx, lease, now).await?;
        let archived = archive_others(&mut tx, lease, now).await?;
        let counts = ImportCounts { created, processed, archived };
        forget_lines(&mut tx, lease).await?;
        end(&mut tx, lease, (ImportState::Done, None), counts, now).await?;
        let place = (&*lease.environment_id, &*lease.feed_id, &*lease.import_id);
        events::import_ended(&mut tx, place, archived > 0, now).await?;
        tx.commit().await.attempt("let an import take effect")?;
        Ok(counts)
    }

    /// Ends an import that does not take effect, and sets its feed free.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn feed_import_abandon(
        &self,
        lease: &ImportLease,
        state: ImportState,
        message: &str,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        forget_lines(&mut tx, lease).await?;
        let none = ImportCounts::default();
        end(&mut tx, lease, (state, Some(message)), none, self.now()).await?;
        tx.commit().await.attempt("end an import")
    }

    /// The latest imports of the environment, or of one feed; newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn feed_import_list(
        &self,
        scope: &EnvironmentScope,
        feed_id: Option<&str>,
        limit: u32,
    ) -> Result<Vec<FeedImport>, Error> {
        let rows = sqlx::query(
            "SELECT id, feed_id, state, created_count, processed_count, archived_count, message, started_at,
                 ended_at FROM feed_imports
             WHERE environment_id = $1 AND ($2 = '' OR feed_id = $2) ORDER BY started_at DESC, id LIMIT $3",
        )
        .bind(scope.id())
        .bind(storable(feed_id.unwrap_or_default()))
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await
        .attempt("list the imports")?;
        rows.iter().map(import).collect()
    }

    /// Removes imports that began before a moment, but for the latest of each feed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn feed_imports_prune(&self, before: i64) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM feed_imports WHERE started_at < $1 AND EXISTS (SELECT 1 FROM feed_imports later
                 WHERE later.environment_id = feed_imports.environment_id
                 AND later.feed_id = feed_imports.feed_id AND later.started_at > feed_imports.started_at)",
        )
        .bind(before)
        .execute(self.write())
        .await
        .attempt("remove old imports")?;
        Ok(done.rows_affected())
    }
}

/// Refuses a transaction of an import that lost its feed; keeps the feed otherwise.
async fn fence(tx: &mut Tx, lease: &ImportLease, until: i64) -> Result<(), Error> {
    let held = sqlx::query(
        "UPDATE job_feeds SET lease_until = $4 WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
    )
    .bind(&lease.environment_id)
    .bind(&lease.feed_id)
    .bind(&lease.token)
    .bind(until)
    .execute(&mut **tx)
    .await
    .attempt("keep a feed")?;
    if held.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Forgets the lines of this import, and of any other of the feed that is over.
async fn forget_lines(tx: &mut Tx, lease: &ImportLease) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM feed_lines WHERE import_id = $3 OR import_id IN (SELECT id FROM feed_imports
             WHERE environment_id = $1 AND feed_id = $2 AND state = 'running' AND id <> $3)",
    )
    .bind(&lease.environment_id)
    .bind(&lease.feed_id)
    .bind(&lease.import_id)
    .execute(&mut **tx)
    .await
    .attempt("forget the lines of an import")?;
    Ok(())
}

/// Ends an import and sets its feed free, if it still holds it.
async fn end(
    tx: &mut Tx,
    lease: &ImportLease,
    (state, message): (ImportState, Option<&str>),
    counts: ImportCounts,
    now: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE feed_imports SET state = $3, message = $4, created_count = $5, processed_count = $6,
             archived_count = $7, ended_at = $8
         WHERE environment_id = $1 AND id = $2 AND state = 'running'",
    )
    .bind(&lease.environment_id)
    .bind(&lease.import_id)
    .bind(state.as_str())
    .bind(storable_or_null(message))
    .bind(counts.created)
    .bind(counts.processed)
    .bind(counts.archived)
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("end an import")?;
    sqlx::query(
        "UPDATE job_feeds SET lease_token = NULL, lease_until = NULL
         WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
    )
    .bind(&lease.environment_id)
    .bind(&lease.feed_id)
    .bind(&lease.token)
    .execute(&mut **tx)
    .await
    .attempt("set a feed free")?;
    Ok(())
}

fn import(row: &AnyRow) -> Result<FeedImport, Error> {
    let state: String = row.get("state");
    Ok(FeedImport {
        id: row.get("id"),
        feed_id: row.get("feed_id"),
        state: ImportState::read(&state)?,
        counts: ImportCounts {
            created: row.get("created_count"),
            processed: row.get("processed_count"),
            archived: row.get("archived_count"),
        },
        message: row.get("message"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
    })
}
