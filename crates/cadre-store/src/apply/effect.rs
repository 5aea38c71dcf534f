//! What an import does to the postings, inside of its one transaction.

use sqlx::Row;

use super::imports::ImportLease;
use crate::store::{Attempt, Error, Tx};

/// How long a posting whose page was gone is left alone, however often its feed names it.
const GONE_MS: i64 = 24 * 3_600_000;

/// How many lines take effect, or how many postings are taken down, with one statement.
const PART: i64 = 5_000;

/// Writes the career sites and postings that the lines name; how many postings are new.
///
/// It goes part by part: what one statement changes, SQLite keeps in memory until its end.
pub(super) async fn upsert(tx: &mut Tx, lease: &ImportLease, now: i64) -> Result<i64, Error> {
    let (mut created, mut after) = (0, String::new());
    loop {
        let row = sqlx::query(
            "SELECT posting_id FROM feed_lines WHERE import_id = $1 AND posting_id > $2
             ORDER BY posting_id LIMIT 1 OFFSET $3",
        )
        .bind(&lease.import_id)
        .bind(&after)
        .bind(PART - 1)
        .fetch_optional(&mut **tx)
        .await
        .attempt("read the lines of a feed")?;
        let bound: Option<String> = row.map(|row| row.get(0));
        // No id is behind the last character of ASCII.
        let until = bound.as_deref().unwrap_or("~");
        created += upsert_part(tx, lease, (&after, until), now).await?;
        match bound {
            Some(bound) => after = bound,
            None => return Ok(created),
        }
    }
}

/// Writes what the lines after one posting, up to another, name; how many postings are new.
async fn upsert_part(
    tx: &mut Tx,
    lease: &ImportLease,
    (after, until): (&str, &str),
    now: i64,
) -> Result<i64, Error> {
    sqlx::query(
        "INSERT INTO career_sites (environment_id, id, label, feed_id, created_at)
         SELECT DISTINCT CAST($1 AS TEXT), career_site_id, label, CAST($2 AS TEXT), CAST($3 AS BIGINT)
         FROM feed_lines WHERE import_id = $4 AND posting_id > $5 AND posting_id <= $6
         ON CONFLICT (environment_id, id) DO NOTHING",
    )
    .bind(&lease.environment_id)
    .bind(&lease.feed_id)
    .bind(now)
    .bind(&lease.import_id)
    .bind(after)
    .bind(until)
    .execute(&mut **tx)
    .await
    .attempt("make the career sites of a feed")?;
    let row = sqlx::query(
        "SELECT count(*) FROM feed_lines l WHERE l.import_id = $2 AND l.posting_id > $3 AND l.posting_id <= $4
             AND NOT EXISTS (SELECT 1 FROM job_postings p WHERE p.environment_id = $1 AND p.id = l.posting_id)",
    )
    .bind(&lease.environment_id)
    .bind(&lease.import_id)
    .bind(after)
    .bind(until)
    .fetch_one(&mut **tx)
    .await
    .attempt("count the new postings of a feed")?;
    sqlx::query(sqlx::AssertSqlSafe(upsert_sql()))
        .bind(&lease.environment_id)
        .bind(&lease.feed_id)
        .bind(&lease.import_id)
        .bind(now)
        .bind(now - GONE_MS)
        .bind(after)
        .bind(until)
        .execute(&mut **tx)
        .await
        .attempt("write the postings of a feed")?;
    Ok(row.get(0))
}

/// `$1` environment, `$2` feed, `$3` import, `$4` now, `$5` before when a page that was gone is looked at
/// again, `$6` and `$7` the postings after which and up to which.
fn upsert_sql() -> String {
    let stays = "(job_postings.archived_at IS NULL OR job_postings.archived_reason = 'MANUAL_ARCHIVE'
        OR (job_postings.archived_reason = 'JOB_POSTING_TAKEN_OFFLINE' AND job_postings.archived_at > $5))";
    let kept = |column: &str, new: &str| {
        format!("{column} = CASE WHEN {stays} THEN job_postings.{column} ELSE {new} END")
    };
    format!(
        "INSERT INTO job_postings (environment_id, id, career_site_id, feed_id, import_id, url, job_code,
             country, postal_code, availability, parse_at, created_at, updated_at)
         SELECT CAST($1 AS TEXT), l.posting_id, l.career_site_id, CAST($2 AS TEXT), CAST($3 AS TEXT), l.url,
             l.job_code, l.country, l.postal_code, 'PENDING', CAST($4 AS BIGINT), CAST($4 AS BIGINT),
             CAST($4 AS BIGINT)
         FROM feed_lines l WHERE l.import_id = $3 AND l.posting_id > $6 AND l.posting_id <= $7
         ON CONFLICT (environment_id, id) DO UPDATE SET feed_id = excluded.feed_id,
             import_id = excluded.import_id, country = excluded.country, postal_code = excluded.postal_code,
             {availability}, {parse_at}, {updated_at}, {archived_at}, {archived_reason}",
        availability = kept("availability", "'PENDING'"),
        parse_at = kept("parse_at", "excluded.parse_at"),
        updated_at = kept("updated_at", "excluded.updated_at"),
        archived_at = kept("archived_at", "NULL"),
        archived_reason = kept("archived_reason", "NULL"),
    )
}

/// Takes down what the import did not name; how many there were.
pub(super) async fn archive_others(
    tx: &mut Tx,
    lease: &ImportLease,
    now: i64,
) -> Result<i64, Error> {
    let mut archived = 0;
    loop {
        let done = sqlx::query(
            "UPDATE job_postings SET availability = 'ARCHIVED', archived_at = $4,
                 archived_reason = 'REMOVED_FROM_JOB_FEED', parse_at = NULL, updated_at = $4
             WHERE environment_id = $1 AND id IN (SELECT id FROM job_postings
                 WHERE environment_id = $1 AND feed_id = $2 AND archived_at IS NULL AND import_id <> $3 LIMIT $5)",
        )
        .bind(&lease.environment_id)
        .bind(&lease.feed_id)
        .bind(&lease.import_id)
        .bind(now)
        .bind(PART)
        .execute(&mut **tx)
        .await
        .attempt("take down what a feed no longer names")?;
        if done.rows_affected() == 0 {
            return Ok(archived);
        }
        archived += i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
    }
}
