//! The parse queue: postings whose page is to be read, and what came of it.

use cadre_model::ids::random_id;
use serde_json::Value;
use sqlx::Row;

use super::postings::{Availability, COLUMNS, FROM, Posting, posting};
use super::{events, forms};
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::tenants::EnvironmentScope;

/// A posting whose page somebody is reading.
#[derive(Debug, Clone)]
pub struct LeasedPosting {
    /// The environment it belongs to.
    pub scope: EnvironmentScope,
    /// The posting.
    pub posting: Posting,
    token: String,
}

/// What a look at the page of a posting showed.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A form: its id, its JSON, and what the page says of the job.
    Form {
        /// A digest of the form.
        id: String,
        /// The form.
        body: String,
        /// What the page says of the job.
        job: Value,
    },
    /// No form that could be used, and why.
    NoForm(String),
    /// The page is gone, or says that the job is closed; in words.
    Gone(String),
    /// The page could not be read this time; in words.
    Failed(String),
}

impl Store {
    /// Takes the posting whose page is due first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_claim(&self, lease_ms: i64) -> Result<Option<LeasedPosting>, Error> {
        let (now, token) = (self.now(), random_id());
        let sql = format!(
            "UPDATE job_postings SET lease_token = $2, lease_until = $3
             WHERE (environment_id, id) = (SELECT environment_id, id FROM job_postings
                 WHERE parse_at <= $1 AND (lease_until IS NULL OR lease_until < $1)
                 ORDER BY parse_at LIMIT 1 {})
             RETURNING environment_id, id",
            self.backend().pass_over_locked()
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(&token)
            .bind(now + lease_ms)
            .fetch_optional(self.write())
            .await
            .attempt("take a posting to read")?;
        let Some(row) = row else { return Ok(None) };
        let (environment_id, id): (String, String) = (row.get(0), row.get(1));
        let Some(scope) = self.system_scope(&environment_id).await? else { return Ok(None) };
        let posting = self.posting_get(&scope, &id).await?;
        Ok(posting.map(|posting| LeasedPosting { scope, posting, token }))
    }

    /// Puts a posting off without a word about its page.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_put_off(&self, leased: &LeasedPosting, until: i64) -> Result<(), Error> {
        sqlx::query(
            "UPDATE job_postings SET parse_at = $4, lease_token = NULL, lease_until = NULL
             WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
        )
        .bind(leased.scope.id())
        .bind(&leased.posting.id)
        .bind(&leased.token)
        .bind(until)
        .execute(self.write())
        .await
        .attempt("put a posting off")?;
        Ok(())
    }

    /// Writes down what a leased posting's page showed, unless the lease was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_parsed(
        &self,
        leased: &LeasedPosting,
        seen: &Seen,
        next_at: i64,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let held = sqlx::query(
            "UPDATE job_postings SET lease_token = NULL, lease_until = NULL
             WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
        )
        .bind(leased.scope.id())
        .bind(&leased.posting.id)
        .bind(&leased.token)
        .execute(&mut *tx)
        .await
        .attempt("check a lease")?;
        if held.rows_affected() > 0 {
            let at = self.now();
            write_seen(&mut tx, (leased.scope.id(), &leased.posting.id), seen, next_at, at).await?;
        }
        tx.commit().await.attempt("write down what a page showed")
    }

    /// Writes down what a posting's page showed just now, to somebody who asked for its form.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_seen(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        seen: &Seen,
        next_at: i64,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        write_seen(&mut tx, (scope.id(), id), seen, next_at, self.now()).await?;
        tx.commit().await.attempt("write down what a page showed")
    }

    /// Asks for the page of a posting to be read before all others; false for one that is over.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_parse_soon(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<bool, Error> {
        // Without a form, what was found before no longer holds. Whoever looks hears of it when it is read.
        let done = sqlx::query(
            "UPDATE job_postings SET parse_at = 0, availability = CASE WHEN form_id IS NULL THEN 'PENDING'
                 ELSE availability END
             WHERE environment_id = $1 AND id = $2 AND archived_at IS NULL",
        )
        .bind(scope.id())
        .bind(storable(id))
        .execute(self.write())
        .await
        .attempt("ask for a page to be read")?;
        Ok(done.rows_affected() > 0)
    }
}

/// Writes down what a page showed. A failure leaves an earlier form as it was.
async fn write_seen(
    tx: &mut Tx,
    (environment_id, id): (&str, &str),
    seen: &Seen,
    next_at: i64,
    now: i64,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE p.environment_id = $1 AND p.id = $2 AND p.archived_at IS NULL"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(environment_id)
        .bind(storable(id))
        .fetch_optional(&mut **tx)
        .await
        .attempt("read a posting")?;
    let Some(was) = row.as_ref().map(posting).transpose()? else { return Ok(()) };
    let next = Next::of(&was, seen);
    if let Seen::Form { id: form, body, .. } = seen {
        forms::keep(tx, environment_id, id, (form, body), now).await?;
    }
    let status = was.availability != next.availability;
    let form = next.form_id.is_some() && was.form_id != next.form_id;
    let over = next.availability == Availability::Archived;
    sqlx::query(
        "UPDATE job_postings SET availability = $3, form_id = $4, job = $5, note = $6, parse_failures = $7,
             parse_at = $8, parsed_at = $9, archived_at = $10, archived_reason = $11,
             updated_at = CASE WHEN $12 = 1 THEN $9 ELSE updated_at END
         WHERE environment_id = $1 AND id = $2",
    )
    .bind(environment_id)
    .bind(&was.id)
    .bind(next.availability.as_str())
    .bind(&next.form_id)
    .bind(storable(&next.job.to_string()))
    .bind(storable_or_null(next.note.as_deref()))
    .bind(next.failures)
    .bind((!over).then_some(next_at))
    .bind(now)
    .bind(over.then_some(now))
    .bind(over.then_some("JOB_POSTING_TAKEN_OFFLINE"))
    .bind(i64::from(status || form))
    .execute(&mut **tx)
    .await
    .attempt("write down what a page showed")?;
    if status || form {
        events::posting_changed(tx, environment_id, &was.id, status, now).await?;
    }
    Ok(())
}

/// What a posting is after a look at its page.
struct Next {
    availability: Availability,
    form_id: Option<String>,
    job: Value,
    note: Option<String>,
    failures: i64,
}

impl Next {
    fn of(was: &Posting, seen: &Seen) -> Next {
        let (form_id, job) = (was.form_id.clone(), was.job.clone());
        let failures = was.parse_failures + 1;
        match seen {
            Seen::Form { id, job, .. } => Next {
                availability: Availability::Applyable,
                form_id: Some(id.clone()),
                job: job.clone(),
                note: None,
                failures: 0,
            },
            Seen::Gone(why) => Next {
                availability: Availability::Archived,
                form_id,
                job,
                note: Some(why.clone()),
                failures: 0,
            },
            Seen::NoForm(why) | Seen::Failed(why) => Next {
                // An earlier form still stands: the page may be back to it the next time.
                availability: match (&form_id, was.availability) {
                    (Some(_), _) => Availability::Applyable,
                    (None, Availability::Pending)
                        if matches!(seen, Seen::Failed(_)) && failures < 3 =>
                    {
                        Availability::Pending
                    }
                    (None, _) => Availability::Unavailable,
                },
                form_id,
                job,
                note: Some(why.clone()),
                failures,
            },
        }
    }
}
