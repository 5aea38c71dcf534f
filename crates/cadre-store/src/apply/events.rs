//! What callers are told about postings and applications, in the transaction of its cause.

use cadre_model::time::wire;
use serde_json::json;
use sqlx::Row;

use super::postings::{COLUMNS, FROM, Posting, posting};
use crate::events::{EventType, NewEvent, append};
use crate::store::{Attempt, Error, Tx, storable};

/// How many postings are read at once.
const PAGE: i64 = 1_000;

fn postings_changed() -> NewEvent {
    NewEvent {
        event_type: EventType::PostingsChanged,
        integration_id: None,
        subject: Some("job_postings".to_owned()),
        // The contract leaves the names of the models open.
        payload: json!({ "changed_models": [{ "name": "ai_apply_job_postings" }] }),
    }
}

fn status_updated(posting: &Posting) -> NewEvent {
    NewEvent {
        event_type: EventType::PostingStatusUpdated,
        integration_id: None,
        subject: Some(format!("posting:{}", posting.id)),
        payload: posting.shown(),
    }
}

/// A posting changed; `status`: in whether one may apply to it.
pub(super) async fn posting_changed(
    tx: &mut Tx,
    environment_id: &str,
    id: &str,
    status: bool,
    now: i64,
) -> Result<(), Error> {
    let mut events = Vec::new();
    if status {
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE p.environment_id = $1 AND p.id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(environment_id)
            .bind(storable(id))
            .fetch_optional(&mut **tx)
            .await
            .attempt("read a posting")?;
        events.extend(row.as_ref().map(posting).transpose()?.as_ref().map(status_updated));
    }
    events.push(postings_changed());
    append(tx, environment_id, &events, now).await.map(drop)
}

/// An import ended: what it took down is told one by one, and once that postings changed.
pub(super) async fn import_ended(
    tx: &mut Tx,
    (environment_id, feed_id, import_id): (&str, &str, &str),
    archived: bool,
    now: i64,
) -> Result<(), Error> {
    let mut after = String::new();
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE p.environment_id = $1 AND p.feed_id = $2 AND p.archived_at = $3
         AND p.archived_reason = 'REMOVED_FROM_JOB_FEED' AND p.import_id <> $4 AND p.id > $5
         ORDER BY p.id LIMIT $6"
    );
    if !archived {
        return append(tx, environment_id, &[postings_changed()], now).await.map(drop);
    }
    loop {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
            .bind(environment_id)
            .bind(feed_id)
            .bind(now)
            .bind(import_id)
            .bind(&after)
            .bind(PAGE)
            .fetch_all(&mut **tx)
            .await
            .attempt("read what an import took down")?;
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        let postings: Vec<Posting> = rows.iter().map(posting).collect::<Result<_, _>>()?;
        let events: Vec<NewEvent> = postings.iter().map(status_updated).collect();
        append(tx, environment_id, &events, now).await?;
    }
    append(tx, environment_id, &[postings_changed()], now).await.map(drop)
}

/// It is known what became of an application.
pub(super) async fn application_ended(
    tx: &mut Tx,
    environment_id: &str,
    (id, posting_id): (&str, &str),
    status: &str,
    (created_at, updated_at): (i64, i64),
) -> Result<(), Error> {
    let event = NewEvent {
        event_type: EventType::ApplicationStatusUpdated,
        integration_id: None,
        subject: Some(format!("application:{id}")),
        payload: json!({
            "id": id,
            "job_posting_id": posting_id,
            "status": status,
            "created_at": wire(created_at),
            "updated_at": wire(updated_at),
        }),
    };
    append(tx, environment_id, &[event], updated_at).await.map(drop)
}
