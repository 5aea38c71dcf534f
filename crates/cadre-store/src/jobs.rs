//! The queue: jobs as rows, leased by workers.
//!
//! A lease only saves work. What makes a job right is that it looks at the state of the world, and that
//! whoever lost the lease cannot write: every write of a job is fenced by its token.

use cadre_model::ids::random_id;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, Tx, storable};

/// A new job.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What is to be done.
    pub kind: String,
    /// On what: one job of a kind and key is queued or running.
    pub key: String,
    /// What the job needs to find its work.
    pub payload: Value,
    /// Not before this moment.
    pub run_at: Option<i64>,
    /// The integration it belongs to.
    pub integration_id: Option<String>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What is to be done.
    pub kind: String,
    /// On what.
    pub key: String,
    /// What the job needs to find its work.
    pub payload: Value,
    /// The integration it belongs to.
    pub integration_id: Option<String>,
    /// How often it was begun.
    pub attempts: i64,
    /// Proof that the holder is the one who does it.
    pub lease_token: Option<String>,
}

/// What became of queueing a job.
#[derive(Debug)]
pub enum Enqueue {
    /// It is queued.
    New(String),
    /// One of the same kind and key was there.
    AlreadyThere(Job),
}

impl Store {
    /// Queues a job, unless one of the same kind and key is queued or running.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_enqueue(&self, new: NewJob) -> Result<Enqueue, Error> {
        let (id, now) = (random_id(), self.now());
        // A job that is there may end between the two statements; then there is room after all.
        for _ in 0..5 {
            let mut tx = self.begin().await?;
            let inserted = insert_job(&mut tx, &new, &id, now).await?;
            tx.commit().await.attempt("queue a job")?;
            if inserted {
                return Ok(Enqueue::New(id));
            }
            if let Some(job) = self.job_open(&new.kind, &new.key).await? {
                return Ok(Enqueue::AlreadyThere(job));
            }
        }
        Err(Error::damaged("a queue", "a job that is neither there nor not there"))
    }

    /// The job of a kind and key that is queued or running.
    pub(crate) async fn job_open(&self, kind: &str, key: &str) -> Result<Option<Job>, Error> {
        let row = sqlx::query(
            "SELECT id, kind, key, payload, integration_id, attempts, lease_token FROM jobs
             WHERE kind = $1 AND key = $2 AND state IN ('queued', 'running')",
        )
        .bind(kind)
        .bind(key)
        .fetch_optional(self.write())
        .await
        .attempt("look for a job")?;
        row.as_ref().map(job).transpose()
    }

    /// Takes the oldest due job of one of the kinds; also one whose worker gave no sign of life.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_claim(&self, kinds: &[&str], lease_ms: i64) -> Result<Option<Job>, Error> {
        let now = self.now();
        for kind in kinds {
            let row = sqlx::query(self.backend().claim_job())
                .bind(now)
                .bind(now + lease_ms)
                .bind(random_id())
                .bind(*kind)
                .fetch_optional(self.write())
                .await
                .attempt("take a job")?;
            if let Some(row) = row {
                return job(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// Extends a lease; false if it was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_extend(&self, job: &Job, lease_ms: i64) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'",
        )
        .bind(&job.id)
        .bind(&job.lease_token)
        .bind(self.now() + lease_ms)
        .execute(self.write())
        .await
        .attempt("extend a lease")?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends a job that was done; false if its lease was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_finish(&self, job: &Job) -> Result<bool, Error> {
        self.job_end(job, "done", None).await
    }

    /// Ends a job that cannot be done; false if its lease was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_dead(&self, job: &Job, error: &str) -> Result<bool, Error> {
        self.job_end(job, "dead", Some(&storable(error))).await
    }

    /// Gives a job back, to be tried again; false if its lease was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_retry(&self, job: &Job, run_at: i64, error: &str) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE jobs SET state = 'queued', run_at = $3, error = $4, lease_token = NULL, lease_until = NULL
             WHERE id = $1 AND lease_token = $2 AND state = 'running'",
        )
        .bind(&job.id)
        .bind(&job.lease_token)
        .bind(run_at)
        .bind(storable(error))
        .execute(self.write())
        .await
        .attempt("give a job back")?;
        Ok(done.rows_affected() > 0)
    }

    async fn job_end(&self, job: &Job, state: &str, error: Option<&str>) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE jobs SET state = $3, error = $4, ended_at = $5, lease_token = NULL, lease_until = NULL
             WHERE id = $1 AND lease_token = $2 AND state = 'running'",
        )
        .bind(&job.id)
        .bind(&job.lease_token)
        .bind(state)
        .bind(error)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("end a job")?;
        Ok(done.rows_affected() > 0)
    }
}

/// Queues a job; false if one of its kind and key is queued or running.
pub(crate) async fn insert_job(
    tx: &mut Tx,
    new: &NewJob,
    id: &str,
    now: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO jobs (id, kind, key, payload, integration_id, state, attempts, run_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7)
         ON CONFLICT (kind, key) WHERE state IN ('queued', 'running') DO NOTHING",
    )
    .bind(id)
    .bind(&new.kind)
    .bind(&new.key)
    .bind(new.payload.to_string())
    .bind(&new.integration_id)
    .bind(new.run_at.unwrap_or(now))
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("queue a job")?;
    Ok(done.rows_affected() > 0)
}

/// Ends a job inside of a transaction that has looked at its lease.
pub(crate) async fn finish_fenced(tx: &mut Tx, job: &Job, now: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE jobs SET state = 'done', ended_at = $2, lease_token = NULL, lease_until = NULL
         WHERE id = $1",
    )
    .bind(&job.id)
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("end a job")?;
    Ok(())
}

/// Refuses a transaction of a job whose lease was lost. The row is locked until the transaction ends,
/// so nobody can take the lease in between.
pub(crate) async fn fence(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let held = sqlx::query(
        "UPDATE jobs SET attempts = attempts WHERE id = $1 AND lease_token = $2 AND state = 'running'",
    )
    .bind(&job.id)
    .bind(&job.lease_token)
    .execute(&mut **tx)
    .await
    .attempt("check a lease")?;
    if held.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

fn job(row: &AnyRow) -> Result<Job, Error> {
    let payload: String = row.get("payload");
    Ok(Job {
        id: row.get("id"),
        kind: row.get("kind"),
        key: row.get("key"),
        payload: serde_json::from_str(&payload).map_err(|_| Error::damaged("a job", &payload))?,
        integration_id: row.get("integration_id"),
        attempts: row.get("attempts"),
        lease_token: row.get("lease_token"),
    })
}
